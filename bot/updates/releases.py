"""Which distribution release an image stands on, as far as its tag says so."""

from __future__ import annotations

from datetime import date

from bot.model.reference import Reference
from bot.updates.distributions import Release, end_of_life
from bot.updates.tags import Tag


def base_of(reference: Reference) -> Release | None:
    """The release a tag names, as `1.27-alpine3.20` or `ubuntu:24.04` do; None where it names none known."""
    tag = reference.effective_tag
    if tag is None:
        return None
    releases = Tag.parse(tag, repository=reference.repository).releases
    return releases[-1] if releases else None


def end_of_life_note(reference: Reference, today: date) -> str | None:
    """What a reader should know about the support of the base: `Debian 12: LTS until 2028-06-30`.

    None where no release is known, or where its full support lasts for a good while.
    """
    release = base_of(reference)
    return None if release is None else end_of_life(release, today)
