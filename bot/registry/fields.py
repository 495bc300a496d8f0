"""Fields of JSON that strangers wrote: of the type that is expected, or as if they were not there. No I/O."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from bot.errors import RegistryAnswerInvalid

_MAX_ENTRIES: Final = 10_000
_LAST_YEAR: Final = 9000


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


def header(text: str | None) -> str:
    """A header that may be sent back, as an ETag is; empty for one that no request could carry."""
    return text if text and text.isascii() and text.isprintable() else ""


def pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """The texts of an object, by key."""
    if not isinstance(value, dict):
        return ()
    return tuple((key, text) for key, text in value.items() if isinstance(text, str))


def moment(text: Any) -> datetime | None:
    """A time of RFC 3339, in UTC; None where it is absent, unreadable, Go's zero time, or of no use.

    Of no use is one so late that nothing can be added to it.
    """
    try:
        found = datetime.fromisoformat(text)
        utc = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return utc if 1 < utc.year < _LAST_YEAR else None
