"""Suited: an update waits where its edit would change another use in a way that nobody decided. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.cycle.discover import Found
from bot.dockerfile.together import sharing_bytes, unsuited
from bot.model.reference import Reference
from bot.model.target import Target
from bot.model.update import Outcome, Update, Waiting
from bot.model.use import Use


def suited(decided: Sequence[tuple[Found, Outcome]]) -> list[Outcome]:
    """The outcome of each use, where those that share an `ARG` with others are taken into account."""
    files: dict[tuple[str, Target | None, str], list[int]] = {}
    for place, (found, _) in enumerate(decided):
        files.setdefault((found.project.name, found.target, found.use.file), []).append(place)
    outcomes = [outcome for _, outcome in decided]
    for places in files.values():
        settled = _in_file([(decided[place][0].use, outcomes[place]) for place in places])
        for place, outcome in zip(places, settled, strict=True):
            outcomes[place] = outcome
    return outcomes


def _in_file(members: Sequence[tuple[Use, Outcome]]) -> Sequence[Outcome]:
    """Hold back until nothing changes any more: what is held back may be what another update counts on."""
    sharers = {use.id: one for one in sharing_bytes(use for use, _ in members) for use in one}
    outcomes = [outcome for _, outcome in members]
    while sharers:
        pairs = [(use, outcome) for (use, _), outcome in zip(members, outcomes, strict=True)]
        changes = {use.id: outcome.to for use, outcome in pairs if isinstance(outcome, Update)}
        settled = [_held_back(use, outcome, sharers, changes) for use, outcome in pairs]
        if settled == outcomes:
            break
        outcomes = settled
    return outcomes


def _held_back(
    use: Use, outcome: Outcome, sharers: Mapping[str, Sequence[Use]], changes: Mapping[str, Reference]
) -> Outcome:
    if not isinstance(outcome, Update) or use.id not in sharers:
        return outcome
    why = unsuited(sharers[use.id], changes, use)
    return Waiting(why, outcome.to) if why else outcome
