"""`refit check`: what is outdated. Works on any folder, with no configuration and then no minimum age."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot.app import open_parts, policy
from bot.commands.discover import show_problems
from bot.commands.options import ConfigOption, Format, FormatOption, QuietOption, errors_console, find_config
from bot.commands.output import colored, width, write, write_json
from bot.commands.paths import PathsArgument, read_paths
from bot.cycle.discover import Found
from bot.cycle.resolve import resolve
from bot.errors import UsageError
from bot.model.reference import Reference
from bot.model.update import Decision, UpdateKind
from bot.progress import TerminalProgress
from bot.report import terminal, wire
from bot.settings import Settings, load
from bot.updates.rules import Rule
from bot.updates.tags import choose

_DECIDED = ("current", "update", "waiting", "abandoned")

AllowOption = Annotated[
    UpdateKind | None,
    typer.Option("--allow", help="How far an update may go. [default: the rules', else digest]"),
]
FailOnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on", metavar="OUTCOME", help="Exit with 1 on update, waiting, abandoned; repeatable."
    ),
]
TagsFromOption = Annotated[
    Path | None,
    typer.Option(
        "--tags-from", metavar="FILE", help="Choose for one IMAGE from this list (one tag a line), offline."
    ),
]
RefreshOption = Annotated[bool, typer.Option("--refresh", help="Ignore cached answers of registries.")]


def check(  # noqa: PLR0913 - the options of a command line
    paths: PathsArgument = None,
    *,
    output: FormatOption = Format.TABLE,
    config: ConfigOption = None,
    allow: AllowOption = None,
    fail_on: FailOnOption = None,
    tags_from: TagsFromOption = None,
    refresh: RefreshOption = False,
    quiet: QuietOption = False,
) -> int:
    """Tell for every place that names an image whether it is outdated, and why."""
    _known(fail_on or ())
    if tags_from is not None:
        return _choose_from(tags_from, paths, allow or UpdateKind.DIGEST)
    settings = _settings(config)
    rules = _rules(settings, allow, has_config=find_config(config) is not None)
    found, problems = read_paths(paths, policy(settings).custom)
    decisions = _decide(found, settings, rules, refresh=refresh, quiet=quiet)
    if output is Format.JSON:
        write_json(wire.check(decisions))
    else:
        write(terminal.decisions_table(decisions, width=width(), color=colored()))
    failed = show_problems(problems)
    return _exit_code(decisions, fail_on or (), failed)


def _settings(config: Path | None) -> Settings:
    path = find_config(config)
    return load(path) if path else Settings()


def _rules(settings: Settings, allow: UpdateKind | None, *, has_config: bool) -> tuple[Rule, ...]:
    """The rules in force; a level asked for on the command line replaces theirs."""
    given = policy(settings).rules if has_config else (Rule(minimum_age=timedelta(0)),)
    return given if allow is None else tuple(replace(rule, allow=allow) for rule in given or (Rule(),))


def _decide(
    found: Sequence[Found], settings: Settings, rules: tuple[Rule, ...], *, refresh: bool, quiet: bool
) -> list[Decision]:
    with (
        TerminalProgress(errors_console(), quiet=quiet) as progress,
        open_parts(settings, progress, refresh=refresh, drive=False, engine=False) as parts,
    ):
        progress.step(f"resolve {len(found)} uses")
        in_force = replace(parts, policy=replace(parts.policy, rules=rules))
        resolved = asyncio.run(resolve(found, in_force))
    return [Decision(one.found.use, one.outcome) for one in resolved]


def _known(words: Sequence[str]) -> None:
    for word in words:
        if word not in ("update", "waiting", "abandoned"):
            raise UsageError(f"--fail-on takes update, waiting or abandoned, not {word!r}")


def _exit_code(decisions: Sequence[Decision], fail_on: Sequence[str], failed: int) -> int:
    words = [decision.outcome.word for decision in decisions]
    if "failed" in words and not any(word in _DECIDED for word in words):
        return 4
    if "failed" in words or failed:
        return 3
    return 1 if any(word in fail_on for word in words) else 0


def _choose_from(file: Path, paths: Sequence[Path] | None, allow: UpdateKind) -> int:
    """Choose a tag from a list, offline, and print just the reference: rules can be tried and tested."""
    if paths is None or len(paths) != 1:
        raise UsageError(
            "--tags-from needs exactly one IMAGE", hint="refit check --tags-from tags.txt nginx:1.27"
        )
    try:
        reference = Reference.parse(str(paths[0]))
        tags = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from error
    chosen = None
    if reference.effective_tag is not None:
        repository = f"{reference.registry}/{reference.repository}"
        chosen = choose(reference.effective_tag, filter(None, tags), allow, repository=repository).tag
    write(str(reference.with_tag(chosen)) if chosen else str(reference))
    return 0
