"""Plan: from every project's files to what will be proved, and what needs no proof."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.cycle.baselines import settle
from bot.cycle.bases import pairs
from bot.cycle.bugs import bug
from bot.cycle.discover import Found, discover
from bot.cycle.narrow import left, with_wishes
from bot.cycle.parts import Parts
from bot.cycle.published import Shipped, published
from bot.cycle.resolve import Resolved, resolve
from bot.cycle.together import together
from bot.dockerfile.together import sharing_bytes
from bot.errors import RefitError, RegistryError
from bot.model.reference import Reference
from bot.model.run import Decided, Plan, Planned, Problem
from bot.model.target import LINUX_AMD64, Project, Target
from bot.model.update import Failed, Update
from bot.model.use import Use
from bot.report.wording import count


def make_plan(parts: Parts) -> Plan:
    """Read every project, ask every registry, decide every use. The counts add up.

    A project that cannot be read and a registry that fails are values in the plan.
    """
    found: list[Found] = []
    commits: dict[str, str] = {}
    problems: list[Problem] = list(parts.problems)
    for project in parts.projects:
        parts.progress.step(f"discover {project.name}")
        try:
            found += _discovered(project, parts, commits, problems)
        except RefitError as error:
            problems.append(Problem(project.name, error.message, error.hint))
        except Exception as error:  # noqa: BLE001 - likewise: what projects hold is written by anybody
            problems.append(bug(project.name, error))
    parts.progress.step(f"resolve {count(len(found), 'use')}")
    settle(found, parts)
    results, (shipped, unanswered) = asyncio.run(_ask(found, parts, commits))
    return Plan(
        updates=_joined(one for one in results if isinstance(one, Planned)),
        decided=tuple(one for one in results if isinstance(one, Decided)),
        problems=(*problems, *unanswered),
        requests=dict(parts.registry.requests()),
        published=shipped,
    )


def _discovered(
    project: Project, parts: Parts, commits: dict[str, str], problems: list[Problem]
) -> Sequence[Found]:
    checkout = parts.forge(project).checkout(project)
    commits[project.name] = checkout.commit
    project = with_wishes(project, checkout, parts)
    discovery = discover(project, checkout, parts.policy.custom)
    problems += discovery.problems
    return left(discovery.found, project.wishes)


async def _ask(
    found: Sequence[Found], parts: Parts, commits: dict[str, str]
) -> tuple[list[Planned | Decided], Shipped]:
    """Everything that is asked of registries, over the same connections."""
    resolved = await resolve(found, parts)
    results = await together(lambda one: _planned(one, parts, commits), resolved)
    return results, await published(found, parts)


async def _planned(resolved: Resolved, parts: Parts, commits: dict[str, str]) -> Planned | Decided:
    found, outcome = resolved.found, resolved.outcome
    target = found.target.name if found.target else None
    if not isinstance(outcome, Update):
        return Decided(found.project.name, target, found.use, outcome)
    platforms = found.target.platforms if found.target else (LINUX_AMD64,)
    try:
        bases = await pairs(parts.registry, found.use, outcome, platforms)
    except RegistryError as error:
        return Decided(found.project.name, target, found.use, Failed(error.message, error.hint))
    commit = commits[found.project.name]
    return Planned(found.project, found.target, found.use, outcome, commit, bases=bases)


def _joined(updates: Iterable[Planned]) -> tuple[Planned, ...]:
    """Put together uses of one image in one target's file: they change and are proved together.

    The use that decides what ships (the final stage) leads.
    """
    groups: dict[tuple[str, str, str, str, str], list[Planned]] = {}
    for one in updates:
        subject = one.target.name if one.target else ""
        key = (one.project.name, subject, one.use.file, one.use.text, str(one.update.to))
        groups.setdefault(key, []).append(one)
    return _with_others(_merged(members) for members in groups.values())


def _with_others(updates: Iterable[Planned]) -> tuple[Planned, ...]:
    """Let each update know the uses of other images that move by its edit, since they share an `ARG`."""
    every = tuple(updates)
    files: dict[tuple[str, Target | None, str], dict[str, tuple[Use, Reference]]] = {}
    for one in every:
        changes = files.setdefault((one.project.name, one.target, one.use.file), {})
        changes.update({use.id: (use, to) for use, to in one.changes})
    along = {
        (*file, use.id): [changes[other.id] for other in sharers]
        for file, changes in files.items()
        for sharers in sharing_bytes(use for use, _ in changes.values())
        for use in sharers
    }
    return tuple(replace(one, along=_of_others(one, along)) for one in every)


def _of_others(
    one: Planned, along: Mapping[tuple[str, Target | None, str, str], Sequence[tuple[Use, Reference]]]
) -> tuple[tuple[Use, Reference], ...]:
    keys = [(one.project.name, one.target, one.use.file, use.id) for use in one.uses]
    near = {use.id: (use, to) for key in keys for use, to in along.get(key, ())}
    return tuple(change for name, change in near.items() if name not in {use.id for use in one.uses})


def _merged(members: Sequence[Planned]) -> Planned:
    lead = next((one for one in members if one.use.final), members[-1])
    return replace(lead, also=tuple(one.use for one in members if one is not lead))
