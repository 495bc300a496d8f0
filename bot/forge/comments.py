"""Comments of ours on GitHub: each is found by its hidden key, and kept up to date in place."""

from __future__ import annotations

from itertools import islice
from typing import Final

from github.Issue import Issue
from github.IssueComment import IssueComment

from bot.forge.place import Place, is_by
from bot.model.marker import body_digest, said

LIMIT: Final = 65_536
_LOOKED_AT: Final = 500


def say(place: Place, number: int, key: str, text: str) -> None:
    """Have one comment with this key; nothing is written where it says so already."""
    issue = _issue(place, number)
    body = f"{said(key)}\n{text}"[:LIMIT]
    found = _ours(place, issue, key)
    if found is None:
        place.spend()
        issue.create_comment(body)
    elif body_digest("", found.body) != body_digest("", body):
        found.edit(body)


def _issue(place: Place, number: int) -> Issue:
    """A handle on it, without asking what it is."""
    url = f"{place.repo.url}/issues/{number}"
    return Issue(place.repo.requester, {}, {"url": url, "number": number}, completed=True)


def _ours(place: Place, issue: Issue, key: str) -> IssueComment | None:
    head = said(key)
    for comment in islice(issue.get_comments(), _LOOKED_AT):
        if is_by(comment.user, place.login) and (comment.body or "").startswith(head):
            return comment
    return None
