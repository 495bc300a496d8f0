"""Settings to the values the collaborators take. Pure but for the environment and the secrets they name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import platformdirs

from bot.builder import BuilderSettings
from bot.cycle.parts import Policy, VerdictPolicy
from bot.dockerfile import custom as patterns
from bot.forge.api import Connection
from bot.model.reference import login_name, registry_name
from bot.model.retention import Retention
from bot.model.target import HealthPlan, Project, Target
from bot.model.vulnerability import Severity
from bot.registry import HostSettings, RegistrySettings
from bot.registry.credentials import credential_for
from bot.scanner import Access, AccessTo, DatabaseSettings, ScannerSettings
from bot.settings import ProjectSettings, Secret, Settings, TargetSettings
from bot.triggers.periods import Job, Timetable, own_offset
from bot.updates.rules import Rule


def state_folder(settings: Settings | None = None) -> Path:
    """Where state lives: the configuration's, `$REFIT_STATE_DIR`, else the user's XDG state folder."""
    if settings is not None and settings.state is not None:
        return settings.state
    if from_environment := os.environ.get("REFIT_STATE_DIR"):
        return Path(from_environment)
    return Path(platformdirs.user_state_path("refit", appauthor=False))


def project(settings: ProjectSettings) -> Project:
    """A project of the configuration, as the cycle works with it."""
    return Project(
        name=settings.name,
        location=str(settings.path) if settings.path else None,
        base=settings.base,
        folder=settings.folder,
        targets=tuple(target(settings.name, one) for one in settings.targets),
        exclude=settings.exclude,
    )


def target(project_name: str, settings: TargetSettings) -> Target:
    """A target of the configuration; its context is the Dockerfile's folder where none is given."""
    health = settings.health
    return Target(
        project=project_name,
        name=settings.name,
        dockerfile=settings.dockerfile,
        context=settings.context or str(PurePosixPath(settings.dockerfile).parent),
        args=tuple(settings.args.items()),
        stage=settings.stage,
        platforms=settings.platforms,
        health=HealthPlan(
            command=health.command,
            companions=health.companions,
            env=tuple(health.env.items()),
            seconds=health.seconds,
            memory=health.memory,
            read_only=health.read_only,
        ),
        budget=settings.budget,
        image=settings.image,
        build=settings.build,
        cache_from=settings.cache_from,
    )


def build_secrets(settings: Settings) -> dict[str, dict[str, str]]:
    """Secrets that builds may mount, by project and id, read from where they are.

    Raises:
        ConfigError: One of them is not there.
    """
    found: dict[str, dict[str, str]] = {}
    for one in settings.builder.secrets:
        value = one.value.read(f"builder.secrets: {one.project}: {one.id}")
        found.setdefault(one.project, {})[one.id] = value
    return found


def rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules for updates, in their order."""
    return tuple(
        Rule(
            images=rule.images,
            files=rule.files,
            projects=rule.projects,
            allow=rule.allow,
            minimum_age=rule.minimum_age,
            waive_age_for_security=rule.waive_age_for_security,
            abandoned_after=rule.abandoned_after,
            group=rule.group,
            auto_merge=rule.auto_merge,
            ignore_reason=rule.ignore.reason if rule.ignore else "",
            ignore_until=rule.ignore.until if rule.ignore else None,
        )
        for rule in settings.rules
    )


def custom_rules(settings: Settings) -> tuple[patterns.Rule, ...]:
    """The patterns for other files."""
    return tuple(patterns.rule(one.files, one.pattern) for one in settings.custom)


def registry_settings(settings: Settings) -> RegistrySettings:
    """How to speak to each registry, its secrets read from where they are."""
    hosts = {
        registry_name(host.host): HostSettings(
            aliases=tuple(registry_name(alias) for alias in host.aliases),
            mirrors=host.mirrors,
            insecure=host.insecure,
            ca_file=host.ca_file,
            username=host.username,
            password=_read(host.password, f"registries: {host.host}: password"),
            token=_read(host.token, f"registries: {host.host}: token"),
            concurrency=host.concurrency,
            rate=host.rate,
            timeout=host.timeout.total_seconds(),
        )
        for host in settings.registries
    }
    return RegistrySettings(hosts=hosts, docker_config=docker_config())


def builder_logins(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """The configuration's own logins, for builds that pull; Docker's own are its own affair."""
    own = registry_settings(settings).hosts
    found = {name: credential_for(name, host, None).docker_entry for name, host in own.items()}
    every = {one: found[name] for name, host in own.items() for one in (name, *host.aliases)}
    return {login_name(name): login for name, login in every.items() if login}


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
        firewall_image=section.firewall_image,
    )


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


def scanner_access(settings: Settings) -> AccessTo:
    """How Trivy is let in to a registry: as the registry client is."""
    known = registry_settings(settings)

    def access(name: str) -> Access:
        host = known.host(name)
        return Access(credential_for(name, host, known.docker_config).docker_entry, host.ca_file)

    return access


def scanner_settings(settings: Settings) -> ScannerSettings:
    """How Trivy is run; it knows registries by their names in references."""
    section = settings.scanner
    mirrors = {registry_name(host.host): host.mirrors for host in settings.registries}
    return ScannerSettings(
        folder=state_folder(settings) / "trivy",
        database=database_settings(settings),
        path=section.path,
        sha256=section.sha256,
        engine=builder_settings(settings).reaching(),  # one engine: what was built there is scanned there
        mirrors=mirrors,
        insecure=frozenset(registry_name(host.host) for host in settings.registries if host.insecure),
        ignore_file=section.ignore_file,
        vex=section.vex,
        severity_sources=section.severity_sources,
        seconds=section.seconds,
        memory=section.memory,
    )


def github_connection(settings: Settings) -> Connection:
    """Where GitHub is, and how patient we are with it."""
    section = settings.github
    return Connection(
        base_url=section.url,
        max_rate_limit_wait=section.max_wait.total_seconds(),
        seconds_between_writes=section.seconds_between_writes,
    )


def timetable(settings: Settings) -> Timetable:
    """When `refit serve` does what by itself."""
    crons = {job: getattr(settings.schedule, job) for job in Job}
    # Bots side by side on one store have one offset.
    where = settings.store or str(state_folder(settings))
    seed = " ".join([where, *sorted(one.name for one in settings.projects)])
    return Timetable(crons, ZoneInfo(settings.timezone), own_offset(seed, settings.schedule.spread))


def policy(settings: Settings) -> Policy:
    """The operator's rules for a cycle."""
    return Policy(
        rules=rules(settings),
        custom=custom_rules(settings),
        verdict=_verdict(settings),
        labels=settings.pull_requests.labels,
        reviewers=settings.pull_requests.reviewers,
        assignees=settings.pull_requests.assignees,
        commit_subject=settings.pull_requests.commit_subject,
        signed_off_by=settings.pull_requests.signed_off_by or "",
        max_new_per_project=settings.pull_requests.max_new_per_project,
        build_seconds=settings.builder.seconds,
        secrets=build_secrets(settings),
        frontends=settings.builder.frontends,
        max_builds=settings.builder.max_builds_per_cycle,
        blocked=settings.pull_requests.blocked,
        target_issues=settings.issues.targets,
        hears=settings.comments is not None,
        dashboard=settings.issues.dashboard,
        issue_severity=_severity(settings.issues.severity),
        one_place=settings.store is None or settings.artifacts.location is not None,
        retention=_retention(settings),
        zone=ZoneInfo(settings.timezone),
    )


def _verdict(settings: Settings) -> VerdictPolicy:
    section = settings.verdict
    return VerdictPolicy(
        block_unhealthy=section.block_unhealthy,
        block_introduced=section.block_introduced,
        block_over_budget=section.block_over_budget,
        growth_tolerance=section.growth_tolerance,
    )


def _retention(settings: Settings) -> Retention:
    section = settings.retention
    return Retention(
        measurements=section.measurements,
        evidence=section.evidence,
        scans=section.scans,
        cycles=section.cycles,
        sboms=section.sboms,
        artifacts=section.artifacts,
    )


def _severity(word: str) -> Severity | None:
    return None if word == "none" else Severity(word.upper())


def docker_config() -> Path:
    """Docker's own config.json of this user, whose logins are used; Podman's auth file has the same form."""
    if podman := os.environ.get("REGISTRY_AUTH_FILE"):
        return Path(podman)
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _read(secret: Secret | None, what: str) -> str | None:
    return None if secret is None else secret.read(what)
