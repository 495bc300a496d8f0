"""START HERE. From the facts about a use to its outcome, and to the facts that are still missing.

A decision is a list of steps; the first one with an answer wins. A step that misses facts says so, and
`needs` hands that on: the two can never disagree, since they take the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from bot.errors import ImageNotFound, RefitError
from bot.model.manifest import Platform
from bot.model.update import Abandoned, Current, Failed, Outcome, Skipped, Update, UpdateKind, Waiting
from bot.model.use import Use
from bot.updates.case import Case, Judgement, Missing, Step
from bot.updates.digests import (
    digest_before,
    moved,
    pin,
    pin_only,
    same_digest,
    same_platforms,
    unsettled_index,
)
from bot.updates.facts import Facts, Need
from bot.updates.releases import end_of_life_note
from bot.updates.rules import Rule
from bot.updates.versions import abandoned, another_tag

_STEPS: Final[tuple[Step, ...]] = (
    abandoned,
    pin,
    same_digest,
    pin_only,
    unsettled_index,
    same_platforms,
    moved,
)


def needs(
    use: Use, facts: Facts, rule: Rule, now: datetime, platforms: Sequence[Platform]
) -> frozenset[Need]:
    """The facts that a decision still misses; empty when `decide` can be asked.

    A need in `facts.checked` is never asked for again, so fetching until nothing is missing always ends.
    An image that did not move costs one HEAD, and its date, which never changes and so is kept for ever.
    """
    judgement = _judge(use, facts, rule, now, platforms)
    return judgement.needs if isinstance(judgement, Missing) else frozenset()


def decide(use: Use, facts: Facts, rule: Rule, now: datetime, platforms: Sequence[Platform]) -> Outcome:
    """The outcome of a use, by what is known; facts that are missing count as not to be had."""
    judgement = _judge(use, replace(facts, checked=frozenset(Need)), rule, now, platforms)
    if isinstance(judgement, Missing):
        missed = ", ".join(sorted(judgement.needs))
        return Failed(f"{use.text}: {missed} is not known", "This is a bug in Refit; please report it.")
    return _with_base(judgement, use, now.date())


def candidate(use: Use, facts: Facts, rule: Rule, now: datetime, platforms: Sequence[Platform]) -> str | None:
    """The tag that `Need.CANDIDATE` asks about; None for none.

    The best tag that the rule allows comes first, and the next one where that may not be taken yet. Where the
    rule allows none, it is the best one beyond, which tells whether the branches beside the tag still move.
    """
    judgement = _judge(use, facts, rule, now, platforms)
    return judgement.tag or None if isinstance(judgement, Missing) else None


def older_digest(use: Use, facts: Facts, rule: Rule, now: datetime) -> str | None:
    """The digest that `Need.OLDER` asks about: the newest one seen behind the tag that is old enough."""
    if use.reference is None or facts.head is None:
        return None
    return digest_before(Case(use, use.reference, facts.head, facts, rule, now, ()))


def _judge(use: Use, facts: Facts, rule: Rule, now: datetime, platforms: Sequence[Platform]) -> Judgement:
    if skipped := _skipped(use, rule):
        return skipped
    if failed := _unknown_level(use):
        return failed
    if not facts.has(Need.HEAD):
        return Missing(frozenset({Need.HEAD}))
    if use.reference is None or facts.head is None:
        return _failed(use, facts.error)
    wanted = _wanted(use, platforms)
    return _snoozed(_walk(Case(use, use.reference, facts.head, facts, rule, now, wanted)), rule, now)


def _walk(case: Case) -> Judgement:
    """Try another tag, then the digest. A tag that has to wait does not hold back the digest."""
    other = another_tag(case)
    if other is not None and not isinstance(other, Waiting):
        return other
    judgement = next(found for step in _STEPS if (found := step(case)) is not None)
    if other is not None and isinstance(judgement, Current | Abandoned):
        return other
    return judgement


def _skipped(use: Use, rule: Rule) -> Skipped | None:
    if use.skipped is not None or use.reference is None:
        return Skipped(use.skipped or f"not an image reference: {use.text}")
    if use.reference.effective_tag is None:
        return Skipped("names a digest and no tag: nothing can move")
    for key, value in use.ignore:
        if key == "ignore":
            return Skipped(f"ignored by a comment: {value or 'no reason given'}")
    if rule.ignore_reason and rule.ignore_until is None:
        return Skipped(f"ignored: {rule.ignore_reason}")
    return None


def _unknown_level(use: Use) -> Failed | None:
    levels = list(UpdateKind)
    wrong = [value for key, value in use.ignore if key == "allow" and value not in levels]
    if not wrong:
        return None
    hint = f"Write `# refit: allow=LEVEL` with one of {', '.join(levels)}."
    return Failed(f"{use.file}:{use.line}: the comment allows {wrong[0]!r}, which is no level", hint)


def _with_base(outcome: Outcome, use: Use, today: date) -> Outcome:
    """Say how long the distribution underneath is cared for, where a reader should know."""
    if use.reference is None:
        return outcome
    if isinstance(outcome, Update):
        note = end_of_life_note(outcome.to, today)
        return replace(outcome, notes=(*outcome.notes, note)) if note else outcome
    note = end_of_life_note(use.reference, today)
    if note and isinstance(outcome, Current):
        return replace(outcome, note="; ".join(filter(None, (outcome.note, note))))
    if note and isinstance(outcome, Abandoned | Waiting):
        return replace(outcome, reason=f"{outcome.reason}; {note}")
    return outcome


def _failed(use: Use, error: RefitError | None) -> Failed:
    if error is None:
        return Failed(f"{use.text}: its registry was not asked")
    if isinstance(error, ImageNotFound):
        return Failed(f"gone: {error.message}", error.hint)
    return Failed(error.message, error.hint, unanswered=True)


def _wanted(use: Use, platforms: Sequence[Platform]) -> tuple[Platform, ...]:
    """What the image must run on: the use's own `--platform`, else what the target builds."""
    try:
        return (Platform.parse(use.platform),) if use.platform else tuple(platforms)
    except ValueError:
        return tuple(platforms)


def _snoozed(judgement: Judgement, rule: Rule, now: datetime) -> Judgement:
    """Hold back, until the snooze ends, what would ask for somebody's attention."""
    if not rule.ignore_reason or rule.ignore_until is None or now.date() > rule.ignore_until:
        return judgement
    if not isinstance(judgement, Update | Abandoned):
        return judgement
    to = judgement.to if isinstance(judgement, Update) else None
    return Waiting(f"snoozed until {rule.ignore_until:%Y-%m-%d}: {rule.ignore_reason}", to=to)
