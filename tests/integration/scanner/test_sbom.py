"""The real Trivy on SBOMs: the same findings as in the image, and only the database makes a difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.cycle.compare import compare
from bot.errors import ScanError
from bot.model.artifact import ArtifactKind
from bot.model.vulnerability import Cause, Scan
from bot.scanner import DatabaseSettings, TrivyScanner
from tests.integration.scanner.bench import Bench
from tests.integration.scanner.databases import database

pytestmark = pytest.mark.lab


@pytest.fixture
def scanned(shared: Bench) -> tuple[Scan, bytes]:
    """An image's scan, and its SBOM."""
    scan = shared.remote(shared.stale, keep=True)
    (sbom,) = [one for one in scan.artifacts if one.kind is ArtifactKind.SBOM]
    return scan, shared.artifacts.get(sbom.digest)


def with_database(bench: Bench, cache: Path) -> TrivyScanner:
    return TrivyScanner(
        replace(bench.settings, folder=cache / "scans", database=DatabaseSettings(cache, offline=True))
    )


def test_an_sbom_has_the_findings_and_the_packages_of_its_image(
    shared: Bench, scanned: tuple[Scan, bytes]
) -> None:
    image, sbom = scanned
    scan = shared.scanner.scan_sbom("debian", sbom)
    assert scan.from_sbom
    assert (scan.vulnerabilities, scan.packages) == (image.vulnerabilities, image.packages)
    assert (scan.distribution, scan.supported) == (image.distribution, image.supported)


def test_what_a_newer_database_knows_is_new_by_the_database(
    shared: Bench, scanned: tuple[Scan, bytes], tmp_path: Path
) -> None:
    old = with_database(shared, database(tmp_path / "old", {"apt": {"CVE-2026-10001": "99"}}))
    more = {"apt": {"CVE-2026-10001": "99"}, "tar": {"CVE-2026-10002": ""}}
    new = with_database(shared, database(tmp_path / "new", more))
    found = compare(old.scan_sbom("debian", scanned[1]), new.scan_sbom("debian", scanned[1]))
    (introduced,) = found.introduced
    assert (introduced.vulnerability.id, introduced.cause) == ("CVE-2026-10002", Cause.DATABASE)
    assert {one.vulnerability.id for one in found.remaining} == {"CVE-2026-10001"}
    assert (found.fixed, found.packages) == ((), ())


def test_what_is_no_sbom_is_a_failed_scan(shared: Bench) -> None:
    with pytest.raises(ScanError):
        shared.scanner.scan_sbom("debian", b"this is no SBOM")
