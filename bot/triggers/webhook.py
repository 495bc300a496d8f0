"""What GitHub calls us with: checked over its raw bytes, and read into work. Pure.

Signatures: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from bot.errors import ConfigError
from bot.model.checkbox import ticked
from bot.ports import Task

COMMENT: Final = "comment"
LIMIT: Final = 1024 * 1024
_SHORTEST: Final = 16
_PREFIX: Final = b"sha256="
_LONGEST: Final = 500
_SIGN: Final = "/refit"
_FORM: Final = b"payload="


def usable_secrets(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """The secrets as bytes.

    Raises:
        ConfigError: There is none, or one can be guessed: whoever knows it gives us orders.
    """
    if not secrets or any(len(one.strip()) < _SHORTEST for one in secrets):
        hint = "Make one with `openssl rand -hex 32`, and give the same to GitHub's webhook."
        raise ConfigError(f"a webhook needs a secret of at least {_SHORTEST} characters", hint=hint)
    return tuple(one.encode() for one in secrets)


def is_signed(secrets: Sequence[bytes], body: bytes, signature: bytes) -> bool:
    """Tell whether one of the secrets signed these bytes; two are valid while one replaces the other.

    Compared as bytes: a text that is not ASCII must not end in an error.
    """
    matches = [
        hmac.compare_digest(_PREFIX + hmac.new(secret, body, hashlib.sha256).hexdigest().encode(), signature)
        for secret in secrets
    ]
    return any(matches)


def tasks_of(event: str, body: bytes) -> tuple[Task, ...]:
    """The work in a delivery: a command in a new comment, or boxes ticked in an issue; nothing for the rest.

    Args:
        event: GitHub's name of it: `issue_comment`.
        body: JSON, or a form that holds it.

    Raises:
        ValueError: The body is not what GitHub sends.
    """
    data = json.loads(_payload(body))
    if not isinstance(data, dict):
        raise ValueError("a delivery is a JSON object")  # noqa: TRY004 - as for any other wrong body
    try:
        if (event, data.get("action")) == ("issue_comment", "created"):
            return _comment(data)
        if (event, data.get("action")) == ("issues", "edited"):
            return _boxes(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a delivery of {event} without {error}") from error
    return ()


def _payload(body: bytes) -> bytes | str:
    """The JSON of a delivery; a webhook that was left at GitHub's first choice sends it as a form."""
    if not body.startswith(_FORM):
        return body
    return parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)["payload"][0]


def command_in(text: str) -> str:
    """The command of a comment: its first line, where that begins with `/refit`; else empty."""
    first = next(iter(text.strip().splitlines()), "")
    word, _, rest = first.partition(" ")
    return f"{_SIGN} {rest.strip()}"[:_LONGEST] if word.lower() == _SIGN else ""


def comment_task(project: str, number: int, comment: int, author: str, command: str) -> Task:
    """A command in a comment, as work."""
    value = {"project": project, "number": str(number), "comment": str(comment), "author": author}
    return Task(COMMENT, {**value, "text": command})


def _comment(data: Mapping[str, Any]) -> tuple[Task, ...]:
    comment, number = data["comment"], int(data["issue"]["number"])
    command = command_in(str(comment["body"] or ""))
    if not command:
        return ()
    project, author = str(data["repository"]["full_name"]), str(comment["user"]["login"])
    return (comment_task(project, number, int(comment["id"]), author, command),)


def _boxes(data: Mapping[str, Any]) -> tuple[Task, ...]:
    """Boxes that a person ticked; each is one command of that person."""
    issue, before = data["issue"], data.get("changes", {}).get("body", {}).get("from")
    if before is None:
        return ()
    shared = {
        "project": str(data["repository"]["full_name"]),
        "number": str(int(issue["number"])),
        "author": str(data["sender"]["login"]),
        "issue_of": str(issue["user"]["login"]),
    }
    return tuple(Task(COMMENT, {**shared, "text": one}) for one in ticked(before, str(issue["body"] or "")))
