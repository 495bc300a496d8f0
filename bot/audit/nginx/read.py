"""Read nginx configuration files with crossplane, and put in what they include.

What is read are bytes that are known already, by their path in the image: an include leads to them or
nowhere. crossplane reads files only, so each is written to a temporary one first.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import crossplane

from bot.audit.nginx.tree import Block, Directive, blocks
from bot.model.run import Problem

PREFIX: Final = "/etc/nginx"
MAX_FILE: Final = 1024 * 1024
MAX_FILES: Final = 200
MAX_DIRECTIVES: Final = 20_000
_MAX_DEPTH: Final = 10
# What every nginx package brings, and no rule asks about.
_HARMLESS: Final = re.compile(
    r".*/(?:mime\.types|(?:fastcgi|uwsgi|scgi)_params|fastcgi\.conf|proxy_params|koi-utf|koi-win|win-utf)"
    r"|.*/modules(?:-enabled)?/.*"
)
_TOP: Final = frozenset({"http", "events", "stream", "mail"})


@dataclass(frozen=True, slots=True)
class File:
    """A file of the image.

    Attributes:
        subject: What people call it: its path in the project.
        data: Its bytes.
    """

    subject: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration, read.

    Attributes:
        root: The whole, as one block.
        problems: What could not be read.
        subjects: The files that it is made of.
    """

    root: Block
    problems: tuple[Problem, ...]
    subjects: tuple[str, ...]


def read(files: Mapping[str, File], main: str = f"{PREFIX}/nginx.conf") -> Configuration:
    """Read a configuration from its main file on.

    A main file that has neither `http` nor `events` is taken for what stands inside `http`.

    Args:
        files: The files by their absolute path in the image.
        main: The path of the main file.
    """
    reading = _Reading(files)
    inner = tuple(reading.file(main, 0))
    subject = files[main].subject
    if not any(one.name in _TOP for one in inner):
        inner = (Directive("http", (), subject, 1, inner),)
    problems = tuple(reading.problems)
    return Configuration(blocks(Directive("main", (), subject, 1, inner)), problems, tuple(reading.seen))


@dataclass(slots=True)
class _Reading:
    files: Mapping[str, File]
    problems: list[Problem] = field(default_factory=list)
    seen: dict[str, None] = field(default_factory=dict)
    parsed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    count: int = 0

    def file(self, path: str, depth: int) -> Iterator[Directive]:
        """The directives of a file; one that includes itself, or too deep, has none."""
        if path in self.open or depth > _MAX_DEPTH:
            return
        if path not in self.parsed:
            self.seen[self.files[path].subject] = None
            self.parsed[path] = self._parse(self.files[path])
        self.open.append(path)
        yield from self._directives(self.parsed[path], self.files[path].subject, depth)
        self.open.pop()

    def _parse(self, file: File) -> list[dict[str, Any]]:
        if len(file.data) > MAX_FILE or len(self.parsed) >= MAX_FILES:
            large = (
                f"it has more than {MAX_FILE} bytes" if len(file.data) > MAX_FILE else "too many are included"
            )
            self.problems.append(Problem(file.subject, f"this nginx configuration is not read: {large}"))
            return []
        statements, error = _crossplane(file.data)
        if error:
            hint = "`nginx -t` says more about it."
            self.problems.append(
                Problem(file.subject, f"this nginx configuration cannot be read: {error}", hint)
            )
        return statements

    def _directives(self, statements: list[dict[str, Any]], subject: str, depth: int) -> Iterator[Directive]:
        for one in statements:
            self.count += 1
            if self.count > MAX_DIRECTIVES:
                return
            if one["directive"] == "include" and one["args"]:
                yield from self._included(one, subject, depth)
                continue
            block = tuple(self._directives(one["block"], subject, depth)) if "block" in one else None
            yield Directive(one["directive"], tuple(one["args"]), subject, one["line"], block)

    def _included(self, one: dict[str, Any], subject: str, depth: int) -> Iterator[Directive]:
        """What an include brings; the include itself where nobody knows the file."""
        pattern = one["args"][0]
        path = pattern if pattern.startswith("/") else f"{PREFIX}/{pattern}"
        path = re.sub(r"/(?:\./)+|//+", "/", path)
        found = sorted(name for name in self.files if _matches(path, name))
        for name in found:
            yield from self.file(name, depth + 1)
        if not found and not re.search(r"[*?\[]", path) and not _HARMLESS.fullmatch(path):
            yield Directive("include", tuple(one["args"]), subject, one["line"])


def _matches(pattern: str, path: str) -> bool:
    """A glob as glob(7) has it: `*` stays in its folder."""
    if pattern == path:
        return True
    if pattern.count("/") != path.count("/") or not re.search(r"[*?\[]", pattern):
        return False
    pieces = re.split(r"(\*|\?)", pattern)
    made = "".join({"*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece)) for piece in pieces)
    return re.fullmatch(made, path) is not None


def _crossplane(data: bytes) -> tuple[list[dict[str, Any]], str]:
    """The statements of one file, and what was wrong with it."""
    with tempfile.TemporaryDirectory(prefix="refit-nginx-") as folder:
        file = Path(folder) / "nginx.conf"
        file.write_bytes(data)
        try:
            payload = crossplane.parse(str(file), single=True, check_ctx=False, check_args=False)
        except RecursionError:
            return [], "its blocks are nested too deep"
        (config,) = payload["config"]
        errors = [str(one["error"]).replace(str(file), "").strip() for one in config["errors"]]
        return config["parsed"], "; ".join(errors[:3])
