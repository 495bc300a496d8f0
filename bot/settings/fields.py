"""Kinds of values that the configuration shares: sizes, durations, secrets, references."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from pathspec import GitIgnoreSpec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_validator

from bot.errors import ConfigError
from bot.model.manifest import Platform
from bot.model.reference import Reference

_UNITS: Final = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SPANS: Final = {"s": 1, "second": 1, "m": _MINUTE, "minute": _MINUTE, "h": _HOUR, "hour": _HOUR} | {
    "d": _DAY,
    "day": _DAY,
}
_AMOUNT: Final = re.compile(r"\s*(\d{1,18}(?:\.\d{1,18})?)\s*([A-Za-z]*)\s*")
# Added to any date, it still gives a date.
_LONGEST: Final = timedelta(days=100 * 365)


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def parse_size(value: object) -> object:
    """Read `200 MB` (MB = 10⁶ bytes, MiB = 2²⁰) as bytes; numbers stay."""
    if not isinstance(value, str):
        return value
    found = _AMOUNT.fullmatch(value)
    if found is None or found[2].upper() not in _UNITS:
        raise ValueError("a size is a number and a unit, for example 200 MB")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def parse_duration(value: object) -> object:
    """Read `3 days`, `12 h`, `90 s`; a bare number is seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _span(value)
    if not isinstance(value, str):
        return value
    found = _AMOUNT.fullmatch(value)
    unit = found[2].lower() if found else ""
    seconds = _SPANS.get(unit) or _SPANS.get(unit.rstrip("s")) if unit else 1
    if found is None or seconds is None:
        raise ValueError("a duration is a number and a unit, for example 3 days or 90 s")
    return _span(float(found[1]) * seconds)


def _span(seconds: float) -> timedelta:
    if not abs(seconds) <= _LONGEST.total_seconds():  # not a number is not within it either
        raise ValueError("a duration is at most 100 years")
    return timedelta(seconds=seconds)


def duration_text(value: timedelta) -> str:
    """A duration as a configuration writes it, in the largest unit that leaves no rest."""
    seconds = value.total_seconds()
    for size, unit in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _platform(value: object) -> object:
    return Platform.parse(value) if isinstance(value, str) else value


def _reference(value: object) -> object:
    return Reference.parse(value) if isinstance(value, str) else value


def _glob(value: str) -> str:
    try:
        GitIgnoreSpec.from_lines([value])
    except (ValueError, re.error) as error:
        raise ValueError("no glob with the syntax of .gitignore") from error
    return value


def _text_schema(example: str, description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "examples": [example], "description": description})


def _store_url(value: object) -> object:
    """A database by its URL; its password has a place of its own."""
    if not isinstance(value, str):
        return value
    parts = urlsplit(value)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ValueError("a store for many machines is written postgresql://user@host/database")
    if parts.password is not None or "password" in parse_qs(parts.query):
        raise ValueError("a secret never stands here; `store_password` names its place")
    return value.replace("postgres://", "postgresql://", 1)


StoreUrl = Annotated[
    str,
    BeforeValidator(_store_url),
    WithJsonSchema({"type": "string", "examples": ["postgresql://refit@db.example.com/refit"]}),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    _text_schema("200 MB", "A number and a unit; MB = 10⁶ bytes, MiB = 2²⁰."),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    _text_schema("3 days", "A number and a unit: s, m, h or days."),
]
Glob = Annotated[str, AfterValidator(_glob)]
PlatformField = Annotated[
    Platform,
    BeforeValidator(_platform),
    WithJsonSchema({"type": "string", "examples": ["linux/amd64"]}),
]
ReferenceField = Annotated[
    Reference,
    BeforeValidator(_reference),
    WithJsonSchema({"type": "string", "examples": ["ghcr.io/acme/app"]}),
]


class Secret(Section):
    """Where a secret is: an environment variable, or a file. The secret itself never stands in the YAML."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, value: Any) -> Any:
        if isinstance(value, str | int | float):  # YAML reads a password of digits as a number
            raise ValueError("a secret is never written here; name its place: {env: NAME} or {file: PATH}")  # noqa: TRY004 - pydantic turns ValueErrors into messages
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("give exactly one of env and file")
        return self

    @property
    def there(self) -> bool:
        """True where the variable is set, or the file exists."""
        return bool(os.environ.get(self.env)) if self.env is not None else Path(str(self.file)).exists()

    def read(self, what: str) -> str:
        """Fetch the secret, without the line end that editors leave behind it; `what` names it in errors.

        Raises:
            ConfigError: The variable is not set, or the file cannot be read.
        """
        if self.env is not None:
            value = os.environ.get(self.env, "")
            if not value.strip("\r\n"):
                hint = "Set it where Refit runs; a service has an environment of its own."
                raise ConfigError(f"{what}: the environment variable {self.env} is not set", hint=hint)
            return value.rstrip("\r\n")
        return self._from_file(what)

    def _from_file(self, what: str) -> str:
        try:
            return Path(str(self.file)).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            hint = "Create the file, readable by Refit's user only."
            raise ConfigError(f"{what}: cannot read {self.file}: {error.strerror}", hint=hint) from error
        except UnicodeDecodeError as error:
            hint = "Write the secret as text."
            raise ConfigError(f"{what}: {self.file} is not UTF-8", hint=hint) from error
