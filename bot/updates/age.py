"""Minimum age: a new image is proposed only when it has been known for long enough.

A malicious push is usually noticed within days; the gate lets others notice first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Sightings = Sequence[tuple[str, datetime]]


@dataclass(frozen=True, slots=True)
class Age:
    """Whether an image is old enough.

    Attributes:
        enough: True where it may be proposed.
        verified: True where our own first-seen clock says so; False where only the image's word does.
        first_seen: When we saw it first, or None.
        why_not: What it waits for, in words; empty where it is old enough.
    """

    enough: bool
    verified: bool = True
    first_seen: datetime | None = None
    why_not: str = ""


def age_of(
    digest: str, sightings: Sightings, created: datetime | None, minimum: timedelta, now: datetime
) -> Age:
    """Judge the age of a digest.

    Our first-seen clock decides. It knows nothing of the time before the first observation of a tag:
    for the digest that was there already, and for one never seen, the image's own date speaks, unverified.
    """
    first_seen = dict(reversed(sightings)).get(digest)
    if not minimum:
        return Age(enough=True, first_seen=first_seen)
    if first_seen is not None and now - first_seen >= minimum:
        return Age(enough=True, first_seen=first_seen)
    was_there_already = all(seen == digest for seen, _ in sightings[:1])
    if was_there_already and created is not None and now - created >= minimum:
        return Age(enough=True, verified=False, first_seen=first_seen)
    return Age(enough=False, first_seen=first_seen, why_not=_why_not(first_seen, created, minimum, now))


def _why_not(first_seen: datetime | None, created: datetime | None, minimum: timedelta, now: datetime) -> str:
    if first_seen is None and created is not None and created <= now:
        since, what = created, f"the image was made {created:%Y-%m-%d}"
    else:
        since = first_seen or now
        what = f"first seen {since:%Y-%m-%d}"
    return f"minimum age: {what}, {duration(minimum)} are over on {since + minimum:%Y-%m-%d}"


def old_enough_after(
    pinned: str, pinned_created: datetime | None, sightings: Sightings, minimum: timedelta, now: datetime
) -> tuple[str, datetime] | None:
    """The newest digest that is old enough and came after the pinned one; None where there is none.

    A tag that moves faster than the minimum age would otherwise never be updated at all.
    """
    after = _after(pinned, pinned_created, sightings)
    ready = [(seen, first) for seen, first in after if now - first >= minimum]
    return ready[-1] if ready else None


def _after(pinned: str, pinned_created: datetime | None, sightings: Sightings) -> Sightings:
    """What certainly came after the pinned digest; nothing where that cannot be told."""
    order = [seen for seen, _ in sightings]
    if pinned in order:
        return sightings[order.index(pinned) + 1 :]
    if pinned_created is None or not sightings:
        return ()
    # Images reach their registry hours after they are made: a day between leaves no doubt.
    return sightings if pinned_created + timedelta(days=1) <= sightings[0][1] else ()


def duration(time: timedelta) -> str:
    """A time as people say it: `3 days`, `36 hours`."""
    seconds = int(time.total_seconds())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}" + ("s" if count != 1 else "")
    return f"{seconds} seconds"
