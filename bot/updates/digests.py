"""Steps of a decision about the digest behind a tag: pin it, keep it, wait, or move it."""

from __future__ import annotations

from bot.model.manifest import Index, Manifest, Platform
from bot.model.reference import Reference
from bot.model.update import Current, Update, UpdateKind, Waiting
from bot.updates.age import Age, age_of, old_enough_after
from bot.updates.case import Case, Judgement
from bot.updates.facts import Need
from bot.updates.names import precise_name
from bot.updates.platforms import image_for, same_images
from bot.updates.siblings import beyond_note


def pin(case: Case) -> Judgement | None:
    """Freeze a reference without digest to what its tag points at now; the minimum age has no say in it."""
    if case.reference.digest is not None:
        return None
    if found := case.missing(Need.LATEST) or _unsettled(case) or _naming(case):
        return found
    return Update(
        kind=UpdateKind.PIN,
        to=pinned_to(case, case.digest),
        reason=f"no digest yet: this freezes what {case.tag} gives you already, and changes nothing else",
        created=case.created,
        name=precise_name(case.facts.tag_digests, case.digest, case.tag),
        notes=_notes(case),
    )


def same_digest(case: Case) -> Judgement | None:
    """The tag still points at the pinned digest."""
    return Current() if case.reference.digest == case.digest else None


def pin_only(case: Case) -> Judgement | None:
    """The tag moved, and the rule lets nothing move."""
    if case.rule.allow.rank >= UpdateKind.DIGEST.rank:
        return None
    return Current(note=f"{case.tag} points at a newer digest; the rule allows pin only")


def unsettled_index(case: Case) -> Judgement | None:
    """The new index is not complete for the wanted platforms: they are published one by one."""
    if missing := case.missing(Need.LATEST):
        return missing
    return _unsettled(case)


def same_platforms(case: Case) -> Judgement | None:
    """The index moved, and every wanted platform has the image it had: nothing would change."""
    latest = case.facts.latest
    if latest is None or not case.platforms:
        return None
    if not _names_a_platform(latest, case.reference.digest, case.platforms):
        if missing := case.missing(Need.PINNED):
            return missing
        pinned = case.facts.pinned
        if pinned is None or not same_images(pinned, latest, case.platforms):
            return None
    wanted = ", ".join(str(one) for one in case.platforms)
    return Current(note=f"the index was published again, with the same image for {wanted}")


def moved(case: Case) -> Judgement | None:
    """The tag points at another image: propose it, or the newest that is old enough, or wait."""
    if missing := case.missing(Need.PINNED, Need.CREATED) or case.missing(Need.PINNED_CREATED):
        return missing
    age = age_of(case.digest, case.facts.sightings, case.created, case.rule.minimum_age, case.now)
    if age.enough or case.rule.waive_age_for_security:
        return _naming(case) or _newest(case, age)
    older = digest_before(case)
    if older is not None:
        if missing := case.missing(Need.OLDER):
            return missing
        if _fit(case, case.facts.older):
            return _naming(case) or _older(case, older, age)
    return Waiting(age.why_not, to=pinned_to(case, case.digest))


def digest_before(case: Case) -> str | None:
    """The newest digest that is old enough and came after the pinned one, where the newest of all is not."""
    sightings, minimum = case.facts.sightings, case.rule.minimum_age
    found = old_enough_after(str(case.reference.digest), case.pinned_created, sightings, minimum, case.now)
    return found[0] if found else None


def _fit(case: Case, older: Index | Manifest | None) -> bool:
    """True where an earlier image is still to be had, for every wanted platform, and not the same again."""
    return older is not None and not case.lacking(older) and not case.in_use(older)


def pinned_to(case: Case, digest: str) -> Reference:
    """The reference with its tag and a digest; an implied `latest` is written out, or it could never move."""
    return case.reference.with_tag(case.tag).with_digest(digest)


def _newest(case: Case, age: Age) -> Update:
    back = moved_back(case)
    return Update(
        kind=UpdateKind.DIGEST,
        to=pinned_to(case, case.digest),
        reason=back or f"the tag {case.tag} points at a newer image",
        created=case.created,
        first_seen=age.first_seen,
        age_verified=age.verified and age.enough,
        waived=not age.enough,
        name=precise_name(case.facts.tag_digests, case.digest, case.tag),
        old_name=_old_name(case),
        notes=_notes(case, back, "" if age.enough else f"waived for security: {age.why_not}"),
        auto_merge=not back and age.enough,
    )


def _older(case: Case, digest: str, age: Age) -> Update:
    """The update to an earlier digest of a tag that moves faster than the minimum age."""
    first_seen = dict(case.facts.sightings)[digest]
    return Update(
        kind=UpdateKind.DIGEST,
        to=pinned_to(case, digest),
        reason=f"the newest image of {case.tag} that is old enough, first seen {first_seen:%Y-%m-%d}",
        first_seen=first_seen,
        name=precise_name(case.facts.tag_digests, digest, case.tag),
        old_name=_old_name(case),
        notes=_notes(case, f"a newer one waits for its {age.why_not}"),
    )


def moved_back(case: Case) -> str:
    """Say that the tag went back to an older image; empty where it did not.

    The dates that the images give count, and the order in which we saw them.
    """
    old, new = case.pinned_created, case.created
    if old is not None and new is not None and new < old:
        return f"{case.tag} moved back to an older image: made {new:%Y-%m-%d}, the pinned one {old:%Y-%m-%d}"
    order = [digest for digest, _ in case.facts.sightings]
    pinned = str(case.reference.digest)
    same_date = old is None or new is None or new == old
    if same_date and {case.digest, pinned} <= set(order) and order.index(case.digest) < order.index(pinned):
        return f"{case.tag} moved back to an image that we saw before the pinned one"
    return ""


def _notes(case: Case, *notes: str) -> tuple[str, ...]:
    gone = "the pinned image is gone from the registry" if case.facts.pinned_gone else ""
    return tuple(note for note in (*notes, gone, beyond_note(case)) if note)


def _old_name(case: Case) -> str | None:
    return precise_name(case.facts.tag_digests, str(case.reference.digest), case.tag)


def _naming(case: Case) -> Judgement | None:
    """The needs of a name people can read; they are no reason to decide otherwise."""
    return case.missing(Need.TAGS) or case.missing(Need.NAMES)


def _unsettled(case: Case) -> Waiting | None:
    lacking = case.lacking(case.facts.latest)
    if not lacking:
        return None
    reason = f"the index still lacks {', '.join(str(one) for one in lacking)}"
    return Waiting(reason, to=pinned_to(case, case.digest))


def _names_a_platform(latest: Index | Manifest, digest: str | None, platforms: tuple[Platform, ...]) -> bool:
    """True where the use is pinned to the very manifest that the new index has for all wanted platforms."""
    return all(image_for(latest, one) == digest for one in platforms)
