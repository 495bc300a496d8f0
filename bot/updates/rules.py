"""Rules: what may be proposed, for which images, files and projects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fnmatch import fnmatchcase

from bot.model.reference import DOCKER_HUB, Reference
from bot.model.update import Grouping, UpdateKind
from bot.model.use import Use


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be proposed for what the patterns match; patterns are shell globs, `*` crosses `/`.

    Attributes:
        images: Patterns of names, with or without Docker Hub's defaults and the tag: `nginx`,
            `library/nginx`, `ghcr.io/acme/*`, `debian:bookworm*`.
        files: Patterns of paths in the project.
        projects: Patterns of project names.
        allow: How far an update may go; each level includes those below it.
        minimum_age: How long a digest must have been seen before it is proposed.
        waive_age_for_security: Propose a younger digest too, for what it fixes; never merged by itself.
        abandoned_after: From which age an image behind a tag may count as abandoned.
        group: What shares one pull request.
        auto_merge: What passes with no question left may be merged by itself, after its required checks.
        ignore_reason: Why matches are left alone; empty where they are not.
        ignore_until: The last day of the silence; None for no end.
    """

    images: tuple[str, ...] = ("*",)
    files: tuple[str, ...] = ("*",)
    projects: tuple[str, ...] = ("*",)
    allow: UpdateKind = UpdateKind.DIGEST
    minimum_age: timedelta = timedelta(days=3)
    waive_age_for_security: bool = False
    abandoned_after: timedelta = timedelta(days=90)
    group: Grouping = Grouping.IMAGE
    auto_merge: bool = False
    ignore_reason: str = ""
    ignore_until: date | None = None

    def matches(self, project: str, use: Use) -> bool:
        """Tell whether the rule is about this use."""
        return (
            _any(self.projects, (project,))
            and _any(self.files, (use.file,))
            and (
                self.images == ("*",)
                or (use.reference is not None and _any(self.images, _names(use.reference)))
            )
        )


def rule_for(rules: Sequence[Rule], project: str, use: Use) -> Rule:
    """The rule in force for a use: the first that matches, or the defaults; a comment at the use goes first.

    A comment that names no level changes nothing here; `decide` makes it a failure that shows.
    """
    rule = next((one for one in rules if one.matches(project, use)), Rule())
    levels = [UpdateKind(value) for key, value in use.ignore if key == "allow" and value in list(UpdateKind)]
    return replace(rule, allow=levels[-1]) if levels else rule


def _any(patterns: Sequence[str], names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _names(reference: Reference) -> tuple[str, ...]:
    """The spellings of an image that a pattern may be written for."""
    full = f"{reference.registry}/{reference.repository}"
    names = [reference.name, full]
    if reference.registry == DOCKER_HUB:
        names += [reference.repository, reference.repository.removeprefix("library/")]
    return (*names, *(f"{name}:{reference.effective_tag}" for name in names))
