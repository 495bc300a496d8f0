"""Images that are started beside what was built: pulled where they are missing, and given back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Final

import docker
import docker.errors

from bot.model.reference import Reference

# Names what we pulled, in the engine itself: so it is known to whoever comes after a process that was killed.
_PULLED: Final = "refit-pulled"


def have(client: docker.DockerClient, image: str) -> str:
    """Pull an image where the engine has none of that name; gives the name it got, or nothing.

    The SDK's errors are let through.
    """
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        reference = Reference.parse(image)
        tag = reference.digest or reference.effective_tag or ""
        client.images.pull(str(reference.with_digest(None)), tag=tag)
        return f"{reference.name}{'@' if reference.digest else ':'}{tag}"
    return ""


def borrow(client: docker.DockerClient, image: str) -> None:
    """As `have`, for as long as it is used: `give_back` removes what was not there before."""
    if name := have(client, image):
        client.images.get(image).tag(_PULLED, _mark(name))


def give_back(client: docker.DockerClient) -> None:
    """Remove what was borrowed; what a container still uses goes the next time."""
    for image in client.api.images():
        names = [*(image["RepoTags"] or ()), *(image["RepoDigests"] or ())]
        marks = {name.partition(":")[2] for name in names if name.startswith(f"{_PULLED}:")}
        for name in _removed(names, marks):
            try:
                with suppress(docker.errors.NotFound):
                    client.images.remove(name)
            except docker.errors.APIError as error:
                if error.status_code != HTTPStatus.CONFLICT:
                    raise


def _removed(names: list[str], marks: set[str]) -> Iterator[str]:
    """Of an image's names those that a mark stands for, then the marks."""
    yield from (name for name in names if _mark(name) in marks)
    yield from (f"{_PULLED}:{mark}" for mark in marks)


def _mark(name: str) -> str:
    try:
        canonical = Reference.parse(name).canonical
    except ValueError:  # `<none>:<none>`
        return ""
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
