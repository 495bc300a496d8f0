"""Reading a configuration file; each error names file, line, key, value and the way out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.errors import ConfigError
from bot.settings.fields import Secret, Section, StoreUrl
from bot.settings.keeping import ArtifactsSection, RetentionSection
from bot.settings.sections import CustomSettings, ForgeKind, ProjectSettings, RuleSettings
from bot.settings.services import (
    BuilderSection,
    GitHubSection,
    IssuesSection,
    PullRequestSection,
    RegistryHost,
    ScannerSection,
    ScheduleSection,
    VerdictSection,
    WebSection,
    WorkersSection,
)
from bot.settings.talks import CommentsSection, MatrixSection, NotificationSection, SlackSection

_LIMIT: Final = 1024 * 1024
# What stands before the host of a URL is most likely a secret, wherever it stands.
_LOGIN: Final = re.compile(r"(?<=://)[^/\s@]+@")
_HINT: Final = "config/bot.example.yaml explains every key; `refit config check` checks the file."


class Settings(Section):
    """The whole configuration."""

    state: Path | None = None
    store: StoreUrl | None = None
    store_password: Secret | None = None
    timezone: str = "UTC"
    projects: tuple[ProjectSettings, ...] = ()
    rules: tuple[RuleSettings, ...] = ()
    custom: tuple[CustomSettings, ...] = ()
    registries: tuple[RegistryHost, ...] = ()
    builder: BuilderSection = BuilderSection()
    scanner: ScannerSection = ScannerSection()
    artifacts: ArtifactsSection = ArtifactsSection()
    retention: RetentionSection = RetentionSection()
    verdict: VerdictSection = VerdictSection()
    github: GitHubSection = GitHubSection()
    pull_requests: PullRequestSection = PullRequestSection()
    issues: IssuesSection = IssuesSection()
    schedule: ScheduleSection = ScheduleSection()
    slack: SlackSection | None = None
    matrix: MatrixSection | None = None
    comments: CommentsSection | None = None
    notifications: NotificationSection | None = None
    web: WebSection = WebSection()
    workers: WorkersSection = WorkersSection()

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {name!r}; use a name such as Europe/Berlin") from error
        return name

    @model_validator(mode="after")
    def _leaves_work_to_somebody(self) -> Self:
        if self.store is None and self.workers.serve != WorkersSection().serve:
            raise ValueError(
                "`workers.serve` leaves work to other machines: they need `store: postgresql://…`"
            )
        return self

    @field_validator("projects")
    @classmethod
    def _names_differ(cls, projects: tuple[ProjectSettings, ...]) -> tuple[ProjectSettings, ...]:
        seen = set[str]()
        for one in projects:
            # GitHub knows no difference of case: two names of one project would get every pull request twice.
            names = {one.name, one.name.lower()} if one.forge is ForgeKind.GITHUB else {one.name}
            if names & seen:
                raise ValueError(f"two projects share the name {one.name!r}")
            seen |= names
        return projects

    @field_validator("registries")
    @classmethod
    def _hosts_differ(cls, registries: tuple[RegistryHost, ...]) -> tuple[RegistryHost, ...]:
        names = [name for one in registries for name in (one.host, *one.aliases)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two registries have the name {twice[0]!r}, as host or alias")
        return registries


def load(path: Path) -> Settings:
    """Read a configuration file; paths in it are relative to the file's own folder.

    Raises:
        ConfigError: It cannot be read, is no YAML, or a key is wrong; every mistake is listed.
    """
    tree = _read_yaml(path)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        lines = [_sentence(path, tree, detail) for detail in error.errors()]
        raise ConfigError("\n".join(lines), hint=_HINT) from error
    return _anchored(settings, path.resolve().parent)


def _read_yaml(path: Path) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        hint = "`refit init` writes a starter."
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint=hint) from error
    if len(data) > _LIMIT:
        raise ConfigError(f"{path} has {len(data)} bytes; a configuration has at most {_LIMIT}")
    try:
        return YAML(typ="rt").load(data) or {}
    except MarkedYAMLError as error:
        where = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{where}: not YAML: {error.problem or error.context}", hint=_HINT) from error
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"{path}: not YAML: {error}", hint=_HINT) from error


def _sentence(path: Path, tree: object, error: ErrorDetails) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "(the file)"
    where = f"{path}:{_line(tree, error['loc'])}: {key}"
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such key{_did_you_mean(error['loc'])}"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] in {"model_type", "model_attributes_type"}:
        message = "keys with values belong here, as in config/bot.example.yaml"
    told = repr(error["input"]) in message
    if isinstance(error["input"], str | int | float) and "secret" not in message and not told:
        message = f"{message} (the value is {error['input']!r})"
    return f"{where}: {_LOGIN.sub('…@', message)}"


def _line(tree: Any, loc: Sequence[int | str]) -> int:
    """The 1-based line of a key, as near as the tree knows it."""
    line = 1
    for part in loc:
        marks = getattr(tree, "lc", None)
        if marks is None:
            break
        try:
            line = (marks.key(part) if isinstance(part, str) else marks.item(part))[0] + 1
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            break
    return line


def _did_you_mean(loc: Sequence[int | str]) -> str:
    """Name the nearest key of the section that holds the unknown one."""
    model: type[BaseModel] | None = Settings
    for part in loc[:-1]:
        if isinstance(part, str) and model is not None:
            field = model.model_fields.get(part)
            model = _model_in(field.annotation) if field else None
    names = [field.alias or name for name, field in model.model_fields.items()] if model else []
    near = difflib.get_close_matches(str(loc[-1]), names, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known are: {', '.join(names)}" if names else ""


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _anchored(settings: Settings, folder: Path) -> Settings:
    """Make the paths of the file absolute: a service does not stand where the file does."""
    location = settings.artifacts.location
    if location is not None and "://" not in location:
        location = str(folder / location)
    artifacts = settings.artifacts.model_copy(update={"location": location})
    anchored: Settings = _absolute(settings.model_copy(update={"artifacts": artifacts}), folder)
    return anchored


def _absolute(value: Any, folder: Path) -> Any:
    """Every path in a section, at whatever depth, from the folder on; anything else as it is."""
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple):
        return tuple(_absolute(one, folder) for one in value)
    if not isinstance(value, Section):
        return value
    fields = {name: getattr(value, name) for name in type(value).model_fields}
    changed = {name: _absolute(one, folder) for name, one in fields.items()}
    return value.model_copy(update={name: one for name, one in changed.items() if one is not fields[name]})
