"""Every case of the corpus: what the rules say is what a reader of the guide would say."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.audit import catalog
from tests.unit.audit import auditing
from tests.unit.audit.corpus import DOCKERFILES, NGINX, Case


@pytest.mark.parametrize("case", DOCKERFILES, ids=lambda case: case.name)
def test_a_dockerfile_brings_the_findings_written_beside_it(case: Case) -> None:
    assert Counter(auditing.dockerfile(case)) == case.expected


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len(DOCKERFILES) >= 100
    assert len(NGINX) >= 40


@pytest.mark.parametrize("rule", [one for one in catalog.RULES if not one.startswith("RF3")])
def test_every_rule_on_files_has_a_disguised_case(rule: str) -> None:
    disguised = (case for case in (*DOCKERFILES, *NGINX) if case.name.startswith("disguised: "))

    assert any(found == rule for case in disguised for _, found, _ in case.expected)


@pytest.mark.parametrize("case", NGINX, ids=lambda case: case.name)
def test_an_nginx_configuration_brings_the_findings_written_beside_it(case: Case) -> None:
    assert Counter(auditing.nginx(case)) == case.expected
