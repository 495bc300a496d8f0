"""Rescanning an SBOM against scanning the image that it was made of.

Both go through Refit's own scanner on one base; the image's layers are read anew each time,
as they are where no scan of it ran on this machine.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from bot.artifacts import open_shelf
from bot.model.artifact import ArtifactKind
from bot.model.target import LINUX_AMD64
from bot.ports import ScanRequest
from bot.scanner import DatabaseSettings, ScannerSettings, TrivyScanner
from deploy.lab import Lab

GOAL: Final = 0.30
ROOT: Final = Path(__file__).parents[2]
BASE: Final = "library/debian:bookworm-slim"
_ROUNDS: Final = 5


def main() -> None:
    """Measure and print one line."""
    folder = Path(os.environ.get("REFIT_LAB_DIR", ROOT / ".lab"))
    with Lab.start(folder, say=lambda _: None) as lab, tempfile.TemporaryDirectory() as scratch:
        image, sbom = _measured(lab, Path(scratch))
    print(
        f"SBOM rescan: {sbom:.2f} s / image scan {image:.2f} s = {sbom / image:.2f} (goal ≤ {GOAL:.2f})"
        f" · median of {_ROUNDS}, {BASE}"
    )


def _measured(lab: Lab, scratch: Path) -> tuple[float, float]:
    """Median seconds of a scan of the image, and of its SBOM."""
    shelf = open_shelf(str(scratch / "artifacts"))
    settings = ScannerSettings(
        scratch / "scans",
        DatabaseSettings(lab.trivy_cache, offline=True),
        mirrors={"docker.io": (f"http://{lab.registry}",)},
    )
    digest = lab.stale[BASE]
    request = ScanRequest(f"debian@{digest}", remote=True, digest=digest, platform=LINUX_AMD64)
    scanner = TrivyScanner(settings, artifacts=shelf)
    (kept,) = [
        one for one in scanner.scan(replace(request, keep=True)).artifacts if one.kind is ArtifactKind.SBOM
    ]
    sbom = shelf.get(kept.digest)
    images = [_image(settings, request, scratch / f"cold-{number}") for number in range(_ROUNDS)]
    sboms = [_seconds(lambda: scanner.scan_sbom("debian", sbom)) for _ in range(_ROUNDS)]
    return statistics.median(images), statistics.median(sboms)


def _image(settings: ScannerSettings, request: ScanRequest, folder: Path) -> float:
    scanner = TrivyScanner(replace(settings, folder=folder))
    scanner.database()
    return _seconds(lambda: scanner.scan(request))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
