"""How numbers and dates are written, the same everywhere: MB = 10⁶ bytes, one decimal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from bot.model.vulnerability import Cause, Severity

MINUS: Final = "\u2212"
NONE: Final = "\u2013"
SERIOUS: Final = (Severity.CRITICAL, Severity.HIGH)


def megabytes(size: int | None) -> str:
    """A size in bytes as `181.2 MB`; a dash where it is not known."""
    return NONE if size is None else f"{size / 1e6:,.1f} MB"


def megabytes_change(size: int) -> str:
    """A difference in bytes with its sign: `+1.2 MB`, `±0.0 MB`."""
    return f"{_sign(round(size / 1e6, 1))}{abs(size) / 1e6:,.1f} MB"


def percent_change(before: int, after: int) -> str:
    """The change from `before` to `after` with its sign: `+0.2 %`; a dash from nothing."""
    if not before:
        return NONE
    change = (after - before) / before * 100
    return f"{_sign(round(change, 1))}{abs(change):.1f} %"


def seconds(value: float | None) -> str:
    """A time measured: `0.4 s`, `12.3 s`, `6m12s`, `1h02m`; a dash where there is none."""
    if value is None:
        return NONE
    if value < 99.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def day(moment: datetime | None) -> str:
    """The date of a moment, `2026-11-10`; a dash where there is none."""
    return NONE if moment is None else moment.date().isoformat()


def minute(moment: datetime, zone: tzinfo) -> str:
    """A moment to the minute in a zone, which is named: `2026-11-10 04:00 CET`."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def age(then: datetime | None, now: datetime) -> str:
    """How long ago in days: `today`, `1 day`, `14 days`; a dash where `then` is not known."""
    if then is None:
        return NONE
    days = max(0, (now - then).days)
    return count(days, "day") if days else "today"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 package`, `2 packages`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


BY: Final = {
    Cause.BASE: "by the base",
    Cause.REBUILD: "by rebuilding",
    Cause.DATABASE: "by the database",
}
"""What brought a difference about, in words."""


def weight(severity: Severity) -> str:
    """A severity in Markdown: `**critical**`, `low`; what is serious stands out."""
    word = severity.value.lower()
    return f"**{word}**" if severity in SERIOUS else word


def severities(counts: Mapping[Severity, int]) -> str:
    """Counts by severity, worst first, zeros left out: `3 critical, 9 high`; `none` for no count."""
    return ", ".join(_severity_parts(counts)) or "none"


def severities_in_words(counts: Mapping[Severity, int]) -> str:
    """The same inside a sentence: `3 critical, 9 high and 1 low`."""
    return listed(_severity_parts(counts))


def _severity_parts(counts: Mapping[Severity, int]) -> list[str]:
    return [f"{counts[s]} {s.value.lower()}" for s in Severity if counts.get(s)]


def requests(numbers: Mapping[str, int]) -> str:
    """Requests by method: `3 HEAD, 2 GET`."""
    return ", ".join(f"{number} {method}" for method, number in numbers.items() if number)


def listed(parts: list[str]) -> str:
    """Things in a sentence: `a`, `a and b`, `a, b and c`; `nothing` for none."""
    if not parts:
        return "nothing"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def few(names: Sequence[str]) -> str:
    """The first names, and how many more: `a, b and 7 more`."""
    shown = list(dict.fromkeys(names))
    return listed(shown if len(shown) <= 3 else [*shown[:2], f"{len(shown) - 2} more"])


def short_digest(digest: str) -> str:
    """The first 12 hex digits of `sha256:…`, as people quote digests."""
    return digest.partition(":")[2][:12] or digest[:12]


def sentence(text: str) -> str:
    """A capital first and a full stop last."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?…" else ".") if text else ""


def instruction(made_by: str) -> str:
    """What made a layer, as the Dockerfile has it: without what the engine writes around it."""
    return made_by.removesuffix(" # buildkit").replace("RUN /bin/sh -c ", "RUN ", 1)


def _sign(value: float) -> str:
    if value == 0:
        return "±"
    return "+" if value > 0 else MINUS
