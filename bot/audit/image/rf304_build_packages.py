"""RF304: no compilers and headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF304",
    name="Ship no compilers and headers",
    severity=RuleSeverity.WARNING,
    section="Security Checklist: minimal attack surface; only production dependencies",
    what="The distribution packages in the image are compilers, build tools or -dev packages.",
    why="They build software, they do not run it; an intruder finds a workshop.",
    fix="Build in a stage of its own, and install the libraries alone in the final one.",
    bad="RUN apt-get install -y build-essential libpq-dev",
    good="RUN apt-get install -y libpq5",
)
_NAME: Final = re.compile(
    r"build-essential|build-base|(?:gcc|g\+\+|clang|cpp)(?:-\d+)?(?:-[a-z0-9_]+-linux-gnu)?|cmake|make|rustc|cargo"
    r"|golang(?:-\d[\d.]*)?(?:-go)?|default-jdk(?:-headless)?|openjdk-?\d+-jdk(?:-headless)?|maven|gradle|.+-dev"
)
_NOT_FOR_BUILDING: Final = frozenset({"libc-dev", "linux-libc-dev"})
_SHOWN: Final = 4


def check(image: Image) -> Iterator[Finding]:
    """All such packages, as one finding."""
    sizes = {name: size for name, size in _installed(image) if _NAME.fullmatch(name)}
    if not sizes or not sizes.keys() - _NOT_FOR_BUILDING:
        return
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))
    more = f" and {len(largest) - _SHOWN} more" if len(largest) > _SHOWN else ""
    message = f"packages that only builds need: {', '.join(largest[:_SHOWN])}{more}"
    yield found(RULE, image.name, 0, message, context="packages", saves=sum(sizes.values()))


def _installed(image: Image) -> Iterator[tuple[str, int]]:
    """Names and bytes of installed packages: dpkg's status (kB), apk's database (bytes)."""
    for path in image.texts:
        if path.startswith("var/lib/dpkg/"):
            yield from _dpkg(image.text(path).split("\n\n"))
        elif path.endswith("lib/apk/db/installed"):
            yield from _apk(image.text(path).split("\n\n"))


def _dpkg(parts: Iterable[str]) -> Iterator[tuple[str, int]]:
    for part in parts:
        name = re.search(r"^Package: (\S+)", part, re.MULTILINE)
        size = re.search(r"^Installed-Size: (\d{1,9})", part, re.MULTILINE)
        gone = re.search(r"^Status: .*(?:deinstall|not-installed|config-files)", part, re.MULTILINE)
        if name and not gone:
            yield name[1], int(size[1]) * 1024 if size else 0


def _apk(parts: Iterable[str]) -> Iterator[tuple[str, int]]:
    for part in parts:
        name = re.search(r"^P:(\S+)", part, re.MULTILINE)
        size = re.search(r"^I:(\d{1,12})", part, re.MULTILINE)
        if name:
            yield name[1], int(size[1]) if size else 0
