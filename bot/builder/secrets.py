"""Secrets that a build may mount: files for the docker command, and never a word of them in an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bot.errors import BuildFailed, EngineError

_HIDDEN: Final = "***"
_SHORTEST: Final = 4  # a shorter secret would blank out half of every log


def written(secrets: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Write each secret into a file that only we can read; the caller removes the folder."""
    files = {}
    for number, (name, value) in enumerate(secrets.items()):
        files[name] = folder / f"secret-{number}"
        files[name].touch(mode=0o600)
        files[name].write_text(value, encoding="utf-8")
    return files


@contextmanager
def redacted(secrets: Mapping[str, str]) -> Iterator[None]:
    """Blank out secrets in the error of a build: a step may have printed them, and errors are published."""
    try:
        yield
    except BuildFailed as error:
        message, log = (_without(text, secrets) for text in (error.message, error.log))
        raise BuildFailed(message, log=log, hint=error.hint, limit=error.limit) from None
    except EngineError as error:  # of a full disk, the line is told by which a step complained of it
        raise type(error)(_without(error.message, secrets), hint=error.hint) from None


def _without(text: str, secrets: Mapping[str, str]) -> str:
    for value in secrets.values():
        for line in value.splitlines():
            if len(line.strip()) >= _SHORTEST:
                text = text.replace(line.strip(), _HIDDEN)
    return text
