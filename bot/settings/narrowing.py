"""A project's own `.github/refit.yaml`: few keys, none of which can allow more than the operator does."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.errors import ConfigError
from bot.model.narrowing import FILE, Narrowing, Silence
from bot.model.update import UpdateKind
from bot.settings.fields import Duration, Glob, Section

_LIMIT: Final = 64 * 1024
_HINT: Final = (
    "It takes enabled, exclude, ignore, allow, minimum_age, build and auto_merge; "
    "until it is corrected, nothing is proposed there."
)


class IgnoreSettings(Section):
    """Images that are left alone."""

    images: tuple[str, ...] = Field(min_length=1)
    reason: str = Field(min_length=1)


class ProjectFile(Section):
    """The file's keys."""

    enabled: bool = True
    exclude: tuple[Glob, ...] = ()
    ignore: tuple[IgnoreSettings, ...] = ()
    allow: UpdateKind | None = None
    minimum_age: Duration | None = None
    build: bool = True
    auto_merge: bool = True


def read(data: bytes) -> Narrowing:
    """What a project's file says.

    Raises:
        ConfigError: It is no YAML, or a key is wrong. It is not passed over: its author wanted less.
    """
    if len(data) > _LIMIT:
        raise ConfigError(f"{FILE} has {len(data)} bytes; it has at most {_LIMIT}", hint=_HINT)
    try:
        tree = YAML(typ="safe").load(data) or {}
        wanted = ProjectFile.model_validate(tree)
    except ValidationError as error:
        wrong = [_sentence(one) for one in error.errors()]
        raise ConfigError(f"{FILE}: {'; '.join(wrong)[:500]}", hint=_HINT) from error
    except (YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise ConfigError(f"{FILE} is not YAML", hint=_HINT) from error
    return Narrowing(
        enabled=wanted.enabled,
        exclude=wanted.exclude,
        silent=tuple(Silence(one.images, one.reason) for one in wanted.ignore),
        allow=wanted.allow,
        minimum_age=_bounded(wanted.minimum_age),
        build=wanted.build,
        auto_merge=wanted.auto_merge,
    )


def _sentence(wrong: ErrorDetails) -> str:
    key = ".".join(str(part) for part in wrong["loc"]) or "(the file)"
    return f"{key}: {wrong['msg'].removeprefix('Value error, ')}"


def _bounded(age: timedelta | None) -> timedelta | None:
    return None if age is None else max(age, timedelta(0))
