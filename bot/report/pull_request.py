"""The pull request: a reviewer decides in ten seconds, without opening a second tab.

The order is the order of reading: verdict and why, other reasons, a small table, then
everything else folded away. All text from outside goes through `bot.report.quote`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.model.evidence import VerdictState
from bot.model.run import Proved
from bot.model.update import UpdateKind
from bot.report import facts, wording
from bot.report.facts import Case
from bot.report.quote import quote
from bot.report.quote import title as plain
from bot.report.section import LEFT_OUT, LIMIT, fitting, titled
from bot.report.sections import failure_log, method, sections
from bot.report.summary import headline, table, vital_facts

CONVENTIONAL: Final = "build(deps): {change}"
_CAPS: Final = (2_000, 300, 100, 30, 10, 0)
_ICONS: Final = {VerdictState.PASS: "✅", VerdictState.WARN: "⚠️", VerdictState.BLOCK: "⛔"}
_CUT: Final = (
    "The details are cut to fit GitHub's 65,536 characters: the rest stands in Refit's check of this commit, "
    "or in a comment below; `refit run --format json` has them all."
)
_UNDO: Final = "Undo: revert. If you close this, Refit is silent until the next digest."
_COMMANDS: Final = "Comment `/refit rescan`, `/refit snooze 14d reason` or `/refit help`."


def title(proved: Sequence[Proved]) -> str:
    """One line: what moves, to what, where, and what that fixes."""
    line = _change(proved)
    gain = facts.fixed(facts.cases(proved))
    if not gain or facts.verdict(proved).state is VerdictState.BLOCK:
        return titled(line)
    best = facts.weightiest(gain)
    return titled(f"{line} (fixes {wording.severities(best)})", line) if any(best.values()) else titled(line)


def body(
    proved: Sequence[Proved], *, marker: str, cycle: str = "", command: str = "", hears: bool = False
) -> str:
    """The body of the pull request for a group of updates; the same evidence gives the same text.

    Args:
        proved: The group: one image, one or more targets.
        marker: The hidden marker that the pull request is found again by; stays the last line.
        cycle: The cycle it was made in, for the foot; empty leaves it out.
        command: What repeats the measurement; by default the command line's own.
        hears: True where commands in comments are listened to: only then are they offered.

    Returns:
        Markdown of at most 65,536 characters. What is cut to fit is said where it was cut.
    """
    foot = f"{_UNDO} {_COMMANDS}" if hears else _UNDO
    foot = f"{foot}\n\n{marker}\n"
    for cap in _CAPS:
        text = _compose(proved, foot, cycle, command or _command(proved), cap)
        if len(text) <= LIMIT:
            return text
    return fitting(text, _CUT, foot)  # reached only by a group of very many targets


def is_cut(text: str) -> bool:
    """Tell whether a body had to leave something out."""
    return _CUT in text or LEFT_OUT in text


def measured(proved: Sequence[Proved], *, limit: int) -> str:
    """What was measured, without the frame of a pull request of ours: for checks and comments."""
    cases = facts.cases(proved)
    for cap in _CAPS:
        how = method(proved, cases, cycle="", command=_command(proved)).markdown(_CAPS[0])
        text = "\n\n".join([*_failures(cases, cap), *_details(cases, cap), how])
        if len(text) <= limit:
            return text
    return text[: limit - 1]


def verdict(proved: Sequence[Proved]) -> str:
    """The verdict and why, the table and the facts: what decides in ten seconds."""
    cases = facts.cases(proved)
    parts = [_verdict(proved, cases), *_reasons(proved)]
    # Targets that stay at level base share the table of their base images.
    parts += dict.fromkeys(table(case) for case in cases)
    return "\n\n".join([*parts, vital_facts(proved, cases)])


def commit_message(proved: Sequence[Proved], *, subject: str = CONVENTIONAL, signed_off_by: str = "") -> str:
    """The commit's message: a subject line, then what moves and why, then who vouches for it.

    Args:
        proved: The group.
        subject: Template of the first line; by default after Conventional Commits 1.0.0. It may hold
            `{change}`, `{image}`, `{to}` and `{where}`.
        signed_off_by: `Name <address>` for a trailer after the Developer Certificate of Origin; or empty.
    """
    line = _change(proved)
    gain = facts.fixed(facts.cases(proved))
    words = {
        "change": f"{line[0].lower()}{line[1:]}",
        "image": facts.image(proved[0]),
        "to": facts.destination(proved[0]),
        "where": _subjects(proved),
    }
    paragraphs = [subject.format_map(words)]
    if gain and any(gain.values()):
        paragraphs.append(f"Fixes these known vulnerabilities: {wording.severities(gain)}.")
    paragraphs += sorted({_move(one) for one in proved})
    paragraphs += [f"Signed-off-by: {signed_off_by}"] if signed_off_by else []
    return "\n\n".join(paragraphs) + "\n"


def _change(proved: Sequence[Proved]) -> str:
    first, where = proved[0], _subjects(proved)
    if (images := len({str(one.planned.update.to) for one in proved})) > 1:
        return f"Bump {images} images in {where}"
    if first.planned.update.kind is UpdateKind.PIN:
        return f"Pin {facts.image(first)} in {where}"
    return f"Bump {facts.image(first)} to {facts.destination(first)} in {where}"


def _move(one: Proved) -> str:
    """Both references in full: parsed, so there is nothing in them to quote."""
    return f"{one.planned.use.reference or ''}\n-> {one.planned.update.to}"


def _compose(proved: Sequence[Proved], foot: str, cycle: str, command: str, cap: int) -> str:
    cases = facts.cases(proved)
    parts = [verdict(proved), *_failures(cases, cap)]
    how = method(proved, cases, cycle=cycle, command=command).markdown(_CAPS[0])
    details = _details(cases, cap) if cap else [_CUT]
    parts += [how, *details] if len(cases) > 1 else [*details, how]
    return "\n\n".join([*parts, foot])


def _details(cases: Sequence[Case], cap: int) -> list[str]:
    """The folded sections, under a name for each case where there are several."""
    parts = []
    for case in cases:
        folded = [section.markdown(cap) for section in sections(case)]
        parts += [f"**{quote(case.name)}**"] if len(cases) > 1 and folded else []
        parts += folded
    return parts


def sentence(proved: Sequence[Proved]) -> str:
    """The verdict and one sentence, as plain text for a line that shows no Markdown."""
    state = facts.verdict(proved).state
    return f"{state.value.upper()}: {plain(headline(proved, facts.cases(proved), say=str), limit=400)}"


def _verdict(proved: Sequence[Proved], cases: Sequence[Case]) -> str:
    state = facts.verdict(proved).state
    return f"{_ICONS[state]} **{state.value.upper()}** by your policy. {headline(proved, cases)}"


def _reasons(proved: Sequence[Proved]) -> list[str]:
    """Why else it is no pass, or what qualifies one; the first reason against it stands in the headline."""
    told = facts.lead(proved)
    reasons = [reason for reason in facts.verdict(proved).reasons if reason != told]
    lines = [f"- {quote(wording.sentence(text), limit=500)}" for text in reasons]
    return ["\n".join(lines)] if lines else []


def _failures(cases: Sequence[Case], cap: int) -> list[str]:
    """The last lines of what failed: the very last seen at once, the last 50 folded."""
    return [
        f"Last lines of what failed ({quote(case.name)}):\n\n{failure_log(case.log)}"
        for case in cases
        if case.log and cap
    ]


def _command(proved: Sequence[Proved]) -> str:
    """Measure the proof once more; the commit is the measured one, so that later ones change no text."""
    planned, evidence = proved[0].planned, proved[0].evidence
    subject, old = plain(planned.subject), planned.use.reference.digest if planned.use.reference else None
    if planned.target is None or old is None or not evidence or not evidence[0].commit:
        return f"refit run --dry-run --only {subject}"
    return f"refit compare --at {evidence[0].commit} {subject} {old} {planned.update.to.digest}"


def _subjects(proved: Sequence[Proved]) -> str:
    names = list(dict.fromkeys(plain(one.planned.subject, limit=60) for one in proved))
    return wording.listed(names) if len(names) <= 3 else f"{len(names)} places"
