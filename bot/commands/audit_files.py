"""What an audit reads of a folder here: its files, what git does not track, and hadolint's word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bot.audit import suppress
from bot.audit.project import together
from bot.commands import hadolint
from bot.cycle.audit import Ended, Sources, audit_project, audits_of, dockerfiles, looks_like_nginx, nginx
from bot.errors import RefitError
from bot.forge.folder import FolderCheckout
from bot.model.finding import Audit, Finding
from bot.model.run import Problem
from bot.model.target import Target

# What git would not track, and a build would copy all the same.
_UNTRACKED: Final = (".git", "node_modules", ".env")
HADOLINT_MISSING: Final = "hadolint is not installed: its rules were left out"


def audit_folder(root: Path, targets: Sequence[Target], ended: Ended, *, only: bool = False) -> Audit:
    """Audit a folder by our rules and by hadolint's; see `audit_project`."""
    sources = _sources(root, ended)
    chosen = dockerfiles(sources.paths(), targets, only=only)
    linted = (_linted(root, path) for path in chosen)
    return together((audit_project(sources, targets, only=only), *linted))


def audit_file(path: Path, ended: Ended) -> Audit:
    """Audit one file, whatever its name: nginx where it looks like that, else a Dockerfile."""
    sources = _sources(path.parent, ended)
    paths = tuple(sorted({*sources.paths(), path.name}))
    if looks_like_nginx(sources.files, path.name):
        return nginx(sources, paths, path.name)
    return together((*audits_of(sources, paths, path.name), _linted(path.parent, path.name)))


def _sources(root: Path, ended: Ended) -> Sources:
    def untracked(folder: str) -> Iterator[str]:
        return (name for name in _UNTRACKED if (root / folder / name).exists())

    return Sources(FolderCheckout(root), ended, untracked)


def _linted(root: Path, path: str) -> Audit:
    """What hadolint says, or that it is not there; what cannot be read is told by our own rules."""
    program, config = hadolint.found(), root / ".hadolint.yaml"
    if program is None:
        return Audit(notes=(HADOLINT_MISSING,))
    try:
        data = FolderCheckout(root).read(path)
    except RefitError:
        return Audit()
    try:
        found = hadolint.run(program, path, data, config if config.is_file() else None)
    except RefitError as error:
        return Audit(problems=(Problem(f"hadolint: {path}", error.message, error.hint),))
    return _answered(path, data, found)


def _answered(path: str, data: bytes, found: Sequence[Finding]) -> Audit:
    stay, answered = suppress.split(found, {path: suppress.in_dockerfile(data)})
    return Audit(tuple(stay), tuple(answered))
