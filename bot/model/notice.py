"""What people are told unasked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoticeKind(StrEnum):
    """What it is about."""

    SUMMARY = "summary"
    BLOCKED = "blocked"
    CRITICAL = "critical"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that nobody asked for.

    Attributes:
        kind: What it is about.
        key: What it is about in particular; with the kind, one thing that can change.
        state: How that stands; told again only when it differs from what was told.
        title: One line of plain text; may hold words from outside.
        lines: More of it.
    """

    kind: NoticeKind
    key: str
    state: str
    title: str
    lines: tuple[str, ...] = ()
