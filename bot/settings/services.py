"""The sections about the outside world: registries, engine, scanner, forges, schedule, chat."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from apscheduler.triggers.cron import CronTrigger
from pydantic import Field, field_validator, model_validator

from bot.model.reference import Reference
from bot.model.update import Blocked
from bot.settings.fields import Duration, Secret, Section, Size

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9.\-\[\]:]+$")]
Label = Annotated[str, Field(min_length=1, max_length=50)]  # GitHub's limit


class RegistryHost(Section):
    """How to speak to one registry."""

    host: HostName
    aliases: tuple[HostName, ...] = ()
    mirrors: tuple[str, ...] = ()
    insecure: bool = False
    ca_file: Path | None = None
    username: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    concurrency: int = Field(default=8, ge=1, le=64)
    rate: float | None = Field(default=None, gt=0, description="requests per second")
    timeout: Duration = timedelta(seconds=30)

    @field_validator("mirrors")
    @classmethod
    def _are_urls(cls, mirrors: tuple[str, ...]) -> tuple[str, ...]:
        for mirror in mirrors:
            if "@" in urlsplit(mirror).netloc:
                raise ValueError("a secret never stands here; give the mirror's host an entry with its login")
            if urlsplit(mirror).scheme not in ("http", "https") or not urlsplit(mirror).hostname:
                raise ValueError(f"a mirror is a URL such as https://mirror.example.com, not {mirror!r}")
        return mirrors

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        if self.token is not None and self.username is not None:
            raise ValueError("give either token or username and password")
        return self


class BuildSecret(Section):
    """A secret that the builds of one project may mount, by its id (`RUN --mount=type=secret,id=…`)."""

    project: str
    id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    value: Secret


class BuilderSection(Section):
    """The container engine and its limits."""

    enabled: bool = True
    docker_host: str | None = None
    seconds: float = Field(default=1800, gt=0)
    max_builds_per_cycle: int = Field(default=50, ge=0)
    memory: Size = 8 * 1024**3
    min_free: Size = 2 * 10**9
    cache: Size = 20 * 10**9
    secrets: tuple[BuildSecret, ...] = ()
    frontends: tuple[str, ...] = ()
    closed_network: bool | Literal["auto"] = "auto"
    firewall_image: str = ""
    reachable: tuple[str, ...] = ()

    @field_validator("frontends")
    @classmethod
    def _are_images(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if (found := Reference.parse(name)).tag or found.digest:
                raise ValueError(f"the name of an image without its tag, not {name!r}")
        return names

    @field_validator("reachable")
    @classmethod
    def _are_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for one in addresses:
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                raise ValueError(f"an address such as 10.0.0.5, or a range, not {one!r}") from error
        return addresses


class ScannerSection(Section):
    """Trivy, its database and what to ignore."""

    path: Path | None = None
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    database: tuple[str, ...] = ()
    java_database: tuple[str, ...] = ()
    database_folder: Path | None = None
    offline: bool = False
    max_age: Duration = timedelta(days=7)
    ignore_file: Path | None = None
    vex: tuple[Path, ...] = ()
    severity_sources: tuple[str, ...] = Field(default=("auto",), min_length=1)
    seconds: float = Field(default=600, gt=0)
    memory: Size = 4 * 1024**3


class VerdictSection(Section):
    """What blocks and what warns."""

    block_unhealthy: bool = True
    block_introduced: bool = True
    block_over_budget: bool = True
    growth_tolerance: float = Field(default=5.0, ge=0, description="percent")


class GitHubSection(Section):
    """github.com or GitHub Enterprise Server, by token or as an App."""

    url: str = "https://api.github.com"
    token: Secret | None = None
    author: str | None = None
    app_id: int | None = None
    app_key: Secret | None = None
    seconds_between_writes: float = Field(default=1.0, ge=0)
    max_wait: Duration = timedelta(minutes=10)

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if (self.app_id is None) != (self.app_key is None):
            raise ValueError("app_id and app_key go together")
        return self


class PullRequestSection(Section):
    """How pull requests look and how many are opened."""

    labels: tuple[Label, ...] = ("dependencies", "docker")
    max_new_per_project: int = Field(default=2, ge=0)
    blocked: Blocked = Blocked.DRAFT
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    commit_subject: str = "build(deps): {change}"
    signed_off_by: str | None = Field(default=None, pattern=r"^[^<>\r\n]+ <[^<>@\s]+@[^<>@\s]+>$")

    @field_validator("commit_subject")
    @classmethod
    def _is_a_template(cls, subject: str) -> str:
        known = dict.fromkeys(("change", "image", "to", "where"), "")
        try:
            line = subject.format_map(known)
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise ValueError(
                f"a template with {{change}}, {{image}}, {{to}} and {{where}} only ({error})"
            ) from error
        if "\n" in line or ("{change}" not in subject and "{image}" not in subject):
            raise ValueError("one line that holds {change} or {image}")
        return subject

    @field_validator("reviewers", "assignees")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"[A-Za-z0-9-]+(\[bot\])?|[A-Za-z0-9-]+/[A-Za-z0-9._-]+", name):
                raise ValueError(f"a login, a team as owner/team, or CODEOWNERS; not {name!r}")
        return names


class IssuesSection(Section):
    """What no pull request can solve: blocked updates, abandoned tags, vulnerabilities without an update."""

    targets: bool = True
    severity: Literal["critical", "high", "medium", "none"] = "high"
    dashboard: bool = False


class ScheduleSection(Section):
    """When the bot does what by itself; cron with five fields, in the configured time zone."""

    monthly: str = "0 4 1 * *"
    observe: str = "30 3 * * *"
    sboms: str = "0 6 * * *"
    quarterly: str = "0 5 2 1,4,7,10 *"
    cleanup: str = "15 1 * * *"
    spread: Duration = Field(default=timedelta(minutes=30), le=timedelta(hours=6))

    @field_validator("monthly", "observe", "sboms", "quarterly", "cleanup")
    @classmethod
    def _is_cron(cls, text: str) -> str:
        try:
            CronTrigger.from_crontab(text)
        except ValueError as error:
            raise ValueError(f"not a cron expression with five fields: {text!r} ({error})") from error
        return text


class WorkersSection(Section):
    """How machines that share a store tell that one of them is gone."""

    heartbeat: Duration = timedelta(seconds=10)
    stalled_after: Duration = timedelta(seconds=30)
    serve: tuple[Literal["prove", "publish"], ...] = ("prove", "publish")

    @model_validator(mode="after")
    def _beats_in_time(self) -> Self:
        if self.stalled_after < 2 * self.heartbeat:
            raise ValueError("stalled_after is at least twice heartbeat, or a busy machine counts as gone")
        return self


class WebSection(Section):
    """Where `refit serve` and `refit worker` listen; without a host, $REFIT_WEB_HOST, else loopback."""

    host: str | None = None
    port: int = Field(default=8484, ge=0, le=65535)
