"""What every scanner owes, on the fake and on the real Trivy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.artifacts import open_shelf
from bot.errors import ScanError
from bot.model.artifact import ArtifactKind
from bot.model.target import LINUX_AMD64
from bot.model.vulnerability import Package, Scan, Severity, Vulnerability
from bot.ports import Artifacts, Scanner, ScanRequest
from bot.scanner import DatabaseSettings, ScannerSettings, TrivyScanner
from deploy.lab import Lab
from tests.fakes.scanner import DATABASE, FakeScanner

BASE = "library/debian:bookworm-slim"
NOWHERE = "sha256:" + "0" * 64


@dataclass(frozen=True)
class World:
    """A scanner, an image that it can scan, and one that is not there."""

    scanner: Scanner
    known: ScanRequest
    unknown: ScanRequest
    artifacts: Artifacts


def request_for(name: str, digest: str) -> ScanRequest:
    return ScanRequest(f"{name}@{digest}", remote=True, digest=digest, platform=LINUX_AMD64)


def _fake(folder: Path) -> World:
    known, layer = request_for("debian", "sha256:" + "1" * 64), "sha256:" + "a" * 64
    apt, tar = Package("apt", "1", "debian", diff_id=layer), Package("tar", "1", "debian", diff_id=layer)
    found = (
        Vulnerability("CVE-2026-1000", tar, Severity.HIGH),
        Vulnerability("CVE-2026-1001", apt, Severity.LOW),
    )
    scan = Scan("", "debian 12.11", supported=True, packages=(apt, tar), vulnerabilities=found, scanner="",
                database=DATABASE, size=10, diff_ids=(layer,))  # fmt: skip
    shelf = open_shelf(str(folder / "artifacts"))
    scanner = FakeScanner({known.subject: scan}, artifacts=shelf)
    return World(scanner, known, request_for("debian", NOWHERE), shelf)


def _real(lab: Lab, folder: Path) -> World:
    database = DatabaseSettings(lab.trivy_cache, offline=True)
    mirrors = {"docker.io": (f"http://{lab.registry}",)}
    shelf = open_shelf(str(folder / "artifacts"))
    scanner = TrivyScanner(ScannerSettings(folder / "scans", database, mirrors=mirrors), artifacts=shelf)
    # Docker Hub is out of reach here, and may have what its mirror lacks: the lab's own registry answers.
    missing = request_for(f"{lab.registry}/library/debian", NOWHERE)
    return World(scanner, request_for("debian", lab.stale[BASE]), missing, shelf)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "fake":
        return _fake(tmp_path)
    return _real(request.getfixturevalue("lab"), tmp_path)


def test_it_names_itself_with_its_version(world: World) -> None:
    name, _, version = world.scanner.identity().partition(" ")
    assert (name, version.count(".")) == ("trivy", 2)


def test_the_database_is_one_snapshot(world: World) -> None:
    assert world.scanner.database() is world.scanner.database()
    assert world.scanner.database().digest.startswith("sha256:")


def test_a_scan_says_what_was_scanned_by_whom_and_with_what(world: World) -> None:
    scan = world.scanner.scan(world.known)
    assert (scan.subject, scan.scanner, scan.database) == (
        world.known.subject,
        world.scanner.identity(),
        world.scanner.database(),
    )


def test_a_scan_lists_every_package_with_the_layer_that_holds_it(world: World) -> None:
    scan = world.scanner.scan(world.known)
    assert {"apt", "tar"} <= {package.name for package in scan.packages}
    assert {package.diff_id for package in scan.packages} <= set(scan.diff_ids)


def test_every_finding_is_of_a_listed_package_and_the_worst_come_first(world: World) -> None:
    scan = world.scanner.scan(world.known)
    ranks = [found.severity.rank for found in scan.vulnerabilities]
    assert ranks
    assert ranks == sorted(ranks)
    assert {found.package for found in scan.vulnerabilities} <= set(scan.packages)


def test_the_distribution_is_known_and_supported(world: World) -> None:
    scan = world.scanner.scan(world.known)
    assert (scan.distribution.partition(".")[0], scan.supported) == ("debian 12", True)


def test_the_same_scan_again_gives_the_same_result(world: World) -> None:
    assert world.scanner.scan(world.known) == world.scanner.scan(world.known)


def test_an_image_that_is_not_there_is_a_failed_scan_and_no_clean_one(world: World) -> None:
    with pytest.raises(ScanError, match="no such image") as raised:
        world.scanner.scan(world.unknown)
    assert raised.value.hint


def test_many_scans_at_once_all_succeed(world: World) -> None:
    with ThreadPoolExecutor(6) as pool:
        scans = list(pool.map(world.scanner.scan, [world.known] * 6))
    assert all(scan == scans[0] for scan in scans)


def test_documents_are_kept_where_they_are_asked_for_and_not_else(world: World) -> None:
    assert world.scanner.scan(world.known).artifacts == ()
    kept = world.scanner.scan(replace(world.known, keep=True)).artifacts
    assert {one.kind for one in kept} == set(ArtifactKind)
    assert all(len(world.artifacts.get(one.digest)) == one.size for one in kept)


def test_an_sbom_has_the_findings_of_its_image_and_says_what_it_is(world: World) -> None:
    image = world.scanner.scan(replace(world.known, keep=True))
    (sbom,) = [one for one in image.artifacts if one.kind is ArtifactKind.SBOM]
    scan = world.scanner.scan_sbom("debian", world.artifacts.get(sbom.digest))
    assert (scan.vulnerabilities, scan.packages) == (image.vulnerabilities, image.packages)
    assert (scan.from_sbom, image.from_sbom) == (True, False)
    assert (scan.subject, scan.database) == ("debian", image.database)
