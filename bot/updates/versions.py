"""Steps of a decision about tags: another tag of the same scheme, and tags that no longer move."""

from __future__ import annotations

from bot.model.update import Abandoned, Failed, Update, UpdateKind, Waiting
from bot.updates.age import Age, age_of
from bot.updates.case import Case, Judgement, believable
from bot.updates.facts import Need
from bot.updates.tags import Choice, choose


def chosen_tag(case: Case) -> str | None:
    """The tag that the rule chooses instead of the one in use, or None."""
    return _choice(case).tag


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
    choice = _choice(case)
    if choice.tag is None or choice.kind is None:
        return None
    return _proposed(case, choice, choice.tag, choice.kind)


def abandoned(case: Case) -> Judgement | None:
    """The image behind the tag is old, the tag points at it still, and newer tags of its kind exist."""
    if case.reference.digest not in (None, case.digest):
        return None
    if missing := case.missing(Need.CREATED):
        return missing
    if case.created is None or case.now - case.created <= case.rule.abandoned_after:
        return None
    if missing := case.missing(Need.TAGS):
        return missing
    siblings = newer_siblings(case)
    if not siblings:
        return None
    reason = f"{case.tag} has not moved since {case.created:%Y-%m-%d}, while {siblings[0]} exists"
    return Abandoned(reason, candidates=siblings)


def newer_siblings(case: Case) -> tuple[str, ...]:
    """The highest tag of each level above the one in use, the furthest first."""
    kinds = (UpdateKind.MAJOR, UpdateKind.MINOR, UpdateKind.PATCH)
    found = (_choice(case, kind).tag for kind in kinds)
    return tuple(dict.fromkeys(tag for tag in found if tag is not None))


def _choice(case: Case, allow: UpdateKind | None = None) -> Choice:
    tags = case.facts.tags or ()
    return choose(case.tag, tags, allow or case.rule.allow, repository=case.reference.repository)


def _proposed(case: Case, choice: Choice, tag: str, kind: UpdateKind) -> Judgement:
    digest = case.facts.tag_digests.get(tag)
    if digest is None:
        return case.missing(Need.CANDIDATE_HEAD) or Failed(f"{tag} is listed, but its digest cannot be read")
    to = case.reference.with_tag(tag).with_digest(digest if case.reference.digest else None)
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
        notes=_notes(choice, age),
        auto_merge=age.enough,
    )


def _notes(choice: Choice, age: Age) -> tuple[str, ...]:
    higher = (
        f"{choice.higher.tag} exists, a {choice.higher.kind} update, which the rule does not allow"
        if choice.higher
        else ""
    )
    waived = "" if age.enough else f"waived for security: {age.why_not}"
    return tuple(note for note in (higher, waived) if note)
