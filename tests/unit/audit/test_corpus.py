"""Every case of the corpus: what the rules say is what a reader of the guide would say."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.unit.audit import auditing
from tests.unit.audit.corpus import DOCKERFILES, NGINX, Case


@pytest.mark.parametrize("case", DOCKERFILES, ids=lambda case: case.name)
def test_a_dockerfile_brings_the_findings_written_beside_it(case: Case) -> None:
    assert Counter(auditing.dockerfile(case)) == case.expected


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len(DOCKERFILES) >= 100
    assert len(NGINX) >= 40


@pytest.mark.parametrize("case", NGINX, ids=lambda case: case.name)
def test_an_nginx_configuration_brings_the_findings_written_beside_it(case: Case) -> None:
    assert Counter(auditing.nginx(case)) == case.expected
