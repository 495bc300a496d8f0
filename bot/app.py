"""The composition root: settings become the collaborators of a cycle; what lies further in names none."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Final

from bot.artifacts import ArtifactShelf, open_shelf
from bot.builder import DockerBuilder
from bot.clock import SystemClock
from bot.convert import (
    builder_logins,
    builder_settings,
    github_connection,
    policy,
    project,
    registry_settings,
    scanner_access,
    scanner_settings,
    state_folder,
)
from bot.cycle.parts import Parts
from bot.errors import ConfigError, EngineError
from bot.forge.auth import Access, AppAccess, TokenAccess
from bot.forge.github import GitHubForge
from bot.forge.local import LocalForge
from bot.forge.nobody import NobodyAccess
from bot.model.manifest import Platform
from bot.ports import Artifacts, Builder, Clock, Forge, Progress
from bot.registry import RegistryClient
from bot.scanner import TrivyScanner
from bot.settings import ForgeKind, Settings
from bot.settings.narrowing import read as read_wishes
from bot.store.base import Guard
from bot.store.holder import this_process
from bot.store.lease import lease
from bot.store.sql import SqlStore, open_store, sqlite_url, with_password
from bot.under_care import Expand, by_project, expanded

_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


@dataclass(frozen=True, slots=True)
class Needs:
    """What a caller needs; less is opened sooner, and beside others.

    Attributes:
        drive: Hold the lease of the state folder; what only asks registries needs none.
        engine: Look for a container engine; what builds nothing saves the time.
        writes: Write to forges; what only reads needs no token where projects are public.
        refresh: Ignore cached answers of registries.
    """

    drive: bool = True
    engine: bool = True
    writes: bool = True
    refresh: bool = False


EVERYTHING: Final = Needs()
ANSWERS: Final = Needs(drive=False, engine=False)
"""What only asks, and builds nothing."""


@contextmanager
def open_parts(
    settings: Settings,
    progress: Progress,
    needs: Needs = EVERYTHING,
    *,
    clock: Clock | None = None,
    expand: Expand = expanded,
) -> Iterator[Parts]:
    """Open every collaborator a cycle works with; all are closed at the end.

    Args:
        settings: The configuration.
        progress: Where the run says what it is doing.
        needs: What of it the caller needs.
        clock: Wall and monotonic time; the machine's by default.
        expand: Replaces each glob by the projects that it stands for.

    Raises:
        ConfigError: A secret is missing.
        LeaseHeld: Another process drives a cycle of this state folder.
        StoreError: The store cannot be opened.
    """
    clock, artifacts = clock or SystemClock(), shelf(settings)
    with (
        _driving(settings) if needs.drive else nullcontext() as guard,
        opened_store(settings, guard) as store,
        _engine(settings, wanted=needs.engine) as (builder, no_builder),
        closing(scanner(settings, clock, artifacts)) as trivy,
    ):
        every = forges(settings, clock, writes=needs.writes)
        settings, problems = expand(settings, every)
        yield Parts(
            registry=RegistryClient(
                registry_settings(settings), cache=store, clock=clock, refresh=needs.refresh
            ),
            scanner=trivy,
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
            who=this_process(),
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
    return with_password(settings.store, password)


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


def machine_platform() -> Platform:
    """What this machine's engine builds and starts."""
    machine = platform.machine()
    return Platform("linux", _MACHINES.get(machine, machine))


@contextmanager
def _engine(settings: Settings, *, wanted: bool) -> Iterator[tuple[Builder | None, str]]:
    """The engine where it is wanted, or None with the reason in words; nothing borrowed stays in it."""
    builder, why_not = _builder(settings) if wanted else (None, "no engine was asked for")
    try:
        yield builder, why_not
    finally:
        if builder is not None:
            with suppress(EngineError):  # whoever comes next gives it back
                builder.close()


def _builder(settings: Settings) -> tuple[Builder | None, str]:
    """The engine, or None with the reason in words."""
    if not settings.builder.enabled:
        return None, "the configuration switches building off"
    builder = DockerBuilder(replace(builder_settings(settings), logins=builder_logins(settings)))
    try:
        builder.available()
    except EngineError as error:
        return None, error.message
    return builder, ""


def no_engine(settings: Settings) -> str:
    """Why nothing could be built here now, in words; empty where it could."""
    return _builder(settings)[1]


def shelf(settings: Settings) -> ArtifactShelf:
    """Where artifacts are kept: the configuration's place, else a folder of the state.

    Raises:
        StoreError: It cannot be opened.
    """
    section = settings.artifacts
    return open_shelf(section.location or str(state_folder(settings) / "artifacts"), section.link)


def scanner(settings: Settings, clock: Clock, artifacts: Artifacts | None = None) -> TrivyScanner:
    """Trivy as the configuration wants it."""
    way = scanner_access(settings)
    return TrivyScanner(scanner_settings(settings), now=clock.now, artifacts=artifacts, access=way)


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
    connection = github_connection(settings)
    way = access(settings) if writes or tokens(settings) else NobodyAccess(connection)
    return GitHubForge(state_folder(settings), connection, way)


def tokens(settings: Settings) -> bool:
    """True where this machine has a way into GitHub; a machine that only proves may do without."""
    places = (settings.github.token, settings.github.app_key)
    return any(place is not None and place.there for place in places)


def access(settings: Settings) -> Access:
    """The way into GitHub: as an App, or by token.

    Raises:
        ConfigError: Neither is configured, or its secret is missing.
    """
    section, connection = settings.github, github_connection(settings)
    author = section.author or ""
    if section.app_id is not None and section.app_key is not None:
        return AppAccess(connection, section.app_id, section.app_key.read("github.app_key"), author)
    if section.token is not None:
        return TokenAccess(connection, section.token.read("github.token"), author)
    raise ConfigError(
        "projects on GitHub need `github.token` or `github.app_id` and `github.app_key`",
        hint="Add `github: {token: {env: GITHUB_TOKEN}}`, or use `forge: local` to try without an account.",
    )
