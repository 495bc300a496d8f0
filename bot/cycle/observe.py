"""Observe: one HEAD for each distinct reference, first-seen times into the store. Daily."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.cycle.discover import discover
from bot.cycle.parts import Parts
from bot.errors import RefitError
from bot.model.reference import Reference
from bot.model.run import Problem


@dataclass(frozen=True, slots=True)
class Observation:
    """What a round of HEADs saw: references asked, digests never seen before, failures."""

    asked: int
    new: int
    problems: tuple[Problem, ...]


def observe(parts: Parts) -> Observation:
    """Ask each registry what every tag in care points at, once, and remember when each digest came."""
    references: dict[str, Reference] = {}
    problems: list[Problem] = []
    for project in parts.projects:
        try:
            found = discover(project, parts.forge(project).checkout(project), parts.policy.custom)
        except RefitError as error:
            problems.append(Problem(project.name, error.message, error.hint))
            continue
        named = [one.use.reference for one in found.found if one.use.reference is not None]
        tags = [reference for reference in named if reference.effective_tag is not None]
        references |= {tag.with_digest(None).canonical: tag.with_digest(None) for tag in tags}
    results = asyncio.run(_ask(parts, list(references.values())))
    problems += [result for result in results if isinstance(result, Problem)]
    return Observation(len(references), sum(result is True for result in results), tuple(problems))


async def _ask(parts: Parts, references: list[Reference]) -> list[bool | Problem]:
    return await asyncio.gather(*(_see(parts, reference) for reference in references))


async def _see(parts: Parts, reference: Reference) -> bool | Problem:
    """Tell whether the digest behind a tag is new to us."""
    try:
        head = await parts.registry.head(reference)
    except RefitError as error:
        return Problem(str(reference), error.message, error.hint)
    now = parts.clock.now()
    known = parts.store.first_seen(reference.canonical, str(head.digest)) is not None
    parts.store.observe(reference.canonical, str(head.digest), now)
    return not known
