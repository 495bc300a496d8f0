"""What a dry run would have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model.pulls import Check
from bot.model.run import Issue, PullRequest


@dataclass(frozen=True, slots=True)
class Draft:
    """One thing that would have been written to a forge; exactly one of the three is there.

    Attributes:
        project: Where.
        pull_request: A pull request that would be opened or brought up to date.
        before: Its files as they are.
        issue: An issue, likewise.
        check: What would be said on the commit of somebody else's pull request.
    """

    project: str
    pull_request: PullRequest | None = None
    before: Mapping[str, bytes] = field(default_factory=dict)
    issue: Issue | None = None
    check: Check | None = None
