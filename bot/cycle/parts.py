"""What a cycle works with: the ports, and the operator's policy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.cycle.crew import Crew
from bot.dockerfile import custom as patterns
from bot.model.manifest import Platform
from bot.model.narrowing import Narrowing
from bot.model.retention import Retention
from bot.model.run import Problem
from bot.model.target import LINUX_AMD64, Project
from bot.model.update import Blocked
from bot.model.vulnerability import Severity
from bot.ports import Artifacts, Builder, Clock, Forge, Progress, Registry, Scanner, Store
from bot.updates.rules import Rule


@dataclass(frozen=True, slots=True)
class VerdictPolicy:
    """What blocks and what warns; `growth_tolerance` in percent."""

    block_unhealthy: bool = True
    block_introduced: bool = True
    block_over_budget: bool = True
    growth_tolerance: float = 5.0


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules for a cycle.

    Attributes:
        rules: First match wins.
        custom: Patterns for other files.
        verdict: What blocks and what warns.
        labels: Labels of our pull requests.
        reviewers: Who is asked to review them; `CODEOWNERS` stands for the owners of the files.
        assignees: Whom they are assigned to; likewise.
        commit_subject: Template of the first line of their commits.
        signed_off_by: `Name <address>` for a DCO trailer; empty for none.
        max_new_per_project: Pull requests opened in one cycle for one project.
        build_seconds: Time limit of one build.
        secrets: What builds may mount as secrets: project → id → value.
        frontends: Images that may read Dockerfiles (`# syntax=`) beside Docker's own.
        max_builds: Targets built in one cycle; the rest stay at level base.
        blocked: What becomes of an update that the verdict blocks.
        target_issues: What no pull request solves becomes one issue a target.
        issue_severity: The least severity that is reported where no update fixes it; None reports none.
        hears: True where commands in comments are listened to: only then are they offered.
        dashboard: One issue a project shows where it stands, with boxes to tick.
        retention: How long what was measured is kept.
        one_place: All that share the store keep artifacts in one place.
        zone: Time zone of cycle names and dates.
    """

    rules: tuple[Rule, ...] = ()
    custom: tuple[patterns.Rule, ...] = ()
    verdict: VerdictPolicy = VerdictPolicy()
    labels: tuple[str, ...] = ("dependencies", "docker")
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    commit_subject: str = "build(deps): {change}"
    signed_off_by: str = ""
    max_new_per_project: int = 2
    build_seconds: float = 1800.0
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    frontends: tuple[str, ...] = ()
    max_builds: int = 50
    blocked: Blocked = Blocked.DRAFT
    target_issues: bool = True
    issue_severity: Severity | None = Severity.HIGH
    hears: bool = False
    dashboard: bool = False
    retention: Retention = field(default_factory=Retention)
    one_place: bool = True
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Parts:
    """The collaborators of a cycle, chosen by `bot/app.py`.

    Attributes:
        registry: All OCI registries.
        scanner: The vulnerability scanner.
        builder: The container engine, or None where there is none.
        no_builder: Why there is none; empty otherwise.
        platform: What the engine builds and starts.
        work: Folder for files of work in progress, on this machine.
        forges: The forge of each project, by project name.
        store: What outlives the process.
        artifacts: Where documents about images are kept.
        clock: Wall and monotonic time.
        progress: Where the run says what it is doing.
        projects: Under care.
        policy: The operator's rules.
        problems: What kept projects from being found at all.
        who: This process, as others see it: `HOST process PID`.
        crew: Other machines that prove and publish for this cycle; None where it does both itself.
        read_wishes: Reads a project's own file; by default nothing is wished.
    """

    registry: Registry
    scanner: Scanner
    builder: Builder | None
    forges: Mapping[str, Forge]
    store: Store
    artifacts: Artifacts
    clock: Clock
    progress: Progress
    projects: tuple[Project, ...]
    policy: Policy = Policy()
    no_builder: str = ""
    problems: tuple[Problem, ...] = ()
    read_wishes: Callable[[bytes], Narrowing] = lambda _: Narrowing()
    platform: Platform = LINUX_AMD64
    work: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "refit-work")
    crew: Crew | None = None
    who: str = ""

    def forge(self, project: Project) -> Forge:
        """The forge a project lives on."""
        return self.forges[project.name]
