"""The schema of the configuration: up to date, and of one mind with the models."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from bot.errors import ConfigError
from bot.settings import load, schema

EXAMPLE = Path(__file__).parents[2] / "config" / "bot.example.yaml"

COMMITTED: dict[str, Any] = json.loads(schema.FILE.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(COMMITTED)


def as_json(path: Path) -> Any:
    """A YAML file as an editor's checker reads it: dates are texts."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        return value.isoformat() if isinstance(value, date) else value

    return plain(YAML(typ="safe").load(path))


def test_the_committed_schema_is_up_to_date() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run: python -m bot.settings.schema"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(COMMITTED)


def test_the_example_is_valid() -> None:
    VALIDATOR.validate(as_json(EXAMPLE))


WRONG = {
    "unknown key": "projectss: []",
    "unknown key inside": "scanner: {ofline: true}",
    "wrong kind": "builder: {enabled: perhaps}",
    "level": "rules: [{allow: all}]",
    "name": "projects: [{name: 'a b', forge: local, path: .}]",
    "too many": "registries: [{host: docker.io, concurrency: 1000}]",
    "a secret as text": "github: {token: ghp_abc}",
    "a list": "- a",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_what_the_schema_refuses_the_program_refuses(tmp_path: Path, text: str) -> None:
    file = tmp_path / "refit.yaml"
    file.write_text(text)

    assert not VALIDATOR.is_valid(as_json(file))
    with pytest.raises(ConfigError):
        load(file)


def defaults(section: dict[str, Any]) -> dict[str, Any]:
    return {key: value["default"] for key, value in section["properties"].items() if "default" in value}


@pytest.mark.parametrize("name", ["", *sorted(COMMITTED["$defs"])])
def test_a_default_in_the_schema_is_one_that_a_file_may_have(name: str) -> None:
    section = COMMITTED["$defs"][name] if name else COMMITTED
    if "properties" not in section:
        return
    for key, value in defaults(section).items():
        wanted = {"$defs": COMMITTED["$defs"], **section["properties"][key]}
        jsonschema.Draft202012Validator(wanted).validate(value)


def test_the_defaults_read_back_as_the_settings_without_a_file(tmp_path: Path) -> None:
    file = tmp_path / "refit.yaml"
    file.write_text(json.dumps(defaults(COMMITTED)))
    rules = COMMITTED["$defs"]["RuleSettings"]
    both = tmp_path / "rules.yaml"
    both.write_text(json.dumps({"rules": [defaults(rules), {}]}))

    assert load(file).model_dump() == load_empty(tmp_path).model_dump()
    first, second = load(both).rules
    assert first == second


def load_empty(folder: Path) -> Any:
    file = folder / "empty.yaml"
    file.write_text("{}")
    return load(file)
