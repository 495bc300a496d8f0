"""Reading what registries say in their headers. No I/O; nothing here raises on odd input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_TOKEN = r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+"  # noqa: S105 - a token of HTTP's grammar, not a secret
_SCHEME: Final = re.compile(rf"\s*({_TOKEN})(?=\s|,|$)\s*")
_PARAMETER: Final = re.compile(rf"[\s,]*({_TOKEN})\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*))\s*")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|µs|μs|us|ms|s|m|h)(?![A-Za-z])")
_SECONDS: Final = {
    "ns": 1e-9,
    "µs": 1e-6,
    "μs": 1e-6,
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_IN_BODY: Final = re.compile(r"retry[-_ ]after[\"']?\s*[:=]?\s*[\"']?([0-9][^,;\"'}\n]{0,30})", re.IGNORECASE)
_LINK: Final = re.compile(r"<([^>]*)>((?:\s*;\s*[^,;]+)*)")
_MAX_HEADER: Final = 16_384


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of `WWW-Authenticate`: a lower-case scheme and its parameters (RFC 9110, 11.6.1)."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)


def challenges(headers: list[str]) -> tuple[Challenge, ...]:
    """Read every challenge of every `WWW-Authenticate` header; several may stand in one header."""
    return tuple(challenge for header in headers for challenge in _challenges(header[:_MAX_HEADER]))


def _challenges(header: str) -> Iterator[Challenge]:
    position = 0
    while (found := _SCHEME.match(header, position)) is not None:
        parameters, position = _parameters(header, found.end())
        yield Challenge(found[1].lower(), parameters)
        position = _skip_commas(header, position)


def _parameters(header: str, position: int) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    while (pair := _PARAMETER.match(header, position)) is not None:
        value = re.sub(r"\\(.)", r"\1", pair[2]) if pair[2] is not None else pair[3]
        found.setdefault(pair[1].lower(), value)
        position = pair.end()
    return found, position


def _skip_commas(header: str, position: int) -> int:
    while position < len(header) and header[position] in ", \t":
        position += 1
    return position


def next_link(header: str) -> str | None:
    """The target of the `next` link (RFC 8288), or None."""
    for found in _LINK.finditer(header[:_MAX_HEADER]):
        if re.search(r"\brel\s*=\s*\"?(?:[^\"]*\s)?next\b", found[2], re.IGNORECASE):
            return found[1]
    return None


def retry_after(header: str | None, body: bytes, now: datetime) -> float | None:
    """How many seconds a registry asks us to wait, or None where it says nothing.

    Understands RFC 9110's seconds and dates, fractions, Go durations (`1m30s`, `331µs`), and
    `retry-after: …` inside the body, where GHCR puts it.
    """
    if header is not None and (seconds := _wait(header.strip(), now)) is not None:
        return seconds
    found = _IN_BODY.search(body[:4096].decode(errors="replace"))
    return _wait(found[1].strip(), now) if found else None


def _wait(text: str, now: datetime) -> float | None:
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text):
        return float(text)
    if parts := _DURATION.findall(text[:64]):
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return _until(text, now)


def _until(text: str, now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(text[:64])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())
