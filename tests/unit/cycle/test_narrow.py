"""A project's own file takes away, and never gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.monthly import Outcome, run_cycle
from bot.cycle.narrow import narrowed
from bot.errors import ConfigError
from bot.model.evidence import Level
from bot.model.narrowing import FILE
from bot.model.target import Project
from bot.model.update import UpdateKind, outcome_reason
from bot.settings.narrowing import read
from bot.updates.rules import Rule
from tests.unit.cycle.house import PROJECT, House, outdated
from tests.unit.report import samples

USE = samples.proved().planned.use


def run(made: House, wishes: str) -> Outcome:
    made.forge.files[PROJECT][FILE] = wishes.encode()
    return run_cycle(replace(made.parts(), read_wishes=read))


ALLOWED = Rule(allow=UpdateKind.MINOR, auto_merge=True)


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ("allow: digest", replace(ALLOWED, allow=UpdateKind.DIGEST)),
        ("allow: major", ALLOWED),
        ("minimum_age: 14 days", replace(ALLOWED, minimum_age=timedelta(days=14))),
        ("minimum_age: 1 h", ALLOWED),
        ("auto_merge: false", replace(ALLOWED, auto_merge=False)),
        ("auto_merge: true", ALLOWED),
        ("{}", ALLOWED),
    ],
)
def test_a_rule_only_gets_narrower(wishes: str, expected: Rule) -> None:
    project = Project("acme/shop", wishes=read(wishes.encode()))
    assert narrowed(ALLOWED, project, USE) == expected
    assert not narrowed(Rule(), project, USE).auto_merge


def test_a_file_that_is_left_out_is_not_looked_at(tmp_path: Path) -> None:
    made = outdated(tmp_path, "api/Dockerfile", "examples/Dockerfile")
    result = run(made, "exclude: [examples/]").result
    assert [one.planned.use.file for one in result.updates] == ["api/Dockerfile"]
    assert result.decided == ()


def test_an_image_that_is_ignored_is_skipped_with_the_reason(tmp_path: Path) -> None:
    result = run(outdated(tmp_path), "ignore: [{images: [debian], reason: we freeze it}]").result
    assert "we freeze it (.github/refit.yaml)" in (outcome_reason(result.decided[0].outcome) or "")


def test_a_project_can_switch_refit_off(tmp_path: Path) -> None:
    result = run(outdated(tmp_path), "enabled: false").result
    assert (result.updates, result.decided, result.problems) == ((), (), ())


def test_a_project_can_forbid_building(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    (update,) = run(made, "build: false").result.updates
    assert update.evidence[0].level is Level.BASE
    assert made.builder is not None
    assert made.builder.built == []


@pytest.mark.parametrize(
    "wishes", ["allow: everything", "registries: []", "- a list", "a: [", "exclude: 3", "&a [*a]", "\x00"]
)
def test_a_file_that_is_wrong_stops_everything_there_and_says_why(tmp_path: Path, wishes: str) -> None:
    result = run(outdated(tmp_path), wishes).result
    assert result.updates == ()
    assert [problem.subject for problem in result.problems] == [PROJECT]
    assert FILE in result.problems[0].error
    assert "nothing is proposed" in result.problems[0].hint


def test_a_file_of_any_bytes_is_an_error_of_ours_at_worst() -> None:
    for data in (b"\xff\xff", b"x" * 70_000, b"[" * 5000):
        with pytest.raises(ConfigError):
            read(data)


@pytest.mark.parametrize(
    "wishes",
    [
        'exclude: ["!"]',
        'exclude: ["[z-a]"]',
        "minimum_age: .inf",
        "minimum_age: 99999999999999 days",
        "- no mapping",
    ],
)
def test_a_file_that_is_wrong_costs_its_own_project_and_no_other(tmp_path: Path, wishes: str) -> None:
    made = outdated(tmp_path, "Dockerfile")
    result = run(made, wishes).result

    assert result.updates == ()
    (problem,) = result.problems
    assert problem.subject == PROJECT
    assert FILE in problem.error


def test_a_glob_that_takes_for_ever_costs_its_own_project_and_no_other(tmp_path: Path) -> None:
    long = "ab" * 40_000
    made = outdated(tmp_path, f"{long}/Dockerfile")
    result = run(made, f"exclude: ['{'*[ab]' * 9}*[cd]*']").result

    assert "takes too long" in result.problems[0].error
