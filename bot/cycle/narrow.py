"""A project's own wishes in force: each can only take something away. Pure but for reading the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.cycle.discover import Found
from bot.cycle.parts import Parts
from bot.dockerfile.globs import Globs
from bot.model.narrowing import FILE, Narrowing
from bot.model.target import Project
from bot.model.use import Use
from bot.ports import Checkout
from bot.updates.rules import Rule


def with_wishes(project: Project, checkout: Checkout, parts: Parts) -> Project:
    """The project with what its file on the branch that is read says.

    Raises:
        ConfigError: The file is wrong; nothing is done there then, for less was wanted.
        ForgeError: It cannot be read.
    """
    if FILE not in checkout.paths():
        return project
    return replace(project, wishes=parts.read_wishes(checkout.read(FILE)))


def left(found: Sequence[Found], wishes: Narrowing | None) -> list[Found]:
    """The uses that the project wants looked at, those that must not be built marked so.

    Raises:
        ConfigError: Its globs take too long.
    """
    if wishes is None:
        return list(found)
    if not wishes.enabled:
        return []
    out = Globs(wishes.exclude)
    kept = [one for one in found if not out.match(one.use.file)]
    return kept if wishes.build else [_unbuilt(one) for one in kept]


def _unbuilt(found: Found) -> Found:
    return found if found.target is None else replace(found, target=replace(found.target, build=False))


def narrowed(rule: Rule, project: Project, use: Use) -> Rule:
    """The rule in force for a use, with no more allowed than the project wants."""
    wishes = project.wishes
    if wishes is None:
        return rule
    silence = next((one for one in wishes.silent if Rule(images=one.images).matches(project.name, use)), None)
    if silence is not None:
        rule = replace(rule, ignore_reason=f"{silence.reason} ({FILE})", ignore_until=None)
    if wishes.allow is not None and wishes.allow.rank < rule.allow.rank:
        rule = replace(rule, allow=wishes.allow)
    if wishes.minimum_age is not None and wishes.minimum_age > rule.minimum_age:
        rule = replace(rule, minimum_age=wishes.minimum_age)
    return replace(rule, auto_merge=rule.auto_merge and wishes.auto_merge)
