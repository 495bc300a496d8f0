"""The tags beside the one in use: what its repository offers in the same scheme."""

from __future__ import annotations

from bot.model.update import UpdateKind
from bot.updates.case import Case
from bot.updates.tags import Choice, choose


def choice_of(case: Case, allow: UpdateKind | None = None) -> Choice:
    """The choice among the repository's tags, by the rule or to a given level."""
    return choose(
        case.tag,
        case.facts.tags or (),
        allow or case.rule.allow,
        repository=case.reference.repository,
        today=case.now.date(),
    )


def newer_siblings(case: Case) -> tuple[str, ...]:
    """The best tag of each level above the one in use, the furthest first."""
    best: dict[UpdateKind, str] = {}
    for one in choice_of(case, UpdateKind.MAJOR).ranked:
        best.setdefault(one.kind, one.tag)
    return tuple(best[kind] for kind in sorted(best, key=lambda kind: -kind.rank))


def beyond_note(case: Case) -> str:
    """Name the best tag that the rule does not allow; empty where there is none or the tags are not known."""
    best = choice_of(case).higher if case.facts.tags else None
    return f"{best.tag} exists: a {best.kind} update, and the rule allows {case.rule.allow}" if best else ""
