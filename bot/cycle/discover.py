"""Discover: which files of a project name images, and which targets they build."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from bot.dockerfile import custom as patterns
from bot.dockerfile import dotenv
from bot.dockerfile.compose import read_compose
from bot.dockerfile.files import is_compose, is_dockerfile, select
from bot.dockerfile.uses import read
from bot.errors import ForgeError
from bot.model.run import Problem
from bot.model.target import LINUX_AMD64, Project, Target
from bot.model.use import Use


@dataclass(frozen=True, slots=True)
class Found:
    """A use, and the target whose Dockerfile holds it (None for a compose or other file)."""

    project: Project
    target: Target | None
    use: Use


@dataclass(frozen=True, slots=True)
class Discovery:
    """Everything a project's files name.

    Attributes:
        found: Uses with their targets, by file and line.
        problems: Files that could not be read, and targets whose Dockerfile is missing.
    """

    found: tuple[Found, ...]
    problems: tuple[Problem, ...]


class Files(Protocol):
    """What is read: a checkout, or a plain folder."""

    def paths(self) -> Sequence[str]:
        """Every path, with `/`, sorted."""
        ...

    def read(self, path: str) -> bytes:
        """The bytes of a file; raises `ForgeError`."""
        ...


def discover(project: Project, files: Files, custom: Sequence[patterns.Rule] = ()) -> Discovery:
    """Read every Dockerfile, compose file and custom file of a project.

    A Dockerfile that several targets build is read once for each: their build arguments differ.
    """
    found: list[Found] = []
    problems: list[Problem] = []
    for one in scan(project, files, custom):
        if isinstance(one, Found):
            found.append(one)
        else:
            problems.append(one)
    return Discovery(tuple(found), tuple(problems))


def scan(project: Project, files: Files, custom: Sequence[patterns.Rule] = ()) -> Iterator[Found | Problem]:
    """Yield what `discover` finds, file by file: the memory that it takes does not grow with the uses."""
    every = files.paths()
    paths = _chosen(project, every, custom)
    here, dotenvs = set(paths), {path for path in every if path.rpartition("/")[2] == dotenv.NAME}
    yield from (_missing(target) for target in project.targets if target.dockerfile not in here)
    for path in paths:
        try:
            data, beside = files.read(path), set_beside(path, dotenvs, files)
        except ForgeError as error:
            yield Problem(f"{project.name}: {path}", error.message, error.hint)
            continue
        yield from in_file(project, path, data, custom, beside)


def _chosen(project: Project, paths: Iterable[str], custom: Sequence[patterns.Rule]) -> list[str]:
    """The files to read: those with a Dockerfile's or compose file's name, the targets', and the rules'."""
    below = _below(project.folder, paths)
    named = {target.dockerfile for target in project.targets}
    others = (p for p in below if p in named or any(rule.files.match(p) for rule in custom))
    return sorted({*select(below, exclude=project.exclude), *others})


def targets_of(project: Project, path: str) -> tuple[Target, ...]:
    """The targets a Dockerfile builds: those the configuration names, else one made from its path."""
    named = tuple(target for target in project.targets if target.dockerfile == path)
    return named if named or project.targets else (_implied(project, path),)


def in_file(
    project: Project,
    path: str,
    data: bytes,
    custom: Sequence[patterns.Rule],
    beside: Mapping[str, str] | None = None,
) -> list[Found]:
    """The uses of one file; what is neither compose nor custom is read as a Dockerfile."""
    rules = [rule for rule in custom if rule.files.match(path)]
    named = any(target.dockerfile == path for target in project.targets)
    if is_dockerfile(path) or named or not (is_compose(path) or rules):
        return _in_dockerfile(project, path, data)
    uses: list[Use] = list(read_compose(path, data, beside)) if is_compose(path) else []
    uses += patterns.read_custom(path, data, rules)
    return [Found(project, None, use) for use in uses]


def set_beside(path: str, dotenvs: Container[str], files: Files) -> Mapping[str, str]:
    """What the `.env` in the folder of a compose file sets, if the project holds one."""
    name = str(PurePosixPath(path).with_name(dotenv.NAME))
    return dotenv.read_dotenv(files.read(name)) if is_compose(path) and name in dotenvs else {}


def _in_dockerfile(project: Project, path: str, data: bytes) -> list[Found]:
    targets = targets_of(project, path)
    if not targets:
        return [Found(project, None, use) for use in read(path, data)]
    return [
        Found(project, target, use)
        for target in targets
        for use in read(path, data, args=dict(target.args), platform=target.platforms[0])
    ]


def _implied(project: Project, path: str) -> Target:
    """A target for a Dockerfile nobody configured: named after its folder, built where it stands."""
    pure = PurePosixPath(path)
    folder = str(pure.parent)
    stem = pure.name.removesuffix(".dockerfile").removesuffix(".Dockerfile")
    variant = stem.partition(".")[2] if stem.startswith(("Dockerfile", "Containerfile")) else stem
    base = pure.parent.name or project.name.rpartition("/")[2]
    name = f"{base}-{variant}" if variant else base
    return Target(project.name, name, path, folder, platforms=(LINUX_AMD64,))


def _below(folder: str, paths: Iterable[str]) -> list[str]:
    prefix = "" if folder in (".", "") else folder.strip("/") + "/"
    return [path for path in paths if path.startswith(prefix)]


def _missing(target: Target) -> Problem:
    return Problem(
        f"{target.project}: {target.name}",
        f"the project has no file {target.dockerfile}",
        "Correct the target's `dockerfile` in the configuration; paths start at the project's root.",
    )
