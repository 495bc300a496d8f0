"""The verdict follows from the evidence by the operator's rules, and gives every reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cycle.parts import VerdictPolicy
from bot.cycle.verdict import judge
from bot.model.evidence import Absence, Build, Evidence, Health, HealthState, Level, Side, VerdictState
from bot.model.manifest import Platform
from bot.model.measurement import Baseline
from bot.model.target import LINUX_AMD64, Target
from bot.model.vulnerability import (
    Cause,
    Comparison,
    Database,
    Finding,
    Package,
    Scan,
    Severity,
    Vulnerability,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DATABASE = Database("sha256:" + "d" * 64, NOW, 2)
PASS, WARN, BLOCK = VerdictState.PASS, VerdictState.WARN, VerdictState.BLOCK
TARGET = Target("acme/shop", "backend", "Dockerfile", budget=200_000_000)


def findings(text: str) -> tuple[Finding, ...]:
    """`2C 1H` is two criticals and one high."""
    by_letter = {severity.value[0]: severity for severity in Severity}
    found = []
    for word in text.split():
        severity = by_letter[word[-1]]
        for number in range(int(word[:-1])):
            package = Package(f"p{severity.value}{number}", "1", "debian")
            found.append(
                Finding(Vulnerability(f"CVE-{severity.value}-{number}", package, severity), Cause.BASE)
            )
    return tuple(found)


def side(
    size: int = 100_000_000, health: HealthState = HealthState.HEALTHY, *, supported: bool = True
) -> Side:
    scan = Scan("x", "debian 12", supported, (), (), "trivy 0.0", DATABASE)
    return Side("x", scan, build=Build("sha256:x", 1, (), size, ()), health=Health(health, 1.0))


def evidence(
    fixed: str = "", introduced: str = "", *, before: Side | None = None, after: Side | None = None
) -> Evidence:
    comparison = Comparison(findings(fixed), findings(introduced), (), (), ())
    return Evidence(
        "key", Level.HEALTH, "", LINUX_AMD64, before or side(), after or side(), comparison, NOW, 1.0
    )


def verdict(one: Evidence | Sequence[Evidence], baseline: Baseline | None = None) -> tuple[VerdictState, str]:
    many = [one] if isinstance(one, Evidence) else one
    result = judge(many, TARGET, baseline, VerdictPolicy())
    return result.state, " | ".join(result.reasons)


TRADES = {
    "nothing changes": ("", "", PASS, ""),
    "fixes only": ("3C 9H", "", PASS, ""),
    "one critical for one critical": ("1C", "1C", BLOCK, "introduces 1 critical"),
    "three critical for one high": ("3C", "1H", WARN, "introduces 1 high"),
    "three critical for one low": ("3C", "1L", PASS, ""),
    "one high for one critical": ("1H", "1C", BLOCK, "introduces 1 critical"),
    "many lows for one high": ("9L", "1H", BLOCK, "introduces 1 high"),
    "one low for nothing": ("", "1L", BLOCK, "introduces 1 low"),
    "two highs for one high and a medium": ("2H", "1H 1M", WARN, "introduces 1 high"),
}


@pytest.mark.parametrize(("fixed", "introduced", "state", "reason"), TRADES.values(), ids=TRADES.keys())
def test_a_trade_of_vulnerabilities_passes_only_when_the_worst_gets_better(
    fixed: str, introduced: str, state: VerdictState, reason: str
) -> None:
    found, reasons = verdict(evidence(fixed, introduced))

    assert found is state
    assert reason in reasons


def test_what_an_unknown_distribution_had_before_counts_as_neither_introduced_nor_fixed() -> None:
    unknown = side(supported=False)

    state, reasons = verdict(evidence(introduced="9C 40H", before=unknown))
    assert state is WARN
    assert reasons == "vulnerabilities before unknown: the scanner has no data for debian 12"

    lock_file = Package("left-pad", "1", "npm", "package-lock.json")
    found = Finding(Vulnerability("CVE-2026-1", lock_file, Severity.HIGH), Cause.REBUILD)
    moved = evidence(fixed="9C", after=unknown)
    assert moved.comparison is not None
    assert verdict(replace(moved, comparison=replace(moved.comparison, introduced=(found,))))[0] is BLOCK


HEALTHS = {
    "healthy on both": (HealthState.HEALTHY, HealthState.HEALTHY, PASS),
    "healthy and then not": (HealthState.HEALTHY, HealthState.UNHEALTHY, BLOCK),
    "started and then exits": (HealthState.STARTED, HealthState.EXITED, BLOCK),
    "unhealthy on both": (HealthState.UNHEALTHY, HealthState.UNHEALTHY, WARN),
    "gets healthy": (HealthState.UNHEALTHY, HealthState.HEALTHY, PASS),
}


@pytest.mark.parametrize(("before", "after", "state"), HEALTHS.values(), ids=HEALTHS.keys())
def test_only_healthy_to_unhealthy_blocks(
    before: HealthState, after: HealthState, state: VerdictState
) -> None:
    found, _ = verdict(evidence(before=side(health=before), after=side(health=after)))

    assert found is state


def test_a_size_over_budget_blocks() -> None:
    state, reasons = verdict(evidence(before=side(199_000_000), after=side(201_000_000)))

    assert state is BLOCK
    assert "201.0 MB is over the budget of 200.0 MB" in reasons


def test_growth_over_the_tolerance_warns() -> None:
    state, reasons = verdict(evidence(before=side(100_000_000), after=side(106_000_000)))

    assert (state, reasons) == (WARN, "6.0 % larger than before; the tolerance is 5 %")


def test_small_steps_cannot_creep_past_the_baseline() -> None:
    baseline = Baseline("acme/shop", "backend", "linux/amd64", 100_000_000, "x", NOW)

    state, reasons = verdict(evidence(before=side(104_000_000), after=side(108_000_000)), baseline)

    assert state is WARN
    assert reasons == "8.0 % larger than the baseline; the tolerance is 5 %"


def test_an_update_that_breaks_the_build_blocks() -> None:
    broken = replace(evidence(), level=Level.BASE, failure="it does not build on the new base")

    assert verdict(broken) == (BLOCK, "it does not build on the new base")


def test_a_build_that_failed_before_too_only_warns() -> None:
    broken = replace(
        evidence(),
        level=Level.BASE,
        level_reason="the target does not build: no network",
        not_built="no network",
        failed_before_too=True,
    )

    assert verdict(broken) == (WARN, "the target does not build before this update either: no network")


def test_a_build_that_fails_with_no_before_to_compare_with_warns_and_puts_it_down_to_nobody() -> None:
    pinned = replace(
        evidence(),
        level=Level.BASE,
        not_built="no network",
        before=None,
        comparison=None,
        before_reason="a pin freezes what is built already",
        absence=Absence.PINNED,
    )

    state, reasons = verdict(pinned)

    assert state is WARN
    assert "the target does not build and has no before to compare with: no network" in reasons


ABSENT = {
    Absence.GONE: (WARN, "nothing to compare with: the old image is gone: 404"),
    Absence.PINNED: (PASS, "nothing to compare with: the old image is gone: 404"),
    Absence.NOT_BUILT: (PASS, "the update repairs the build: the old image is gone: 404"),
}


@pytest.mark.parametrize("absence", Absence)
def test_why_there_is_no_before_is_said(absence: Absence) -> None:
    reason = "the old image is gone: 404"
    one = replace(evidence(), before=None, comparison=None, before_reason=reason, absence=absence)

    assert verdict(one) == ABSENT[absence]


@pytest.mark.parametrize(("level", "what"), [(Level.BASE, "built"), (Level.BUILD, "started")])
def test_an_engine_that_failed_this_time_leaves_a_question(level: Level, what: str) -> None:
    """What is built as a rule, and was not now, is no pass like any other."""
    one = replace(evidence(), level=level, level_reason="the engine's disk is full", this_time_only=True)

    assert verdict(one) == (WARN, f"not {what} this time: the engine's disk is full")


def test_an_image_with_no_healthcheck_passes_and_is_told_to_get_one() -> None:
    state, reasons = verdict(evidence(after=side(health=HealthState.STARTED)))

    assert state is PASS
    assert "it has no HEALTHCHECK; add one to the Dockerfile, or set health.command" in reasons


def test_what_a_sick_container_said_last_is_told_in_one_line() -> None:
    sick = Health(HealthState.EXITED, 1.0, "ended with exit code 127\nsh: 1: serve: not found")

    state, reasons = verdict(evidence(after=replace(side(), health=sick)))

    assert (state, reasons) == (BLOCK, "healthy before, exited after (ended with exit code 127)")


def test_an_unknown_distribution_is_unknown_never_clean() -> None:
    state, reasons = verdict(evidence(after=side(supported=False)))

    assert state is WARN
    assert "vulnerabilities unknown" in reasons


def test_a_database_that_is_not_the_newest_is_said() -> None:
    one = side()
    old = replace(one, scan=replace(one.scan, database=replace(DATABASE, note="no mirror answered")))

    state, reasons = verdict(evidence(after=old))

    assert (state, reasons) == (PASS, "vulnerabilities as known on 2026-11-24: no mirror answered")


def test_no_evidence_at_all_blocks() -> None:
    assert verdict([])[0] is BLOCK


def test_a_reason_that_holds_on_one_platform_names_it() -> None:
    sick = evidence(after=side(health=HealthState.UNHEALTHY))
    arm = replace(evidence(), platform=Platform.parse("linux/arm64"))

    assert verdict([arm, sick])[1] == "on linux/amd64: healthy before, unhealthy after"
    assert verdict([sick, sick])[1] == "healthy before, unhealthy after"


def test_the_worst_platform_decides() -> None:
    good, bad = evidence("1C"), evidence(after=side(health=HealthState.UNHEALTHY))

    assert verdict([good, bad])[0] is BLOCK
    assert verdict([bad, good])[0] is BLOCK


counted = st.sampled_from(["", "1C", "2H", "1H 3L", "1L"])
sides = st.builds(
    side,
    st.sampled_from([90_000_000, 100_000_000, 210_000_000]),
    st.sampled_from(HealthState),
    supported=st.booleans(),
)
measured = st.builds(evidence, counted, counted, before=sides, after=sides)


@settings(max_examples=100)
@given(st.lists(measured, min_size=1, max_size=3), st.lists(measured, min_size=1, max_size=3))
def test_more_platforms_never_make_it_better_and_what_is_no_pass_says_why(
    some: list[Evidence], more: list[Evidence]
) -> None:
    worst = max((verdict(some)[0], verdict(more)[0]), key=[PASS, WARN, BLOCK].index)

    state, reasons = verdict([*some, *more])

    assert state is worst
    assert reasons or state is PASS
