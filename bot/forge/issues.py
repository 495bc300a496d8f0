"""One issue of ours on GitHub, brought to what is wanted."""

from __future__ import annotations

from itertools import islice
from typing import Final

from github.Issue import Issue as GitHubIssue
from github.NamedUser import NamedUser

from bot.forge.place import Place, is_by
from bot.forge.pulls import whole_body
from bot.model.marker import body_digest, parse, withdrawn
from bot.model.run import Issue, Publication, PublicationKind, PublicationState

_LOOKED_AT: Final = 1000


def newest(place: Place, slot: str) -> GitHubIssue | None:
    """The newest issue with our marker for a slot and us as author, among our latest thousand."""
    us = NamedUser(place.repo.requester, {}, {"login": place.login}, completed=True)
    listed = place.repo.get_issues(state="all", creator=us, sort="created", direction="desc")
    for issue in islice(listed, _LOOKED_AT):
        found = parse(issue.body)
        ours = issue.pull_request is None and is_by(issue.user, place.login)
        if found and found[0] == slot and ours:
            return issue
    return None


def publication(place: Place, issue: GitHubIssue) -> Publication:
    """An issue of ours as the rest of Refit knows it."""
    slot, digest = parse(issue.body) or ("", "")
    return Publication(
        slot=slot,
        kind=PublicationKind.ISSUE,
        project=place.project,
        digest=digest,
        url=issue.html_url,
        branch="",
        state=PublicationState.OPEN if issue.state == "open" else PublicationState.CLOSED,
        body_digest=body_digest(issue.title, issue.body or ""),
    )


def reconcile(place: Place, wanted: Issue, existing: Publication | None) -> Publication:
    """Do what is missing for an issue to be open; one closed meanwhile stays closed for its digest."""
    body = whole_body(wanted)
    issue = newest(place, wanted.slot)
    if issue is not None and issue.state != "open":
        found = publication(place, issue)
        if existing is None and found.digest == wanted.digest:
            return found
        issue = None
    if issue is None:
        place.spend()
        issue = place.repo.create_issue(title=wanted.title, body=body, labels=list(wanted.labels))
    elif body_digest(issue.title, issue.body or "") != body_digest(wanted.title, body):
        issue.edit(title=wanted.title, body=body)
    _label(issue, wanted)
    return publication(place, issue)


def close(place: Place, issue: GitHubIssue, comment: str) -> Publication:
    """Close an issue: the comment once, then the state."""
    if issue.state == "open":
        said = [item.body for item in issue.get_comments() if is_by(item.user, place.login)]
        if comment and comment not in said:
            issue.create_comment(comment)
        issue.edit(state="closed", state_reason="completed", body=withdrawn(issue.body))
    return publication(place, issue)


def _label(issue: GitHubIssue, wanted: Issue) -> None:
    present = {label.name.lower() for label in issue.labels}
    missing = [name for name in wanted.labels if name.lower() not in present]
    if missing:
        issue.add_to_labels(*missing)
