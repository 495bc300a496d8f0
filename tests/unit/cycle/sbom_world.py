"""A target whose newest build is at hand as an SBOM, and a database that learns day by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.cycle.bases import platform_image
from bot.cycle.sboms import rescan_sboms
from bot.cycle.told import mark_told
from bot.model.reference import Reference
from bot.model.sboms import Audience, Known, SbomRescan
from bot.model.target import LINUX_AMD64
from bot.model.vulnerability import Database, Package, Scan, Severity, Vulnerability
from bot.ports import ScanRequest
from tests.fakes.forge import FakeForge
from tests.fakes.registry import digest_of
from tests.unit.cycle.house import IMAGE, NOW, House, house, moved, scan

DOCKERFILE = "FROM debian:bookworm-slim@{}\nRUN make\n"
OLD, OWN = digest_of("layer", "old"), digest_of("layer", "own")
OPENSSL = Package("libssl3", "3.0.17", "debian", "", "openssl", OLD)


class World:
    """A target pinned to the old base of two, whose newest build is at hand as an SBOM."""

    def __init__(self, folder: Path) -> None:
        self.house: House = house(folder, {"Dockerfile": ""})
        self.old, _ = moved(self.house)
        self.house.forge = FakeForge({"acme/shop": {"Dockerfile": DOCKERFILE.format(self.old).encode()}})
        self.today = platform_image(self.house.parts(), Reference.parse(IMAGE), LINUX_AMD64).reference
        self.image: list[Vulnerability] = []
        self.fixed_today = False
        self.house.scanner.otherwise = self.answer
        self.day = 1
        self.database()

    def answer(self, request: ScanRequest) -> Scan:
        """The new base is clean where it fixes things; everything else has what the image has."""
        clean = self.fixed_today and request.subject == self.today
        return scan(request.subject, *([] if clean else self.image))

    def database(self) -> None:
        """The next day's."""
        self.day += 1
        digest = f"sha256:{self.day:064d}"
        self.house.scanner.snapshot = Database(digest, datetime(2026, 11, self.day, tzinfo=UTC), 2)
        self.house.clock.moment = NOW + timedelta(days=self.day)

    def scanned(self, audience: Audience = Audience.SERVICE) -> SbomRescan:
        """Rescanned, and told to nobody yet."""
        return rescan_sboms(self.house.parts(), audience)

    def rescan(self, audience: Audience = Audience.SERVICE) -> SbomRescan:
        """Rescanned and told."""
        result = self.scanned(audience)
        mark_told(result, audience, self.house.store, self.house.clock.now())
        return result

    def next_day(self, *found: Vulnerability) -> Known:
        """The database learns of these; gives the first that is told as new."""
        self.rescan()
        self.image += found
        self.database()
        (one,) = self.rescan().rescanned
        return one.new[0]


def vulnerability(package: Package, fixed: str | None = None, name: str = "CVE-2026-1") -> Vulnerability:
    return Vulnerability(name, package, Severity.HIGH, fixed)
