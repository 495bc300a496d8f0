"""The machine's own package archive, read from its apt configuration: no mirror is named in this project."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from socket import SOCK_STREAM, getaddrinfo
from typing import Final
from urllib.parse import urlsplit

from bot.process import run
from deploy.lab.errors import LabError

RELEASE: Final = "bookworm"
_SUITES: Final = (RELEASE, f"{RELEASE}-updates", f"{RELEASE}-security")
_FORMAT: Final = "$(RELEASE) $(REPO_URI) $(FILENAME)"
_INDEX: Final = re.compile(r"_main_binary-[a-z0-9]+_Packages(\.\w+)?$")


@dataclass(frozen=True, slots=True)
class Archive:
    """Where this machine gets Debian 12 from, and in which state.

    Args:
        uris: Suite name → archive URI, for the release, its updates and its security suite.
        fingerprint: SHA-256 of the suites' signed InRelease files: it changes when any package does.
        date: When the newest of them was signed.
    """

    uris: dict[str, str]
    fingerprint: str
    date: datetime

    @property
    def stale(self) -> str:
        """The apt source of the release as it was last pressed, without its fixes since."""
        return self._lines(_SUITES[:1])

    @property
    def fresh(self) -> str:
        """The apt sources of the release with updates and security fixes."""
        return self._lines(_SUITES)

    def _lines(self, suites: tuple[str, ...]) -> str:
        return "".join(f"deb {self.uris[suite]} {suite} main\n" for suite in suites)


def read() -> Archive:
    """Read the machine's apt configuration and the InRelease files it last fetched.

    Raises:
        LabError: The machine has no lists of Debian 12 with updates and security.
    """
    rows = _rows()
    lacking = [suite for suite in _SUITES if suite not in rows]
    if lacking:
        raise LabError(
            f"apt on this machine has no package lists of {', '.join(lacking)}.",
            hint=f"Add {RELEASE}, its updates and security to apt's sources; run apt-get update.",
        )
    releases = [rows[suite][1].read_bytes() for suite in _SUITES]
    digest = hashlib.sha256(b"".join(releases)).hexdigest()
    return Archive({suite: rows[suite][0] for suite in _SUITES}, digest, max(map(_date, releases)))


@cache
def addresses() -> tuple[str, ...]:
    """Where the archive is, in numbers: builds that install packages need it, private addresses or not."""
    hosts = {urlsplit(uri).hostname or "" for uri in read().uris.values()}
    found = {answer[4][0] for host in hosts for answer in getaddrinfo(host, None, type=SOCK_STREAM)}
    return tuple(sorted(map(str, found)))


def _rows() -> dict[str, tuple[str, Path]]:
    """Suite → (URI, InRelease file) for the suites whose lists are on this machine."""
    out = run(
        ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages", "Origin: Debian"],
        timeout=120,
        env=dict(os.environ),
    ).text
    rows: dict[str, tuple[str, Path]] = {}
    for line in out.splitlines():
        suite, uri, name = line.split(" ", 2)
        release = Path(_INDEX.sub("_InRelease", name))
        if _INDEX.search(name) and release.exists():
            rows[suite] = (uri, release)
    return rows


def _date(release: bytes) -> datetime:
    found = re.search(rb"^Date: (.+)$", release, re.MULTILINE)
    if found is None:
        raise LabError("An InRelease file on this machine has no Date.", hint="Run apt-get update.")
    return parsedate_to_datetime(found[1].decode().replace("UTC", "+0000")).astimezone(UTC)
