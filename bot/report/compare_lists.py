"""What two images do not have in common, listed: folded in Markdown, the worst in a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.model.compared import ImageComparison
from bot.model.vulnerability import ChangeKind, Comparison, Finding, PackageChange
from bot.report import wording
from bot.report.layers import head, layer_rows
from bot.report.quote import code, visible, vulnerability
from bot.report.section import Section

_SHOWN: Final = 200
_MORE: Final = "more; `--format json` lists them all."
_WORST: Final = 5
_NAME: Final = 80


def sides(result: ImageComparison) -> tuple[str, str]:
    """What both images are called: one target before and after an update, or any two."""
    return ("Before", "After") if result.caused else ("First", "Second")


def folded(result: ImageComparison) -> Iterator[str]:
    """Sections of the Markdown: vulnerabilities, packages, layers; none where nothing differs."""
    for section in _sections(result):
        if section.items:
            yield section.markdown(_SHOWN, more=_MORE)


def worst(result: ImageComparison) -> Iterator[str]:
    """Lines for a terminal: the worst that is in one of the images only."""
    for name, findings in _apart(result):
        shown = findings[:_WORST]
        if shown:
            of = f", the worst {len(shown)} of {len(findings)}" if len(findings) > len(shown) else ""
            yield f"{name}{of}:"
            yield from (f"  {_plain(one)}" for one in shown)


def _sections(result: ImageComparison) -> Iterator[Section]:
    for name, findings in _apart(result):
        yield Section(f"{name}: {len(findings)}", tuple(map(_item, findings)))
    if result.comparison is not None:
        yield _packages(result.comparison, sides(result), caused=result.caused)
    old, new = result.before.build, result.after.build
    if old is not None or new is not None:
        layers = [build.layers if build else () for build in (old, new)]
        rows = tuple(layer_rows(*layers, one_target=result.caused))
        counts = f"Layers: {result.before.layers} and {result.after.layers}"
        yield Section(counts, rows, head=head(*sides(result)))


def _apart(result: ImageComparison) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    if result.comparison is None:
        return
    names = ("Fixed", "Introduced") if result.caused else ("Only in the first", "Only in the second")
    yield from zip(names, (result.comparison.fixed, result.comparison.introduced), strict=True)


def _item(finding: Finding) -> str:
    found = finding.vulnerability
    package = code(f"{found.package.name} {found.package.version}")
    fix = f", fixed in {code(found.fixed_version)}" if found.fixed_version else ""
    return f"- {wording.weight(found.severity)} {vulnerability(found.id)} in {package}{fix}"


def _plain(finding: Finding) -> str:
    found = finding.vulnerability
    package = visible(f"{found.package.name} {found.package.version}", limit=_NAME)
    fix = f", fixed in {visible(found.fixed_version, limit=_NAME)}" if found.fixed_version else ""
    return f"{found.severity.value.lower():8} {visible(found.id, limit=_NAME)} in {package}{fix}"


def counted(comparison: Comparison) -> str:
    """How many packages differ, and how: `6 changed, 1 added`; empty where none does."""
    numbers = {kind: sum(one.kind is kind for one in comparison.packages) for kind in ChangeKind}
    return ", ".join(f"{number} {kind}" for kind, number in numbers.items() if number)


def _packages(comparison: Comparison, names: tuple[str, str], *, caused: bool) -> Section:
    top, under = f"| Package | {names[0]} | {names[1]} |", "|:--|:--|:--|"
    if caused:
        top, under = f"{top} Cause |", f"{under}:--|"
    rows = tuple(_package(one, caused=caused) for one in comparison.packages)
    return Section(f"Packages: {counted(comparison)}", rows, head=f"{top}\n{under}")


def _package(change: PackageChange, *, caused: bool) -> str:
    name = code(f"{change.name} in {change.path}" if change.path else change.name)
    before, after = (code(one, limit=_NAME) if one else wording.NONE for one in (change.before, change.after))
    return f"| {name} | {before} | {after} |" + (f" {change.cause.value} |" if caused else "")
