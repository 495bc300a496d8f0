"""Images that are started beside what was built."""

from __future__ import annotations

import docker
import docker.errors

from bot.model.reference import Reference


def have(client: docker.DockerClient, image: str) -> None:
    """Pull an image where the engine has none of that name; the SDK's errors are let through."""
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        reference = Reference.parse(image)
        client.images.pull(str(reference.with_digest(None)), tag=reference.digest or reference.effective_tag)
