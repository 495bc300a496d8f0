"""The engine's failures as errors of ours, each with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import docker.errors
import requests.exceptions

from bot.errors import EngineError, EngineMissing

# What the engine or its client says (lower case) → what to do.
HINTS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (
        ("no space left on device", "disk quota exceeded"),
        "The engine's disk is full: free space there (docker system df shows what takes it).",
    ),
    (
        ("permission denied",),
        "Let this user reach the engine's socket: add it to the docker group, or run as root.",
    ),
    (
        ("read timed out", "timed out", "did not end within"),
        "The engine does not answer in time: look at its load and its log.",
    ),
    (
        ("pull access denied", "no such image", "manifest unknown"),
        "The image is not in the engine, and no registry gave it: check its name and login.",
    ),
    (
        ("minimum supported api version",),
        "The docker command is older than this engine takes: install a newer one, with docker-buildx.",
    ),
    (
        ("toomanyrequests",),
        "The registry's rate limit is reached: log in, or run again later.",
    ),
)
_ERRNO: Final = re.compile(r"\[Errno -?\d+\] ")
_MISSING: Final = (
    "no such file or directory",
    "connection refused",
    "filenotfounderror",
    "is the docker daemon",
)


def hint_for(text: str, otherwise: str = "") -> str:
    """What to do about an engine's message."""
    said = text.lower()
    return next((hint for marks, hint in HINTS if any(mark in said for mark in marks)), otherwise)


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn the SDK's errors into `EngineError`s that say what was being done.

    Raises:
        EngineMissing: There is no engine at the socket.
        EngineError: Anything else that the engine or the way to it refused.
    """
    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        text = str(error)
        where = any(mark in text.lower() for mark in _MISSING)
        is_answer = isinstance(error, docker.errors.APIError)
        if where and not is_answer:
            raise EngineMissing(f"no container engine answers: {_short(text)}") from error
        raise EngineError(f"the engine could not {doing}: {_short(text)}", hint=hint_for(text)) from error


def _short(text: str) -> str:
    return " ".join(_ERRNO.sub("", text).split())[:400]
