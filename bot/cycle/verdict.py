"""The verdict: may this be merged, and every reason why or why not. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from bot.cycle.parts import VerdictPolicy
from bot.model.evidence import Absence, Evidence, Health, HealthState, Level, Side, Verdict, VerdictState
from bot.model.measurement import Baseline
from bot.model.target import Target
from bot.model.vulnerability import Comparison, Finding, Severity

_Reason = tuple[VerdictState, str]
_PASS, _WARN, _BLOCK = VerdictState.PASS, VerdictState.WARN, VerdictState.BLOCK
_ORDER = (_BLOCK, _WARN, _PASS)
_NO_HEALTHCHECK: Final = (
    "the new image started and ran on, and no more could be asked: it has no HEALTHCHECK; "
    "add one to the Dockerfile, or set health.command"
)
_HELP: Final = {
    HealthState.UNHEALTHY: "if it needs other services, name them in health.with",
    HealthState.EXITED: "if it needs settings or other services, give them in health.env and health.with",
}
_SAID: Final = 300  # characters of what a container or its probe said


def judge(
    evidence: Sequence[Evidence], target: Target | None, baseline: Baseline | None, policy: VerdictPolicy
) -> Verdict:
    """Judge an update by its evidence on every platform.

    The worst reason decides. No evidence at all blocks: nothing was shown. Where a reason holds on some
    platforms only, it names them.
    """
    if not evidence:
        return Verdict(_BLOCK, ("nothing could be measured",))
    platforms: defaultdict[_Reason, list[str]] = defaultdict(list)
    for one in evidence:
        for reason in dict.fromkeys(_reasons(one, target, baseline, policy)):
            platforms[reason].append(str(one.platform))
    reasons = sorted(platforms, key=lambda reason: _ORDER.index(reason[0]))
    texts = (_on(platforms[reason], len(evidence), reason[1]) for reason in reasons)
    return Verdict(reasons[0][0] if reasons else _PASS, tuple(dict.fromkeys(texts)))


def _on(platforms: Sequence[str], of: int, text: str) -> str:
    return text if len(platforms) == of else f"on {' and '.join(platforms)}: {text}"


def _reasons(
    evidence: Evidence, target: Target | None, baseline: Baseline | None, policy: VerdictPolicy
) -> Iterable[_Reason]:
    if evidence.failure:
        yield _BLOCK, evidence.failure
        return
    yield from _before(evidence)
    yield from _scans(evidence, policy)
    yield from _health(evidence, policy)
    yield from _size(evidence, target, baseline, policy)


def _before(evidence: Evidence) -> Iterable[_Reason]:
    """What is special where there is no before, or where the target does not build anyway."""
    if evidence.not_built:
        when = (
            "before this update either" if evidence.failed_before_too else "and has no before to compare with"
        )
        yield _WARN, f"the target does not build {when}: {evidence.not_built}"
    if evidence.this_time_only:
        what = "built" if evidence.level is Level.BASE else "started"
        yield _WARN, f"not {what} this time: {evidence.level_reason}"
    match evidence.absence:
        case Absence.NOT_BUILT:
            yield _PASS, f"the update repairs the build: {evidence.before_reason}"
        case Absence.GONE:
            yield _WARN, f"nothing to compare with: {evidence.before_reason}"
        case Absence.PINNED:
            yield _PASS, f"nothing to compare with: {evidence.before_reason}"


def _scans(evidence: Evidence, policy: VerdictPolicy) -> Iterable[_Reason]:
    if note := (database := evidence.after.scan.database).note:
        yield _PASS, f"vulnerabilities as known on {database.updated_at:%Y-%m-%d}: {note}"
    before, after = evidence.before, evidence.after
    if not after.scan.supported:
        yield _WARN, f"vulnerabilities unknown: the scanner has no data for {_distribution(after)}"
    elif before is not None and not before.scan.supported:
        yield _WARN, f"vulnerabilities before unknown: the scanner has no data for {_distribution(before)}"
    if evidence.comparison is not None and before is not None:
        same = before.scan.supported is after.scan.supported
        yield from _introduced(evidence.comparison if same else _of_languages(evidence.comparison), policy)


def _distribution(side: Side) -> str:
    return side.scan.distribution or "an unknown distribution"


def _of_languages(comparison: Comparison) -> Comparison:
    """What stays known where the scanner has data for one distribution only: packages that a file lists."""
    fixed, introduced = (
        tuple(found for found in findings if found.vulnerability.package.path)
        for findings in (comparison.fixed, comparison.introduced)
    )
    return replace(comparison, fixed=fixed, introduced=introduced)


def _introduced(comparison: Comparison, policy: VerdictPolicy) -> Iterable[_Reason]:
    """Block what is introduced unless the count at the highest severity present strictly falls.

    So one critical fixed for one critical introduced blocks, and three critical fixed for one
    high introduced warns: a trade that a person should see, better as it is.
    """
    serious = [f for f in comparison.introduced if f.vulnerability.severity.rank <= Severity.HIGH.rank]
    if not comparison.introduced:
        return
    if _trade_is_better(comparison):
        if serious:
            yield _WARN, f"introduces {_names(serious)}, fewer and less severe than what it fixes"
        return
    state = _BLOCK if policy.block_introduced else _WARN
    yield state, f"introduces {_names(comparison.introduced)}"


def _trade_is_better(comparison: Comparison) -> bool:
    """Tell whether the count at the highest severity that differs strictly falls."""
    for severity in Severity:
        fixed = sum(f.vulnerability.severity is severity for f in comparison.fixed)
        introduced = sum(f.vulnerability.severity is severity for f in comparison.introduced)
        if fixed or introduced:
            return introduced < fixed
    return True


def _names(findings: Sequence[Finding]) -> str:
    counts = {s: sum(f.vulnerability.severity is s for f in findings) for s in Severity}
    parts = [f"{count} {severity.value.lower()}" for severity, count in counts.items() if count]
    ids = list(dict.fromkeys(f.vulnerability.id for f in findings))
    shown = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
    return f"{', '.join(parts)} ({shown})"


def _health(evidence: Evidence, policy: VerdictPolicy) -> Iterable[_Reason]:
    after = evidence.after.health
    before = evidence.before.health if evidence.before else None
    if after is None:
        return
    if after.state is HealthState.STARTED:
        yield _PASS, _NO_HEALTHCHECK
    if after.good:
        return
    if before is None:
        yield _WARN, f"the new image is {after.state}{_why(after)}; there is no before to compare with"
    elif not before.good:
        states = f"{before.state} before and {after.state} after{_why(after)}"
        yield _WARN, f"not comparable: {states}; {_HELP[after.state]}"
    else:
        state = _BLOCK if policy.block_unhealthy else _WARN
        yield state, f"{before.state} before, {after.state} after{_why(after)}"


def _why(after: Health) -> str:
    """The first line of its log: how it ended, or what its last probe said."""
    line = after.log.partition("\n")[0].strip()[:_SAID]
    return f" ({line})" if line else ""


def _size(
    evidence: Evidence, target: Target | None, baseline: Baseline | None, policy: VerdictPolicy
) -> Iterable[_Reason]:
    if evidence.level is Level.BASE or (after := evidence.after.size) is None:
        return
    budget = target.budget if target else None
    if budget is not None and after > budget:
        state = _BLOCK if policy.block_over_budget else _WARN
        yield state, f"{after / 1e6:.1f} MB is over the budget of {budget / 1e6:.1f} MB"
    for size, name in _compared_sizes(evidence, baseline):
        growth = (after - size) / size * 100
        if growth > policy.growth_tolerance:
            yield _WARN, f"{growth:.1f} % larger than {name}; the tolerance is {policy.growth_tolerance:g} %"


def _compared_sizes(evidence: Evidence, baseline: Baseline | None) -> Iterable[tuple[int, str]]:
    """Both the previous size and the fixed baseline: many small steps must not creep past."""
    if evidence.before is not None and evidence.before.size:
        yield evidence.before.size, "before"
    if baseline is not None and baseline.size and baseline.platform == str(evidence.platform):
        yield baseline.size, "the baseline"
