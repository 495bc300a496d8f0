"""What an audit reads from a folder: Dockerfiles with their contexts, and nginx configurations alone."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from bot.audit import suppress
from bot.audit.dockerfile.view import Context, read
from bot.audit.nginx.read import MAX_FILES, PREFIX, File
from bot.audit.project import Subject, audit_dockerfile, audit_nginx, together
from bot.commands import hadolint
from bot.dockerfile.files import is_dockerfile, select
from bot.errors import ForgeRefused, RefitError
from bot.forge.folder import FolderCheckout
from bot.model.finding import Audit, Finding
from bot.model.reference import Reference
from bot.model.run import Problem
from bot.model.target import Target

Ended = Callable[[Reference], str]

_BUDGET: Final = 64 * 1024 * 1024
_MAX_PATHS: Final = 100_000
# What git would not track, and a build would copy all the same.
_UNTRACKED: Final = (".git", "node_modules", ".env")
_NGINX: Final = re.compile(
    r"(?:.*/)?nginx(?:\.[\w-]+)?\.conf|(?:.*/)?(?:nginx|conf\.d|sites-available|sites-enabled|http\.d)/[^/]+(?:\.conf|\.template)?"
    r"|(?:.*/)?[\w.-]+\.nginx(?:\.conf)?|(?:.*/)?default\.conf"
)
HADOLINT_MISSING: Final = "hadolint is not installed: its rules were left out"


class Texts(Mapping[str, bytes]):
    """The files of a folder by path, read when asked for; after `_BUDGET` bytes there are none left.

    Args:
        checkout: The folder.
        prefix: What is put before each path: the context in the folder, with a `/`, or nothing.
        paths: The paths there are.
    """

    def __init__(self, checkout: FolderCheckout, prefix: str, paths: frozenset[str]) -> None:
        self._checkout, self._prefix, self._paths = checkout, prefix, paths
        self._read: dict[str, bytes] = {}
        self._left = _BUDGET

    def __getitem__(self, path: str) -> bytes:
        if path not in self._paths:
            raise KeyError(path)
        if path not in self._read:
            try:
                data = self._checkout.read(self._prefix + path, limit=self._left)
            except RefitError as error:
                raise KeyError(path) from error
            self._left -= len(data)
            self._read[path] = data
        return self._read[path]

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def audit_folder(root: Path, targets: Sequence[Target], ended: Ended, *, only: bool = False) -> Audit:
    """Audit every Dockerfile of a folder; where it has none, its nginx configurations.

    Args:
        root: The folder.
        targets: What the configuration says of its Dockerfiles: context, arguments, stage.
        ended: Says when the support of an image ended.
        only: Audit the targets alone.
    """
    checkout = FolderCheckout(root)
    paths = checkout.paths()[:_MAX_PATHS]
    named = {target.dockerfile for target in targets}
    every = set() if only else {path for path in select(paths) if is_dockerfile(path)}
    chosen = sorted(every | (named if only else named.intersection(paths)))
    audits = [audit for path in chosen for audit in _dockerfile(root, checkout, paths, path, targets, ended)]
    if not chosen:
        audits = [_nginx(checkout, paths, path) for path in _mains(paths)]
    return together(tuple(audits))


def audit_file(path: Path, ended: Ended) -> Audit:
    """Audit one file, whatever its name: nginx where it looks like that, else a Dockerfile."""
    root, checkout = path.parent, FolderCheckout(path.parent)
    paths = tuple(sorted({*checkout.paths()[:_MAX_PATHS], path.name}))
    if _looks_like_nginx(checkout, path.name):
        return _nginx(checkout, paths, path.name)
    return together(tuple(_dockerfile(root, checkout, paths, path.name, (), ended)))


def _dockerfile(  # noqa: PLR0913, PLR0917 - one call within this file
    root: Path,
    checkout: FolderCheckout,
    paths: Sequence[str],
    path: str,
    targets: Sequence[Target],
    ended: Ended,
) -> Iterator[Audit]:
    try:
        data = checkout.read(path)
    except ForgeRefused as error:
        yield Audit(problems=(Problem(path, error.message, error.hint),))
        return
    mine = [one for one in targets if one.dockerfile == path]
    if not mine:
        folder = _guessed(path, data, paths)
        context = _context(root, checkout, paths, folder)
        yield audit_dockerfile(Subject(path, data, context, folder), ended)
    for target in mine:
        folder = "" if target.context in {".", ""} else target.context.removeprefix("./").rstrip("/")
        context = _context(root, checkout, paths, folder)
        subject = Subject(path, data, context, folder, dict(target.args), target.stage, target.platforms[0])
        yield audit_dockerfile(subject, ended)
    yield _linted(root, path, data)


def _linted(root: Path, path: str, data: bytes) -> Audit:
    """What hadolint says, or that it is not there."""
    program = hadolint.found()
    if program is None:
        return Audit(notes=(HADOLINT_MISSING,))
    config = root / ".hadolint.yaml"
    try:
        found = hadolint.run(program, path, data, config if config.is_file() else None)
    except RefitError as error:
        return Audit(problems=(Problem(f"hadolint: {path}", error.message, error.hint),))
    return _answered(path, data, found)


def _answered(path: str, data: bytes, found: Sequence[Finding]) -> Audit:
    stay, answered = suppress.split(found, {path: suppress.in_dockerfile(data)})
    return Audit(tuple(stay), tuple(answered))


def _context(root: Path, checkout: FolderCheckout, paths: Sequence[str], folder: str) -> Context:
    prefix = f"{folder}/" if folder else ""
    inside = {path[len(prefix) :] for path in paths if path.startswith(prefix)}
    inside |= {name for name in _UNTRACKED if (root / folder / name).exists()}
    known = frozenset(inside)
    return Context(known, Texts(checkout, prefix, known))


def _guessed(path: str, data: bytes, paths: Sequence[str]) -> str:
    """The build context nobody told: the folder above the Dockerfile in which most of what it copies is."""
    try:
        seen = read(path, data, Context())
    except RefitError:
        seen = None
    sources = {one for stage in (seen.stages if seen else ()) for step in stage.steps for one in step.copied}
    folders = [str(parent) for parent in PurePosixPath(path).parents]
    near_first = ["" if folder == "." else folder for folder in folders]
    return max(near_first, key=lambda folder: _fits(folder, sources, paths))


def _fits(folder: str, sources: set[str], paths: Sequence[str]) -> tuple[int, bool]:
    prefix = f"{folder}/" if folder else ""
    inside = [path[len(prefix) :] for path in paths if path.startswith(prefix)]
    found = sum(any(_is_at(path, source) for path in inside) for source in sources - {"."})
    return found, ".dockerignore" in inside


def _is_at(path: str, source: str) -> bool:
    return path == source or path.startswith(f"{source}/") or fnmatch.fnmatchcase(path, source)


def _mains(paths: Sequence[str]) -> list[str]:
    """The nginx configurations of a folder: each nginx.conf, else what looks like a part of one."""
    named = [path for path in paths if path.rpartition("/")[2] == "nginx.conf"]
    return named or [path for path in paths if _NGINX.fullmatch(path)][:MAX_FILES]


def _nginx(checkout: FolderCheckout, paths: Sequence[str], main: str) -> Audit:
    folder = main.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    near = [path for path in paths if path.startswith(prefix) and _may_be_included(path)][: MAX_FILES - 1]
    files: dict[str, File] = {}
    for path in dict.fromkeys((main, *near)):
        try:
            files[f"{PREFIX}/{path[len(prefix) :]}"] = File(path, checkout.read(path))
        except ForgeRefused as error:
            if path == main:
                return Audit(problems=(Problem(path, error.message, error.hint),))
    return audit_nginx(files, f"{PREFIX}/{main[len(prefix) :]}")


def _may_be_included(path: str) -> bool:
    return path.endswith((".conf", ".inc", ".template", ".map")) or bool(_NGINX.fullmatch(path))


def _looks_like_nginx(checkout: FolderCheckout, name: str) -> bool:
    if is_dockerfile(name):
        return False
    if name.endswith((".conf", ".nginx", ".template", ".conf.j2")):
        return True
    try:
        head = checkout.read(name)[:4096]
    except ForgeRefused:
        return False
    from_line = re.search(rb"^\s*FROM\s", head, re.MULTILINE | re.IGNORECASE)
    return (
        from_line is None and re.search(rb"^\s*(?:server|http|events)\s*\{", head, re.MULTILINE) is not None
    )
