"""Two images side by side, for a terminal and as Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bot.model.compared import ImageComparison, ImageFacts
from bot.model.evidence import Health
from bot.model.vulnerability import Comparison, Scan, Severity
from bot.report import facts, wording
from bot.report.compare_lists import counted, folded, sides, worst
from bot.report.hidden import hidden
from bot.report.quote import code, quote, visible
from bot.report.screen import Screen, line
from bot.report.weights import grown

_NAME: Final = 200
# As long as people compare; the JSON has the whole of it.
_DIGEST: Final = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table: what, before, after, and the change in percent."""

    name: str
    before: str
    after: str
    change: str = ""


def markdown(result: ImageComparison) -> str:
    """The comparison as Markdown: the table, then what is in one image and not in the other."""
    first, second = sides(result)
    head = [f"| | {first} | {second} | Change |", "|:--|--:|--:|--:|"]
    table = [
        f"| {_hyphened(row.name)} | {row.before} | {row.after} | {row.change} |" for row in _rows(result)
    ]
    # Their names are paths and digests: as heads of columns they would push the numbers off a small screen.
    names = [code(one.name, limit=_NAME) for one in (result.before, result.after)]
    named = f"{first}: {names[0]}<br>{second}: {names[1]}"
    parts = [named, "\n".join([*head, *table]), *_sentences(result, code)]
    parts += [*folded(result), _foot(result, quote)]
    return "\n\n".join(parts) + "\n"


def _hyphened(name: str) -> str:
    """The longest word may be broken: it would push the last column off a phone."""
    return name.replace("Vulnerabilities", "Vulner&shy;abilities")


def render(result: ImageComparison, *, width: int = 100, color: bool = False) -> str:
    """The same for a terminal of `width` columns."""
    screen = Screen(width, color)
    console = screen.console
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    table.add_column()
    for side, one in zip(sides(result), (result.before, result.after), strict=True):
        console.print(line(f"{side:7} {visible(one.name, limit=_NAME)}"), soft_wrap=True)
        table.add_column(line(side.upper()), justify="right", no_wrap=True)
    console.print()
    table.add_column(line("CHANGE"), justify="right", no_wrap=True)
    for row in _rows(result):
        change = line(row.change, _style(row.change))
        table.add_row(line(row.name), line(row.before), line(row.after), change)
    console.print(table)
    console.print()
    for sentence in _sentences(result, visible):
        console.print(line(sentence))
    for found in worst(result):
        console.print(line(found), soft_wrap=True)
    console.print()
    console.print(line(_foot(result, visible), "dim"))
    return screen.text()


def _style(change: str) -> str:
    """Less is better in every row."""
    return "green" if change.startswith(wording.MINUS) else "yellow" if change.startswith("+") else ""


def _rows(result: ImageComparison) -> Iterator[_Row]:
    before, after = result.before, result.after
    yield _sizes("Image size", before.size, after.size)
    yield _sizes("As pushed", before.pushed_size, after.pushed_size)
    if before.build_seconds is not None or after.build_seconds is not None:
        yield _seconds(before.build_seconds, after.build_seconds, caused=result.caused)
    yield _numbers("Layers", before.layers, after.layers)
    yield _numbers("Packages", len(before.scan.packages), len(after.scan.packages))
    yield from _weights(before, after)
    yield from _vulnerabilities(before.scan, after.scan)
    if before.health or after.health:
        yield _Row("Health", _health(before.health), _health(after.health))


def _sizes(name: str, before: int | None, after: int | None) -> _Row:
    return _Row(name, wording.megabytes(before), wording.megabytes(after), _percent(before, after))


def _seconds(before: float | None, after: float | None, *, caused: bool) -> _Row:
    """Of one target on two bases, the difference is the machine's more than the update's."""
    change = "" if caused else _percent(before, after)
    return _Row("Build, cold", wording.seconds(before), wording.seconds(after), change)


def _numbers(name: str, before: int, after: int) -> _Row:
    return _Row(name, f"{before:,}", f"{after:,}", _percent(before, after))


def _percent(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return wording.NONE
    # Milliseconds and bytes are whole numbers; so are counts.
    return wording.percent_change(round(before * 1000), round(after * 1000))


def _weights(before: ImageFacts, after: ImageFacts) -> Iterator[_Row]:
    """Where the bytes are, for images that were here to be looked into."""
    old, new = before.build, after.build
    if old is None and new is None:
        return
    owned = [build.package_size if build else None for build in (old, new)]
    yield _sizes("OS packages' files", *owned)
    waste = [build.waste if build else None for build in (old, new)]
    yield _sizes("Wasted", *(one.wasted if one else None for one in waste))
    efficiency = [f"{one.efficiency * 100:.1f} %" if one else wording.NONE for one in waste]
    yield _Row("Efficiency", efficiency[0], efficiency[1])


def _vulnerabilities(before: Scan, after: Scan) -> Iterator[_Row]:
    old, new = (len(scan.vulnerabilities) if scan.supported else None for scan in (before, after))
    yield _Row("Vulnerabilities", _known(old), _known(new), _percent(old, new))
    pairs = ((Severity.CRITICAL, Severity.HIGH), (Severity.MEDIUM, Severity.LOW))
    for pair in pairs:
        name = " / ".join(severity.value.lower() for severity in pair)
        yield _Row(f"· {name}", *(_counts(scan, pair) for scan in (before, after)))


def _known(total: int | None) -> str:
    return "unknown" if total is None else f"{total:,}"


def _counts(scan: Scan, severities: Sequence[Severity]) -> str:
    if not scan.supported:
        return wording.NONE
    counts = scan.counts()
    return " / ".join(str(counts[severity]) for severity in severities)


def _health(health: Health | None) -> str:
    return f"{health.state} {wording.seconds(health.seconds)}" if health else wording.NONE


def _sentences(result: ImageComparison, shown: Callable[[str], str]) -> list[str]:
    """What the table cannot say: what came and went, and which paths grew."""
    found = [_changes(result.comparison, caused=result.caused)] if result.comparison else []
    if result.comparison is None:
        found = ["Vulnerabilities are not compared: the scanner has no data for one of the distributions."]
    for side, one in zip(sides(result), (result.before, result.after), strict=True):
        if said := hidden(one.scan.ignored, shown):
            found.append(f"{side}: {said}.")
    if result.after.build is not None:
        found += grown(result.after.build, shown)
    return found


def _changes(comparison: Comparison, *, caused: bool) -> str:
    fixed, introduced = len(comparison.fixed), len(comparison.introduced)
    remaining = len(comparison.remaining) + len(comparison.moved)
    if caused:
        by = facts.by_cause(comparison.fixed)
        why = f" ({by})" if by else ""
        text = f"Fixed: {fixed}{why}; introduced: {introduced}; remaining: {remaining}."
    else:
        only = f"only in the first: {fixed}; only in the second: {introduced}"
        text = f"Vulnerabilities {only}; in both: {remaining}."
    packages = counted(comparison)
    return text + (f" Packages: {packages}." if packages else " No package differs.")


def _foot(result: ImageComparison, shown: Callable[[str], str]) -> str:
    """How both were got and measured."""
    scan = result.after.scan
    ways = [_DIGEST.sub(r"\1", one.how) for one in (result.before, result.after)]
    how = f"Both {ways[0]}" if ways[0] == ways[1] else f"The first {ways[0]}, the second {ways[1]}"
    parts = [
        f"{shown(how)} for {result.platform}",
        f"{shown(scan.scanner)} with database of {wording.day(scan.database.updated_at)}",
        wording.seconds(result.seconds),
        *(shown(note) for note in result.notes),
    ]
    return " · ".join(parts)
