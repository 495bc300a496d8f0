"""The engine's failures as errors of ours, each with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import docker.errors
import requests.exceptions

from bot.errors import EngineError, EngineMissing

Hints = tuple[tuple[tuple[str, ...], str], ...]

# What the engine or its client says (lower case) → what to do.
HINTS: Final[Hints] = (
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
# The same of the way to it, where the words do not mean a registry's address.
REACHING: Final[Hints] = (
    (
        ("certificate", "tls", "ssl", "http request to an https server"),
        "Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem.",
    ),
    (
        ("connection refused",),
        "Start the engine (systemctl start docker), or set DOCKER_HOST; else all stays at level base.",
    ),
    (
        ("paramiko", "ssh://"),
        "Refit speaks to no engine by ssh: forward the engine's socket by `ssh -L`, and name the local end.",
    ),
    (
        ("bind address", "unrecognized host", "invalid proto", "failed to resolve"),
        "Write DOCKER_HOST (or builder.docker_host) as unix:///PATH/docker.sock or tcp://HOST:PORT.",
    ),
)
_ERRNO: Final = re.compile(r"\[Errno -?\d+\] ")
# The SDK tells of an address where nobody answers by three errors, one inside the other.
_NESTED: Final = re.compile(r"^.*host='([^']+)', port=(\d+)\): (Failed to .*)$", re.DOTALL)
_REFUSED: Final = re.compile(r"Failed to establish a new connection: ")
_MISSING: Final = (
    "no such file or directory",
    "connection refused",
    "filenotfounderror",
    "is the docker daemon",
)


def hint_for(text: str, otherwise: str = "", hints: Hints = HINTS) -> str:
    """What to do about an engine's message."""
    said = text.lower()
    return next((hint for marks, hint in hints if any(mark in said for mark in marks)), otherwise)


@contextmanager
def engine_errors(doing: str, hints: Hints = HINTS) -> Iterator[None]:
    """Turn the SDK's errors into `EngineError`s that say what was being done.

    Args:
        doing: What the engine could not do.
        hints: What to do about what it says.

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
            message = f"no container engine answers: {_short(text)}"
            raise EngineMissing(message, hint=hint_for(text, hints=hints)) from error
        message = f"the engine could not {doing}: {_short(text)}"
        raise EngineError(message, hint=hint_for(text, hints=hints)) from error


def _short(text: str) -> str:
    plain = _NESTED.sub(r"\3: '\1:\2'", _ERRNO.sub("", text))
    return " ".join(_REFUSED.sub("", plain).replace('"))', "").split())[:400]
