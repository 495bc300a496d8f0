"""What `refit doctor` looks at: each is one question with an answer in words, or an error with its fix."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from bot import process
from bot.app import access, opened_store, scanner, shelf
from bot.builder import DockerBuilder, guarded
from bot.builder.reach import is_open
from bot.clock import SystemClock
from bot.convert import builder_settings, database_settings, state_folder
from bot.errors import EngineError, EngineMissing, ForgeRefused, RefitError, ScanError
from bot.forge.api import translated
from bot.forge.auth import Access
from bot.forge.git import git_directory
from bot.forge.listing import Wanted, matching
from bot.report.wording import age, count, day
from bot.scanner import TrivyScanner
from bot.scanner.database import updated_at
from bot.settings import ForgeKind, ProjectSettings, Settings

LEAST_FREE: Final = 2 * 10**9
_GIT_SECONDS: Final = 10.0


class Mark(StrEnum):
    """How a thing is: fine, usable with a loss, or in the way of a run."""

    FINE = "✓"
    WARNING = "!"
    PROBLEM = "✗"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What.
        mark: How it is.
        seen: What was found there.
        advice: What to do; empty where it is fine.
    """

    name: str
    mark: Mark
    seen: str
    advice: str = ""


class Concern(RefitError):
    """Something that a run can do without, at a loss."""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one after the other; a failure of one stops no other."""
    trivy = scanner(settings, SystemClock())
    looks: list[tuple[str, Callable[[], str]]] = [
        ("state folder", partial(_state, settings)),
        ("free disk", partial(_disk, settings)),
        ("git", _git),
        ("engine", partial(_engine, settings)),
        ("build network", partial(_build_network, settings)),
        ("trivy", partial(_trivy, trivy)),
        ("database", partial(_database, settings)),
        ("artifacts", partial(_artifacts, settings)),
    ]
    for name, look in looks:
        yield _look(name, look)
    yield from _forges(settings)


def _look(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, Mark.FINE, look())
    except Concern as error:
        return Finding(name, Mark.WARNING, error.message, error.hint)
    except RefitError as error:
        return Finding(name, Mark.PROBLEM, error.message, error.hint)


def _state(settings: Settings) -> str:
    with opened_store(settings):
        return f"{settings.store or state_folder(settings)}, may be written"


def _disk(settings: Settings) -> str:
    """The state folder holds database snapshots and work trees; the engine looks after its own disk."""
    folder = state_folder(settings)
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        hint = f"Free some space there, or set `state:` to another disk; {LEAST_FREE / 1e9:g} GB are wanted."
        raise Concern(f"{free / 1e9:,.1f} GB at {there}", hint=hint)
    return f"{free / 1e9:,.1f} GB at {there}"


def _git() -> str:
    return process.run(["git", "--version"], timeout=_GIT_SECONDS).text.strip()


def _engine(settings: Settings) -> str:
    if not settings.builder.enabled:
        return "switched off by the configuration; evidence stays at level base"
    section = builder_settings(settings)
    try:
        seen = DockerBuilder(section).available()
    except EngineError as error:
        raise Concern(error.message, hint=error.hint) from error
    if is_open(section.reaching()):
        hint = (
            "Whoever is on the way can give it orders. Let it ask for certificates (--tlsverify), and set"
            " DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH here."
        )
        raise Concern(f"{seen}, without TLS at {section.host}", hint=hint)
    return seen


def _build_network(settings: Settings) -> str:
    """Builds are programs of others: what they reach on the network is worth a look."""
    if not settings.builder.enabled:
        return "nothing is built"
    section = builder_settings(settings)
    if section.closed_network is False:
        hint = "Set builder.closed_network: auto, and what builds need in builder.reachable."
        raise Concern("builds can reach private and link-local addresses, as configured", hint=hint)
    try:
        with guarded(replace(section, closed_network=True), f"refit-doctor-{uuid.uuid4().hex[:8]}"):
            how = f" by a container of {section.firewall_image}" if section.firewall_image else ""
            return f"builds are kept from loopback, private and link-local addresses{how}"
    except EngineMissing:
        return "nothing is built without an engine"
    except EngineError as error:
        if section.closed_network is True:
            raise
        raise Concern(error.message, hint=error.hint) from error


def _trivy(trivy: TrivyScanner) -> str:
    binary = trivy.binary()
    return f"{trivy.identity()} in {binary.path}, a build that is known by its digest"


def _database(settings: Settings) -> str:
    """The database as it lies here: nothing is downloaded for a look."""
    section = database_settings(settings)
    try:
        made = updated_at(section)
    except ScanError as error:
        if section.offline:
            raise
        raise Concern("none here yet", hint="The first run downloads it.") from error
    now = SystemClock().now()
    told = f"from {day(made)}" if age(made, now) == "today" else f"from {day(made)}, {age(made, now)} old"
    if now - made <= section.max_age:
        return told
    allowed = f"more than the {section.max_age / timedelta(days=1):g} days allowed"
    if section.offline:
        raise ScanError(f"{told}, {allowed}", hint="Copy a newer db/ folder there, or set offline: false.")
    raise Concern(f"{told}, {allowed}", hint="The next run downloads a newer one.")


def _artifacts(settings: Settings) -> str:
    """Where SBOMs and reports are kept: something is written there and removed."""
    shelf(settings).probe()
    link = settings.artifacts.link
    where = settings.artifacts.location or f"{state_folder(settings)}/artifacts"
    if settings.store is not None and settings.artifacts.location is None:
        raise Concern(
            f"{where}, on this machine alone: others that share the store do not find them",
            hint="Give artifacts.location a place that all of them share: a mounted folder, s3://bucket/refit.",
        )
    return f"{where}, {'opened at ' + link if link else 'named by digest: nothing serves them'}"


def _forges(settings: Settings) -> Iterator[Finding]:
    """The projects on the local forge, then GitHub: who we are there, and each project."""
    for project in settings.projects:
        if project.forge is ForgeKind.LOCAL:
            yield _look(project.name, partial(_checkout, project))
    on_github = [project for project in settings.projects if project.forge is ForgeKind.GITHUB]
    if not on_github:
        return
    try:
        way = access(settings)
    except RefitError as error:
        yield Finding("github", Mark.PROBLEM, error.message, error.hint)
        return
    yield _look("github", partial(_login, settings, way, on_github[0].name))
    for project in on_github:
        look = (
            partial(_glob, way, project)
            if project.is_glob
            else partial(_reachable, settings, way, project.name)
        )
        yield _look(project.name, look)
    way.disconnect()


def _checkout(project: ProjectSettings) -> str:
    return f"a git checkout: {git_directory(project.path).parent}" if project.path else ""


def _login(settings: Settings, way: Access, project: str) -> str:
    with translated(project, "find out whose token it is"):
        return f"{settings.github.url} as {way.login(project)}"


def _glob(way: Access, project: ProjectSettings) -> str:
    """How many projects a glob stands for now: none is a mistake, most likely."""
    wanted = Wanted(project.topics, project.archived, project.forks)
    with translated(project.name, "list projects"):
        found = matching(way.repositories(project.name.partition("/")[0]), project.name, wanted)
    if not found:
        raise Concern(
            "stands for no project", hint="Check the owner, the topics, and what the token may see."
        )
    return f"{count(len(found), 'project')}: {', '.join(found[:3])}{', …' if len(found) > 3 else ''}"


def _reachable(settings: Settings, way: Access, name: str) -> str:
    with translated(name, "read anything"):
        project = way.client(name).get_repo(name)
        branch, may_write = project.default_branch, project.permissions.push
    if "publish" not in settings.workers.serve and not may_write:
        return f"may be read, which is enough where others publish, default branch {branch}"
    # Of an App, GitHub lists the permissions with the installation, not here.
    if settings.github.app_id is None and not may_write:
        hint = "It needs contents, pull requests, issues and statuses: write."
        raise ForgeRefused(f"the token may read {name}, and not write", hint=hint)
    return f"may be written, default branch {branch}"
