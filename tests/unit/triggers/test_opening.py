"""`open` brings the pull request that was asked for, whatever else has the same name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.cycle.monthly import CycleRequest, run_cycle
from bot.model.run import PullRequest, RunResult
from bot.model.target import Project
from bot.ports import Task
from tests.fakes.chat import FakeChat
from tests.unit.cycle.house import PROJECT, House, outdated
from tests.unit.triggers.workers import worker

OTHER = "acme/other"


class CutOffError(Exception):
    """The process died here."""


def asked(made: House, subject: str) -> list[PullRequest]:
    """What is open after somebody asked for a subject."""
    worker(made, FakeChat())(Task("open", {"subject": subject, "thread": "C1/1"}))
    return [one for one in made.forge.wanted.values() if isinstance(one, PullRequest)]


def test_a_target_of_one_name_in_two_projects_is_two(tmp_path: Path) -> None:
    made = outdated(tmp_path, "api/Dockerfile")
    made.forge.files[OTHER] = made.forge.files[PROJECT]
    made.projects = (*made.projects, Project(OTHER))

    def die(_: RunResult) -> None:
        raise CutOffError

    first = replace(made.parts(), projects=made.projects[:1])
    with pytest.raises(CutOffError):
        run_cycle(first, CycleRequest(only=f"{PROJECT}#api"), told=die)

    assert {one.slot.partition("|")[0] for one in asked(made, f"{OTHER}#api")} == {PROJECT, OTHER}


def test_what_no_target_builds_is_named_by_its_file(tmp_path: Path) -> None:
    made = outdated(tmp_path, "api/Dockerfile")
    pinned = made.forge.files[PROJECT]["api/Dockerfile"].decode().split()[1]
    made.forge.files[PROJECT] = {"compose.yaml": f"services: {{web: {{image: '{pinned}'}}}}\n".encode()}
    made.policy = replace(made.policy, max_new_per_project=0)
    run_cycle(made.parts())
    made.policy = replace(made.policy, max_new_per_project=1)

    (opened,) = asked(made, f"{PROJECT}#compose.yaml")

    assert list(opened.files) == ["compose.yaml"]
