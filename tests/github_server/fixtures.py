"""pytest fixtures: import them into a conftest (`from tests.github_server.fixtures import github`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.github_server import contract
from tests.github_server.server import GitHubServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    """A running, empty server; at its end every exchange must agree with GitHub's description."""
    with GitHubServer(tmp_path / "github", contract.fetched()) as server:
        yield server
    server.assert_contract()
