"""What is there already for a group of updates: our own pull request, somebody else's, or a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cycle.grouping import Group
from bot.cycle.publish import Standing, branch_of, standing
from bot.cycle.tally import Run
from bot.model.pulls import OpenPull
from bot.model.run import Publication, PublicationKind, PublicationState
from bot.report import comments

LIMIT_REASON = "this project gets {} new pull requests a cycle; more urgent ones went first"


@dataclass(frozen=True, slots=True)
class Seen:
    """A group, and what the forge has in its slot."""

    group: Group
    existing: Publication | None

    @property
    def new(self) -> bool:
        """True where a pull request would have to be opened."""
        return standing(self.group, self.existing) is Standing.NEW


def look(group: Group, opened: Sequence[OpenPull], run: Run) -> Seen:
    """Find our pull request of a group, in as few requests as can be.

    An open one is in the list. One that is not there and of which nothing is recorded costs no request
    here: before anything is opened, the forge looks once more.
    """
    ours = next((one.ours for one in opened if one.ours and one.ours.slot == group.slot), None)
    recorded = run.parts.store.publication(group.slot)
    known = recorded is not None and recorded.kind is PublicationKind.PULL_REQUEST
    if ours is None and known:
        branch = branch_of(group, recorded)
        ours = run.parts.forge(group.project).find(group.project, group.slot, branch)
    return Seen(group, ours)


def held_back(seen: Seen, run: Run) -> str:
    """Why nothing is done for a group now, in words; empty where it goes on."""
    existing = seen.existing
    if existing is None or standing(seen.group, existing) is not Standing.CLOSED:
        return ""
    if existing.state is PublicationState.MERGED:
        return "it was merged, and the base branch no longer holds it; silent until the next digest"
    tell(seen.group, existing, "closed", comments.closed(hears=run.parts.policy.hears), run)
    if not run.dry:
        run.parts.store.save_publication(existing)
    return "its pull request was closed; silent until the next digest"


def tell(group: Group, publication: Publication, key: str, text: str, run: Run) -> None:
    """Say something on a pull request of ours once, however often it is noticed."""
    store, noted = run.parts.store, f"{key} {publication.url}"
    if store.remembered("told", noted) is not None:
        return
    if run.dry:
        run.tally.notes.append(f"would say on {publication.url}: {text}")
        return
    run.parts.forge(group.project).say(group.project, publication.url, key, text)
    store.remember("told", noted, run.parts.clock.now())
