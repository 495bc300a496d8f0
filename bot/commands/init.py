"""`refit init`: a starter configuration for the folder it stands in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

import typer

from bot.commands.options import DEFAULT_NAME
from bot.commands.output import write
from bot.cycle.discover import targets_of
from bot.dockerfile.files import is_dockerfile, select
from bot.errors import ForgeRefused, UsageError
from bot.forge.folder import FolderCheckout
from bot.forge.git import Git, git_directory
from bot.model.target import Project, Target

_GITHUB: Final = re.compile(
    r"(?:https://(?:[^/@]*@)?|ssh://git@|git@)github\.com(?::\d+)?[:/]"
    r"(?P<name>[A-Za-z0-9][\w.-]*/[A-Za-z0-9_.][\w.-]*?)(?:\.git)?/?"
)
_PLAIN: Final = re.compile(r"\.|[A-Za-z][A-Za-z0-9._/-]*")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_LONGEST: Final = 100
_HEAD: Final = """\
# Refit's configuration for this folder. Every key is explained in config/bot.example.yaml of Refit.
# Check it with `refit config check`, try it with `refit run --dry-run`.
timezone: UTC

projects:
"""
_GITHUB_PROJECT: Final = """\
  - name: {name}
    # Pull requests go to GitHub: set GITHUB_TOKEN.
    # To try without an account, write `forge: local` and `path: .` instead.
    forge: github
"""
_LOCAL_PROJECT: Final = """\
  - name: {name}
    # Pull requests are branches of this checkout and Markdown files in the state folder; no account needed.
    forge: local
    path: .
"""
_TAIL: Final = """
rules:
  # The same tag, newer image. `allow: minor` also proposes newer versions.
  - images: ["*"]
    allow: digest
    minimum_age: 3 days
{github}"""
_GITHUB_SECTION: Final = """
github:
  token: { env: GITHUB_TOKEN }
"""

FolderOption = Annotated[
    Path, typer.Option("--folder", metavar="FOLDER", help="Write it for this folder. [default: this one]")
]


def init(folder: FolderOption = Path()) -> int:
    """Write a starter configuration (refit.yaml) for this folder; never overwrite one."""
    file = folder / DEFAULT_NAME
    try:
        text = starter(folder)
        with file.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError as error:
        hint = f"Edit it, or remove it and run `refit init` again; `refit config check -c {file}` checks it."
        raise UsageError(f"{file} is there already", hint=hint) from error
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
    write("\n".join([f"Wrote {file}.", *_next_steps(folder)]))
    return 0


def starter(folder: Path) -> str:
    """The text of a starter: this folder as a project, each Dockerfile found as a target."""
    found = _GITHUB.fullmatch(remote_url(folder))
    name = found["name"] if found else _plain(folder.resolve().name) or "project"
    project = (_GITHUB_PROJECT if found else _LOCAL_PROJECT).format(name=_quoted(name))
    targets = _targets(Project(name), FolderCheckout(folder).paths())
    return _HEAD + project + targets + _TAIL.format(github=_GITHUB_SECTION if found else "")


def remote_url(folder: Path) -> str:
    """Where the folder's `origin` is, or an empty text."""
    try:
        git = Git(git_directory(folder))
    except ForgeRefused:
        return ""
    return git.ask("config", "--get", "remote.origin.url") or ""


def _next_steps(folder: Path) -> Sequence[str]:
    """What to do next; a project needs commits to stand on."""
    try:
        git_directory(folder)
    except ForgeRefused:
        return (
            "This folder is no git checkout yet: `git init`, and commit your files.",
            "Then: refit doctor, and refit run --dry-run",
        )
    return ("Next: refit doctor, and refit run --dry-run",)


def _targets(project: Project, paths: tuple[str, ...]) -> str:
    files = [path for path in select(paths) if is_dockerfile(path)]
    targets = _named_apart([target for path in files for target in targets_of(project, path)])
    return "    targets:\n" + "".join(map(_target, targets)) if targets else ""


def _named_apart(targets: Sequence[Target]) -> list[Target]:
    """The targets with names of their own: as short as they can be, else by the path, else by a number."""
    names: set[str] = set()
    apart = []
    for target in targets:
        path = PurePosixPath(target.dockerfile)
        longer = _plain("-".join(path.parent.parts) + target.name.removeprefix(path.parent.name))
        numbered = (f"{longer[: _LONGEST - 5]}-{number}" for number in range(2, len(targets) + 2))
        wished = (_plain(target.name) or "target", longer, *numbered)
        name = next(one for one in wished if one and one not in names)
        names.add(name)
        apart.append(replace(target, name=name))
    return apart


def _plain(name: str) -> str:
    """A name that a target or project may have, from any text; empty where nothing of it can stay."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:_LONGEST]


def _quoted(text: str) -> str:
    """A text as YAML: plain where that is safe, else as JSON, which YAML reads."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text)


def _target(target: Target) -> str:
    return (
        f"      - name: {_quoted(target.name)}\n"
        f"        dockerfile: {_quoted(target.dockerfile)}\n"
        f"        context: {_quoted(target.context)}\n"
        f"        # budget: 200 MB\n"
    )
