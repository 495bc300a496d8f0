"""Benches: one for each test, or one that the tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab import Lab
from tests.integration.scanner.bench import Bench, opened


@pytest.fixture
def bench(lab: Lab, tmp_path: Path) -> Iterator[Bench]:
    with opened(lab, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Layers that one test has scanned are known to the next."""
    with opened(lab, tmp_path_factory.mktemp("bench")) as made:
        yield made
