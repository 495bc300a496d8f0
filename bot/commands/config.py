"""`refit config check` and `refit config schema`."""

from __future__ import annotations

from bot.commands.options import ConfigOption, find_config, load_config
from bot.commands.output import write, write_json
from bot.report.wording import count
from bot.settings.schema import config_schema


def check(config: ConfigOption = None) -> int:
    """Check a configuration file, and say what is wrong, where, and how to fix it."""
    settings = load_config(config)
    targets = sum(len(project.targets) for project in settings.projects)
    told = f"{count(len(settings.projects), 'project')}, {count(targets, 'target')} named"
    write(f"{find_config(config)}: fine ({told})")
    return 0


def schema() -> int:
    """Print the JSON schema of the configuration, for editors."""
    write_json(config_schema())
    return 0
