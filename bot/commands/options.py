"""What several commands share: their options, and finding the configuration."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.errors import ConfigError
from bot.settings import Settings, load

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_NAME: Final = "refit.yaml"


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Read the configuration from this file. [default: $REFIT_CONFIG, else ./refit.yaml]",
    ),
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="Write a table for people, or one JSON document.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Write no progress to standard error.")]


def find_config(given: Path | None) -> Path | None:
    """The configuration file in force, or None where there is none and none was asked for."""
    if given is not None:
        return given
    if from_environment := os.environ.get("REFIT_CONFIG"):
        return Path(from_environment)
    return Path(DEFAULT_NAME) if Path(DEFAULT_NAME).is_file() else None


def load_config(given: Path | None) -> Settings:
    """The configuration in force.

    Raises:
        ConfigError: There is none, or it is wrong.
    """
    path = find_config(given)
    if path is None:
        raise ConfigError(
            f"there is no configuration: no --config, no $REFIT_CONFIG, no {DEFAULT_NAME} here",
            hint="`refit init` writes one for this folder.",
        )
    return load(path)


def config_or_defaults(given: Path | None) -> Settings:
    """The configuration in force; the defaults where there is none.

    Raises:
        ConfigError: There is one, and it is wrong.
    """
    path = find_config(given)
    return load(path) if path else Settings()


def errors_console() -> Console:
    """Where progress and errors go: standard error, so that standard output stays the result."""
    from rich.console import Console  # noqa: PLC0415 - it costs 2 MB, and a bot writes nothing there

    return Console(stderr=True)
