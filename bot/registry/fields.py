"""Fields of JSON that strangers wrote: of the type that is expected, or as if they were not there. No I/O."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from bot.errors import RegistryAnswerInvalid

_MAX_ENTRIES: Final = 10_000


def read_object(body: bytes, where: str) -> dict[str, Any]:
    """Read a JSON object; `where` names it in the sentences of errors.

    Raises:
        RegistryAnswerInvalid: It is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RegistryAnswerInvalid(f"{where}: the answer is no JSON") from error
    if not isinstance(document, dict):
        raise RegistryAnswerInvalid(f"{where}: the answer is JSON, but no object")
    return document


def read_list(document: dict[str, Any], key: str, where: str) -> list[Any]:
    """Read a list that has to be there.

    Raises:
        RegistryAnswerInvalid: It is not, or has more than 10,000 entries.
    """
    value = document.get(key)
    if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
        raise RegistryAnswerInvalid(f"{where}: {key!r} is no list of at most {_MAX_ENTRIES} entries")
    return value


def inner(document: dict[str, Any], key: str) -> dict[str, Any]:
    """An object inside another; empty where there is none."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """The texts of an object, by key."""
    if not isinstance(value, dict):
        return ()
    return tuple((key, text) for key, text in value.items() if isinstance(text, str))


def moment(text: Any) -> datetime | None:
    """A time of RFC 3339; None where it is absent, unreadable, or Go's zero time."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware if aware.year > 1 else None
