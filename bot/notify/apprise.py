"""Apprise as a program: what it needs is given on standard input, its exit code is the answer."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot import process
from bot.errors import ConfigError, ProcessFailed

_CHILD: Final = Path(__file__).with_name("child.py")
_SECONDS: Final = 120.0
# What Apprise's own HTTP client reads; a destination inside the house may need another way than others.
_PROXIES: Final = ("HTTP_PROXY", "http_proxy", "https_proxy", "no_proxy")


def send(url: str, head: str, text: str) -> bool:
    """Send through Apprise; a destination that is down, or that takes too long, is False, never an error.

    Args:
        url: An Apprise URL; it holds a secret, and stands on no command line.
        head: The title.
        text: Plain text.
    """
    try:
        return _run({"url": url, "title": head, "body": text or head}) == []
    except ProcessFailed:
        return False


def usable_urls(urls: Sequence[str]) -> tuple[str, ...]:
    """The URLs, each one that Apprise knows what to do with.

    Raises:
        ConfigError: One is none; the message does not hold it, for it is a secret.
    """
    wrong = _run({"urls": list(urls)}) if urls else []
    if wrong:
        raise ConfigError(
            f"notifications.to: number {wrong[0]} is no URL that Apprise knows",
            hint="For example slack://TokenA/TokenB/TokenC/#channel, or mailto://user:password@example.com.",
        )
    return tuple(urls)


def _run(asked: dict[str, object]) -> list[int]:
    """Ask the child; gives the numbers of what did not do.

    Raises:
        ProcessFailed: It failed as a whole.
    """
    env = process.environment(**{name: os.environ[name] for name in _PROXIES if name in os.environ})
    # Isolated: only what is installed beside Refit is found, nothing of the folder it stands in.
    command = (sys.executable, "-I", _CHILD)
    done = process.run(command, timeout=_SECONDS, env=env, stdin=json.dumps(asked).encode())
    wrong: list[int] = json.loads(done.text.splitlines()[-1])
    return wrong
