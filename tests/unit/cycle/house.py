"""A house of fakes: the whole cycle in memory, on a real store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.artifacts import ArtifactShelf, open_shelf
from bot.cycle.monthly import CycleRequest, Outcome, run_cycle
from bot.cycle.parts import Parts, Policy
from bot.model.manifest import Platform
from bot.model.measurement import Measurement
from bot.model.pulls import OpenPull, Proposal
from bot.model.run import Publication, RunResult
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
PROJECT = "acme/shop"
IMAGE = "debian:bookworm-slim"
ABANDONED = "nginx:1.27-alpine"
HEALTHY = "FROM {base}\nHEALTHCHECK CMD true\n"
NO_AGE = Rule(minimum_age=timedelta(0))
POINT = Measurement(
    project=PROJECT,
    target="backend",
    platform="linux/amd64",
    at=datetime(2026, 8, 1, tzinfo=UTC),
    cycle="monthly-2026-08",
    base="debian:12@sha256:x",
    size=100_000_000,
    pushed_size=None,
    layers=3,
    build_seconds=10.0,
    critical=0,
    high=1,
    medium=2,
    low=3,
    applied=True,
)


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

    @contextmanager
    def opened(self, _: str) -> Iterator[Parts]:
        """The parts as a worker opens them, for each job."""
        yield self.parts()

    def run(self, *, only: str | None = None, dry_run: bool = False, evidence_only: bool = False) -> Outcome:
        request = CycleRequest(only=only, dry_run=dry_run, evidence_only=evidence_only)
        return run_cycle(self.parts(), request)


def house(folder: Path, files: Mapping[str, str], *targets: Target, rules: tuple[Rule, ...] = ()) -> House:
    """A project with these files, all images healthy and with no vulnerabilities, no minimum age."""
    forge = FakeForge({PROJECT: {path: text.encode() for path, text in files.items()}})
    artifacts = open_shelf(str(folder / "artifacts"))
    return House(
        registry=FakeRegistry(),
        scanner=FakeScanner(otherwise=clean, artifacts=artifacts),
        builder=FakeBuilder(),
        forge=forge,
        store=open_store(sqlite_url(folder / "state")),
        artifacts=artifacts,
        clock=FakeClock(),
        projects=(Project(PROJECT, targets=targets),),
        policy=Policy(rules=rules or (NO_AGE,)),
        work=folder / "work",
    )


def moved(shop: House, image: str = IMAGE) -> tuple[str, str]:
    """Push an old and a new image under one tag; gives both digests."""
    old = shop.registry.push(image, "old", created=NOW - timedelta(days=60), layers=("old",))
    new = shop.registry.push(image, "new", created=NOW - timedelta(days=10), layers=("new",))
    return old, new


def outdated(folder: Path, *paths: str, text: str = HEALTHY, rules: tuple[Rule, ...] = ()) -> House:
    """A Dockerfile at each path, pinned to the old image of a tag that has moved."""
    made = house(folder, {}, rules=rules)
    old, _ = moved(made)
    content = text.format(base=f"{IMAGE}@{old}").encode()
    made.forge.files[PROJECT] = dict.fromkeys(paths or ["Dockerfile"], content)
    return made


def abandoned(folder: Path) -> House:
    """A Dockerfile on a tag that stands still while a newer branch moves."""
    made = house(folder, {"web/Dockerfile": f"FROM {ABANDONED}\n"})
    made.registry.push(ABANDONED, "old", created=NOW - timedelta(days=400), layers=("old",))
    made.registry.push("nginx:1.29-alpine", "new", created=NOW - timedelta(days=3), layers=("new",))
    return made


def changed(made: House, path: str = "Dockerfile") -> bytes:
    """What an update makes of a file."""
    draft = next(d for d in made.run(dry_run=True).drafts if d.pull_request and path in d.pull_request.files)
    assert draft.pull_request is not None
    return draft.pull_request.files[path]


def opens(made: House, files: dict[str, bytes], *others: str, trusted: bool = True) -> OpenPull:
    """Somebody opens a pull request."""
    number = 70 + len(made.forge.opened.setdefault(PROJECT, []))
    url = f"memory://{PROJECT}/pull/{number}"
    pull = OpenPull(number, url, "renovate[bot]", "renovate/debian", "main", f"{number}" * 20, trusted)
    made.forge.opened[PROJECT].insert(0, pull)
    made.forge.proposals[url] = Proposal(files, others)
    return pull


def published(result: RunResult) -> Publication:
    """The publication of a cycle's only update."""
    (update,) = result.updates
    assert update.publication is not None
    return update.publication


def clean(request: ScanRequest) -> Scan:
    return scan(request.subject)


def scan(subject: str, *vulnerabilities: Vulnerability, supported: bool = True) -> Scan:
    packages = tuple(one.package for one in vulnerabilities)
    return Scan(
        subject, "debian 12", supported, packages, vulnerabilities, "trivy 0.0.0", DATABASE, size=80_000_000
    )


def vulnerability(identifier: str, severity: Severity = Severity.HIGH) -> Vulnerability:
    return Vulnerability(identifier, Package("openssl", "1", "debian"), severity, "2")
