"""Issues of a target, dry runs, and how numbers are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.model.draft import Draft
from bot.model.run import PullRequest
from bot.model.update import Failed, Waiting
from bot.model.vulnerability import Severity
from bot.report import dashboard, dry_run, issue, pull_request, wording
from bot.report.issue import Trouble
from tests.unit.report import cases, samples
from tests.unit.report.gfm import to_html
from tests.unit.report.page import Page

PULL = PullRequest(
    slot="s",
    digest="d",
    branch="refit/debian",
    base="main",
    base_commit="c",
    title="Bump debian",
    body="The body.\n",
    message="m",
    files={"Dockerfile": b"FROM debian:12@sha256:b\nRUN x\n"},
    labels=("docker",),
)


def test_a_blocked_update_becomes_a_short_issue_that_says_why() -> None:
    trouble = Trouble("backend", blocked=(cases.build_failed(),))
    text = issue.body(trouble, marker=samples.MARKER)
    assert issue.title(trouble) == "backend: debian:bookworm-slim to 2026-11-10 is blocked"
    assert "- It does not build on the new base" in text
    assert "SSL\\_get1" not in text
    assert "SSL_get1_peer" in text
    assert text.endswith(f"{samples.MARKER}\n")
    assert Page(to_html(text)).elements.count("details") == 1


def test_an_abandoned_tag_becomes_an_issue_with_tags_to_choose_from() -> None:
    trouble = Trouble("frontend", abandoned=(cases.result().decided[3],))
    text = issue.body(trouble, marker=samples.MARKER)
    assert issue.title(trouble) == "frontend: nginx:1.27-alpine no longer moves"
    assert "`nginx:1.27-alpine` in `frontend/Dockerfile`, line 9, gets no more updates." in text
    assert "best first: `1.29-alpine`" in text


def test_vulnerabilities_without_an_update_are_listed_with_what_fixes_them() -> None:
    evidence = samples.proved().evidence[0]
    assert evidence.before is not None
    found = tuple(one for one in evidence.before.scan.vulnerabilities if one.fixed_version)[:3]
    trouble = Trouble("backend", vulnerable=found, image="debian:bookworm-slim")
    text = issue.body(trouble, marker=samples.MARKER)
    assert issue.title(trouble).endswith(" without an update")
    assert all(one.id in text for one in found)
    assert Page(to_html(text)).elements.count("table") == 1


def test_something_new_has_another_digest_and_the_same_trouble_the_same() -> None:
    abandoned = Trouble("frontend", abandoned=(cases.result().decided[3],))
    both = Trouble("frontend", (cases.build_failed(),), (cases.result().decided[3],))
    assert abandoned.digest == Trouble("frontend", abandoned=(cases.result().decided[3],)).digest
    assert abandoned.digest != both.digest
    assert not Trouble("frontend")


@pytest.mark.parametrize("number", [12, 400])
def test_an_issue_of_very_many_updates_fits_and_says_that_it_was_cut(number: int) -> None:
    failed = cases.build_failed()
    log = "\n".join(f"{line} {'x' * 350}" for line in range(50))
    long = replace(failed, evidence=(replace(failed.evidence[0], failure_log=log),))
    text = issue.body(Trouble("backend", blocked=(long,) * number), marker=samples.MARKER)

    assert len(text) <= 65_536
    assert text.endswith(f"{samples.MARKER}\n")
    assert text.count("is blocked") == 12 or "cut to fit" in text
    assert "Last lines" not in text


def test_a_title_is_as_long_as_github_takes_it() -> None:
    image = f"registry.example.com/{'team/' * 14}base:1.2"
    planned = samples.proved().planned
    long = replace(samples.proved(), planned=replace(planned, use=samples.use(f"{image}@{samples.OLD}")))
    places = [replace(long, planned=replace(long.planned, target=None)) for _ in range(3)]
    for number, one in enumerate(places):
        use = replace(one.planned.use, file=f"services/{'of-a-very-long-name-' * 3}{number}/Dockerfile")
        places[number] = replace(one, planned=replace(one.planned, use=use))

    title = pull_request.title(places)
    both = issue.title(Trouble("services/" * 6, blocked=(long, long, long)))

    assert title.startswith(f"Bump {image[:90]}")
    assert both.startswith("services/")
    assert both.endswith(", and 2 more")
    assert max(len(f"[blocked] {one}") for one in (title, both)) <= 256


def test_a_dashboard_of_very_many_updates_fits_and_counts_what_it_leaves_out() -> None:
    waiting = replace(cases.result().decided[3], outcome=Waiting("because of this and that. " * 12))
    failed = replace(waiting, outcome=Failed("no answer & no end. " * 20))
    kinds = (waiting, failed, cases.result().decided[3])
    standing = dashboard.Standing("acme/shop", (), tuple(one for one in kinds for _ in range(60)))
    text = dashboard.body(standing, marker=samples.MARKER)

    assert len(text) <= 65_536
    assert text.endswith(f"{samples.MARKER}\n")
    assert text.count("- … and 30 more") == 3


def test_the_first_line_of_a_dashboard_says_how_much_there_is_to_look_at() -> None:
    everything = dashboard.Standing("acme/shop", (samples.proved(),), cases.result().decided)
    nothing = dashboard.Standing("acme/shop", (), cases.result().decided[:2])

    first = [dashboard.body(one, marker=samples.MARKER).partition("\n")[0] for one in (everything, nothing)]

    assert first[0] == "**1 open, 1 waiting, 1 failed, 1 no longer moving; 2 fresh.**"
    assert first[1] == "**Nothing to do; 2 fresh.**"


def test_a_dry_run_shows_the_pull_request_with_its_change() -> None:
    text = dry_run.render(Draft("acme/shop", PULL, {"Dockerfile": b"FROM debian:12@sha256:a\nRUN x\n"}))
    assert "pull request: Bump debian" in text
    assert "-FROM debian:12@sha256:a\n+FROM debian:12@sha256:b" in text
    assert "RUN x" not in text
    assert "The body." in text


def test_a_dry_run_without_the_old_files_names_what_changes() -> None:
    assert "changes: Dockerfile" in dry_run.render(Draft("acme/shop", PULL))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (wording.megabytes(181_249_000), "181.2 MB"),
        (wording.megabytes(2_950_000_000), "2,950.0 MB"),
        (wording.megabytes(0), "0.0 MB"),
        (wording.megabytes(None), "\u2013"),
        (wording.megabytes_change(-300_000), "\u22120.3 MB"),
        (wording.megabytes_change(1_200_000), "+1.2 MB"),
        (wording.megabytes_change(10), "±0.0 MB"),
        (wording.percent_change(3_000_000_000, 240_000_000), "\u221292.0 %"),
        (wording.percent_change(100, 100), "±0.0 %"),
        (wording.percent_change(0, 100), "\u2013"),
        (wording.seconds(0.44), "0.4 s"),
        (wording.seconds(99.94), "99.9 s"),
        (wording.seconds(372.2), "6m12s"),
        (wording.seconds(3725), "1h02m"),
        (wording.seconds(None), "\u2013"),
        (wording.severities({Severity.CRITICAL: 3, Severity.HIGH: 9}), "3 critical, 9 high"),
        (wording.severities({}), "none"),
        (wording.severities_in_words({Severity.CRITICAL: 3, Severity.HIGH: 9}), "3 critical and 9 high"),
        (wording.count(1, "fix", "fixes"), "1 fix"),
        (wording.count(1200, "package"), "1,200 packages"),
        (wording.listed(["a", "b", "c"]), "a, b and c"),
        (wording.sentence("it broke"), "It broke."),
        (wording.sentence(""), ""),
        (wording.short_digest(samples.NEW), "b2b2b2b2b2b2"),
    ],
)
def test_numbers_are_written_one_way(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(0.5, "today"), (1, "1 day"), (14.9, "14 days"), (-3, "today")]
)
def test_an_age_is_told_in_whole_days(days: float, expected: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert wording.age(now - timedelta(days=days), now) == expected


def test_a_dry_run_shows_no_escape_sequence_of_the_file_that_changes() -> None:
    hostile = b"FROM debian:12@sha256:a  # \x1b]0;owned\x07\x1b[2J\xe2\x80\xae\n"
    text = dry_run.render(Draft("acme/shop", PULL, {"Dockerfile": hostile}))

    assert "-FROM debian:12@sha256:a  #" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
