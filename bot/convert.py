"""Settings to the values the collaborators take. Pure but for reading the secrets they name."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from bot.dockerfile import custom as patterns
from bot.model.reference import registry_name
from bot.model.target import HealthPlan, Project, Target
from bot.registry import HostSettings, RegistrySettings
from bot.settings import ProjectSettings, Secret, Settings, TargetSettings
from bot.updates.rules import Rule


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


def docker_config() -> Path:
    """Docker's own config.json of this user, whose logins are used; Podman's auth file has the same form."""
    if podman := os.environ.get("REGISTRY_AUTH_FILE"):
        return Path(podman)
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _read(secret: Secret | None, what: str) -> str | None:
    return None if secret is None else secret.read(what)
