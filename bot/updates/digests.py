"""Steps of a decision about the digest behind a tag: pin it, keep it, wait, or move it."""

from __future__ import annotations

from bot.model.manifest import Index, Manifest, Platform
from bot.model.reference import Reference
from bot.model.update import Current, Update, UpdateKind, Waiting
from bot.updates.age import Age, age_of, old_enough_after
from bot.updates.case import Case, Judgement
from bot.updates.facts import Need
from bot.updates.names import precise_name


def pin(case: Case) -> Judgement | None:
    """Freeze a reference without digest to what its tag points at now; the minimum age has no say in it."""
    if case.reference.digest is not None:
        return None
    if missing := case.missing(Need.LATEST):
        return missing
    if waiting := _unsettled(case):
        return waiting
    if missing := _naming(case):
        return missing
    return Update(
        kind=UpdateKind.PIN,
        to=pinned_to(case, case.digest),
        reason=f"no digest yet: this freezes what {case.tag} gives you already, and changes nothing else",
        created=case.created,
        name=precise_name(case.facts.tag_digests, case.digest, case.tag),
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
    return case.missing(Need.LATEST) or _unsettled(case)


def same_platforms(case: Case) -> Judgement | None:
    """The index moved, and every wanted platform has the image it had: nothing would change."""
    latest = case.facts.latest
    if latest is None or not case.platforms:
        return None
    if not _names_a_platform(latest, case.reference.digest, case.platforms):
        if missing := case.missing(Need.PINNED):
            return missing
        pinned = case.facts.pinned
        if pinned is None or not _all_equal(pinned, latest, case.platforms):
            return None
    wanted = ", ".join(str(one) for one in case.platforms)
    return Current(note=f"the index was published again, with the same image for {wanted}")


def moved(case: Case) -> Judgement | None:
    """The tag points at another image: propose it, or the newest that is old enough, or wait."""
    if missing := case.missing(Need.PINNED, Need.CREATED) or case.missing(Need.PINNED_CREATED):
        return missing
    minimum = case.rule.minimum_age
    age = age_of(case.digest, case.facts.sightings, case.created, minimum, case.now)
    if age.enough or case.rule.waive_age_for_security:
        return _naming(case) or _newest(case, age)
    pinned = str(case.reference.digest)
    older = old_enough_after(pinned, case.pinned_created, case.facts.sightings, minimum, case.now)
    if older is None:
        return Waiting(age.why_not, to=pinned_to(case, case.digest))
    return _naming(case) or _older(case, older[0], age)


def pinned_to(case: Case, digest: str) -> Reference:
    """The reference with its tag and a digest; an implied `latest` is written out, or it could never move."""
    return case.reference.with_tag(case.tag).with_digest(digest)


def _newest(case: Case, age: Age) -> Update:
    back = moved_back(case)
    return Update(
        kind=UpdateKind.DIGEST,
        to=pinned_to(case, case.digest),
        reason=f"{case.tag} points at a newer image" if not back else back,
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
    """Say that the tag went back to an older image; empty where it did not."""
    old, new = case.pinned_created, case.created
    if old is None or new is None or new >= old:
        return ""
    return f"{case.tag} moved back to an older image: made {new:%Y-%m-%d}, the pinned one {old:%Y-%m-%d}"


def _notes(case: Case, *notes: str) -> tuple[str, ...]:
    gone = "the pinned image is gone from the registry" if case.facts.pinned_gone else ""
    return tuple(note for note in (*notes, gone) if note)


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
    return all(_digest_for(latest, one) == digest for one in platforms)


def _all_equal(old: Index | Manifest, new: Index | Manifest, platforms: tuple[Platform, ...]) -> bool:
    pairs = ((_digest_for(old, one), _digest_for(new, one)) for one in platforms)
    return all(before is not None and before == after for before, after in pairs)


def _digest_for(content: Index | Manifest, platform: Platform) -> str | None:
    if isinstance(content, Manifest):
        return str(content.digest)
    entry = content.for_platform(platform)
    return entry.digest if entry else None
