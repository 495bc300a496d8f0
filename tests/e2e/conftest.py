"""A world for each end-to-end test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab import Lab
from tests.e2e import images
from tests.e2e.world import World
from tests.github_server.fixtures import github

__all__ = ["github", "world"]


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> World:
    return World(lab, tmp_path)


@pytest.fixture(scope="session")
def own_image(lab: Lab) -> Iterator[str]:
    """Refit's own image, built once for all that deploy it."""
    with images.own_image(lab) as name:
        yield name
