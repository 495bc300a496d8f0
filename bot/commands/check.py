"""`refit check`: what is outdated. Works on any folder, with no configuration and then no minimum age."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from bot.app import ANSWERS
from bot.commands import tags
from bot.commands.opened import opened
from bot.commands.options import (
    ConfigOption,
    Format,
    FormatOption,
    QuietOption,
    config_or_defaults,
    errors_console,
    find_config,
)
from bot.commands.output import colored, width, write, write_json
from bot.commands.paths import PathsArgument, read_paths
from bot.commands.problems import show_problems
from bot.commands.state import usable_state
from bot.convert import policy, project
from bot.cycle.discover import Found
from bot.cycle.parts import Parts
from bot.cycle.published import Shipped, published
from bot.cycle.resolve import Resolved, resolve
from bot.errors import UsageError
from bot.model.checked import Checked
from bot.model.update import Decision, Failed, Outcome, UpdateKind
from bot.report import terminal, wire
from bot.report.wording import count
from bot.settings import Settings
from bot.updates.rules import Rule

_DECIDED: Final = ("current", "update", "waiting", "abandoned")
_FAIL_ON: Final = ("update", "waiting", "abandoned")

AllowOption = Annotated[
    UpdateKind | None,
    typer.Option(
        "--allow",
        metavar="LEVEL",
        help="Allow updates up to pin, digest, patch, minor or major. [default: the rules', else digest]",
    ),
]
FailOnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="OUTCOME",
        help="Exit with 1 where an outcome is update, waiting or abandoned; may be given several times.",
    ),
]
TagsFromOption = Annotated[
    Path | None,
    typer.Option(
        "--tags-from",
        metavar="FILE",
        help="Choose for one IMAGE from this list of tags (one a line), offline; print the reference.",
    ),
]
ExplainOption = Annotated[
    bool,
    typer.Option("--explain", help="Tell for one IMAGE which tags were seen, and why each was taken or not."),
]
RefreshOption = Annotated[bool, typer.Option("--refresh", help="Ask the registries anew: no cached answers.")]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How one call wants things decided."""

    settings: Settings
    rules: tuple[Rule, ...]
    refresh: bool
    quiet: bool


def check(  # noqa: PLR0913 - the options of a command line
    paths: PathsArgument = None,
    *,
    output: FormatOption = Format.TABLE,
    config: ConfigOption = None,
    allow: AllowOption = None,
    fail_on: FailOnOption = None,
    explain: ExplainOption = False,
    tags_from: TagsFromOption = None,
    refresh: RefreshOption = False,
    quiet: QuietOption = False,
) -> int:
    """Tell for every place that names an image whether it is outdated, and why.

    PATH is a folder or a file, by default this folder; with --explain and --tags-from it is one IMAGE.
    """
    _known(fail_on or ())
    if (explain or tags_from is not None) and output is Format.JSON:
        raise UsageError("--explain and --tags-from write lines for people", hint="Leave --format away.")
    if tags_from is not None:
        return _choose_offline(_one(paths), tags_from, allow or UpdateKind.DIGEST, explain=explain)
    settings = config_or_defaults(config)
    rules = _rules(settings, allow, has_config=find_config(config) is not None)
    wanted = _Wanted(settings, rules, refresh, quiet)
    if explain:
        return _explain(_one(paths), wanted, fail_on or ())
    projects = tuple(project(one) for one in settings.projects)
    found, problems = read_paths(paths, policy(settings).custom, projects)
    checked = _decide(found, wanted)
    _show(checked, output)
    failed = show_problems([*problems, *checked.problems])
    return exit_code([one.outcome for one in checked.decisions], fail_on or (), failed)


def _rules(settings: Settings, allow: UpdateKind | None, *, has_config: bool) -> tuple[Rule, ...]:
    """The rules in force; a level asked for on the command line replaces theirs."""
    given = policy(settings).rules if has_config else (Rule(minimum_age=timedelta(0)),)
    return given if allow is None else tuple(replace(rule, allow=allow) for rule in given or (Rule(),))


def _decide(found: Sequence[Found], wanted: _Wanted) -> Checked:
    with _asking(wanted, f"ask the registries about {count(len(found), 'use')}") as parts:
        resolved, (shipped, problems) = asyncio.run(_ask(found, parts))
        return Checked(
            decisions=tuple(Decision(one.found.use, one.outcome) for one in resolved),
            published=shipped,
            problems=problems,
            requests=dict(parts.registry.requests()),
            quota=dict(parts.registry.quota()),
        )


async def _ask(found: Sequence[Found], parts: Parts) -> tuple[Sequence[Resolved], Shipped]:
    """Everything that is asked of registries, over the same connections."""
    return await resolve(found, parts), await published(found, parts)


def _explain(image: str, wanted: _Wanted, fail_on: Sequence[str]) -> int:
    """Ask the registry about one image, and tell what was seen."""
    reference = tags.parse_image(image)
    with _asking(wanted, f"ask the registry about {reference}") as parts:
        explained = tags.explain_image(reference, parts)
    write("\n".join(explained.lines))
    return exit_code([explained.outcome], fail_on, 0)


@contextmanager
def _asking(wanted: _Wanted, step: str) -> Iterator[Parts]:
    """What asks the registries, by the rules of this call."""
    with (
        usable_state(wanted.settings, errors_console()) as settings,
        opened(settings, replace(ANSWERS, refresh=wanted.refresh), quiet=wanted.quiet) as parts,
    ):
        parts.progress.step(step)
        yield replace(parts, policy=replace(parts.policy, rules=wanted.rules))


def _choose_offline(image: str, file: Path, allow: UpdateKind, *, explain: bool) -> int:
    """Choose from a list without any network: rules can be tried and tested."""
    reference = tags.parse_image(image)
    made = tags.choice(reference, tags.read_tags(file), allow)
    write("\n".join(tags.told(reference, made)) if explain else tags.chosen(reference, made))
    return 0


def _show(checked: Checked, output: Format) -> None:
    if output is Format.JSON:
        write_json(wire.check(checked))
    else:
        write(terminal.decisions_table(checked, width=width(), color=colored()))


def _one(paths: Sequence[Path] | None) -> str:
    if paths is None or len(paths) != 1:
        raise UsageError(
            "--explain and --tags-from need exactly one IMAGE",
            hint="For example: refit check --explain nginx:1.27-alpine",
        )
    return str(paths[0])


def _known(words: Sequence[str]) -> None:
    for word in words:
        if word not in _FAIL_ON:
            raise UsageError(f"--fail-on takes update, waiting or abandoned, not {word!r}")


def exit_code(outcomes: Sequence[Outcome], fail_on: Sequence[str], failed: int) -> int:
    """0 done · 1 findings, with --fail-on · 3 some failed · 4 no service answered, so nothing was decided."""
    words = [outcome.word for outcome in outcomes]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    if failures and all(one.unanswered for one in failures) and not any(word in _DECIDED for word in words):
        return 4
    if failures or failed:
        return 3
    return 1 if any(word in fail_on for word in words) else 0
