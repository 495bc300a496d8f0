"""`refit report`: the size report, from what cycles measured, on both forges."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from bot.model.measurement import Measurement
from bot.report.schemas import schemas
from bot.report.size.quarter import quarter_of
from bot.store.sql import open_store, sqlite_url
from tests.e2e.world import Ended, World
from tests.github_server.server import GitHubServer

pytestmark = pytest.mark.lab

TOKEN = "ghp_refit_report"
NOW = datetime.now(UTC)
LAST = quarter_of(NOW, UTC).previous
BEFORE = LAST.previous


def point(project: str, at: datetime, size: int) -> Measurement:
    """What a cycle measured of the target `backend`."""
    return Measurement(
        project=project,
        target="backend",
        platform="linux/amd64",
        at=at,
        cycle=f"monthly-{at:%Y-%m}",
        base="debian:bookworm-slim@sha256:x",
        size=size,
        pushed_size=None,
        layers=4,
        build_seconds=12.0,
        critical=0,
        high=2,
        medium=3,
        low=4,
        applied=True,
    )


def measured(world: World, *points: Measurement) -> None:
    store = open_store(sqlite_url(world.state))
    for one in points:
        store.save_measurement(one)
    store.close()


def two_quarters(project: str) -> tuple[Measurement, ...]:
    """100 MB two quarters ago, 120 MB in the last one."""
    day = timedelta(days=20)
    first, second = BEFORE.start(UTC) + day, LAST.start(UTC) + day
    return point(project, first, 100_000_000), point(project, second, 120_000_000)


def issues(world: World) -> list[Path]:
    """The issues of the local forge."""
    return sorted((world.state / "issues").rglob("*.md"))


def test_the_report_of_the_last_quarter_is_shown(world: World) -> None:
    world.project({"Dockerfile": "FROM scratch\n"})
    measured(world, *two_quarters("shop"))

    ended = world.refit("report")

    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"# Size report {LAST}\n")
    assert "120.0 MB together; +20.0 MB (+20.0 %) over the quarter." in ended.out
    assert issues(world) == []


@pytest.mark.parametrize(
    ("ages", "words"),
    [
        pytest.param([0], ["so far: 1 image", "First quarter: no trend yet."], id="the first quarter so far"),
        pytest.param([], ["nothing was measured"], id="nothing measured"),
    ],
)
def test_where_data_is_thin_the_report_says_so(world: World, ages: list[int], words: list[str]) -> None:
    world.project({"Dockerfile": "FROM scratch\n"})
    measured(world, *(point("shop", NOW - timedelta(seconds=age), 100_000_000) for age in ages))

    ended = world.refit("report")

    assert ended.code == 0, ended.err
    assert f"# Size report {LAST.next} so far" in ended.out
    assert all(one in ended.out for one in words), ended.out


def test_published_twice_there_is_one_issue_on_the_local_forge(world: World) -> None:
    world.project({"Dockerfile": "FROM scratch\n"})
    measured(world, *two_quarters("shop"))

    first, second = world.refit("report", "--publish"), world.refit("report", "--publish")

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert first.out == second.out
    (page,) = issues(world)
    assert f"# Size report {LAST}" in page.read_text(encoding="utf-8")


def test_nothing_measured_opens_no_issue_and_says_so(world: World) -> None:
    world.project({"Dockerfile": "FROM scratch\n"})

    ended = world.refit("report", "--publish")

    assert (ended.code, ended.out.strip()) == (0, "Nothing was measured yet: no issue was opened.")


def test_the_report_as_json_is_one_document_and_nothing_else(world: World) -> None:
    world.project({"Dockerfile": "FROM scratch\n"})
    measured(world, *two_quarters("shop"))

    ended = world.refit("report", "--format", "json")

    document = json.loads(ended.out)
    jsonschema.validate(document, schemas()["report"])
    assert (document["quarter"], document["targets"][0]["change"]) == (str(LAST), 20_000_000)


def test_the_report_as_a_page_stands_alone(world: World) -> None:
    world.project({"Dockerfile": "FROM scratch\n"})
    measured(world, *two_quarters("shop"))

    ended = world.refit("report", "--format", "html")

    assert ended.code == 0, ended.err
    assert ended.out.startswith("<!doctype html>")
    assert "default-src 'none'" in ended.out
    assert "120.0" in ended.out


# -- on GitHub --------------------------------------------------------------------------------


def on_github(world: World, github: GitHubServer, *names: str) -> None:
    """Projects of that name, each measured over two quarters."""
    github.create_token(login="refit", value=TOKEN)
    world.settings["github"] = {
        "url": github.api,
        "token": {"env": "REFIT_TEST_TOKEN"},
        "seconds_between_writes": 0,
    }
    for name in names:
        github.create_repository(name, {"Dockerfile": "FROM scratch\n"}, roles={"refit": "write"})
        world.projects.append({"name": name})
        measured(world, *two_quarters(name))


def publish(world: World, *words: str) -> Ended:
    return world.refit("report", "--publish", *words, env=world.environment(REFIT_TEST_TOKEN=TOKEN))


def test_published_twice_there_is_one_issue_for_each_project_on_github(
    world: World, github: GitHubServer
) -> None:
    on_github(world, github, "acme/shop", "acme/blog")

    first = publish(world)
    writes = len(github.writes())
    second = publish(world)

    assert (first.code, second.code) == (0, 0), first.err + second.err
    urls = first.out.split()
    assert [url.partition("/acme/")[2] for url in urls] == ["shop/issues/1", "blog/issues/1"]
    assert second.out == first.out
    assert len(github.writes()) == writes
    assert TOKEN not in first.out + first.err


def test_the_issue_of_the_quarter_before_is_closed_with_a_link(world: World, github: GitHubServer) -> None:
    on_github(world, github, "acme/shop")
    publish(world, "--quarter", str(BEFORE))

    ended = publish(world)

    assert ended.code == 0, ended.err
    shop = github.repository("acme/shop")
    old, new = shop.issues[1], shop.issues[2]
    assert (old.title, old.state) == (f"Size report {BEFORE}", "closed")
    assert (new.title, new.state) == (f"Size report {LAST}", "open")
    assert [comment.body for comment in shop.comments.values()] == [
        f"The next size report: {ended.out.strip()}"
    ]


def test_a_forge_that_fails_costs_one_project_its_report(world: World, github: GitHubServer) -> None:
    on_github(world, github, "acme/shop", "acme/blog")
    github.fail_next("POST", r"/repos/acme/shop/issues$", status=403, times=9)

    ended = publish(world)

    assert ended.code == 3
    assert ended.out.strip().endswith("/acme/blog/issues/1")
    assert "failed: acme/shop: " in ended.err
    assert "hint:" in ended.err
    assert "Request POST" not in ended.err
