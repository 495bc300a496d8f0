"""Reading the folders and files that a command line names, git or not, configured or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bot.cycle.discover import Found, in_file, scan, set_beside
from bot.dockerfile import custom as patterns
from bot.dockerfile import dotenv
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
    found: list[Found] = []
    problems: list[Problem] = []
    for one in scan_paths(paths, custom, projects):
        if isinstance(one, Found):
            found.append(one)
        else:
            problems.append(one)
    return found, problems


def scan_paths(
    paths: Sequence[Path] | None,
    custom: Sequence[patterns.Rule] = (),
    projects: Sequence[Project] = (),
) -> Iterator[Found | Problem]:
    """The same as `read_paths`, one after the other.

    Raises:
        UsageError: A path does not exist; said before anything is read.
    """
    chosen = list(dict.fromkeys(paths or [Path()]))
    for path in chosen:
        if not path.exists():
            raise UsageError(f"there is no file or folder {path}", hint="Name a folder, or a Dockerfile.")
    return (
        _placed(one, "" if len(chosen) == 1 and path.is_dir() else path.as_posix())
        for path in chosen
        for one in _scan_one(path, custom, projects)
    )


def _scan_one(
    path: Path, custom: Sequence[patterns.Rule], projects: Sequence[Project]
) -> Iterator[Found | Problem]:
    here = (one for one in projects if one.location and Path(one.location).resolve() == path.resolve())
    project = next(here, Project(path.resolve().name or "folder"))
    if path.is_dir():
        yield from scan(project, FolderCheckout(path), custom)
        return
    try:
        folder = FolderCheckout(path.parent)
        data, beside = folder.read(path.name), set_beside(path.name, _dotenv(path), folder)
    except RefitError as error:
        yield Problem(str(path), error.message, error.hint)
        return
    # A file that is named is read, whatever its name.
    for one in in_file(project, path.name, data, custom, beside):
        yield replace(one, use=replace(one.use, file=""))


def _dotenv(path: Path) -> tuple[str, ...]:
    """The `.env` beside a file, if there is one."""
    return (dotenv.NAME,) if path.with_name(dotenv.NAME).is_file() else ()


def _placed(one: Found | Problem, prefix: str) -> Found | Problem:
    if not prefix or isinstance(one, Problem):
        return one
    file = "/".join(part for part in (prefix.rstrip("/"), one.use.file) if part)
    return replace(one, use=replace(one.use, file=file))
