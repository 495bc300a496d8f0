"""The newer Docker runs beside the machine's own, and says how to get it where it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.process import run
from deploy.lab import Lab, LabError
from tests import newer
from tests.newer import Newer, NewerEngine

pytestmark = pytest.mark.lab


def test_its_command_has_buildx_and_compose(newer_docker: Newer) -> None:
    def says(*words: str) -> str:
        return run([newer_docker.docker, *words], timeout=60, env=newer_docker.environment()).text

    assert "version 26." in says("--version")
    assert "buildx" in says("buildx", "version")
    assert "version 2." in says("compose", "version")


def test_its_engine_runs_beside_the_labs_own(
    lab: Lab, newer_docker: Newer, newer_engine: NewerEngine
) -> None:
    asked = [str(newer_docker.docker), "version", "--format", "{{.Server.Version}}"]
    versions = [
        run(asked, timeout=60, env=newer_docker.environment(DOCKER_HOST=host)).text
        for host in (lab.docker_host, newer_engine.engine.host)
    ]
    assert [version.partition(".")[0] for version in versions] == ["20", "26"]


def test_where_it_cannot_be_had_a_line_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="Docker of Debian nosuch could not be fetched") as raised:
        newer.ensure(tmp_path, release="nosuch")
    assert "mirror of Debian has nosuch" in str(raised.value)
    assert "python -m tests.newer" in str(raised.value)
    assert not (tmp_path / "ready").exists()
