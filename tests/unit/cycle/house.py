"""A house of fakes: the whole cycle in memory, on a real store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.artifacts import ArtifactShelf, open_shelf
from bot.cycle.monthly import Outcome, run_cycle
from bot.cycle.parts import Parts, Policy
from bot.model.manifest import Platform
from bot.model.target import LINUX_AMD64, Project, Target
from bot.model.vulnerability import Package, Scan, Severity, Vulnerability
from bot.ports import ScanRequest
from bot.store.sql import SqlStore, open_store, sqlite_url
from bot.updates.rules import Rule
from tests.fakes.builder import FakeBuilder
from tests.fakes.forge import FakeForge
from tests.fakes.registry import FakeRegistry
from tests.fakes.scanner import DATABASE, FakeScanner

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
IMAGE = "debian:bookworm-slim"


@dataclass
class FakeClock:
    """A clock that stands still until it is moved."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()


@dataclass
class Quiet:
    """Progress that is kept."""

    lines: list[str] = field(default_factory=list)

    def step(self, text: str) -> None:
        self.lines.append(text)

    def detail(self, text: str) -> None:
        self.lines.append(text)


@dataclass
class House:
    """Everything a cycle works with; change it, then `run`."""

    registry: FakeRegistry
    scanner: FakeScanner
    builder: FakeBuilder | None
    forge: FakeForge
    store: SqlStore
    artifacts: ArtifactShelf
    clock: FakeClock
    projects: tuple[Project, ...]
    policy: Policy
    progress: Quiet = field(default_factory=Quiet)
    platform: Platform = LINUX_AMD64
    work: Path = Path("/nonexistent")

    def parts(self) -> Parts:
        return Parts(
            registry=self.registry,
            scanner=self.scanner,
            builder=self.builder,
            forges={project.name: self.forge for project in self.projects},
            store=self.store,
            artifacts=self.artifacts,
            clock=self.clock,
            progress=self.progress,
            projects=self.projects,
            policy=self.policy,
            no_builder="" if self.builder else "there is no engine",
            platform=self.platform,
            work=self.work,
        )

    def run(self, *, only: str | None = None, dry_run: bool = False, evidence_only: bool = False) -> Outcome:
        return run_cycle(self.parts(), only=only, dry_run=dry_run, evidence_only=evidence_only)


def house(folder: Path, files: Mapping[str, str], *targets: Target, rules: tuple[Rule, ...] = ()) -> House:
    """A project with these files, all images healthy and with no vulnerabilities, no minimum age."""
    forge = FakeForge({"acme/shop": {path: text.encode() for path, text in files.items()}})
    artifacts = open_shelf(str(folder / "artifacts"))
    return House(
        registry=FakeRegistry(),
        scanner=FakeScanner(otherwise=clean, artifacts=artifacts),
        builder=FakeBuilder(),
        forge=forge,
        store=open_store(sqlite_url(folder / "state")),
        artifacts=artifacts,
        clock=FakeClock(),
        projects=(Project("acme/shop", targets=targets),),
        policy=Policy(rules=rules or (Rule(minimum_age=timedelta(0)),)),
        work=folder / "work",
    )


def moved(shop: House, image: str = IMAGE) -> tuple[str, str]:
    """Push an old and a new image under one tag; gives both digests."""
    old = shop.registry.push(image, "old", created=NOW - timedelta(days=60), layers=("old",))
    new = shop.registry.push(image, "new", created=NOW - timedelta(days=10), layers=("new",))
    return old, new


def clean(request: ScanRequest) -> Scan:
    return scan(request.subject)


def scan(subject: str, *vulnerabilities: Vulnerability, supported: bool = True) -> Scan:
    packages = tuple(one.package for one in vulnerabilities)
    return Scan(
        subject, "debian 12", supported, packages, vulnerabilities, "trivy 0.0.0", DATABASE, size=80_000_000
    )


def vulnerability(identifier: str, severity: Severity = Severity.HIGH) -> Vulnerability:
    return Vulnerability(identifier, Package("openssl", "1", "debian"), severity, "2")
