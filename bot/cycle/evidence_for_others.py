"""Evidence for others' pull requests: where Renovate, Dependabot or a person made the same change already.

Refit opens none then. It proves the change on the base branch, as it would for its own, and says the
result on the commit of the other pull request. Nothing of that pull request is built: its branch may hold
anything, and a fork's certainly may.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.cycle.change import changed_files, uses_of
from bot.cycle.grouping import Group
from bot.cycle.parts import Parts
from bot.cycle.publish import attested
from bot.cycle.tally import Run
from bot.model import marker
from bot.model.draft import Draft
from bot.model.pulls import Check, OpenPull, Proposal
from bot.model.run import Planned, Proved, Publication, PublicationKind, PublicationState
from bot.report import check as rendering
from bot.report import comments

_LOOKED_AT: Final = 50


@dataclass(frozen=True, slots=True)
class Match:
    """Updates of a group that somebody else's pull request makes.

    Attributes:
        group: The group they are of.
        members: Which.
        pull: The pull request.
        beyond: How many other files it changes, which nothing here measured.
    """

    group: Group
    members: tuple[Planned, ...]
    pull: OpenPull
    beyond: int


def others_pulls(group: Group, opened: Sequence[OpenPull], parts: Parts) -> tuple[Match, ...]:
    """Who makes which updates of a group already; each update is counted once, the oldest pull request first.

    One from a fork counts only where it changes nothing else: evidence must not lend it credit.
    """
    foreign = [pull for pull in opened if pull.ours is None][:_LOOKED_AT]
    left, found = list(group.members), []
    for pull in reversed(foreign):
        if not left:
            break
        proposal = _proposal(group, pull, parts)
        members = tuple(planned for planned in left if _makes(planned, proposal))
        if members and (pull.trusted or _nothing_else(group, members, proposal, parts)):
            left = [planned for planned in left if planned not in members]
            found.append(Match(group, members, pull, len(proposal.others)))
    return tuple(found)


def attach(match: Match, proved: Sequence[Proved], run: Run) -> None:
    """Say what was measured on the other pull request's commit; once, however often it is looked at."""
    parts, pull = run.parts, match.pull
    check = rendering.for_others(proved, pull, image=match.group.image, beyond=match.beyond)
    if run.dry:
        run.tally.drafts.append(Draft(match.group.project.name, check=check))
        run.tally.updates += proved
        return
    wanted = _publication(match, check)
    recorded = parts.store.publication(wanted.slot)
    if recorded != wanted:
        _say(match, check, recorded, parts)
        parts.store.save_publication(wanted)
        parts.store.audit("refit", "attach", f"{pull.url} {check.title}", parts.clock.now())
    run.tally.updates += [replace(one, publication=wanted) for one in proved]


def _proposal(group: Group, pull: OpenPull, parts: Parts) -> Proposal:
    paths = sorted({planned.use.file for planned in group.members})
    return parts.forge(group.project).proposal(group.project, pull, paths)


def _makes(planned: Planned, proposal: Proposal) -> bool:
    """Whether a pull request has, on the lines that would change, what they would become."""
    content = proposal.files.get(planned.use.file)
    if content is None:
        return False
    there = {(use.line, use.kind, str(use.reference)) for use in uses_of(content, planned)}
    return all((use.line, use.kind, str(to)) in there for use, to in planned.changes)


def _nothing_else(group: Group, members: Iterable[Planned], proposal: Proposal, parts: Parts) -> bool:
    members = tuple(members)
    checkout = parts.forge(group.project).checkout(group.project, members[0].commit)
    return not proposal.others and dict(proposal.files) == dict(changed_files(members, checkout))


def _publication(match: Match, check: Check) -> Publication:
    part = replace(match.group, members=match.members)
    return Publication(
        slot=part.slot,
        kind=PublicationKind.EVIDENCE,
        project=part.project.name,
        digest=part.proposal,
        url=match.pull.url,
        branch=match.pull.branch,
        state=PublicationState.OPEN,
        commit=match.pull.commit,
        body_digest=marker.body_digest(check.title, check.summary + check.details),
    )


def _say(match: Match, check: Check, recorded: Publication | None, parts: Parts) -> None:
    project = match.group.project
    forge = parts.forge(project)
    if not attested(project, check, parts):
        key = f"evidence {match.group.image}"
        forge.say(project, match.pull.url, key, rendering.as_comment(check))
    if recorded is not None and recorded.kind is PublicationKind.PULL_REQUEST and match.pull.trusted:
        ours = forge.find(project, recorded.slot, recorded.branch)
        if ours is not None and ours.state is PublicationState.OPEN:
            forge.close(project, ours, comments.yielded(match.pull.url))
