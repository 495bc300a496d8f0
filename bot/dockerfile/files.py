"""Which files of a project name images: Dockerfiles and compose files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from bot.dockerfile.globs import Globs

_DOCKERFILE: Final = re.compile(
    r"(?:Dockerfile|dockerfile|Dockerfile\..+|.+\.[Dd]ockerfile|Containerfile.*)", re.DOTALL
)
_COMPOSE: Final = re.compile(r"(?:docker-)?compose(?:[._-].*)?\.ya?ml", re.DOTALL)
# BuildKit's per-Dockerfile ignore files and what editors leave behind carry a Dockerfile's name.
_OTHER: Final = (".dockerignore", "~", ".orig", ".rej", ".swp")
VENDORED: Final = frozenset(
    {
        ".git", ".hg", ".svn", ".tox", ".nox", ".venv", ".terraform", ".cache", ".direnv",
        "bower_components", "node_modules", "site-packages", "third_party", "third-party", "vendor", "venv",
    }
)  # fmt: skip


def is_dockerfile(path: str) -> bool:
    """Tell whether a path is a Dockerfile's, by its name alone."""
    name = path.rpartition("/")[2]
    return bool(_DOCKERFILE.fullmatch(name)) and not name.endswith(_OTHER)


def is_compose(path: str) -> bool:
    """Tell whether a path is a compose file's, by its name alone."""
    return bool(_COMPOSE.fullmatch(path.rpartition("/")[2]))


def is_vendored(path: str) -> bool:
    """Tell whether a path lies in a folder of other people's code."""
    return not VENDORED.isdisjoint(path.split("/")[:-1])


def select(paths: Sequence[str], exclude: Sequence[str] = (), gitignore: bytes = b"") -> tuple[str, ...]:
    """Return the Dockerfiles and compose files of a project, sorted.

    Args:
        paths: Paths in the project, with `/`.
        exclude: Globs with the syntax of .gitignore.
        gitignore: The project's own .gitignore; leave it empty for the paths that git tracks.
    """
    left_out = _spec((*_lines(gitignore), *exclude))
    named = (path for path in paths if (is_dockerfile(path) or is_compose(path)) and not is_vendored(path))
    return tuple(sorted({path for path in named if not left_out.match(path)}))


def ignored(path: str, gitignores: Mapping[str, bytes]) -> bool:
    """Tell whether the .gitignore files of a folder leave a path out, as git does.

    For folders without git. A file in a folder that is left out cannot be let in again.

    Args:
        path: Path in the folder, with `/`.
        gitignores: The bytes of each .gitignore by the folder that it stands in; `""` is the top.
    """
    parts = path.split("/")
    folders = ["/".join(parts[:depth]) + "/" for depth in range(1, len(parts))]
    return any(_left_out(one, gitignores) for one in (*folders, path))


def _left_out(path: str, gitignores: Mapping[str, bytes]) -> bool:
    verdict = False
    for folder in _above(path):
        lines = gitignores.get(folder)
        if lines is not None:
            below = path[len(folder) + 1 :] if folder else path
            found = _spec(_lines(lines)).verdict(below)
            verdict = verdict if found is None else found
    return verdict


def _above(path: str) -> Iterable[str]:
    parts = path.rstrip("/").split("/")[:-1]
    return ("/".join(parts[:depth]) for depth in range(len(parts) + 1))


def _lines(data: bytes) -> tuple[str, ...]:
    return tuple(data.decode(errors="replace").splitlines())


@cache
def _spec(lines: tuple[str, ...]) -> Globs:
    return Globs(lines)
