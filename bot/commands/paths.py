"""Reading the folders and files that a command line names, git or not, configured or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bot.cycle.discover import Found, discover, in_file
from bot.dockerfile import custom as patterns
from bot.errors import RefitError, UsageError
from bot.forge.folder import FolderCheckout
from bot.model.run import Problem
from bot.model.target import Project

PathsArgument = Annotated[
    list[Path] | None,
    # The help of a command tells what its argument is: the library would show the type of a list.
    typer.Argument(metavar="PATH", hidden=True),
]


def read_paths(
    paths: Sequence[Path] | None,
    custom: Sequence[patterns.Rule] = (),
    projects: Sequence[Project] = (),
) -> tuple[list[Found], list[Problem]]:
    """Every use below the paths, each with its file's path.

    One folder gives paths inside it; several paths, or files, give paths as they were named. A folder that
    is the checkout of one of `projects` is read with that project's targets.

    Raises:
        UsageError: A path does not exist.
    """
    chosen = list(paths or [Path()])
    found: list[Found] = []
    problems: list[Problem] = []
    for path in chosen:
        prefix = "" if len(chosen) == 1 and path.is_dir() else path.as_posix()
        uses, failed = _read_one(path, custom, projects)
        found += [_placed(one, prefix) for one in uses]
        problems += failed
    return found, problems


def _read_one(
    path: Path, custom: Sequence[patterns.Rule], projects: Sequence[Project]
) -> tuple[Iterable[Found], Sequence[Problem]]:
    here = (one for one in projects if one.location and Path(one.location).resolve() == path.resolve())
    project = next(here, Project(path.resolve().name or "folder"))
    if path.is_dir():
        discovery = discover(project, FolderCheckout(path), custom)
        return discovery.found, discovery.problems
    if not path.exists():
        raise UsageError(f"there is no file or folder {path}", hint="Name a folder, or a Dockerfile.")
    try:
        data = FolderCheckout(path.parent).read(path.name)
    except RefitError as error:
        return (), (Problem(str(path), error.message, error.hint),)
    # A file that is named is read, whatever its name.
    return [
        replace(one, use=replace(one.use, file="")) for one in in_file(project, path.name, data, custom)
    ], ()


def _placed(found: Found, prefix: str) -> Found:
    if not prefix:
        return found
    file = "/".join(part for part in (prefix.rstrip("/"), found.use.file) if part)
    return replace(found, use=replace(found.use, file=file))
