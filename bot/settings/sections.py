"""The sections about projects, targets and rules. Every key is explained in `config/bot.example.yaml`."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from bot.model.target import LINUX_AMD64
from bot.model.update import Grouping, UpdateKind
from bot.settings.fields import Duration, Glob, PlatformField, ReferenceField, Section, Size


class ForgeKind(StrEnum):
    """Where a project lives."""

    LOCAL = "local"
    GITHUB = "github"


class HealthSettings(Section):
    """How a target's container is found healthy."""

    command: tuple[str, ...] = ()
    companions: tuple[str, ...] = Field(default=(), alias="with")
    env: dict[str, str] = Field(default_factory=dict)
    seconds: float = Field(default=60.0, gt=0, le=3600)
    memory: Size = 512 * 1024**2
    read_only: bool = False


class TargetSettings(Section):
    """One image that a project builds."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    dockerfile: str = "Dockerfile"
    context: str | None = None
    args: dict[str, str] = Field(default_factory=dict)
    stage: str | None = None
    platforms: tuple[PlatformField, ...] = Field(default=(LINUX_AMD64,), min_length=1)
    health: HealthSettings = HealthSettings()
    budget: Size | None = None
    image: ReferenceField | None = None
    build: bool = True
    cache_from: tuple[str, ...] = ()


class ProjectSettings(Section):
    """A git repository under care."""

    name: str = Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9*][A-Za-z0-9._*-]*)?|\*/\*)$")
    forge: ForgeKind = ForgeKind.GITHUB
    topics: tuple[str, ...] = ()
    archived: bool = False
    forks: bool = False
    path: Path | None = None
    base: str | None = None
    folder: str = "."
    exclude: tuple[Glob, ...] = ()
    targets: tuple[TargetSettings, ...] = ()

    @model_validator(mode="after")
    def _local_has_a_path(self) -> Self:
        if self.forge is ForgeKind.LOCAL and self.path is None:
            raise ValueError("a project on the local forge needs `path`, the folder of its git checkout")
        if self.forge is ForgeKind.GITHUB and "/" not in self.name:
            told = f"a project on GitHub is named owner/name, not {self.name!r}"
            raise ValueError(f"{told}; one on this machine has `forge: local` and `path`")
        return self

    @property
    def is_glob(self) -> bool:
        """True where the name stands for many projects."""
        return "*" in self.name

    @model_validator(mode="after")
    def _globs_are_for_github(self) -> Self:
        if self.is_glob and (self.forge is ForgeKind.LOCAL or self.targets):
            raise ValueError("a name with `*` stands for projects on GitHub, and names no targets")
        if not self.is_glob and (self.topics or self.archived or self.forks):
            raise ValueError("`topics`, `archived` and `forks` choose among projects: the name needs a `*`")
        return self

    @model_validator(mode="after")
    def _target_names_differ(self) -> Self:
        names = [target.name for target in self.targets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two targets share the name {twice[0]!r}")
        return self


class Ignore(Section):
    """Silence for what a rule matches, with its reason and, usually, its end."""

    reason: str = Field(min_length=1)
    until: date | None = None


class RuleSettings(Section):
    """What may be proposed for the images, files and projects that it matches; the first match wins."""

    images: tuple[str, ...] = ("*",)
    files: tuple[str, ...] = ("*",)
    projects: tuple[str, ...] = ("*",)
    allow: UpdateKind = UpdateKind.DIGEST
    minimum_age: Duration = timedelta(days=3)
    waive_age_for_security: bool = False
    abandoned_after: Duration = timedelta(days=90)
    group: Grouping = Grouping.IMAGE
    auto_merge: bool = False
    ignore: Ignore | None = None


class CustomSettings(Section):
    """A pattern that finds image references in any other file."""

    files: tuple[Glob, ...] = Field(min_length=1)
    pattern: str = Field(min_length=1)
