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
from bot.model.sboms import Audience
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


def kept_after(shop: House, after: timedelta, retention: Retention | None = None) -> set[str]:
    """Digests of the documents that are there once a clean-up has run so long after now."""
    written = max(one.written for one in shop.artifacts.kept())
    later(shop, written - NOW + after, retention)
    return {one.digest for one in shop.artifacts.kept()}


def keep(shop: House, subject: str, base: str, age: timedelta = timedelta(0)) -> Sbom:
    """An SBOM with its document."""
    artifact = shop.artifacts.put(ArtifactKind.SBOM, f"{subject} on {base}".encode())
    sbom = Sbom(subject, "linux/amd64", f"docker.io/library/{base}@sha256:1", artifact.digest, NOW - age)
    shop.store.save_sbom(sbom)
    return sbom


def test_after_a_clean_up_no_sbom_lacks_its_document_and_no_document_is_left_over(tmp_path: Path) -> None:
    shop = measured(house(tmp_path, {"Dockerfile": DOCKERFILE}))
    rescan_sboms(shop.parts(), Audience.SERVICE)
    keep(shop, "acme/gone#gone", "debian")
    keep(shop, "", "alpine")
    shop.artifacts.put(ArtifactKind.SARIF, b"of an image of last year")

    left = kept_after(shop, timedelta(days=401))

    assert left == {one.digest for one in shop.store.sboms()}
    assert {one.subject for one in shop.store.sboms()} == {"acme/shop#shop"}
    assert "1 SBOM rescanned" in summary(rescan_sboms(shop.parts(), Audience.SERVICE))


def test_documents_that_pull_requests_link_to_stay_for_their_own_time(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    gone = keep(shop, "acme/gone#gone", "debian")
    assert gone.digest in kept_after(shop, timedelta(days=399))
    assert shop.store.sboms() == ()
    assert kept_after(shop, timedelta(days=401)) == set()


def test_sboms_that_a_rescan_used_lately_stay_and_those_that_none_uses_go(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    used, replaced = keep(shop, "", "debian:12"), keep(shop, "", "debian:11")
    shop.store.use_sboms([used.digest], NOW + timedelta(days=80))
    later(shop, timedelta(days=91))
    assert [one.base for one in shop.store.sboms()] == [used.base]
    later(shop, timedelta(days=171))
    assert shop.store.sboms() == ()
    assert shop.store.told(replaced.digest, "", "") is None


def test_of_a_target_under_care_what_runs_and_what_is_proposed_stays_for_ever(tmp_path: Path) -> None:
    shop = measured(house(tmp_path, {"Dockerfile": DOCKERFILE}))
    (made,) = shop.store.sboms("acme/shop#shop")
    held = keep(shop, "acme/shop#shop", "debian:2", timedelta(days=1))
    keep(shop, "acme/shop#shop", "debian:1", timedelta(days=2))
    later(shop, LONG)
    assert [one.base for one in shop.store.sboms()] == [made.base, held.base]


def test_the_configuration_says_how_long_sboms_are_kept(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    keep(shop, "", "debian:12")
    assert later(shop, timedelta(days=8), Retention(sboms=timedelta(days=9))).sboms == 0
    assert later(shop, timedelta(days=8), Retention(sboms=timedelta(days=7))).sboms == 1


def test_an_sbom_whose_document_is_gone_goes_too_but_a_place_that_is_empty_costs_nothing(
    tmp_path: Path,
) -> None:
    shop = house(tmp_path, {})
    gone, there = keep(shop, "", "debian:11"), keep(shop, "", "debian:12")
    shop.artifacts.remove(gone.digest)
    assert later(shop, timedelta(days=1)).sboms == 1
    assert [one.base for one in shop.store.sboms()] == [there.base]
    shop.artifacts.remove(there.digest)
    assert later(shop, timedelta(days=1)).sboms == 0


def test_what_another_machine_keeps_for_itself_is_not_taken_for_lost(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    elsewhere, here = keep(shop, "", "debian:11"), keep(shop, "", "debian:12")
    shop.artifacts.remove(elsewhere.digest)
    shop.policy = replace(shop.policy, one_place=False)
    assert later(shop, timedelta(days=1)).sboms == 0
    assert here in shop.store.sboms()


def test_what_a_killed_process_left_half_written_goes_after_a_day(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    keep(shop, "", "debian:12")
    half = tmp_path / "artifacts" / "incoming" / "0123456789abcdef0123456789abcdef"
    half.write_bytes(b"half a docum")
    since = max(one.written for one in shop.artifacts.kept()) - NOW
    later(shop, since + timedelta(hours=1))
    assert half.exists()
    later(shop, since + timedelta(hours=25))
    assert not half.exists()


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
