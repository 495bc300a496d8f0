"""Which projects are under care now: each glob of the configuration replaced by what it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bot.errors import ForgeError
from bot.forge.github import GitHubForge
from bot.forge.listing import Wanted
from bot.model.run import Problem
from bot.ports import Clock, Forge
from bot.settings import Settings

# The settings without globs, and what could not be listed.
Expanded = tuple[Settings, tuple[Problem, ...]]
Expand = Callable[[Settings, Mapping[str, Forge]], Expanded]
_FRESH_SECONDS: Final = 600.0


class Remembered:
    """What the globs of one configuration stand for, listed from time to time, not for each question in chat.

    Safe from several threads: two may list at the same time, and both are right.

    Args:
        clock: Monotonic time.
        expand: Lists.
    """

    def __init__(self, clock: Clock, expand: Expand | None = None) -> None:
        self._clock, self._expand = clock, expand or expanded
        self._known: tuple[float, Expanded] | None = None

    def __call__(self, settings: Settings, every: Mapping[str, Forge]) -> Expanded:
        """What is known, where that is of the last minutes or nothing newer can be had."""
        known = self._known
        if known is not None and self._clock.monotonic() - known[0] < _FRESH_SECONDS:
            return known[1]
        found = self.afresh(settings, every)
        return known[1] if found[1] and known is not None else found

    def afresh(self, settings: Settings, every: Mapping[str, Forge]) -> Expanded:
        """List now; what could be listed in part only is not remembered."""
        found = self._expand(settings, every)
        if not found[1]:
            self._known = self._clock.monotonic(), found
        return found


def expanded(settings: Settings, every: Mapping[str, Forge]) -> Expanded:
    """The settings with each glob replaced by what it stands for now; what is named keeps its own."""
    projects = [one for one in settings.projects if not one.is_glob]
    named = {one.name.lower() for one in projects}
    problems: list[Problem] = []
    for one in (one for one in settings.projects if one.is_glob):
        forge = every[one.name]
        try:
            wanted = Wanted(one.topics, one.archived, one.forks)
            found = forge.projects(one.name, wanted) if isinstance(forge, GitHubForge) else ()
        except ForgeError as error:
            problems.append(Problem(one.name, error.message, error.hint))
            continue
        new = [name for name in found if name.lower() not in named]
        named.update(name.lower() for name in new)
        projects += [one.model_copy(update={"name": name}) for name in new]
    return settings.model_copy(update={"projects": tuple(projects)}), tuple(problems)


def by_project(settings: Settings, every: Mapping[str, Forge]) -> Mapping[str, Forge]:
    """The forge of each project; what a glob stood for lives on GitHub."""
    github = next((forge for forge in every.values() if isinstance(forge, GitHubForge)), None)
    found = dict(every)
    for one in settings.projects:
        if one.name not in found and github is not None:
            found[one.name] = github
    return found
