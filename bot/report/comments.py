"""What Refit says below pull requests and issues: short, and each with the way out."""

from __future__ import annotations

from typing import Final

_CLOSED: Final = (
    "Closed, so Refit is silent about this until the image moves again. To get it back, reopen it"
)
_TAKEN: Final = (
    "Somebody pushed to this branch, so Refit leaves it alone from now on: merge it or close it as you like."
)


def closed(*, hears: bool) -> str:
    """A person closed one of ours; `hears` where commands in comments are listened to."""
    return f"{_CLOSED} or comment `/refit recreate`." if hears else f"{_CLOSED}."


def taken(*, hears: bool) -> str:
    """Somebody pushed to one of ours."""
    return f"{_TAKEN} `/refit recreate` makes it anew, without what was pushed." if hears else _TAKEN


def superseded(url: str) -> str:
    """Another pull request of ours took its place."""
    return f"Superseded by {url}, which carries this change."


def yielded(url: str) -> str:
    """Somebody else's pull request makes the same change."""
    return f"{url} makes the same change; the evidence is there now, and this one is not needed."


def held(image: str) -> str:
    """The base branch came to hold what was proposed."""
    return f"The base branch holds {image} by now, so this is done."


def unused(image: str) -> str:
    """Nothing names the image any more."""
    return f"No file that Refit looks after names {image} any more, so there is nothing left to update."


def solved() -> str:
    """An issue of ours has nothing left to say."""
    return "Solved: there is nothing left to report on this target."
