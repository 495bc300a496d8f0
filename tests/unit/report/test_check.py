"""What is said on commits: at a glance, in full, and on the lines; also what a huge body had to leave out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.pulls import Conclusion, OpenPull
from bot.model.run import Proved, Publication, PublicationKind, PublicationState
from bot.report import check, pull_request
from bot.report.rendered import rendered
from tests.unit.report import cases, hostile, samples
from tests.unit.report.gfm import to_html
from tests.unit.report.page import Page

PULL = OpenPull(
    12, "https://github.com/acme/shop/pull/12", "renovate[bot]", "r", "main", "a" * 40, trusted=True
)
OURS = Publication(
    slot="s",
    kind=PublicationKind.PULL_REQUEST,
    project="acme/shop",
    digest="d",
    url="https://github.com/acme/shop/pull/1",
    branch="refit/x",
    state=PublicationState.OPEN,
    commit="b" * 40,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("pass", Conclusion.SUCCESS), ("build failed", Conclusion.FAILURE), ("pin", Conclusion.SUCCESS)],
)
def test_the_verdict_decides_the_conclusion(name: str, expected: Conclusion) -> None:
    made = check.for_ours([cases.CASES[name]()], OURS)
    assert (made.conclusion, made.commit, made.name) == (expected, OURS.commit, "refit")
    assert made.title.split(":")[0] in {"PASS", "BLOCK"}


def test_the_title_is_plain_text_that_shows_what_failed_as_it_is() -> None:
    failed = cases.build_failed()
    text = "the step `RUN apt-get update && cp a_b *.txt <out> [x]|y` failed with code 1"
    evidence = (replace(failed.evidence[0], failure=text),)
    verdict = replace(failed.verdict, reasons=(text,))
    made = check.for_ours([replace(failed, evidence=evidence, verdict=verdict)], OURS)

    assert made.title == f"BLOCK: T{text[1:]}. One line changes."


@pytest.mark.parametrize("name", cases.CASES)
def test_every_case_fits_and_names_its_line(name: str) -> None:
    proved = cases.CASES[name]()
    made = check.for_others([proved], PULL, image="debian:bookworm-slim", beyond=1)
    assert len(made.summary) + len(made.details) <= check.LIMIT
    (note,) = made.annotations
    assert (note.path, note.line) == (proved.planned.use.file, proved.planned.use.line)
    assert "1 other file" in made.summary
    assert "\n" not in made.title


def test_what_a_huge_body_had_to_leave_out_is_in_the_check() -> None:
    proved = cases.CASES["huge"]()
    body = pull_request.body([proved], marker=samples.MARKER)
    assert pull_request.is_cut(body)
    made = check.for_ours([proved], OURS)
    assert made.details.count("CVE-") >= 100
    assert not pull_request.is_cut(pull_request.body([samples.proved()], marker=samples.MARKER))


def tainted(text: str) -> Proved:
    """An update whose names, versions and titles come from somebody who means ill."""
    proved = samples.proved()
    evidence = proved.evidence[0]
    comparison = evidence.comparison
    assert comparison is not None
    first = comparison.fixed[0]
    found = first.vulnerability
    package = replace(found.package, name=text, version=text)
    evil = replace(first, vulnerability=replace(found, package=package, title=text, fixed_version=text))
    fixed = replace(comparison, fixed=(evil, *comparison.fixed[1:]), introduced=(evil,))
    return replace(
        proved,
        evidence=(replace(evidence, comparison=fixed),),
        verdict=replace(proved.verdict, reasons=(text,)),
    )


def test_hostile_words_do_nothing_in_a_comment_on_somebody_elses_pull_request() -> None:
    for text in hostile.ALL:
        made = check.for_others([tainted(text)], PULL, image=text, beyond=0)
        page = Page(to_html(check.as_comment(made)))
        assert {"script", "img", "input", "svg", "style"}.isdisjoint(page.elements), text
        assert all(ord(char) >= 32 for char in made.title), text
        assert "@" not in made.name, text


def test_a_terminal_shows_tables_and_folds_without_addresses() -> None:
    body = pull_request.body([samples.proved()], marker=samples.MARKER)
    text = rendered(body, width=100)
    assert "▸ Fixed: 22" in text
    assert "https://" not in text
    assert "<details>" not in text
    assert "refit slot=" not in text
