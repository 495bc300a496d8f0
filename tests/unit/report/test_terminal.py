"""The terminal tells a run at a glance, in any width, and lets no text from outside move the cursor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.checked import Checked
from bot.model.run import Problem
from bot.model.update import Decision, Failed
from bot.report import listing, terminal
from tests.unit.report import cases, samples


def lines(**values: object) -> list[str]:
    result = replace(cases.result(), **values)  # type: ignore[arg-type] # fields by name, checked by the value
    return terminal.render(result, width=110).splitlines()


def test_a_run_is_told_in_the_shape_of_the_design() -> None:
    assert lines() == [
        "refit run · monthly-2026-11 · acme/shop · 7 uses in 4 files · 6m12s",
        "    TARGET    BASE                  CRIT/HIGH   SIZE            HEALTH",
        "  ✓ backend   debian:bookworm-slim  3/11 → 0/0  180.9 MB −0.2%  ok 2.0s",  # noqa: RUF001 - a minus
        "              20260811 → 20261110   fixes 22 (19 base), adds 1 low",
        "              pull request          https://github.com/acme/shop/pull/128",
        "  ! frontend  nginx:1.27-alpine     abandoned",
        "              tag stopped 2025; the newer branch needs allow: minor",
        "  · 2 current",
        "  · waiting: compose.yaml:9 nginx:1.27-alpine@c7c7c7c7c7c7: 3 days old at least; seen 1 day",
        "  · skipped: backend/Dockerfile:17 builder: FROM builder (a stage)",
        "  ✗ ci/Dockerfile:9: registry quay.io: timeout",
        "    Retry.",
        "  ✗ worker: the context folder is missing: worker/",
        "    Correct `context:`.",
        "  1 pull request · 0 issues · 2 failed · 3 HEAD, 2 GET · docker.io 98/100 left",
    ]


@pytest.mark.parametrize("case", cases.CASES)
@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(case: str, width: int) -> None:
    text = terminal.render(cases.result(cases.CASES[case]()), width=width)
    assert max(len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_row_tells_its_base_and_platform_in_full_whatever_the_width(width: int) -> None:
    text = terminal.render(cases.result(cases.two_platforms(), cases.unhealthy()), width=width)
    assert "debian:bookworm-slim amd64" in text
    assert "debian:bookworm-slim arm64" in text
    assert "…" not in text


def test_what_fails_for_many_in_one_way_is_told_once() -> None:
    down = [
        Problem(name, "registry quay.io: timeout", "Retry.") for name in ("web", "web", "api", "cron", "db")
    ]
    told = lines(decided=(), problems=tuple(down))
    assert [line for line in told if "quay.io" in line] == [
        "  ✗ web, api and 2 more: registry quay.io: timeout"
    ]
    assert sum("Retry." in line for line in told) == 1
    assert "5 failed" in told[-1]


@pytest.mark.parametrize("width", [60, 80])
def test_check_cuts_no_word_and_breaks_a_path_behind_a_slash(width: int) -> None:
    use = replace(cases.CI, file="services/payments/backend.Dockerfile")
    checked = Checked((Decision(use, Failed("registry quay.io: timeout")),), requests={})
    told = terminal.decisions_table(checked, width=width)
    assert max(len(line) for line in told.splitlines()) <= width
    assert " failed" in told
    assert "backend.Dockerfile:9" in told
    assert "quay.io" in told


def test_an_address_is_never_broken_whatever_the_width() -> None:
    one = cases.CASES["pass"]()
    assert one.publication is not None
    page = "/var/lib/refit/pull-requests/acme-shop/debian-bookworm-slim-backend-9b1f03c2.md"
    shown = replace(one, publication=replace(one.publication, url=page))

    told = terminal.render(cases.result(shown), width=60).splitlines()

    assert [line.split()[-1] for line in told if page in line] == [page]


def test_a_platform_that_was_not_built_says_its_level_and_why() -> None:
    told = terminal.render(cases.result(cases.CASES["two platforms"]()))
    assert "level base: this machine builds linux/amd64, not linux/arm64\n" in told


def test_colour_is_for_terminals_only() -> None:
    assert "\x1b[" not in terminal.render(cases.result(), color=False)
    assert "\x1b[" in terminal.render(cases.result(), color=True)


def test_text_from_outside_cannot_move_the_cursor_or_add_a_line() -> None:
    evil = "x\x1b[2J\x1b]0;owned\x07\r\nOK \u202e [red]not markup[/red]"
    told = lines(problems=(Problem(evil, evil, evil),))
    assert not any("\x1b" in line or "\u202e" in line for line in told)
    assert any("[red]not markup[/red]" in line for line in told)
    assert not any(line.startswith("OK") for line in told)


def test_a_dry_run_says_that_nothing_was_written_and_counts_nothing_of_it() -> None:
    shown = lines(dry_run=True)

    assert shown[0].endswith("(dry run: nothing was written)")
    assert shown[-1] == "  2 failed · 3 HEAD, 2 GET · docker.io 98/100 left"


def test_an_unsupported_distribution_is_unknown_in_the_terminal_too() -> None:
    text = terminal.render(cases.result(cases.unsupported()))
    assert "unknown → unknown" in text
    assert "0/0" not in text


def test_a_run_over_nothing_says_so() -> None:
    told = lines(updates=(), decided=(), problems=())
    assert "  nothing is under care: no project here names an image" in told


def test_many_skipped_uses_are_counted_not_listed() -> None:
    skipped = cases.result().decided[2]
    told = lines(decided=(skipped,) * 30)
    assert sum("skipped" in line for line in told) == 6
    assert "  · and 25 more skipped" in told


def test_discover_shows_each_use_with_its_place() -> None:
    text = "".join(listing.uses_table([samples.use(), cases.STAGE]))
    assert "backend/Dockerfile:21" in text
    assert "debian:bookworm-slim@a1a1a1a1a1a1" in text
    assert text.endswith("2 uses in 1 file\n")


def test_discover_fits_a_narrow_terminal_and_breaks_a_path_behind_a_slash() -> None:
    use = replace(cases.STAGE, file="services/payments/Dockerfile")
    told = "".join(listing.uses_table([samples.use(), use], width=60)).splitlines()
    assert max(map(len, told)) <= 60
    assert "Dockerfile:17" in told


def test_check_shows_each_outcome_and_counts_them() -> None:
    decisions = [Decision(samples.use(), samples.UPDATE)]
    decisions += [Decision(one.use, one.outcome) for one in cases.result().decided]
    text = terminal.decisions_table(
        Checked(tuple(decisions), requests={"HEAD": 3}, quota={"docker.io": "98/100"}), width=140
    )
    assert "digest to @b2b2b2b2b2b2: the tag moved" in text
    counts = "2 current · 1 update · 1 waiting · 1 abandoned · 1 skipped · 1 failed"
    assert text.endswith(f"{counts} · 3 HEAD · docker.io 98/100 left\n")
