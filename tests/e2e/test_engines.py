"""`refit run` on the Docker of today: buildx, and images in containerd's store or in Docker's own."""

from __future__ import annotations

import os

import pytest

from deploy.lab import archive
from tests.e2e.world import DEBIAN, World
from tests.newer import NewerEngine

pytestmark = pytest.mark.lab

# Stages as most files have them: tools on a base of their own, and a last one without a name.
DOCKERFILE = """\
FROM {tools} AS tools
RUN <<END
head -c 2000000 /dev/zero > /tool
END
FROM {base}
COPY --link --from=tools /tool /tool
HEALTHCHECK CMD test -s /tool
CMD ["sleep", "600"]
"""


@pytest.fixture(params=["containerd_engine", pytest.param("newer_engine", marks=pytest.mark.long)])
def engine(request: pytest.FixtureRequest) -> NewerEngine:
    found: NewerEngine = request.getfixturevalue(request.param)
    return found


def test_an_update_is_built_scanned_started_and_proposed(world: World, engine: NewerEngine) -> None:
    base, newer = world.base(), engine.newer
    tools = f"{world.lab.registry}/library/debian@{world.lab.stale[DEBIAN]}"
    path = world.project({"Dockerfile": DOCKERFILE.format(tools=tools, base=base.pinned)})
    base.move()
    world.settings["builder"] = {"docker_host": engine.engine.host, "reachable": archive.addresses()}
    search = f"{newer.docker.parent}:{os.environ['PATH']}"

    ended = world.run(env=world.environment(PATH=search, DOCKER_CONFIG=str(newer.config)))

    assert ended.code == 0, ended.err
    (update,) = ended.document["updates"]
    assert (update["level"], update["verdict"]) == ("health", "pass")
    assert {one["cause"] for one in update["vulnerabilities"]["fixed"]} == {"base"}
    assert update["size"]["before"] > update["size"]["after"] - 1_000_000 > 60_000_000
    (branch,) = world.branches(path)
    assert world.git(path, "diff", "--numstat", "main", branch).split()[:2] == ["1", "1"]
