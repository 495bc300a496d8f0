"""`refit observe`: what every tag under care points at now, for the record."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.app import ANSWERS
from bot.commands.opened import opened
from bot.commands.options import ConfigOption, Format, FormatOption, QuietOption, load_config
from bot.commands.output import colored, width, write, write_json
from bot.commands.problems import show_problems
from bot.cycle.observe import observe as look
from bot.model.observation import Observation
from bot.report import observed, wire


def observe(
    *, output: FormatOption = Format.TABLE, config: ConfigOption = None, quiet: QuietOption = False
) -> int:
    """Ask what every tag under care points at, and remember when each digest was first seen.

    Sends one HEAD for each image. The minimum age of updates counts from here; `refit serve` does it daily.
    """
    settings = load_config(config)
    with opened(settings, ANSWERS, quiet=quiet) as parts:
        observation = look(parts)
    if output is Format.JSON:
        write_json(wire.observation(observation))
    else:
        write(observed.render(observation, zone=ZoneInfo(settings.timezone), width=width(), color=colored()))
    failed = show_problems(observation.problems)
    return exit_code(observation) if failed else 0


def exit_code(observation: Observation) -> int:
    """3 where some failed · 4 where nothing was seen for lack of an outside service."""
    return 3 if observation.sightings else 4
