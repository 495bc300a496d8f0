"""Publish: one pull request for each group of updates, looked up before it is made.

A pull request that a person closed stays closed for that digest; one that a person pushed to
is left alone. What is written is recorded only after the forge confirmed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto

from bot.cycle.auto_merge import allowed
from bot.cycle.change import changed_files
from bot.cycle.grouping import Group
from bot.cycle.parts import Parts, Policy
from bot.cycle.people import asked
from bot.errors import ForgeRefused
from bot.model import marker
from bot.model.evidence import VerdictState
from bot.model.pulls import Check
from bot.model.run import Proved, Publication, PublicationKind, PublicationState, PullRequest
from bot.model.target import Project
from bot.ports import Checkout
from bot.report import check, pull_request


class Standing(Enum):
    """What a person or an earlier run has already decided about a group."""

    NEW = auto()
    OPEN = auto()
    CLOSED = auto()


def standing(group: Group, existing: Publication | None) -> Standing:
    """Decide what an existing pull request means. Pure.

    Whether somebody pushed to it is the forge's to say (`BranchTaken`): it sees whose commit it is, while
    our record may be one kill behind our own push.

    Args:
        group: What would be proposed.
        existing: What the forge has in this slot.
    """
    if existing is None:
        return Standing.NEW
    if existing.state is not PublicationState.OPEN:
        return Standing.CLOSED if existing.digest == group.proposal else Standing.NEW
    return Standing.OPEN


def publish(
    group: Group,
    proved: Sequence[Proved],
    checkout: Checkout,
    parts: Parts,
    existing: Publication | None,
) -> Publication:
    """Open the pull request of a group, or bring it up to date; nothing is written where nothing differs.

    Raises:
        BranchTaken: Somebody pushed to its branch.
        ForgeError: The forge did not take it.
        EditError: The change would touch more than its uses.
    """
    if existing is not None and existing.state is not PublicationState.OPEN:
        existing = None
    wanted = compose(group, proved, checkout, parts, existing)
    recorded = parts.store.publication(group.slot)
    if existing is not None and _same(existing, recorded, wanted):
        return existing
    publication = parts.forge(group.project).publish(group.project, wanted, existing)
    if publication.state is PublicationState.OPEN:
        _attest(group, proved, publication, wanted, parts)
    parts.store.save_publication(publication)
    parts.store.audit("refit", "publish", f"{publication.url} {wanted.title}", parts.clock.now())
    return publication


def _attest(
    group: Group, proved: Sequence[Proved], publication: Publication, wanted: PullRequest, parts: Parts
) -> None:
    """Say it on the commit; what did not fit into the body goes where there is room."""
    said = check.for_ours(proved, publication)
    carried = attested(group.project, said, parts)
    if not carried and pull_request.is_cut(wanted.body):
        parts.forge(group.project).say(group.project, publication.url, "details", said.details)


def attested(project: Project, said: Check, parts: Parts) -> bool:
    """Say it on the commit; True where all of it could be said. A refusal costs this and no more."""
    try:
        return parts.forge(project).attest(project, said)
    except ForgeRefused as error:  # a token that may write pull requests need not be given statuses
        parts.progress.detail(f"{said.url}: {error.message} {error.hint}")
        return False


def branch_of(group: Group, known: Publication | None) -> str:
    """The branch of a group's pull request: what it was opened with, however targets are called since."""
    ours = known is not None and known.kind is PublicationKind.PULL_REQUEST
    return known.branch if known and ours else group.branch


def compose(
    group: Group, proved: Sequence[Proved], checkout: Checkout, parts: Parts, existing: Publication | None
) -> PullRequest:
    """Everything a pull request says, changes and asks for; the same evidence gives the same text."""
    policy = parts.policy
    change = _change(group, proved, checkout, policy)
    blocked = any(one.verdict.state is VerdictState.BLOCK for one in proved)
    is_open = existing is not None and existing.state is PublicationState.OPEN
    return replace(
        change,
        branch=branch_of(group, existing if is_open else None),
        labels=policy.labels,
        draft=blocked,
        reviewers=asked(policy.reviewers, change.files, checkout),
        assignees=tuple(one for one in asked(policy.assignees, change.files, checkout) if "/" not in one),
        auto_merge=not blocked and allowed(proved, policy.rules),
    )


def _change(group: Group, proved: Sequence[Proved], checkout: Checkout, policy: Policy) -> PullRequest:
    """What it says and changes, before anybody is asked to look at it."""
    context = marker.context_of(_trees(group, checkout))
    hidden = marker.marker(group.slot, group.proposal, context)
    files = changed_files(group.members, checkout)
    return PullRequest(
        slot=group.slot,
        digest=group.proposal,
        branch=group.branch,
        base=checkout.branch,
        base_commit=checkout.commit,
        title=pull_request.title(proved),
        body=pull_request.body(proved, marker=hidden, hears=policy.hears),
        message=pull_request.commit_message(
            proved, subject=policy.commit_subject, signed_off_by=policy.signed_off_by
        ),
        files=files,
        context=context,
        base_tree=checkout.tree("."),
        modes={path: checkout.mode(path) for path in files},
    )


def _trees(group: Group, checkout: Checkout) -> set[str]:
    """Git ids of everything the group was proved on: its files and the build contexts."""
    paths = {planned.use.file for planned in group.members}
    contexts = {planned.target.context for planned in group.members if planned.target is not None}
    return {checkout.tree(path) for path in paths | contexts}


def _same(existing: Publication, recorded: Publication | None, wanted: PullRequest) -> bool:
    text = marker.body_digest(wanted.title, wanted.body)
    return existing.digest == wanted.digest and recorded is not None and recorded.body_digest == text
