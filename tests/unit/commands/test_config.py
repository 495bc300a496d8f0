"""`refit config check` and `refit config schema`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings.schema import config_schema
from tests.unit.commands.conftest import Refit

Write = Callable[[str, str], Path]
EXAMPLE = Path(__file__).parents[3] / "config" / "bot.example.yaml"


def test_a_right_configuration_is_fine(refit: Refit) -> None:
    answer = refit("config", "check", "--config", EXAMPLE)

    assert answer.code == 0
    assert answer.out == f"{EXAMPLE}: fine (1 project, 1 target named)\n"


def test_a_wrong_one_is_told_with_file_line_key_value_and_fix(refit: Refit, write: Write) -> None:
    write("refit.yaml", "timezone: UTC\nrules:\n  - minimum_age: soon\nprojectss: []\n")

    answer = refit("config", "check")

    assert answer.code == 2
    assert "refit.yaml:3: rules.0.minimum_age: a duration is a number and a unit" in answer.err
    assert "(the value is 'soon')" in answer.err
    assert "refit.yaml:4: projectss: there is no such key; did you mean `projects`?" in answer.err
    assert "hint:  config/bot.example.yaml explains every key" in answer.err


def test_the_configuration_comes_from_the_option_the_environment_or_the_folder(
    refit: Refit, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("refit", "environment", "option"):
        write(f"{name}.yaml", "timezone: UTC\n")

    assert refit("config", "check").out.startswith("refit.yaml: fine")
    monkeypatch.setenv("REFIT_CONFIG", "environment.yaml")
    assert refit("config", "check").out.startswith("environment.yaml: fine")
    assert refit("config", "check", "-c", "option.yaml").out.startswith("option.yaml: fine")


def test_the_schema_is_one_json_document(refit: Refit) -> None:
    answer = refit("config", "schema")

    assert answer.code == 0
    assert answer.document == config_schema()
    assert answer.err == ""
