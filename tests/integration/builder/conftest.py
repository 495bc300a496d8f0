"""A builder of the test's own, on one of two engines."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.builder import BuilderSettings, DockerBuilder
from deploy.lab import Lab, archive
from tests.integration.builder.bench import BASE, NEWER, Bench
from tests.newer import NewerEngine


@pytest.fixture
def bench(request: pytest.FixtureRequest, lab: Lab, tmp_path: Path) -> Iterator[Bench]:
    """On the lab's engine, or the one that the test names; what it makes is removed at the end."""
    settings, prefix = BuilderSettings(lab.docker_host), f"refit-{uuid.uuid4().hex[:8]}"
    if getattr(request, "param", "") == NEWER:
        newer: NewerEngine = request.getfixturevalue("newer_engine")
        settings = newer.settings
    settings = replace(settings, reachable=archive.addresses())
    try:
        yield Bench(settings, f"debian@{lab.stale[BASE]}", tmp_path, prefix)
    finally:
        DockerBuilder(settings).remove(prefix)
