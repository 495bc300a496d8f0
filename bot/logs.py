"""Logs of the service: a line for people, or one JSON object a line; secrets never reach them."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from pydantic import BaseModel

from bot.errors import ConfigError
from bot.report.quote import shown_line
from bot.settings import Secret, Settings

_CHATTY: Final = ("httpx2", "alembic", "uvicorn.access", "apscheduler", "slack_bolt", "procrastinate")
_PLAIN: Final = "%(asctime)s %(levelname)s %(name)s %(run)s%(message)s"
_HIDDEN: Final = "***"
_BELOW: Final = "\n    "
# A secret shorter than this would blank out ordinary words.
_SHORTEST: Final = 6
# What a secret looks like: in a URL, after its scheme in a header, by GitHub's and Slack's prefixes.
_LOOKS_SECRET: Final = re.compile(
    r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)|(?<=\bBearer )\S+|(?<=\bBasic )\S+|"
    r"\b(?:gh[pousr]_|github_pat_|xox[abprs]-|xapp-)[A-Za-z0-9_-]{8,}"
)
run_id: Final[ContextVar[str]] = ContextVar("run_id", default="")


class LogFormat(StrEnum):
    """How a service writes its log."""

    TEXT = "text"
    JSON = "json"


LogOption = Annotated[
    LogFormat | None,
    typer.Option("--log", help="Write lines for people, or JSON. [default: text on a terminal, else json]"),
]


@contextmanager
def run_named(name: str) -> Iterator[None]:
    """Let every line that is logged meanwhile carry this run's id."""
    token = run_id.set(name)
    try:
        yield
    finally:
        run_id.reset(token)


def log_to_stderr(settings: Settings, wanted: LogFormat | None) -> None:
    """Set logging up for a service, with every secret of the configuration blanked out."""
    wanted = wanted or (LogFormat.TEXT if sys.stderr.isatty() else LogFormat.JSON)
    secrets = list(secrets_of(settings))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines(secrets) if wanted is LogFormat.JSON else PlainLines(secrets, ZoneInfo(settings.timezone))
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def secrets_of(value: object) -> Iterator[str]:
    """Every secret that a configuration names and that can be read."""
    if isinstance(value, Secret):
        try:
            yield value.read("secret")
        except ConfigError:
            return  # whoever needs it says so
    elif isinstance(value, tuple):
        for one in value:
            yield from secrets_of(one)
    elif isinstance(value, BaseModel):
        for _, one in value:
            yield from secrets_of(one)


class Redaction:
    """Blanks out known secrets, and what looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # Longest first: one secret may begin another.
        lines = {line for secret in secrets for line in (secret, *secret.splitlines())}
        known = sorted((one for one in lines if len(one) >= _SHORTEST), key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(one) for one in known) or r"(?!)")

    def __call__(self, text: str) -> str:
        """The text without its secrets."""
        return _LOOKS_SECRET.sub(_HIDDEN, self._known.sub(_HIDDEN, text))


class PlainLines(logging.Formatter):
    """A line for people; the time is in their zone, and the run's id before the message.

    A message may quote a registry, git, a project or a chat: nothing in it steers a terminal, and what
    follows its first line is indented, so that none of it looks like another record.
    """

    def __init__(self, secrets: Iterable[str], zone: tzinfo = UTC) -> None:
        super().__init__(_PLAIN)
        self._redact, self._zone = Redaction(secrets), zone

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - its name
        """See `logging.Formatter.formatTime`; the zone is named."""
        del datefmt
        return f"{datetime.fromtimestamp(record.created, self._zone):%Y-%m-%d %H:%M:%S %Z}"

    def format(self, record: logging.LogRecord) -> str:
        """Write the record, secrets blanked out."""
        name = run_id.get()
        record.run = f"[{name}] " if name else ""
        return _BELOW.join(map(shown_line, self._redact(super().format(record)).split("\n")))


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, run, and the traceback where there is one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._redact = Redaction(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Write the record, secrets blanked out."""
        made = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": made.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if name := run_id.get():
            line["run"] = name
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({key: self._redact(text) for key, text in line.items()}, ensure_ascii=False)
