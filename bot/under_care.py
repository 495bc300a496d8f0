"""Which projects are under care now: each glob of the configuration replaced by what it stands for."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import ForgeError
from bot.forge.github import GitHubForge
from bot.forge.listing import Wanted
from bot.model.run import Problem
from bot.ports import Forge
from bot.settings import Settings


def expanded(settings: Settings, every: Mapping[str, Forge]) -> tuple[Settings, tuple[Problem, ...]]:
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
