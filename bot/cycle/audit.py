"""Audit a project's files: Dockerfiles with their contexts, and nginx configurations alone."""

from __future__ import annotations

import fnmatch
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, takewhile
from pathlib import PurePosixPath
from typing import Final, Protocol

from bot.audit.dockerfile.view import Context, read
from bot.audit.nginx.read import MAX_FILE, MAX_FILES, PREFIX, File
from bot.audit.project import Subject, audit_dockerfile, audit_nginx, together
from bot.dockerfile.files import is_dockerfile, select
from bot.errors import ForgeError, RefitError
from bot.model.finding import Audit
from bot.model.reference import Reference
from bot.model.run import Problem
from bot.model.target import Target
from bot.updates.distributions import State, life
from bot.updates.releases import base_of

Ended = Callable[[Reference], str]
"""Says when the support of an image ended; empty where it has not, or is not known."""

_BUDGET: Final = 64 * 1024 * 1024
_MAX_PATHS: Final = 100_000
_MOST_GLOBBED: Final = 1000
_NGINX: Final = re.compile(
    r"(?:.*/)?nginx(?:\.[\w-]+)?\.conf|(?:.*/)?(?:nginx|conf\.d|sites-available|sites-enabled|http\.d)/[^/]+(?:\.conf|\.template)?"
    r"|(?:.*/)?[\w.-]+\.nginx(?:\.conf)?|(?:.*/)?default\.conf"
)


_BLOCK: Final = re.compile(rb"^\s*(?:server|http|events|upstream|map\s[^{]*)\s*\{", re.MULTILINE)


def ended_by(day: date) -> Ended:
    """Say of an image what is known of its distribution's end, where that was before a day."""

    def ended(reference: Reference) -> str:
        release = base_of(reference)
        return life(release, day) if release and release.state(day) is State.ENDED else ""

    return ended


class Files(Protocol):
    """What is read: a checkout, or a plain folder."""

    def paths(self) -> Sequence[str]:
        """Every path, with `/`, sorted."""
        ...

    def read(self, path: str, *, limit: int = 10 * 1024**2) -> bytes:
        """The bytes of a file; raises `ForgeError`, also where it is larger than `limit`."""
        ...


def nothing_untracked(_folder: str) -> Iterable[str]:
    """A checkout holds tracked files alone."""
    return ()


@dataclass(frozen=True, slots=True)
class Sources:
    """What an audit reads.

    Attributes:
        files: The project.
        ended: See `Ended`.
        untracked: Names in a folder that git does not track and a build would copy all the same.
    """

    files: Files
    ended: Ended
    untracked: Callable[[str], Iterable[str]] = nothing_untracked

    def paths(self) -> Sequence[str]:
        """The project's paths, as many as are looked at."""
        return self.files.paths()[:_MAX_PATHS]


class Texts(Mapping[str, bytes]):
    """The files of a context by path, read when asked for; after `_BUDGET` bytes there are none left.

    Args:
        files: The project.
        prefix: What is put before each path: the context in the project, with a `/`, or nothing.
        paths: The paths there are.
    """

    def __init__(self, files: Files, prefix: str, paths: frozenset[str]) -> None:
        self._files, self._prefix, self._paths = files, prefix, paths
        self._read: dict[str, bytes] = {}
        self._left = _BUDGET

    def __getitem__(self, path: str) -> bytes:
        if path not in self._paths:
            raise KeyError(path)
        if path not in self._read:
            try:
                data = self._files.read(self._prefix + path, limit=self._left)
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


def audit_project(sources: Sources, targets: Sequence[Target], *, only: bool = False) -> Audit:
    """Audit every Dockerfile of a project; where it has none, its nginx configurations.

    Args:
        sources: What is read.
        targets: What the configuration says of its Dockerfiles: context, arguments, stage.
        only: Audit the targets alone.
    """
    paths = sources.paths()
    chosen = dockerfiles(paths, targets, only=only)
    audits = [audit for path in chosen for audit in audits_of(sources, paths, path, targets)]
    if not chosen:
        audits = [nginx(sources, paths, path) for path in _mains(sources.files, paths)]
    return together(tuple(audits))


def dockerfiles(paths: Sequence[str], targets: Sequence[Target], *, only: bool) -> list[str]:
    """The Dockerfiles that an audit looks at."""
    named = {target.dockerfile for target in targets}
    every = set() if only else {path for path in select(paths) if is_dockerfile(path)}
    return sorted(every | (named if only else named.intersection(paths)))


def audits_of(
    sources: Sources, paths: Sequence[str], path: str, targets: Sequence[Target] = ()
) -> Iterator[Audit]:
    """Audit one Dockerfile, once for each target that builds it."""
    try:
        data = sources.files.read(path)
    except ForgeError as error:
        yield Audit(problems=(Problem(path, error.message, error.hint),))
        return
    mine = [one for one in targets if one.dockerfile == path]
    if not mine:
        folder = _guessed(path, data, paths)
        yield audit_dockerfile(Subject(path, data, _context(sources, paths, folder), folder), sources.ended)
    for target in mine:
        folder = "" if target.context in {".", ""} else target.context.removeprefix("./").rstrip("/")
        context = _context(sources, paths, folder)
        subject = Subject(path, data, context, folder, dict(target.args), target.stage, target.platforms[0])
        yield audit_dockerfile(subject, sources.ended)


def _context(sources: Sources, paths: Sequence[str], folder: str) -> Context:
    prefix = f"{folder}/" if folder else ""
    inside = {path[len(prefix) :] for path in paths if path.startswith(prefix)}
    known = frozenset(inside | set(sources.untracked(folder)))
    return Context(known, Texts(sources.files, prefix, known))


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
    """How many of the sources a folder has, and whether it has an ignore file; `paths` is sorted."""
    prefix = f"{folder}/" if folder else ""
    found = sum(_is_there(paths, prefix + source) for source in sources - {"."})
    return found, _is_there(paths, f"{prefix}.dockerignore")


def _is_there(paths: Sequence[str], source: str) -> bool:
    """Whether a file, a folder or something that a glob means is among sorted paths."""
    fixed = re.split(r"[*?\[]", source, maxsplit=1)[0]
    at = bisect_left(paths, fixed)
    if fixed != source:
        near = takewhile(lambda path: path.startswith(fixed), islice(paths, at, at + _MOST_GLOBBED))
        return any(fnmatch.fnmatchcase(path, source) for path in near)
    below = bisect_left(paths, f"{source}/")
    exact = at < len(paths) and paths[at] == source
    return exact or (below < len(paths) and paths[below].startswith(f"{source}/"))


def _mains(files: Files, paths: Sequence[str]) -> list[str]:
    """The nginx configurations of a folder: each nginx.conf, else what looks like a part of one."""
    named = [path for path in paths if path.rpartition("/")[2] == "nginx.conf"]
    usual = named or [path for path in paths if _NGINX.fullmatch(path)][:MAX_FILES]
    others = (path for path in paths if path.endswith((".conf", ".nginx")) and _has_a_server(files, path))
    return usual or list(islice(others, MAX_FILES))


def _has_a_server(files: Files, path: str) -> bool:
    """True where a file begins as an nginx configuration does."""
    try:
        head = files.read(path, limit=MAX_FILE)[:4096]
    except ForgeError:
        return False
    return _BLOCK.search(head) is not None


def nginx(sources: Sources, paths: Sequence[str], main: str) -> Audit:
    """Audit an nginx configuration with what it may include."""
    folder = main.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    near = [path for path in paths if path.startswith(prefix) and _may_be_included(path)][: MAX_FILES - 1]
    files: dict[str, File] = {}
    for path in dict.fromkeys((main, *near)):
        try:
            data = sources.files.read(path) if path == main else sources.files.read(path, limit=MAX_FILE)
            files[f"{PREFIX}/{path[len(prefix) :]}"] = File(path, data)
        except ForgeError as error:
            if path == main:
                return Audit(problems=(Problem(path, error.message, error.hint),))
    return audit_nginx(files, f"{PREFIX}/{main[len(prefix) :]}")


def _may_be_included(path: str) -> bool:
    return path.endswith((".conf", ".inc", ".template", ".map")) or bool(_NGINX.fullmatch(path))


def looks_like_nginx(files: Files, name: str) -> bool:
    """Tell whether a file is an nginx configuration, by its name or by what it says."""
    if is_dockerfile(name):
        return False
    if name.endswith((".conf", ".nginx", ".template", ".conf.j2")):
        return True
    try:
        head = files.read(name)[:4096]
    except ForgeError:
        return False
    from_line = re.search(rb"^\s*FROM\s", head, re.MULTILINE | re.IGNORECASE)
    return from_line is None and _BLOCK.search(head) is not None
