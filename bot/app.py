"""The composition root: settings become collaborators. The only file that names concrete classes."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import platformdirs
from sqlalchemy import make_url

from bot.artifacts import ArtifactShelf, open_shelf
from bot.builder import BuilderSettings, DockerBuilder
from bot.clock import SystemClock
from bot.convert import build_secrets, custom_rules, project, registry_settings, rules
from bot.cycle.parts import Parts, Policy, VerdictPolicy
from bot.errors import ConfigError, EngineError
from bot.forge.api import Connection
from bot.forge.auth import Access, AppAccess, NobodyAccess, TokenAccess
from bot.forge.github import GitHubForge
from bot.forge.local import LocalForge
from bot.model.manifest import Platform
from bot.model.reference import registry_name
from bot.model.retention import Retention
from bot.model.vulnerability import Severity
from bot.ports import Artifacts, Builder, Clock, Forge, Progress
from bot.registry import RegistryClient
from bot.scanner import DatabaseSettings, ScannerSettings, TrivyScanner
from bot.settings import ForgeKind, Settings
from bot.settings.narrowing import read as read_wishes
from bot.store.base import Guard
from bot.store.lease import lease
from bot.store.sql import SqlStore, open_store, sqlite_url
from bot.triggers.periods import Job, Timetable, own_offset
from bot.under_care import Expand, by_project, expanded

_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def state_folder(settings: Settings | None = None) -> Path:
    """Where state lives: the configuration's, `$REFIT_STATE_DIR`, else the user's XDG state folder."""
    if settings is not None and settings.state is not None:
        return settings.state
    if from_environment := os.environ.get("REFIT_STATE_DIR"):
        return Path(from_environment)
    return Path(platformdirs.user_state_path("refit", appauthor=False))


@contextmanager
def open_parts(  # noqa: PLR0913 - options by keyword
    settings: Settings,
    progress: Progress,
    *,
    clock: Clock | None = None,
    refresh: bool = False,
    drive: bool = True,
    engine: bool = True,
    expand: Expand = expanded,
    writes: bool = True,
) -> Iterator[Parts]:
    """Open every collaborator a cycle works with; all are closed at the end.

    Args:
        settings: The configuration.
        progress: Where the run says what it is doing.
        clock: Wall and monotonic time; the machine's by default.
        refresh: Ignore cached answers of registries.
        engine: Look for a container engine; what builds nothing saves the time.
        drive: Hold the lease of the state folder; what only asks registries needs none.
        expand: Replaces each glob by the projects that it stands for.
        writes: Write to forges; what only reads needs no token where projects are public.

    Raises:
        ConfigError: A secret is missing.
        LeaseHeld: Another process drives a cycle of this state folder.
        StoreError: The store cannot be opened.
    """
    clock = clock or SystemClock()
    with _driving(settings) if drive else nullcontext() as guard, opened_store(settings, guard) as store:
        every = forges(settings, clock, writes=writes)
        settings, problems = expand(settings, every)
        builder, no_builder = _builder(settings) if engine else (None, "no engine was asked for")
        artifacts = shelf(settings)
        yield Parts(
            registry=RegistryClient(registry_settings(settings), cache=store, clock=clock, refresh=refresh),
            scanner=scanner(settings, clock, artifacts),
            builder=builder,
            forges=by_project(settings, every),
            store=store,
            artifacts=artifacts,
            clock=clock,
            progress=progress,
            projects=tuple(project(one) for one in settings.projects),
            problems=problems,
            read_wishes=read_wishes,
            policy=policy(settings),
            no_builder=no_builder,
            platform=machine_platform(),
            work=state_folder(settings) / "work",
        )


def store_url(settings: Settings) -> str:
    """Where the store is: the configuration's database, else the file of the state folder.

    Raises:
        ConfigError: The password is not where the configuration says.
        StoreError: The state folder cannot be made or written.
    """
    if settings.store is None:
        return sqlite_url(state_folder(settings))
    if settings.store_password is None:
        return settings.store
    password = settings.store_password.read("store_password")
    return make_url(settings.store).set(password=password).render_as_string(hide_password=False)


@contextmanager
def _driving(settings: Settings) -> Iterator[Guard | None]:
    """The lease of the store, while it is held; on a database it may be lost, which the guard tells."""
    if settings.store is None:
        with lease(state_folder(settings)):
            yield None
        return
    from bot.store.tenure import tenure  # noqa: PLC0415 - psycopg costs 9 MB, paid where many share a store

    with opened_store(settings):  # its tables are made
        pass
    workers = settings.workers
    beat, stale = workers.heartbeat.total_seconds() / 2, workers.stalled_after.total_seconds()
    with tenure(store_url(settings), beat=beat, stale=stale) as guard:
        yield guard


@contextmanager
def opened_store(settings: Settings, guard: Guard | None = None) -> Iterator[SqlStore]:
    """The store, closed at the end; a guard is asked before each of its calls."""
    store = open_store(store_url(settings), guard)
    try:
        yield store
    finally:
        store.close()


def timetable(settings: Settings) -> Timetable:
    """When `refit serve` does what by itself."""
    crons = {job: getattr(settings.schedule, job) for job in Job}
    # Bots side by side on one store have one offset.
    where = settings.store or str(state_folder(settings))
    seed = " ".join([where, *sorted(one.name for one in settings.projects)])
    return Timetable(crons, ZoneInfo(settings.timezone), own_offset(seed, settings.schedule.spread))


def machine_platform() -> Platform:
    """What this machine's engine builds and starts."""
    machine = platform.machine()
    return Platform("linux", _MACHINES.get(machine, machine))


def builder_settings(settings: Settings) -> BuilderSettings:
    """How the engine is reached, from the configuration."""
    section = settings.builder
    return BuilderSettings(
        docker_host=section.docker_host or "",
        memory=section.memory,
        min_free=section.min_free,
        cache=section.cache,
        closed_network=section.closed_network,
        reachable=section.reachable,
    )


def _builder(settings: Settings) -> tuple[Builder | None, str]:
    """The engine, or None with the reason in words."""
    if not settings.builder.enabled:
        return None, "the configuration switches building off"
    builder = DockerBuilder(builder_settings(settings))
    try:
        builder.available()
    except EngineError as error:
        return None, error.message
    return builder, ""


def database_settings(settings: Settings) -> DatabaseSettings:
    """Where Trivy's database is and comes from."""
    section = settings.scanner
    return DatabaseSettings(
        cache=section.database_folder or state_folder(settings) / "trivy" / "cache",
        repositories=section.database,
        java_repositories=section.java_database,
        offline=section.offline,
        max_age=section.max_age,
    )


def shelf(settings: Settings) -> ArtifactShelf:
    """Where artifacts are kept: the configuration's place, else a folder of the state.

    Raises:
        StoreError: It cannot be opened.
    """
    section = settings.artifacts
    return open_shelf(section.location or str(state_folder(settings) / "artifacts"), section.link)


def scanner(settings: Settings, clock: Clock, artifacts: Artifacts | None = None) -> TrivyScanner:
    """Trivy as the configuration wants it."""
    section = settings.scanner
    mirrors = {registry_name(host.host): host.mirrors[0] for host in settings.registries if host.mirrors}
    return TrivyScanner(
        ScannerSettings(
            folder=state_folder(settings) / "trivy",
            database=database_settings(settings),
            path=section.path,
            sha256=section.sha256,
            docker_host=settings.builder.docker_host or "",
            mirrors=mirrors,
            insecure=frozenset(registry_name(host.host) for host in settings.registries if host.insecure),
            ignore_file=section.ignore_file,
            vex=section.vex,
            severity_sources=section.severity_sources,
            seconds=section.seconds,
            memory=section.memory,
        ),
        now=clock.now,
        artifacts=artifacts,
    )


def forges(settings: Settings, clock: Clock, *, writes: bool = True) -> Mapping[str, Forge]:
    """The forge of each project, by project name."""
    found: dict[str, Forge] = {}
    github: Forge | None = None
    for one in settings.projects:
        if one.forge is ForgeKind.LOCAL:
            found[one.name] = LocalForge(state_folder(settings), clock)
        else:
            github = github or _github(settings, writes=writes)
            found[one.name] = github
    return found


def _github(settings: Settings, *, writes: bool) -> Forge:
    connection = _connection(settings)
    way = access(settings) if writes or tokens(settings) else NobodyAccess(connection)
    return GitHubForge(state_folder(settings), connection, way)


def tokens(settings: Settings) -> bool:
    """True where this machine has a way into GitHub; a machine that only proves may do without."""
    places = (settings.github.token, settings.github.app_key)
    return any(place is not None and place.there for place in places)


def _connection(settings: Settings) -> Connection:
    section = settings.github
    return Connection(
        base_url=section.url,
        max_rate_limit_wait=section.max_wait.total_seconds(),
        seconds_between_writes=section.seconds_between_writes,
    )


def access(settings: Settings) -> Access:
    """The way into GitHub: as an App, or by token.

    Raises:
        ConfigError: Neither is configured, or its secret is missing.
    """
    section, connection = settings.github, _connection(settings)
    if section.app_id is not None and section.app_key is not None:
        return AppAccess(connection, section.app_id, section.app_key.read("github.app_key"))
    if section.token is not None:
        return TokenAccess(connection, section.token.read("github.token"), section.author or "")
    raise ConfigError(
        "projects on GitHub need `github.token` or `github.app_id` and `github.app_key`",
        hint="Add `github: {token: {env: GITHUB_TOKEN}}`, or use `forge: local` to try without an account.",
    )


def policy(settings: Settings) -> Policy:
    """The operator's rules for a cycle."""
    verdict = settings.verdict
    return Policy(
        rules=rules(settings),
        custom=custom_rules(settings),
        verdict=VerdictPolicy(
            block_unhealthy=verdict.block_unhealthy,
            block_introduced=verdict.block_introduced,
            block_over_budget=verdict.block_over_budget,
            growth_tolerance=verdict.growth_tolerance,
        ),
        labels=settings.pull_requests.labels,
        reviewers=settings.pull_requests.reviewers,
        assignees=settings.pull_requests.assignees,
        commit_subject=settings.pull_requests.commit_subject,
        signed_off_by=settings.pull_requests.signed_off_by or "",
        max_new_per_project=settings.pull_requests.max_new_per_project,
        build_seconds=settings.builder.seconds,
        secrets=build_secrets(settings),
        max_builds=settings.builder.max_builds_per_cycle,
        blocked=settings.pull_requests.blocked,
        target_issues=settings.issues.targets,
        hears=settings.comments is not None,
        dashboard=settings.issues.dashboard,
        issue_severity=_severity(settings.issues.severity),
        retention=Retention(
            measurements=settings.retention.measurements,
            evidence=settings.retention.evidence,
            scans=settings.retention.scans,
            sboms=settings.retention.sboms,
            artifacts=settings.retention.artifacts,
        ),
        zone=ZoneInfo(settings.timezone),
    )


def _severity(word: str) -> Severity | None:
    return None if word == "none" else Severity(word.upper())
