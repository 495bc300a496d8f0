"""`refit schedule`: what runs next, and what ran last with its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any, Final

from bot.app import opened_store
from bot.clock import SystemClock
from bot.commands.options import ConfigOption, Format, FormatOption, load_config
from bot.commands.output import write, write_json
from bot.convert import timetable
from bot.triggers.ledger import Scheduled, scheduled
from bot.triggers.outbox import undelivered

_HEAD: Final = ("JOB", "NEXT", "LAST", "OUTCOME")


def schedule(*, output: FormatOption = Format.TABLE, config: ConfigOption = None) -> int:
    """Show what `refit serve` runs next by itself, and what ran last with its outcome."""
    settings = load_config(config)
    times = timetable(settings)
    with opened_store(settings) as store:
        rows = scheduled(times, store, SystemClock().now())
        ailing = undelivered(store)
    if output is Format.JSON:
        jobs = [_document(row) for row in rows]
        write_json({"timezone": settings.timezone, "offset": times.offset.total_seconds(), "jobs": jobs})
    else:
        write("\n".join([table(rows, times.offset), *ailing]))
    return 0


def table(rows: Sequence[Scheduled], offset: timedelta = timedelta(0)) -> str:
    """Lines for people; times are in the configured zone, and hold the offset."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    shown = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    notes = ["Still due: `refit serve` does it when it starts."] if any(row.missed for row in rows) else []
    if offset:
        notes.append(f"Each begins {offset} after its time: this installation's part of `schedule.spread`.")
    return "\n".join([*shown, *([""] if notes else []), *notes])


def _cells(row: Scheduled) -> tuple[str, ...]:
    due = f"{row.due:%a %Y-%m-%d %H:%M %Z}" if row.due else f"never ({row.cron})"
    late = "; still due" if row.missed else ""
    return row.job.value, due, row.last.id if row.last else "-", (row.outcome or "never ran") + late


def _document(row: Scheduled) -> dict[str, Any]:
    last = row.last
    ran = last and {
        "id": last.id,
        "state": last.state.value,
        "started": last.started.isoformat(),
        "finished": last.finished.isoformat() if last.finished else None,
        "outcome": row.outcome,
    }
    due = row.due.astimezone(UTC).isoformat() if row.due else None
    return {"job": row.job.value, "cron": row.cron, "next": due, "missed": row.missed, "last": ran}
