"""What we publish for GitHub Actions, judged by GitHub's own reader of workflows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.actions import language
from tests.actions.runner import job_of

ROOT = Path(__file__).parents[3]
ACTION = ROOT / "deploy" / "action"
EXAMPLE, OURS = ACTION / "workflow.example.yml", ROOT / ".github" / "workflows" / "refit.yml"
WORKFLOWS = [EXAMPLE, *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
OUR_ACTION = "refit-bot/refit/deploy/action"


def read(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_github_takes_every_workflow(file: Path) -> None:
    assert language.complaints("workflow", file) == []
    assert "persist-credentials: false" in file.read_text(encoding="utf-8")  # no token lies in a checkout


def test_github_takes_the_action_and_would_see_a_mistake(tmp_path: Path) -> None:
    mistaken = tmp_path / "action.yml"
    text = (ACTION / "action.yml").read_text(encoding="utf-8")
    mistaken.write_text(text.replace("inputs.token", "input.token"), encoding="utf-8")

    assert language.complaints("action", ACTION / "action.yml") == []
    assert "Unrecognized named-value: 'input'" in " ".join(language.complaints("action", mistaken))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_what_others_wrote_is_pinned_by_commit_with_its_version_beside_it(file: Path) -> None:
    used = re.findall(r"- uses: (\S+)(.*)", file.read_text(encoding="utf-8"))

    others = [(name, note) for name, note in used if not name.startswith((OUR_ACTION, "./"))]
    assert others
    for name, note in others:
        assert re.search(r"@[0-9a-f]{40}$", name), name
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", note), (name, note)


@pytest.mark.parametrize(
    ("event", "command"),
    [
        ({"schedule": "17 4 1 * *"}, "run"),
        ({"schedule": "17 3 2-31 * *"}, "observe"),
        ({}, "run"),  # started by hand
    ],
)
def test_the_first_of_the_month_runs_and_the_other_days_observe(event: dict[str, str], command: str) -> None:
    given = job_of(EXAMPLE)["steps"][-1]["with"]["command"]
    expression = given.removeprefix("${{").removesuffix("}}")

    assert language.values([expression], {"github": {"event": event}}) == [command]


def test_we_use_what_we_recommend() -> None:
    example, ours = read(EXAMPLE), read(OURS)

    assert ours["jobs"]["refit"]["steps"].pop()["uses"] == "./deploy/action"
    assert example["jobs"]["refit"]["steps"].pop()["uses"].startswith(OUR_ACTION)
    assert ours == example
