"""Observe: one HEAD for each distinct reference, first-seen times into the store. Daily, and on request."""

from __future__ import annotations

import asyncio

from bot.cycle.discover import discover
from bot.cycle.parts import Parts
from bot.cycle.together import together
from bot.errors import RefitError
from bot.model.observation import Change, Observation, Sighting
from bot.model.reference import Reference
from bot.model.run import Problem
from bot.model.target import Project
from bot.report.wording import count


def observe(parts: Parts) -> Observation:
    """Ask each registry what every tag in care points at, once, and remember when each digest came.

    A project or a registry that fails is a value; the others are asked all the same.
    """
    references: dict[str, Reference] = {}
    problems: list[Problem] = list(parts.problems)
    for project in parts.projects:
        parts.progress.step(f"discover {project.name}")
        try:
            references |= {tag.canonical: tag for tag in _tags(project, parts)}
        except RefitError as error:
            problems.append(Problem(project.name, error.message, error.hint))
    parts.progress.step(f"ask about {count(len(references), 'image')}")
    ordered = [references[name] for name in sorted(references)]
    results = asyncio.run(together(lambda one: _see(one, parts), ordered))
    return Observation(
        at=parts.clock.now(),
        asked=len(references),
        sightings=tuple(one for one in results if isinstance(one, Sighting)),
        problems=(*problems, *(one for one in results if isinstance(one, Problem))),
        requests=dict(parts.registry.requests()),
        quota=dict(parts.registry.quota()),
    )


def _tags(project: Project, parts: Parts) -> list[Reference]:
    """Every tag that a project's files name, as it would be pulled; what names a digest alone cannot move."""
    found = discover(project, parts.forge(project).checkout(project), parts.policy.custom).found
    named = [one.use.reference for one in found if one.use.reference is not None]
    return [one.with_digest(None) for one in named if one.effective_tag is not None]


async def _see(reference: Reference, parts: Parts) -> Sighting | Problem:
    try:
        digest = str((await parts.registry.head(reference)).digest)
    except RefitError as error:
        return Problem(str(reference), error.message, error.hint)
    known = dict(parts.store.sightings(reference.canonical))
    first = parts.store.observe(reference.canonical, digest, parts.clock.now())
    change = Change.SAME if digest in known else Change.MOVED if known else Change.NEW
    return Sighting(reference, digest, change, first)
