"""The verdict: may this be merged, and every reason why or why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.cycle.parts import VerdictPolicy
from bot.model.evidence import Evidence, HealthState, Level, Verdict, VerdictState
from bot.model.measurement import Baseline
from bot.model.target import Target
from bot.model.vulnerability import Comparison, Finding, Severity

_Reason = tuple[VerdictState, str]
_PASS, _WARN, _BLOCK = VerdictState.PASS, VerdictState.WARN, VerdictState.BLOCK
_ORDER = (_BLOCK, _WARN, _PASS)


def judge(
    evidence: Sequence[Evidence], target: Target | None, baseline: Baseline | None, policy: VerdictPolicy
) -> Verdict:
    """Judge an update by its evidence on every platform.

    The worst reason decides. No evidence at all blocks: nothing was shown.
    """
    reasons = [reason for one in evidence for reason in _reasons(one, target, baseline, policy)]
    if not evidence:
        reasons = [(_BLOCK, "nothing could be measured")]
    reasons.sort(key=lambda reason: _ORDER.index(reason[0]))
    state = reasons[0][0] if reasons else _PASS
    return Verdict(state, tuple(dict.fromkeys(text for _, text in reasons)))


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
    if evidence.failed_before_too:
        yield _WARN, f"the target does not build before this update either: {evidence.level_reason}"
    if evidence.before is None and "gone" in evidence.before_reason:
        yield _WARN, f"nothing to compare with: {evidence.before_reason}"


def _scans(evidence: Evidence, policy: VerdictPolicy) -> Iterable[_Reason]:
    if evidence.after is None:
        yield _BLOCK, "the new image could not be measured"
        return
    if not evidence.after.scan.supported:
        what = evidence.after.scan.distribution or "an unknown distribution"
        yield _WARN, f"vulnerabilities unknown: the scanner has no data for {what}"
    if evidence.comparison is not None:
        yield from _introduced(evidence.comparison, policy)


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
    after = evidence.after.health if evidence.after else None
    before = evidence.before.health if evidence.before else None
    if after is None or after.good:
        return
    if before is not None and not before.good:
        yield _WARN, f"not comparable: {before.state} before and {after.state} after; see health.with"
    elif before is None:
        yield _WARN, f"the new image is {after.state}, and there is no before to compare with"
    else:
        state = _BLOCK if policy.block_unhealthy else _WARN
        yield state, f"{_word(before.state)} before, {_word(after.state)} after"


def _word(state: HealthState) -> str:
    return "started" if state is HealthState.STARTED else state.value


def _size(
    evidence: Evidence, target: Target | None, baseline: Baseline | None, policy: VerdictPolicy
) -> Iterable[_Reason]:
    if evidence.level is Level.BASE or evidence.after is None or (after := evidence.after.size) is None:
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
