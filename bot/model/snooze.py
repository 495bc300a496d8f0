"""Snoozes: silence that a person asked for, with its reason and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Snooze:
    """Updates of an image that wait because somebody said so.

    Attributes:
        project: Where; empty for every project.
        image: As a rule names it: `debian:bookworm-slim`, or `debian` for all its tags.
        who: Who asked, with the chat before the name: `slack:U012AB3CD`, `github:octocat`.
        reason: Why, in that person's words.
        at: When it was asked for.
        until: When it ends.
    """

    project: str
    image: str
    who: str
    reason: str
    at: datetime
    until: datetime
