"""`refit config check` and `refit config schema`."""

from __future__ import annotations

import json
from typing import Any

from bot.commands.options import ConfigOption, find_config, load_config
from bot.settings import Settings


def check(config: ConfigOption = None) -> int:
    """Check a configuration file; says what is wrong, where, and how to fix it."""
    settings = load_config(config)
    targets = sum(len(project.targets) for project in settings.projects)
    print(f"{find_config(config)}: fine: {len(settings.projects)} projects, {targets} targets named")  # noqa: T201 - the command's output
    return 0


def schema() -> int:
    """Print the JSON schema of the configuration, for editors."""
    print(json.dumps(config_schema(), indent=2, ensure_ascii=False))  # noqa: T201 - the command's output
    return 0


def config_schema() -> dict[str, Any]:
    """The JSON schema of the configuration, made from the models."""
    made = Settings.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Refit configuration"}
