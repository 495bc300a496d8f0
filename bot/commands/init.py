"""`refit init`: a starter configuration for the folder it stands in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from bot.commands.options import DEFAULT_NAME
from bot.cycle.discover import targets_of
from bot.dockerfile.files import is_dockerfile, select
from bot.errors import ForgeRefused, UsageError
from bot.forge.folder import FolderCheckout
from bot.forge.git import Git, git_directory
from bot.model.target import Project, Target

_GITHUB: Final = re.compile(r"github\.com[:/](?P<name>[^/]+/[^/]+?)(?:\.git)?/?$")
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


def init(folder: Path = Path()) -> int:
    """Write a starter configuration (refit.yaml) for this folder; never overwrites one."""
    file = folder / DEFAULT_NAME
    text = starter(folder)
    try:
        with file.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError as error:
        hint = f"Edit it, or remove it and run `refit init` again; `refit config check -c {file}` checks it."
        raise UsageError(f"{file} is there already", hint=hint) from error
    print(f"Wrote {file}. Next: refit doctor, then refit run --dry-run")  # noqa: T201 - the command's output
    return 0


def starter(folder: Path) -> str:
    """The text of a starter: this folder as a project, each Dockerfile found as a target."""
    found = _GITHUB.search(remote_url(folder) or "")
    name = (
        found["name"]
        if found
        else re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._") or "project"
    )
    project = (_GITHUB_PROJECT if found else _LOCAL_PROJECT).format(name=name)
    targets = _targets(Project(name), FolderCheckout(folder).paths())
    return _HEAD + project + targets + _TAIL.format(github=_GITHUB_SECTION if found else "")


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "project"


def remote_url(folder: Path) -> str:
    """Where the folder's `origin` is, or an empty text."""
    try:
        git = Git(git_directory(folder))
    except ForgeRefused:
        return ""
    return git.ask("config", "--get", "remote.origin.url") or ""


def _targets(project: Project, paths: tuple[str, ...]) -> str:
    files = [path for path in select(paths) if is_dockerfile(path)]
    targets = [target for path in files for target in targets_of(project, path)]
    return "    targets:\n" + "".join(map(_target, targets)) if targets else ""


def _target(target: Target) -> str:
    return (
        f"      - name: {target.name}\n"
        f"        dockerfile: {target.dockerfile}\n"
        f"        context: {target.context}\n"
        f"        # budget: 200 MB\n"
    )
