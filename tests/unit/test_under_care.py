"""Globs of the configuration become the projects that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.forge.api import Connection
from bot.forge.auth import TokenAccess
from bot.forge.github import GitHubForge
from bot.model.run import Problem
from bot.settings import ProjectSettings, Settings
from bot.under_care import Expanded, Remembered, by_project, expanded
from tests.github_server import GitHubServer
from tests.unit.cycle.house import FakeClock


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "github") as server:
        server.create_token()
        for name in ("acme/shop", "acme/web", "globex/app"):
            server.create_repository(name, {"Dockerfile": "FROM scratch\n"}, roles={"refit": "write"})
        yield server


def github(server: GitHubServer, folder: Path) -> GitHubForge:
    connection = Connection(server.api, seconds_between_writes=0, pause=0.01, attempts=1)
    return GitHubForge(folder / "state", connection, TokenAccess(connection, "ghp_refit"))


def settings(*names: str, **more: object) -> Settings:
    return Settings(projects=tuple(ProjectSettings.model_validate({"name": name, **more}) for name in names))


def test_a_glob_becomes_its_projects_and_a_named_one_keeps_its_own(
    server: GitHubServer, tmp_path: Path
) -> None:
    given = settings("acme/*", base="main")
    named = ProjectSettings.model_validate({"name": "Acme/Web", "base": "release"})
    given = given.model_copy(update={"projects": (*given.projects, named)})
    forge = github(server, tmp_path)

    got, problems = expanded(given, {"acme/*": forge, "Acme/Web": forge})

    assert {one.name: one.base for one in got.projects} == {"Acme/Web": "release", "acme/shop": "main"}
    assert problems == ()
    assert set(by_project(got, {"acme/*": forge})) >= {"acme/shop"}


def test_a_forge_that_does_not_answer_is_a_problem_and_the_others_go_on(
    server: GitHubServer, tmp_path: Path
) -> None:
    server.fail_next("GET", "/orgs/acme", 503, times=9)
    forge = github(server, tmp_path)

    got, problems = expanded(settings("acme/*", "globex/*"), {"acme/*": forge, "globex/*": forge})

    assert [one.name for one in got.projects] == ["globex/app"]
    assert [one.subject for one in problems] == ["acme/*"]


def test_what_was_listed_lately_is_not_listed_again_and_outlives_a_forge_that_is_down() -> None:
    clock, given = FakeClock(), settings("acme/*")
    one, two = (settings("acme/shop"), ()), (settings("acme/shop", "acme/web"), ())
    down = (settings(), (Problem("acme/*", "GitHub does not answer", "Try later."),))
    answers: list[Expanded] = [one, two, down, down]
    known = Remembered(clock, lambda *_: answers.pop(0))

    assert [known(given, {}) for _ in range(2)] == [one, one]
    assert [known.afresh(given, {}), known(given, {})] == [two, two]
    clock.moment += timedelta(hours=1)
    assert [known(given, {}), known.afresh(given, {})] == [two, down]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "acme/*", "targets": [{"name": "shop"}]},
        {"name": "acme/*", "forge": "local", "path": "."},
        {"name": "acme/shop", "topics": ["docker"]},
        {"name": "*/shop"},
        {"name": "acme*"},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ProjectSettings.model_validate(wrong)
