"""The part of a pull request that is read in ten seconds: one sentence, one table, one line of facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from bot.model.evidence import Absence, Evidence, Health, Level, Side
from bot.model.manifest import believable
from bot.model.run import Proved
from bot.model.update import UpdateKind
from bot.model.vulnerability import Cause, Comparison, Severity
from bot.report import facts, wording
from bot.report.facts import Case
from bot.report.quote import quote

_BY: Final = {
    Cause.BASE: "by base",
    Cause.REBUILD: "by rebuild",
    Cause.DATABASE: "by the database",
}
_LETTERS: Final = {
    Severity.CRITICAL: "C",
    Severity.HIGH: "H",
    Severity.MEDIUM: "M",
    Severity.LOW: "L",
    Severity.UNKNOWN: "unknown",
}
_LEVELS: Final = {
    Level.BASE: "base (the base images alone)",
    Level.BUILD: "build",
    Level.HEALTH: "build + health",
}
_UNKNOWN: Final = "unknown"
_QUOTED: Final = partial(quote, limit=400)


def headline(proved: Sequence[Proved], cases: Sequence[Case], say: Callable[[str], str] = _QUOTED) -> str:
    """Why it is no pass, what merging this does, and how many lines it changes.

    Args:
        proved: The group.
        cases: Its measurements.
        say: Makes words from outside harmless where they are shown; for Markdown by default.
    """
    lead = facts.lead(proved)
    done = "" if facts.failures(proved) or not cases else _done(proved, cases, told=bool(lead))
    sentences = [wording.sentence(part) for part in (say(lead), done) if part]
    return " ".join([*sentences, _lines(proved)])


def _done(proved: Sequence[Proved], cases: Sequence[Case], *, told: bool) -> str:
    clauses = [_gain(proved, cases, told=told), *_growth(cases), *_health(cases)]
    return "; ".join(clause for clause in clauses if clause)


def _gain(proved: Sequence[Proved], cases: Sequence[Case], *, told: bool) -> str:
    """What it fixes and brings; `told` where a reason before it says that nothing is known of that."""
    if proved[0].planned.update.kind is UpdateKind.PIN:
        return "pins the image you already get"
    fixed, introduced = facts.fixed(cases), facts.introduced(cases)
    if fixed is None or introduced is None:
        return _nothing_known(cases, told=told)
    best = facts.weightiest(fixed)
    removes = f"removes {wording.severities_in_words(best)}" if any(best.values()) else "fixes nothing known"
    adds = f"adds {wording.severities_in_words(introduced)}" if any(introduced.values()) else "adds none"
    return f"{removes}{_by_rebuilding(cases)}; {adds}"


def _by_rebuilding(cases: Sequence[Case]) -> str:
    """What the Dockerfile's own installs fix beside the base; they would have come with any build."""
    also = facts.weightiest(facts.fixed(cases, Cause.REBUILD) or {})
    return f", and rebuilding {wording.severities(also)} more" if any(also.values()) else ""


def _nothing_known(cases: Sequence[Case], *, told: bool) -> str:
    absent = {case.evidence.absence for case in cases} - {None}
    if absent == {Absence.NOT_BUILT}:
        return "repairs the build"
    if told:
        return ""
    return "only the new image was measured" if absent else "its vulnerabilities are unknown"


def _growth(cases: Sequence[Case]) -> Iterable[str]:
    """The largest change of all cases: a reviewer asks for the worst."""
    pairs = [
        (before.size, after)
        for case in cases
        if (before := case.evidence.before) and before.size
        if (after := case.evidence.after.size) is not None
    ]
    if not pairs:
        return
    before_size, after_size = max(pairs, key=lambda pair: pair[1] / pair[0])
    change = (after_size - before_size) / before_size * 100
    if abs(change) < 0.05:
        yield "same size"
    else:
        yield f"{abs(change):.1f} % {'larger' if change > 0 else 'smaller'}"


def _health(cases: Sequence[Case]) -> Iterable[str]:
    started = {
        str(case.evidence.platform): health.state for case in cases if (health := case.evidence.after.health)
    }
    if started:
        where = f" on {wording.listed(sorted(started))}" if len(started) < len(_platforms(cases)) else ""
        yield facts.health_word(list(started.values())) + where
    elif not any(case.evidence.failure for case in cases) and all(
        case.evidence.level is Level.BASE for case in cases
    ):
        yield "not built"


def _platforms(cases: Sequence[Case]) -> set[str]:
    return {str(case.evidence.platform) for case in cases}


def _lines(proved: Sequence[Proved]) -> str:
    places = {(use.file, use.line) for one in proved for use in one.planned.uses}
    files = {file for file, _ in places}
    if len(places) == 1:
        return "One line changes."
    return f"{len(places)} lines change" + (f" in {len(files)} files." if len(files) > 1 else ".")


def table(case: Case) -> str:
    """The table of one case; an unsupported or missing scan is `unknown`, never 0."""
    rows = [f"| {_heading(case)} | Before | After | |", "|:--|--:|--:|:--|"]
    rows += [f"| {' | '.join(row)} |" for row in _rows(case)]
    return "\n".join(rows)


def _heading(case: Case) -> str:
    """What was measured; without `linux/`, which is known and would cost a phone a column."""
    subject = "base image" if case.evidence.level is Level.BASE else quote(case.subject)
    return f"{subject} · {str(case.evidence.platform).removeprefix('linux/')}"


def _rows(case: Case) -> Iterable[tuple[str, str, str, str]]:
    before, after = case.evidence.before, case.evidence.after
    comparison = case.evidence.comparison if case.known else None
    for severities in (wording.SERIOUS, (Severity.MEDIUM, Severity.LOW)):
        label = " / ".join(s.value.capitalize() for s in severities)
        yield label, _pair(before, severities), _pair(after, severities), _causes(comparison, severities)
    yield "Size", _size(before), _size(after), _limits(case)
    if case.evidence.level is Level.HEALTH:
        yield "Health", _state(before), _state(after), ""


def _pair(side: Side | None, severities: Sequence[Severity]) -> str:
    if side is None:
        return wording.NONE
    if not side.scan.supported:
        return _UNKNOWN
    counts = side.scan.counts()
    return " / ".join(str(counts[severity]) for severity in severities)


def _causes(comparison: Comparison | None, severities: Sequence[Severity]) -> str:
    """`3 C + 9 H by base, 2 H by rebuild; adds 1 H`."""
    if comparison is None:
        return ""
    fixed = []
    for cause, words in _BY.items():
        if letters := _letters(facts.count(comparison.fixed, cause), severities):
            fixed.append(f"{letters} {words}")
    introduced = _letters(facts.count(comparison.introduced), severities)
    parts = [", ".join(fixed), f"**adds {introduced}**" if introduced else ""]
    return "; ".join(part for part in parts if part)


def _letters(counts: Mapping[Severity, int], severities: Sequence[Severity]) -> str:
    return " + ".join(f"{counts[s]} {_LETTERS[s]}" for s in severities if counts[s])


def _size(side: Side | None) -> str:
    return wording.megabytes(side.size if side else None)


def _limits(case: Case) -> str:
    if case.evidence.level is Level.BASE:
        return ""
    parts = []
    if case.baseline:
        parts.append(f"baseline {wording.megabytes(case.baseline.size)}")
    if case.budget is not None:
        parts.append(f"budget {wording.megabytes(case.budget)}")
    return " · ".join(parts)


def _state(side: Side | None) -> str:
    health: Health | None = side.health if side else None
    return f"{health.state.value} {wording.seconds(health.seconds)}" if health else wording.NONE


def vital_facts(proved: Sequence[Proved], cases: Sequence[Case]) -> str:
    """Age of the base, and how much was proved and why not more."""
    first = proved[0].planned.update
    parts = []
    created = believable(first.created)
    if cases and created is not None:
        age = wording.age(created, cases[0].evidence.started)
        by = "" if first.age_verified else " by its own date"
        parts.append(("Base made today" if age == "today" else f"Base {age} old") + by)
    elif not first.age_verified:
        parts.append("age not verified")
    if first.waived:
        parts.append("minimum age waived for a security fix")
    notes = dict.fromkeys(note for one in proved for note in one.planned.update.notes)
    parts += [quote(note, limit=300).removesuffix(".") for note in notes]
    levels = list(_levels(cases))
    if len(levels) > 1:
        return "\n\n".join([*([" · ".join(parts)] if parts else []), "\n".join(f"- {one}" for one in levels)])
    return " · ".join([*parts, *levels])


def _levels(cases: Sequence[Case]) -> Iterable[str]:
    """`level: build + health`; who reached which, where they differ."""
    names: defaultdict[tuple[Level, str], list[str]] = defaultdict(list)
    for case in cases:
        names[case.evidence.level, _why_no_more(case.evidence)].append(case.name)
    for (level, reason), of in names.items():
        why = f", because {quote(reason, limit=300)}" if reason else ""
        where = f"{quote(wording.few(of))}: level " if len(names) > 1 else "level: "
        yield f"{where}{_LEVELS[level]}{why}"


def _why_no_more(evidence: Evidence) -> str:
    """What kept the level from being higher; what is a reason of the verdict already is said in short."""
    if evidence.not_built:
        return "the target does not build"
    return "the engine failed this time" if evidence.this_time_only else evidence.level_reason
