"""Many machines on one PostgreSQL: whatever happens to them, each proof counts once, each request is one."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from tests.e2e.machines import ONLY_MONTHLY, SOON_STALLED, TOKEN, Fleet, Machine, fleet, until
from tests.e2e.world import World
from tests.github_server.server import GitHubServer
from tests.postgresql import Cluster, cluster

pytestmark = pytest.mark.lab


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A database server that this test may restart."""
    with cluster() as running:
        yield running


@pytest.mark.long
@pytest.mark.timeout(900)
def test_machines_killed_frozen_and_cut_off_from_the_database_do_everything_once(
    world: World, github: GitHubServer, server: Cluster
) -> None:
    with fleet(world, github, server.database()) as machines:
        machines.projects("acme/shop", "acme/blog", updates=3)
        driver = machines.start(
            "serve", "serve", builder={"enabled": False}, schedule=ONLY_MONTHLY, workers=SOON_STALLED
        )
        provers = [
            machines.start(f"prove-{n}", "worker", "--role", "prove", workers=SOON_STALLED) for n in range(3)
        ]
        killed, frozen, healthy = provers
        for one in provers:
            one.wait_for("is begun")
        killed.send(signal.SIGKILL)
        frozen.send(signal.SIGSTOP)
        server.stop()
        server.start()
        healthy.wait_for("given to others")
        frozen.send(signal.SIGCONT)
        driver.wait_for(": done: 6 updates")

        everything_once(machines, updates=6)


def test_two_bots_side_by_side_fire_a_schedule_once(
    world: World, github: GitHubServer, postgresql: Cluster
) -> None:
    with fleet(world, github, postgresql.database()) as machines:
        machines.github.create_token(login="refit", value=TOKEN)
        machines.github.create_repository(
            "acme/shop", {"Dockerfile": "FROM scratch\n"}, roles={"refit": "write"}
        )
        world.projects.append({"name": "acme/shop"})
        bots = [machines.start(f"serve-{n}", "serve", schedule=ONLY_MONTHLY) for n in range(2)]
        for bot in bots:
            bot.wait_for("Started server process")
        until(
            lambda: machines.query("select 1 from cycles where state = 'done'") != [],
            what=lambda: "\n".join(bot.text() for bot in bots),
        )
        for bot in bots:
            bot.send(signal.SIGTERM)
            assert bot.process.wait(400) == 0

        assert machines.query("select name, state from cycles") == [(period(bots), "done")]
        assert sum(bot.text().count(": done: 0 updates") for bot in bots) == 1


def period(bots: Sequence[Machine]) -> str:
    """The month that both stood in."""
    names = {str(found) for bot in bots for found in re.findall(r"monthly-\d{4}-\d\d", bot.text())}
    assert len(names) == 1
    return names.pop()


def everything_once(machines: Fleet, *, updates: int) -> None:
    """One cycle, each update once in its result, one pull request and one receipt for each job."""
    ((state, result),) = machines.query("select state, result from cycles where name like 'monthly-%'")
    assert state == "done"
    document = json.loads(result)
    assert document["failed"] == []
    places = Counter((update["target"], update["file"]) for update in document["updates"])
    assert len(document["updates"]) == updates
    assert {update["level"] for update in document["updates"]} == {"health"}
    assert set(places.values()) <= {1, 2}  # two projects have files of one name
    urls = [update["publication"]["url"] for update in document["updates"]]
    assert len(set(urls)) == updates
    made = [e for e in machines.github.exchanges if e.method == "POST" and re.search(r"/pulls$", e.path)]
    assert len([e for e in made if e.status == 201]) == updates
    kinds = Counter(key.split()[0] for (key,) in machines.query("select key from receipts"))
    assert kinds == {"prove": updates, "publish": updates}
    for machine in machines.machines:
        assert TOKEN not in machine.text()
