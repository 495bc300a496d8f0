"""The dashboard of a project: what is fresh, what waits and why, with boxes to tick. Pure.

A box says a command of the chat (`bot.model.checkbox`), and goes through the same hands as a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.model.checkbox import checkbox
from bot.model.evidence import VerdictState
from bot.model.run import Decided, Proved
from bot.model.update import Abandoned, Current, Failed, Skipped, Waiting, outcome_reason
from bot.report import facts, wording
from bot.report.quote import code, quote
from bot.report.quote import title as plain
from bot.report.section import LIMIT

TITLE: Final = "Base images at a glance"
SNOOZE_DAYS: Final = 14
_SHOWN: Final = (60, 30, 10, 0)  # rows of a group, as many as fit
_ICONS: Final = {VerdictState.PASS: "✅", VerdictState.WARN: "⚠️", VerdictState.BLOCK: "⛔"}
_HEAD: Final = (
    "Tick a box and Refit does it at once; it listens to those who may write here. Close this issue and it "
    "stays closed."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one project stands after a cycle.

    Attributes:
        project: Its name.
        updates: Proved, with their publications.
        decided: Everything else.
    """

    project: str
    updates: Sequence[Proved]
    decided: Sequence[Decided]


def body(standing: Standing, *, marker: str) -> str:
    """The dashboard; the same standing gives the same text, with every box empty. Within GitHub's limit."""
    texts = (_body(standing, marker, most) for most in _SHOWN)
    return next(text for text in texts if len(text) <= LIMIT)


def _body(standing: Standing, marker: str, most: int) -> str:
    groups = [
        ("Open", [_update(one, standing) for one in standing.updates]),
        ("Waiting", [_waiting(one, standing) for one in _with(standing, Waiting)]),
        ("Failed", [_failed(one, standing) for one in _with(standing, Failed)]),
        ("No longer moving", [_abandoned(one, standing) for one in _with(standing, Abandoned)]),
    ]
    counts = [(name.lower(), len(rows)) for name, rows in groups]
    parts = [
        _glance(counts, len(list(_with(standing, Current)))),
        _HEAD,
        *(_group(name, rows, most) for name, rows in groups if rows),
    ]
    parts += [_fresh(list(_with(standing, Current)), most), *_skipped(list(_with(standing, Skipped)), most)]
    return "\n\n".join([*(part for part in parts if part), f"{marker}\n"])


def _glance(counts: Iterable[tuple[str, int]], fresh: int) -> str:
    """What there is to look at, in one line: `**1 open, 2 waiting; 5 fresh.**`."""
    due = ", ".join(f"{number} {name}" for name, number in counts if number) or "Nothing to do"
    return f"**{due}; {fresh} fresh.**"


def _with(standing: Standing, kind: type) -> Iterable[Decided]:
    return (one for one in standing.decided if isinstance(one.outcome, kind))


def _group(name: str, rows: Sequence[str], most: int) -> str:
    return f"### {name}\n\n{_first(rows, most)}"


def _first(rows: Sequence[str], most: int) -> str:
    """The first rows, and how many more there are."""
    more = [f"- … and {len(rows) - most} more"] if len(rows) > most else []
    return "\n".join([*rows[:most], *more])


def _update(proved: Proved, standing: Standing) -> str:
    """An update with where it can be read."""
    planned = proved.planned
    words = f"{facts.image(proved)} to {facts.destination(proved)}"
    where = f" in {code(planned.subject)}"
    link = f": {proved.publication.url}" if proved.publication else ""
    note = f": {quote(proved.publication_note)}" if proved.publication_note else ""
    row = f"- {_ICONS[proved.verdict.state]} {quote(words)}{where}{link}{note}"
    return "\n".join([row, *_boxes(planned.subject, facts.image(proved), standing, "Prove it again now")])


def _waiting(decided: Decided, standing: Standing) -> str:
    row = f"- ⏳ {_place(decided)}: {_reason(decided)}"
    return "\n".join([row, *_boxes(decided.subject, decided.use.unpinned, standing, "Open it now")])


def _failed(decided: Decided, standing: Standing) -> str:
    row = f"- ✗ {_place(decided)}: {_reason(decided)}"
    return "\n".join([row, *_boxes(decided.subject, "", standing, "Try again now")])


def _abandoned(decided: Decided, standing: Standing) -> str:
    row = f"- ⚠️ {_place(decided)}: {_reason(decided)}"
    return "\n".join([row, *_boxes("", decided.use.unpinned, standing, "")])


def _boxes(subject: str, image: str, standing: Standing, doing: str) -> Iterable[str]:
    """What can be asked for at once: to do it, and to be silent about it."""
    if subject and doing:
        yield "  " + checkbox(doing, f"open {standing.project}#{plain(subject)}")
    if image:
        command = f"snooze {plain(image)} {SNOOZE_DAYS} from the dashboard"
        yield "  " + checkbox(f"Silence it for {SNOOZE_DAYS} days", command)


def _fresh(decided: Sequence[Decided], most: int) -> str:
    if not decided:
        return "Nothing is known to be fresh."
    rows = _first([f"- {_place(one)}" for one in decided], most)
    counted = wording.count(len(decided), "image") + " fresh"
    return f"<details><summary>✅ {counted}</summary>\n\n{rows}\n\n</details>"


def _skipped(decided: Sequence[Decided], most: int) -> Iterable[str]:
    if decided:
        rows = _first([f"- {_place(one)}: {_reason(one)}" for one in decided], most)
        yield f"<details><summary>{len(decided)} left alone on purpose</summary>\n\n{rows}\n\n</details>"


def _place(decided: Decided) -> str:
    use = decided.use
    return f"{code(use.unpinned, limit=100)} in {code(f'{use.file}:{use.line}', limit=120)}"


def _reason(decided: Decided) -> str:
    return quote(outcome_reason(decided.outcome) or "", limit=300)
