"""One pull request of ours on GitHub, brought to what is wanted; each step looks before it writes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Final

from github import GithubException
from github.PullRequest import PullRequest as Pull

from bot.errors import BranchTaken, ForgeRefused
from bot.forge import data
from bot.forge.api import message_of
from bot.forge.place import Place, is_by
from bot.model.marker import body_digest, context, marked, parse, withdrawn
from bot.model.run import Issue, Publication, PublicationKind, PublicationState, PullRequest

BODY_LIMIT: Final = 65_536
BLOCKED_LABEL: Final = "refit: blocked"
_BLOCKED_TITLE: Final = "[blocked] "
_LOOKED_AT: Final = 50
log: Final = logging.getLogger(__name__)


def whole_body(wanted: Issue | PullRequest) -> str:
    """The text as it is written, its marker put in.

    Raises:
        ForgeRefused: It is longer than GitHub takes.
    """
    body = marked(wanted.body, wanted.slot, wanted.digest)
    if len(body) > BODY_LIMIT:
        raise ForgeRefused(f"the body has {len(body)} characters; GitHub takes {BODY_LIMIT}")
    return body


def newest(place: Place, slot: str, branch: str) -> Pull | None:
    """The newest pull request from a branch that has our marker for a slot and us as author."""
    head = f"{place.repo.full_name.partition('/')[0]}:{branch}"
    listed = place.repo.get_pulls(state="all", head=head, sort="created", direction="desc")
    for pull in islice(listed, _LOOKED_AT):
        found = parse(pull.body)
        if found and found[0] == slot and is_by(pull.user, place.login):
            return pull
    return None


def publication(place: Place, pull: Pull) -> Publication:
    """A pull request of ours as the rest of Refit knows it."""
    slot, digest = parse(pull.body) or ("", "")
    return Publication(
        slot=slot,
        kind=PublicationKind.PULL_REQUEST,
        project=place.project,
        digest=digest,
        url=pull.html_url,
        branch=pull.head.ref,
        state=_state(pull),
        commit=pull.head.sha,
        body_digest=body_digest(pull.title.removeprefix(_BLOCKED_TITLE), pull.body or ""),
    )


def reconcile(place: Place, wanted: PullRequest, existing: Publication | None) -> Publication:
    """Do what is missing for a pull request to be open as wanted.

    One that was closed or merged since the caller looked (`existing` is None) stays as it is for its digest.

    Raises:
        BranchTaken: Somebody else committed to the branch.
        ForgeRefused: The body is too long.
    """
    body = whole_body(wanted)
    pull = newest(place, wanted.slot, wanted.branch)
    if pull is not None and pull.state != "open":
        found = publication(place, pull)
        if existing is None and found.digest == wanted.digest:
            return found
        pull = None
    head = _branch(place, wanted, pull)
    pull = _edited(pull, wanted, body) if pull else _opened(place, wanted, body)
    _label(pull, wanted)
    _draft(pull, wanted)
    _merge_by_itself(pull, wanted)
    # What GitHub says of a pull request right after a push can be a moment old; the branch is what we pushed.
    return replace(publication(place, pull), commit=head)


def close(place: Place, pull: Pull, comment: str) -> Publication:
    """Close a pull request: the comment once, then the state, then the branch where it is still ours.

    Of one that is merged only the branch is left to go.
    """
    if pull.state == "open":
        _say(place, pull, comment)
        pull.edit(state="closed", body=withdrawn(pull.body))
    elif pull.merged_at is None and withdrawn(pull.body) != (pull.body or ""):
        pull.edit(body=withdrawn(pull.body))  # a person closed it: it no longer keeps us silent
    if not _taken(place, pull):
        data.delete_branch(place.repo, pull.head.ref, pull.head.sha)
    return publication(place, pull)


# -- inside -----------------------------------------------------------------------------------


def _state(pull: Pull) -> PublicationState:
    if pull.merged_at is not None:
        return PublicationState.MERGED
    return PublicationState.OPEN if pull.state == "open" else PublicationState.CLOSED


def _branch(place: Place, wanted: PullRequest, pull: Pull | None) -> str:
    if pull is not None:
        _check_alone(place, pull)
    stays = pull is None or context(pull.body) == wanted.context
    change = data.change(wanted, on_any_base=stays, fresh=pull is None)
    return data.ensure_branch(place.repo, change, place.login)


def _check_alone(place: Place, pull: Pull) -> None:
    """One commit, ours: a second one is a person's, even where that person owns our token."""
    count = place.repo.get_pull(pull.number).commits
    if count > 1:
        raise BranchTaken(f"{pull.html_url} has {count} commits; Refit made one")


def _taken(place: Place, pull: Pull) -> bool:
    try:
        _check_alone(place, pull)
        data.check_ours(place.repo, pull.head.sha, place.login, branch=pull.head.ref)
    except BranchTaken:
        return True
    return False


def _opened(place: Place, wanted: PullRequest, body: str) -> Pull:
    """Open it; where the project has no drafts, a blocked one says so in its title and a label."""
    create = partial(place.repo.create_pull, wanted.base, wanted.branch, body=body)
    place.spend()
    try:
        pull = create(title=wanted.title, draft=wanted.draft)
    except GithubException as error:
        refused = error.status == 422 and "draft" in message_of(error).lower()
        if not (wanted.draft and refused):
            raise
        pull = create(title=_BLOCKED_TITLE + wanted.title)
    _invite(pull, wanted)
    return pull


def _invite(pull: Pull, wanted: PullRequest) -> None:
    """Ask its reviewers and assign it, when it is opened only: whom people take off stays off."""
    people = [name for name in wanted.reviewers if "/" not in name]
    teams = [name.partition("/")[2] for name in wanted.reviewers if "/" in name]
    if people or teams:
        _kindly(pull, "ask for a review", lambda: pull.create_review_request(people, teams))
    if wanted.assignees:
        _kindly(pull, "assign it", lambda: pull.add_to_assignees(*wanted.assignees))


def _kindly(pull: Pull, doing: str, work: Callable[[], object]) -> None:
    """A refusal costs the courtesy, not the pull request."""
    try:
        work()
    except GithubException as error:
        if error.status >= 500:
            raise
        log.warning("%s: cannot %s: %s", pull.html_url, doing, message_of(error))


def _merge_by_itself(pull: Pull, wanted: PullRequest) -> None:
    """Switch auto-merge on or off; GitHub merges then, once every required check has passed.

    Where nothing is required GitHub refuses ("clean status"), and so it stays with people.
    """
    now = pull.raw_data.get("auto_merge") is not None
    if wanted.auto_merge and not now and not pull.draft:
        _kindly(pull, "switch auto-merge on", lambda: pull.enable_automerge(merge_method="SQUASH"))
    elif now and not wanted.auto_merge:
        _kindly(pull, "switch auto-merge off", pull.disable_automerge)


def _edited(pull: Pull, wanted: PullRequest, body: str) -> Pull:
    """Bring title, body and base up to date by at most one request."""
    prefixed = wanted.draft and pull.title.startswith(_BLOCKED_TITLE)
    title = (_BLOCKED_TITLE if prefixed else "") + wanted.title
    same = body_digest(pull.title, pull.body or "") == body_digest(title, body)
    if not same or pull.base.ref != wanted.base:
        pull.edit(title=title, body=body, base=wanted.base)
    return pull


def _label(pull: Pull, wanted: PullRequest) -> None:
    """Add labels that are missing (GitHub makes new ones); what people put there stays."""
    blocked = wanted.draft and pull.title.startswith(_BLOCKED_TITLE)
    present = {label.name.lower(): label.name for label in pull.labels}
    names = [*wanted.labels, *([BLOCKED_LABEL] if blocked else [])]
    missing = [name for name in dict.fromkeys(names) if name.lower() not in present]
    if missing:
        pull.add_to_labels(*missing)
    if not blocked and BLOCKED_LABEL in present:
        pull.remove_from_labels(BLOCKED_LABEL)


def _draft(pull: Pull, wanted: PullRequest) -> None:
    """Follow a verdict that changed; REST cannot, so this goes through GraphQL."""
    if pull.draft and not wanted.draft:
        pull.mark_ready_for_review()
    elif wanted.draft and not pull.draft and not pull.title.startswith(_BLOCKED_TITLE):
        try:
            pull.convert_to_draft()
        except GithubException:  # no drafts in this project: say it in title and label instead
            pull.edit(title=_BLOCKED_TITLE + wanted.title)
            _label(pull, wanted)


def _say(place: Place, pull: Pull, comment: str) -> None:
    said = [item.body for item in pull.get_issue_comments() if is_by(item.user, place.login)]
    if comment and comment not in said:
        pull.create_issue_comment(comment)
