"""Steps of a decision about tags: another tag of the same scheme, and tags that no longer move."""

from __future__ import annotations

from datetime import datetime

from bot.model.update import Abandoned, Failed, Update, UpdateKind, Waiting
from bot.updates.age import Age, age_of
from bot.updates.case import Case, Judgement, believable
from bot.updates.facts import Need
from bot.updates.siblings import beyond_note, choice_of, newer_siblings


def chosen_tag(case: Case) -> str | None:
    """The tag that the rule chooses instead of the one in use, else the best one beyond it, or None."""
    choice = choice_of(case)
    return choice.tag or choice.higher


def another_tag(case: Case) -> Judgement | None:
    """Propose the highest tag that the rule allows; None where it allows none or there is none."""
    if case.rule.allow.rank < UpdateKind.PATCH.rank:
        return None
    if missing := case.missing(Need.TAGS):
        return missing
    if case.facts.tags is None:
        return Failed(
            f"{case.reference}: its tags could not be listed, so no tag can be chosen",
            "Allow digest updates only for this image, or run again later.",
        )
    choice = choice_of(case)
    if choice.tag is None or choice.kind is None:
        return None
    return _proposed(case, choice.tag, choice.kind)


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
    if missing := case.missing(Need.CANDIDATE_HEAD):
        return missing
    if _old(case, believable(case.facts.candidate_created)):
        return None
    reason = f"{case.tag} has not moved since {case.created:%Y-%m-%d}, while {siblings[0]} does"
    return Abandoned(reason, candidates=siblings)


def _old(case: Case, created: datetime | None) -> bool:
    """True past the age of abandonment; an unknown date is none."""
    return created is not None and case.now - created > case.rule.abandoned_after


def _proposed(case: Case, tag: str, kind: UpdateKind) -> Judgement:
    if missing := case.missing(Need.CANDIDATE_HEAD):
        return missing
    digest = case.facts.tag_digests.get(tag)
    if digest is None or case.facts.candidate is None:
        return Failed(f"{tag} is listed, but its image cannot be read", "The next run tries again.")
    to = case.reference.with_tag(tag).with_digest(digest)
    if lacking := case.lacking(case.facts.candidate):
        return Waiting(f"{tag} still lacks {', '.join(str(one) for one in lacking)}", to=to)
    created = believable(case.facts.candidate_created)
    age = age_of(digest, case.facts.candidate_sightings, created, case.rule.minimum_age, case.now)
    if not age.enough and not case.rule.waive_age_for_security:
        return Waiting(f"{tag}: {age.why_not}", to=to)
    return Update(
        kind=kind,
        to=to,
        reason=f"{tag} is the newest {kind.value} update of {case.tag} that the rule allows",
        created=created,
        first_seen=age.first_seen,
        age_verified=age.verified and age.enough,
        waived=not age.enough,
        notes=_notes(case, age),
        auto_merge=age.enough,
    )


def _notes(case: Case, age: Age) -> tuple[str, ...]:
    waived = "" if age.enough else f"waived for security: {age.why_not}"
    return tuple(note for note in (beyond_note(case), waived) if note)
