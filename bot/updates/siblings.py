"""The tags beside the one in use: what its repository offers in the same scheme."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from bot.model.update import UpdateKind
from bot.updates.case import Case
from bot.updates.tags import Choice, choose


def choice_of(case: Case, allow: UpdateKind | None = None) -> Choice:
    """The choice among the repository's tags, by the rule or to a given level."""
    tags, repository = case.facts.tags or (), case.reference.repository
    return _choose(case.tag, tags, allow or case.rule.allow, repository, case.now.date())


# A decision is taken step by step, and a list may have 100,000 tags: read it once.
@lru_cache(maxsize=16)
def _choose(current: str, tags: tuple[str, ...], allow: UpdateKind, repository: str, today: date) -> Choice:
    return choose(current, tags, allow, repository=repository, today=today)


def newer_siblings(case: Case) -> tuple[str, ...]:
    """The best tag of each level above the one in use, the furthest first."""
    best: dict[UpdateKind, str] = {}
    for one in choice_of(case, UpdateKind.PIN).beyond:
        best.setdefault(one.kind, one.tag)
    return tuple(best[kind] for kind in sorted(best, key=lambda kind: -kind.rank))


def beyond_note(case: Case) -> str:
    """Name the best tag that the rule does not allow; empty where there is none or the tags are not known."""
    beyond = choice_of(case).beyond if case.facts.tags else ()
    if not beyond:
        return ""
    return f"{beyond[0].tag} exists: a {beyond[0].kind} update, and the rule allows {case.rule.allow}"
