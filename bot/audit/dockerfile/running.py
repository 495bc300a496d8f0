"""What the image of a Dockerfile does when it is started: its user, its health check, its program."""

from __future__ import annotations

from typing import Final

from bot.audit.dockerfile import bases
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile

_GIVE_UP: Final = frozenset({"gosu", "su-exec", "setpriv", "runuser", "chroot", "s6-setuidgid", "setuidgid"})


def last(dockerfile: Dockerfile, keyword: str) -> Step | None:
    """The instruction of that name which is in force in the image, inherited ones too."""
    return next(
        (step for step in reversed(list(dockerfile.steps(dockerfile.final))) if step.keyword == keyword), None
    )


def last_user(dockerfile: Dockerfile) -> Step | None:
    """The USER in force."""
    return last(dockerfile, "USER")


def gives_up_root(dockerfile: Dockerfile) -> bool:
    """True where the program that is started gives up root by itself: `gosu app …`."""
    started = (last(dockerfile, "ENTRYPOINT"), last(dockerfile, "CMD"))
    return any(command.name in _GIVE_UP for step in started if step for command in step.commands)


def is_an_image_to_run(dockerfile: Dockerfile) -> bool:
    """False for images that only hold files for others: neither they nor their base start anything."""
    if any(last(dockerfile, keyword) for keyword in ("CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "USER")):
        return True
    root = dockerfile.root(dockerfile.final)
    return not bases.is_scratch(root.use)


def is_a_service(dockerfile: Dockerfile) -> bool:
    """True for images that keep running: they or their base say what is started or listened on."""
    if any(last(dockerfile, keyword) for keyword in ("CMD", "ENTRYPOINT", "EXPOSE")):
        return True
    return bases.starts_itself(dockerfile.root(dockerfile.final).use)
