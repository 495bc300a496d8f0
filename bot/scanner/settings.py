"""How Trivy is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.scanner.database import DatabaseSettings


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """How Trivy is run.

    Attributes:
        folder: Where snapshots and the scans' own caches stand.
        database: Where the database comes from.
        path: The binary, or None to find it.
        sha256: Of a build that the operator vouches for, in hex; empty for those that Refit knows.
        engine: What leads to the engine that images are read from (`DOCKER_HOST`, and what its TLS needs);
            empty leaves it to Trivy's default.
        mirrors: Registry → what serves it too and is asked first: `[http(s)://]HOST[:PORT][/PREFIX]`.
        insecure: Registries spoken to without (valid) TLS; loopback ones need no entry.
        ignore_file: Trivy's ignore file, or None.
        vex: OpenVEX and CSAF documents.
        severity_sources: Whose severity counts, in order; `auto` is the finding's own database, then NVD.
        seconds: Time limit of one scan.
        memory: Bytes of memory one scan may take; one that needs more fails.
    """

    folder: Path
    database: DatabaseSettings
    path: Path | None = None
    sha256: str = ""
    engine: Mapping[str, str] = field(default_factory=dict)
    mirrors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    insecure: frozenset[str] = frozenset()
    ignore_file: Path | None = None
    vex: tuple[Path, ...] = ()
    severity_sources: tuple[str, ...] = ("auto",)
    seconds: float = 600.0
    memory: int = 4 * 1024**3
