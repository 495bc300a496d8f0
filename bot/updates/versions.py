"""Steps of a decision about tags: another tag of the same scheme, and tags that no longer move."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.errors import ImageNotFound
from bot.model.manifest import believable
from bot.model.update import Abandoned, Failed, Update, UpdateKind, Waiting
from bot.updates.age import Age, age_of
from bot.updates.case import Case, Judgement, Missing
from bot.updates.facts import Need, TagImage
from bot.updates.siblings import beyond_note, choice_of, newer_siblings
from bot.updates.tags import Candidate


def another_tag(case: Case) -> Judgement | None:
    """Propose the highest tag that the rule allows and that is old enough and complete.

    None where the rule allows none, or there is none.
    """
    if case.rule.allow.rank < UpdateKind.PATCH.rank:
        return None
    if missing := case.missing(Need.TAGS):
        return missing
    if case.facts.tags is None:
        return Failed(
            f"{case.reference}: its tags could not be listed, so no tag can be chosen",
            "Allow digest updates only for this image, or run again later.",
        )
    waiting: Waiting | None = None
    for one in choice_of(case).ranked:
        judgement = _proposed(case, one)
        if isinstance(judgement, Waiting):
            waiting = waiting or judgement
        elif judgement is not None:
            return _after(waiting, judgement)
    return waiting


def _after(waiting: Waiting | None, judgement: Judgement) -> Judgement:
    """A tag below the best one: it is taken with a word about that one, and its failure changes nothing."""
    if waiting is None or isinstance(judgement, Missing):
        return judgement
    if isinstance(judgement, Update):
        reason = f"{judgement.to.tag} is the best that can be taken now: {waiting.reason}"
        return replace(judgement, reason=reason)
    return waiting


def abandoned(case: Case) -> Judgement | None:
    """The image behind the tag is old, the tag points at it still, and the tags beside it move."""
    if case.reference.digest not in (None, case.digest):
        return None
    if missing := case.missing(Need.CREATED):
        return missing
    if not _old(case, case.created):
        return None
    return case.missing(Need.TAGS) or _left_behind(case)


def _left_behind(case: Case) -> Judgement | None:
    siblings = newer_siblings(case)
    if not siblings or case.created is None:
        return None
    choice = choice_of(case)
    moving = choice.tag or choice.higher or siblings[0]
    if missing := case.missing_image(moving):
        return missing
    image = case.facts.candidates.get(moving)
    if isinstance(image, TagImage) and _old(case, believable(image.created)):
        return None
    reason = f"{case.tag} has not moved since {case.created:%Y-%m-%d}, while {siblings[0]} does"
    return Abandoned(reason, candidates=siblings)


def _old(case: Case, created: datetime | None) -> bool:
    """True past the age of abandonment; an unknown date is none."""
    return created is not None and case.now - created > case.rule.abandoned_after


def _proposed(case: Case, one: Candidate) -> Judgement | None:
    """What becomes of one tag that the rule allows; None where it is gone, or has the image in use."""
    in_use = Need.PINNED if case.reference.digest else Need.LATEST
    if missing := case.missing_image(one.tag) or case.missing(in_use):
        return missing
    image = case.facts.candidates.get(one.tag)
    if isinstance(image, ImageNotFound):
        return None
    if not isinstance(image, TagImage):
        why = f": {image.message}" if image else ""
        return Failed(f"{one.tag} is listed, but its image cannot be read{why}", "The next run tries again.")
    if case.in_use(image.content):
        return None
    if lacking := case.lacking(image.content):
        to = case.reference.with_tag(one.tag).with_digest(image.digest)
        return Waiting(f"{one.tag} still lacks {', '.join(str(one) for one in lacking)}", to=to)
    return _aged(case, one, image)


def _aged(case: Case, one: Candidate, image: TagImage) -> Judgement | None:
    """The newest image of a tag that is old enough, or what it waits for."""
    created, minimum = believable(image.created), case.rule.minimum_age
    age = age_of(image.digest, image.sightings, created, minimum, case.now)
    if age.enough or case.rule.waive_age_for_security:
        return _update(case, one, image.digest, age, created)
    if image.older is not None and not case.lacking(image.older[1]) and not case.in_use(image.older[1]):
        old = age_of(image.older[0], image.sightings, None, minimum, case.now)
        return replace(
            _update(case, one, image.older[0], old, None),
            notes=_notes(case, f"a newer image of {one.tag} waits for its {age.why_not}"),
        )
    to = case.reference.with_tag(one.tag).with_digest(image.digest)
    return Waiting(f"{one.tag}: {age.why_not}", to=to)


def _update(case: Case, one: Candidate, digest: str, age: Age, created: datetime | None) -> Update:
    return Update(
        kind=one.kind,
        to=case.reference.with_tag(one.tag).with_digest(digest),
        reason=f"{one.tag} is the newest {one.kind.value} update of {case.tag} that the rule allows",
        created=created,
        first_seen=age.first_seen,
        age_verified=age.verified and age.enough,
        waived=not age.enough,
        notes=_notes(case, "" if age.enough else f"waived for security: {age.why_not}"),
        auto_merge=age.enough,
    )


def _notes(case: Case, *notes: str) -> tuple[str, ...]:
    return tuple(note for note in (beyond_note(case), *notes) if note)
