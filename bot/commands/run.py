"""`refit run`: the monthly cycle, now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from bot.app import Needs, open_parts
from bot.clock import SystemClock
from bot.commands.interrupt import interruptible
from bot.commands.joining import run_or_join
from bot.commands.options import ConfigOption, Format, FormatOption, QuietOption, errors_console, load_config
from bot.commands.output import colored, width, write, write_json
from bot.cycle.monthly import CycleRequest, Outcome, monthly_name, run_cycle
from bot.cycle.parts import Parts
from bot.errors import UsageError
from bot.model.evidence import VerdictState
from bot.model.run import RunResult
from bot.model.update import Failed, Skipped
from bot.notify import usable_urls
from bot.progress import TerminalProgress
from bot.report import dry_run as preview
from bot.report import terminal, wire
from bot.telling import destinations, notifier
from bot.triggers.notify import News

_FAILING: Final[Mapping[str | None, tuple[VerdictState, ...]]] = {
    None: (),
    "warn": (VerdictState.WARN, VerdictState.BLOCK),
    "block": (VerdictState.BLOCK,),
}

CycleOption = Annotated[
    str | None,
    typer.Option("--cycle", metavar="NAME", help="Run the cycle of this name. [default: this month's]"),
]
OnlyOption = Annotated[
    str | None, typer.Option("--only", metavar="TARGET", help="Leave out everything but one target or file.")
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Prove everything, write to no forge, and show what would be written."),
]
EvidenceOnlyOption = Annotated[
    bool,
    typer.Option(
        "--evidence-only",
        help="Attach evidence to pull requests that Renovate, Dependabot or people opened, and open none.",
    ),
]
NotifyOption = Annotated[
    bool,
    typer.Option("--notify", help="Tell the configured notifications what is new, as serve does."),
]
FailOnOption = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        metavar="VERDICT",
        help="Exit with 1 where a verdict is at least this: warn or block.",
    ),
]


def run(  # noqa: PLR0913 - the options of a command line
    *,
    cycle: CycleOption = None,
    only: OnlyOption = None,
    dry_run: DryRunOption = False,
    evidence_only: EvidenceOnlyOption = False,
    notify: NotifyOption = False,
    output: FormatOption = Format.TABLE,
    config: ConfigOption = None,
    fail_on: FailOnOption = None,
    quiet: QuietOption = False,
) -> int:
    """Check, rebuild, scan, measure, start, and open pull requests with the evidence."""
    if fail_on not in _FAILING:
        raise UsageError(f"--fail-on takes warn or block, not {fail_on!r}")
    settings = load_config(config)
    now, zone = SystemClock().now(), ZoneInfo(settings.timezone)
    # The month is fixed now: what waits for another process may begin in the next one.
    request = CycleRequest(_named(cycle) or monthly_name(now, zone), only, dry_run, evidence_only)
    name = request.cycle_name(now, zone)
    urls = usable_urls(destinations(settings)) if notify else ()

    def work(parts: Parts) -> Outcome:
        news = News(notifier(settings, urls, parts.store, parts.clock) if urls else None)
        return run_cycle(parts, request, told=news.cycle)

    with interruptible(), TerminalProgress(errors_console(), quiet=quiet) as progress:
        # Nothing that others see comes of a dry run: it works beside whoever drives.
        parts = partial(open_parts, settings, progress, Needs(drive=not dry_run))
        outcome = run_or_join(settings, progress, name, parts, work)
    _show(outcome, output)
    return exit_code(outcome.result, fail_on)


def _named(name: str | None) -> str | None:
    """A name as it is written, `monthly` meaning this month's."""
    return None if name == "monthly" else name


def _show(outcome: Outcome, output: Format) -> None:
    if output is Format.JSON:
        write_json(wire.run(outcome.result))
        return
    for draft in outcome.drafts:
        write(preview.render(draft, width=width(), color=colored()))
    write(terminal.render(outcome.result, width=width(), color=colored()))


def exit_code(result: RunResult, fail_on: str | None) -> int:
    """0 done · 1 findings, with --fail-on · 3 some failed · 4 nothing could be decided."""
    decided = [one for one in result.decided if not isinstance(one.outcome, Failed | Skipped)]
    failed = result.problems or any(isinstance(one.outcome, Failed) for one in result.decided)
    if failed:
        return 3 if result.updates or decided else 4
    return 1 if any(one.verdict.state in _FAILING[fail_on] for one in result.updates) else 0
