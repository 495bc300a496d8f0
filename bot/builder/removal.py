"""Removing what was made in the engine, and keeping its build cache within bounds."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

import docker
import docker.errors


def remove_all(client: docker.DockerClient, prefix: str) -> None:
    """Remove every container, network and image whose name starts with `prefix`."""
    _remove_containers(client, prefix)
    _remove_networks(client, prefix)
    _remove_images(client, prefix)


def _remove_containers(client: docker.DockerClient, prefix: str) -> None:
    for container in client.containers.list(all=True, filters={"name": prefix}, ignore_removed=True):
        if (container.name or "").startswith(prefix):
            with suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)


def _remove_networks(client: docker.DockerClient, prefix: str) -> None:
    for network in client.networks.list(filters={"name": prefix}):
        if (network.name or "").startswith(prefix):
            with suppress(docker.errors.NotFound):
                network.remove()


def _remove_images(client: docker.DockerClient, prefix: str) -> None:
    """Untag and remove; what somebody else removed meanwhile is gone, which is all that was wanted.

    The images are listed, and not looked into one by one as the SDK's collection does: others remove theirs.
    """
    tags = [tag for image in client.api.images() for tag in image["RepoTags"] or ()]
    for tag in [tag for tag in tags if tag.startswith(prefix)]:
        with suppress(docker.errors.NotFound):
            client.images.remove(tag, force=True)


def trim_cache(client: docker.DockerClient, keep: int | None) -> None:
    """Keep the build cache under its limit; where another trims it at this moment, that is done already."""
    if keep is None:
        return
    try:
        client.api.prune_builds(keep_storage=keep, all=True)
    except docker.errors.APIError as error:
        if error.status_code != HTTPStatus.CONFLICT and "already running" not in str(error):
            raise
