"""The rows of a run's summary: one for each update and platform, and one for each abandoned tag."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.model.evidence import Evidence, HealthState, Level, Side, VerdictState
from bot.model.run import Decided, Proved, PublicationKind, RunResult
from bot.model.update import Abandoned, UpdateKind
from bot.model.vulnerability import Cause
from bot.report import facts, wording
from bot.report.facts import Case
from bot.report.quote import visible

_MARKS: Final = {VerdictState.PASS: "✓", VerdictState.WARN: "!", VerdictState.BLOCK: "✗"}
MARK_STYLES: Final = {"✓": "bold green", "!": "bold yellow", "✗": "bold red", "": ""}
_KINDS: Final = {
    PublicationKind.PULL_REQUEST: "pull request",
    PublicationKind.ISSUE: "issue",
    PublicationKind.EVIDENCE: "evidence on",
}
_LABEL: Final = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a mark, the five cells (target, base, critical/high, size, health), lines below it."""

    mark: str
    cells: tuple[str, str, str, str, str]
    details: tuple[str, ...] = ()


def rows(result: RunResult) -> tuple[Row, ...]:
    """All rows of a run, updates first."""
    updates = [row for proved in result.updates for row in _update(proved)]
    abandoned = [_abandoned(one, one.outcome) for one in result.decided if isinstance(one.outcome, Abandoned)]
    return (*updates, *abandoned)


def _abandoned(decided: Decided, outcome: Abandoned) -> Row:
    name = visible(decided.subject, limit=40)
    image = visible(decided.use.unpinned, limit=80)
    return Row("!", (name, image, "abandoned", "", ""), (visible(outcome.reason, limit=300),))


def _update(proved: Proved) -> Iterable[Row]:
    mark, name = _MARKS[proved.verdict.state], visible(proved.planned.subject, limit=40)
    cases = facts.cases([proved])
    for case in cases:
        platform = f" {str(case.evidence.platform).removeprefix('linux/')}" if len(cases) > 1 else ""
        cells = facts.image(proved) + platform, _counts(case), _size(case), _health(case)
        yield Row(mark, (name, *cells), (_gain(case),) if case is not cases[-1] else _details(proved, case))
        mark = name = ""
    if not cases:
        yield Row(mark, (name, facts.image(proved), "", "", ""), _outcome(proved))


def _counts(case: Case) -> str:
    """`3/11 → 0/0`; unknown is never 0."""
    before, after = _pair(case.evidence.before), _pair(case.evidence.after)
    return f"{before} → {after}" if before and after else after


def _pair(side: Side | None) -> str:
    if side is None:
        return ""
    if not side.scan.supported:
        return "unknown"
    counts = side.scan.counts()
    return "/".join(str(counts[severity]) for severity in wording.SERIOUS)


def _size(case: Case) -> str:
    before, after = case.evidence.before, case.evidence.after
    if after.size is None:
        return ""
    change = wording.percent_change(before.size, after.size) if before and before.size else ""
    return f"{wording.megabytes(after.size)} {change.replace(' %', '%')}".strip()


def _health(case: Case) -> str:
    health = case.evidence.after.health
    if case.evidence.level is Level.BASE:
        return "not built"
    if health is None:
        return "not started"
    word = "ok" if health.state is HealthState.HEALTHY else health.state
    return f"{word} {wording.seconds(health.seconds).replace(' ', '')}"


def _details(proved: Proved, case: Case) -> tuple[str, ...]:
    gain = _gain(case)
    first = [f"{_move(proved).ljust(_LABEL)}  {gain}".rstrip()]
    return (*([_move(proved), gain] if case.evidence.failure else first), *_outcome(proved))


def _move(proved: Proved) -> str:
    """From where to where: by the most precise names, else by the digests' first digits."""
    update, reference = proved.planned.update, proved.planned.use.reference
    if update.kind is UpdateKind.PIN:
        return "pin"
    if update.old_name and update.name and update.old_name != update.name:
        old_name, new_name = _differing(update.old_name, update.name)
        return f"{visible(old_name, limit=60)} → {visible(new_name, limit=60)}"
    old = reference.digest if reference else None
    new = wording.short_digest(update.to.digest or "") or visible(update.to.tag or "")
    return f"{wording.short_digest(old) if old else 'unpinned'} → {new}"


def _differing(old: str, new: str) -> tuple[str, str]:
    """What differs in two tags: `20260811` and `20261110` of two dated bookworm tags."""
    left, right = old.split("-"), new.split("-")
    while len(left) > 1 and len(right) > 1 and left[0] == right[0]:
        left, right = left[1:], right[1:]
    while len(left) > 1 and len(right) > 1 and left[-1] == right[-1]:
        left, right = left[:-1], right[:-1]
    return "-".join(left), "-".join(right)


def _gain(case: Case) -> str:
    """`fixes 22 (19 base), adds 1 low`."""
    if case.evidence.failure:
        return visible(case.evidence.failure, limit=300)
    comparison = case.evidence.comparison
    if comparison is None:
        return visible(case.evidence.before_reason, limit=200)
    if not case.known:
        return "vulnerabilities unknown"
    by_base = sum(finding.cause is Cause.BASE for finding in comparison.fixed)
    number = len(comparison.fixed)
    fixes = f"fixes {number} ({by_base} base)" if number else "fixes none"
    adds = facts.count(comparison.introduced)
    return f"{fixes}, adds {wording.severities(adds)}"


def _outcome(proved: Proved) -> tuple[str, ...]:
    """Why it is no pass or what qualifies it, why no more was proved, and where it can be read."""
    failures = {evidence.failure for evidence in proved.evidence}
    lines = [visible(reason, limit=300) for reason in proved.verdict.reasons if reason not in failures]
    levels = dict.fromkeys(
        f"level {e.level}: {e.level_reason}" for e in proved.evidence if e.level_reason and not _is_told(e)
    )
    lines += [visible(level, limit=300) for level in levels]
    if proved.publication:
        lines.append(f"{_KINDS[proved.publication.kind].ljust(_LABEL)}  {proved.publication.url}")
    if proved.publication_note:
        lines.append(visible(proved.publication_note, limit=300))
    return tuple(lines)


def _is_told(evidence: Evidence) -> bool:
    """True where a reason of the verdict says already why no more was proved."""
    return bool(evidence.failure or evidence.not_built or evidence.this_time_only)
