"""Choosing and explaining for one image: `refit check --tags-from` and `--explain`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.cycle.discover import Found
from bot.cycle.parts import Parts
from bot.cycle.resolve import resolve
from bot.errors import RegistryError, UsageError
from bot.model.reference import Reference
from bot.model.target import Project
from bot.model.update import Current, Failed, Outcome, Update, UpdateKind, outcome_reason
from bot.model.use import Use, UseKind
from bot.report.quote import visible
from bot.updates.explain import explain
from bot.updates.rules import Rule, rule_for
from bot.updates.tags import Choice, choose

_NOWHERE: Final = Project("command line")
_MOST_BYTES: Final = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Explained:
    """What became of one image, and the lines that tell why."""

    outcome: Outcome
    lines: tuple[str, ...]


def parse_image(text: str) -> Reference:
    """The one image that was named.

    Raises:
        UsageError: It is no image reference.
    """
    try:
        return Reference.parse(text)
    except ValueError as error:
        raise UsageError(str(error), hint="For example: debian:bookworm-slim") from error


def read_tags(file: Path) -> tuple[str, ...]:
    """The tags of a list, one a line; empty lines are nothing.

    Raises:
        UsageError: The file cannot be read.
    """
    try:
        with file.open("rb") as handle:
            data = handle.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", hint="One tag a line.") from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{file} has more than {_MOST_BYTES} bytes; a list of tags has one tag a line")
    return tuple(filter(None, map(str.strip, data.decode(errors="replace").splitlines())))


def choice(reference: Reference, tags: Iterable[str], allow: UpdateKind) -> Choice:
    """What the rules choose from these tags; a reference without a tag keeps what it has."""
    if reference.effective_tag is None:
        return Choice()
    return choose(
        reference.effective_tag, tags, allow, repository=_full(reference), today=datetime.now(UTC).date()
    )


def chosen(reference: Reference, made: Choice) -> str:
    """The reference with the chosen tag, or unchanged."""
    return str(reference.with_tag(made.tag) if made.tag else reference)


def told(reference: Reference, made: Choice, ready: str | None = None) -> Iterator[str]:
    """The choice among tags, in lines; `ready` is the tag that is taken in the end, see `explain`."""
    if reference.effective_tag is None:
        yield f"{reference} names a digest and no tag: there is nothing to choose"
        return
    first, *rest = explain(reference.effective_tag, made, ready)
    yield visible(first, limit=400)
    yield from (f"  {visible(line, limit=400)}" for line in rest)


def explain_image(reference: Reference, parts: Parts) -> Explained:
    """Ask the registry about one image and its tags, and tell what comes of it and why."""
    use = Use("", 0, UseKind.CUSTOM, None, str(reference), reference)
    rule = rule_for(parts.policy.rules, _NOWHERE.name, use)
    outcome, tags = asyncio.run(_asked(Found(_NOWHERE, None, use), reference, parts))
    lines = [*_head(reference, outcome, rule)]
    if isinstance(tags, RegistryError):
        lines.append(f"its tags could not be listed: {visible(tags.message, limit=400)}")
    else:
        lines += told(reference, choice(reference, tags, rule.allow), _ready(reference, outcome))
    return Explained(outcome, tuple(lines))


def _ready(reference: Reference, outcome: Outcome) -> str:
    """The other tag that the outcome takes, or nothing."""
    tag = outcome.to.tag if isinstance(outcome, Update) else None
    return tag if tag and tag != reference.effective_tag else ""


async def _asked(
    found: Found, reference: Reference, parts: Parts
) -> tuple[Outcome, tuple[str, ...] | RegistryError]:
    (resolved,) = await resolve([found], parts)
    try:
        return resolved.outcome, await parts.registry.tags(reference)
    except RegistryError as error:
        return resolved.outcome, error


def _head(reference: Reference, outcome: Outcome, rule: Rule) -> Iterator[str]:
    """The outcome, what it becomes, and the rule that decided."""
    why = visible(outcome.note if isinstance(outcome, Current) else outcome_reason(outcome) or "", limit=400)
    yield f"{reference}: {outcome.word}" + (f": {why}" if why else "")
    if isinstance(outcome, Update):
        yield f"  becomes {outcome.to}"
        yield from (f"  {visible(note, limit=400)}" for note in outcome.notes)
    if isinstance(outcome, Failed) and outcome.hint:
        yield f"  {visible(outcome.hint, limit=400)}"
    yield f"  by the rule: up to {rule.allow} updates, {_age(rule.minimum_age)}"


def _age(least: timedelta) -> str:
    days = least / timedelta(days=1)
    return f"at least {days:g} days old" if days else "of any age"


def _full(reference: Reference) -> str:
    return f"{reference.registry}/{reference.repository}"
