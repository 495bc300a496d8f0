"""Clean-up: what has had its time goes, what is in use stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from bot.artifacts import ArtifactShelf
from bot.cycle.cleanup import DELIVERY, clean
from bot.cycle.sboms import rescan_sboms
from bot.cycle.scans import cached_scan
from bot.errors import StoreError
from bot.model.artifact import ArtifactKind, Kept, Sbom
from bot.model.measurement import Baseline, Measurement
from bot.model.retention import Cleaned, Expiring, Retention
from bot.model.target import LINUX_AMD64
from bot.ports import ScanRequest
from bot.report.sboms import summary
from tests.unit.cycle.house import NOW, House, house, moved, scan

DOCKERFILE = "FROM debian:bookworm-slim\n"
LONG = timedelta(days=5000)


def measured(house: House) -> House:
    """A house after one cycle."""
    moved(house)
    house.run()
    return house


def later(house: House, after: timedelta, retention: Retention | None = None) -> Cleaned:
    house.clock.moment = NOW + after
    house.policy = replace(house.policy, retention=retention or Retention())
    return clean(house.parts())


def point(base: str) -> Measurement:
    return Measurement(
        "acme/shop", "shop", "linux/amd64", NOW, "monthly-2026-11", base, 1, None, 3, 1.5, 1, 2, 3, 4,
        applied=True,
    )  # fmt: skip


def test_what_is_within_its_time_stays(tmp_path: Path) -> None:
    shop = measured(house(tmp_path, {"Dockerfile": DOCKERFILE}))
    cleaned = later(shop, timedelta(days=80))
    assert (sum(cleaned.expired.values()), cleaned.artifacts, cleaned.problems) == (0, 0, ())


def test_each_kind_goes_after_its_own_time(tmp_path: Path) -> None:
    shop = house(tmp_path, {"Dockerfile": DOCKERFILE})
    shop.store.save_scan("k", scan("debian"), NOW)
    shop.store.save_measurement(point("old"))
    assert later(shop, timedelta(days=91)).expired[Expiring.SCANS] == 1
    assert later(shop, timedelta(days=91)).expired[Expiring.SCANS] == 0
    assert later(shop, timedelta(days=1095)).expired[Expiring.MEASUREMENTS] == 0
    assert later(shop, timedelta(days=1097)).expired[Expiring.MEASUREMENTS] == 1


def test_the_configuration_says_how_long(tmp_path: Path) -> None:
    shop = house(tmp_path, {"Dockerfile": DOCKERFILE})
    shop.store.save_scan("k", scan("debian"), NOW)
    short = Retention(scans=timedelta(days=1))
    assert later(shop, timedelta(days=2), short).expired[Expiring.SCANS] == 1


def test_the_point_that_a_baseline_stands_on_stays_for_ever(tmp_path: Path) -> None:
    shop = house(tmp_path, {"Dockerfile": DOCKERFILE})
    for base in ("held", "past"):
        shop.store.save_measurement(point(base))
    shop.store.save_baseline(Baseline("acme/shop", "shop", "linux/amd64", 1, "held", NOW))
    later(shop, LONG)
    assert [one.base for one in shop.store.measurements(NOW, NOW + timedelta(days=1))] == ["held"]


def test_documents_that_nothing_needs_go_and_the_sbom_in_use_stays(tmp_path: Path) -> None:
    shop = measured(house(tmp_path, {"Dockerfile": DOCKERFILE}))
    rescan_sboms(shop.parts())
    shop.artifacts.put(ArtifactKind.SARIF, b"of an image of last year")
    in_use = {one.digest for one in shop.store.sboms()}
    written = [one.written for one in shop.artifacts.kept()]
    cleaned = later(shop, max(written) - NOW + timedelta(days=401))
    assert cleaned.artifacts >= 1
    assert in_use <= {one.digest for one in shop.artifacts.kept()}
    assert "1 SBOM rescanned" in summary(rescan_sboms(shop.parts()))


def test_sboms_of_bases_that_were_replaced_twice_go(tmp_path: Path) -> None:
    shop = house(tmp_path, {"Dockerfile": DOCKERFILE})
    for number in range(4):
        artifact = shop.artifacts.put(ArtifactKind.SBOM, f"base {number}".encode())
        base = f"docker.io/library/debian@sha256:{number}"
        shop.store.save_sbom(Sbom("", "linux/amd64", base, artifact.digest, NOW + timedelta(days=number)))
    newest = [one.digest for one in shop.store.sboms()][:2]
    later(shop, max(one.written for one in shop.artifacts.kept()) - NOW + timedelta(days=401))
    assert {one.digest for one in shop.artifacts.kept()} == set(newest)


def test_a_scan_whose_documents_were_cleaned_away_is_made_again(tmp_path: Path) -> None:
    shop = house(tmp_path, {"Dockerfile": DOCKERFILE})
    request = ScanRequest("debian@sha256:1", True, "sha256:1", LINUX_AMD64, keep=True)  # noqa: FBT003 - remote
    first = cached_scan(request, shop.parts())
    assert cached_scan(request, shop.parts()) == first
    assert len(shop.scanner.scanned) == 1
    shop.artifacts.remove(first.artifacts[0].digest)
    assert cached_scan(request, shop.parts()) == first
    assert len(shop.scanner.scanned) == 2
    assert shop.artifacts.has(first.artifacts[0].digest)


def test_one_kind_that_fails_stops_no_other(tmp_path: Path) -> None:
    shop = house(tmp_path, {"Dockerfile": DOCKERFILE})
    shop.store.save_scan("k", scan("debian"), NOW)

    class Broken(ArtifactShelf):
        def kept(self) -> Iterator[Kept]:
            raise StoreError("the object store is down")

    parts = replace(shop.parts(), artifacts=Broken(LocalFileSystem(), str(tmp_path)))
    shop.clock.moment = NOW + timedelta(days=100)
    cleaned = clean(parts)
    assert cleaned.expired[Expiring.SCANS] == 1
    assert [one.error for one in cleaned.problems] == ["the object store is down"]


def test_deliveries_of_a_week_ago_can_come_no_more_and_are_let_go(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    made.store.remember(DELIVERY, "slack 1", NOW)

    later(made, timedelta(days=6))
    assert made.store.remembered(DELIVERY, "slack 1") is not None
    later(made, timedelta(days=8))
    assert made.store.remembered(DELIVERY, "slack 1") is None
