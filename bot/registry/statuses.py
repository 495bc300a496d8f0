"""The ways in which a host says no, told from each other. No I/O."""

from __future__ import annotations

from bot.errors import ImageNotFound, RegistryAnswerInvalid, RegistryLoginFailed, RegistryUnreachable
from bot.registry.endpoints import Endpoint
from bot.registry.wire import Answer


def check(answer: Answer, endpoint: Endpoint, what: str) -> None:
    """Let a good answer pass; `what` is what was asked for, as the host knows it.

    Raises:
        ImageNotFound: It is not there.
        RegistryLoginFailed: It is not for us.
        RegistryUnreachable: The host has a fault of its own.
        RegistryAnswerInvalid: Any other status is no answer.
    """
    name = endpoint.name
    if answer.status == 200:
        return
    if answer.status in (404, 410):
        raise ImageNotFound(f"{name} has no {what}")
    if answer.status == 403:
        raise RegistryLoginFailed(f"{name} denies access to {what} (HTTP 403)")
    if answer.status >= 500:
        raise RegistryUnreachable(
            f"{name} answered with a fault of its own for {what} (HTTP {answer.status})"
        )
    raise RegistryAnswerInvalid(f"{name} answered HTTP {answer.status} for {what}, which is no answer to it")
