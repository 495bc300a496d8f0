"""The folded sections of a pull request, for those who want to know more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Final

from bot.model.evidence import Build, Level, Side, networks
from bot.model.run import Proved
from bot.model.vulnerability import Cause, Comparison, Finding, Package
from bot.report import facts, weights, wording
from bot.report.exposure import exposures, kept
from bot.report.facts import Case
from bot.report.layers import head as layers_head
from bot.report.layers import layer_rows
from bot.report.quote import block, code, quote, vulnerability
from bot.report.section import Section

_IDS_SHOWN: Final = 20
_LINES_SEEN: Final = 8


def sections(case: Case) -> Iterable[Section]:
    """Everything about one case that is folded away."""
    comparison = case.evidence.comparison
    if comparison is not None:
        yield from _vulnerabilities(case, comparison)
        if comparison.packages:
            yield _packages(comparison)
    yield from exposures(case.evidence.after.scan)
    if case.evidence.after.build is not None:
        yield _layers(case.evidence.before, case.evidence.after.build)


def _vulnerabilities(case: Case, comparison: Comparison) -> Iterable[Section]:
    if not case.known:
        text = "The scanner does not know this distribution, or it is past its end: unknown is not none."
        yield Section("Vulnerabilities: unknown", head=text)
        return
    if comparison.fixed:
        yield _fixed(comparison)
    if comparison.introduced:
        yield _introduced(comparison)
    if comparison.remaining or comparison.moved:
        yield _remaining(comparison)


def _fixed(comparison: Comparison) -> Section:
    becomes_of = _becomes(comparison)
    groups: dict[tuple[str, str, Cause | None], list[Finding]] = defaultdict(list)
    for finding in comparison.fixed:
        package = finding.vulnerability.package
        groups[package.source or package.name, becomes_of(package), finding.cause].append(finding)
    items = [_fixed_item(*key, findings) for key, findings in groups.items()]
    return Section(f"Fixed: {len(comparison.fixed)} ({facts.by_cause(comparison.fixed)})", tuple(items))


def _becomes(comparison: Comparison) -> Callable[[Package], str]:
    """What became of a package: by its path, else by its version, where the path has the version in it."""
    by_path = {(change.name, change.path): change.after for change in comparison.packages}
    by_version = {(change.name, change.before): change.after for change in comparison.packages}

    def becomes(package: Package) -> str:
        moved = by_version.get((package.name, package.version))
        version = by_path.get((package.name, package.path), moved)
        return f"{package.version} → {version}" if version else f"{package.version}, gone"

    return becomes


def _fixed_item(name: str, becomes: str, cause: Cause | None, findings: Sequence[Finding]) -> str:
    words = wording.BY[cause] if cause else ""
    return f"- {code(name)} {code(becomes)} {words}: {_ids(findings)}"


def _ids(findings: Sequence[Finding]) -> str:
    """Each id once with its severity, worst first; a bounded number of them."""
    found = {f.vulnerability.id: f.vulnerability.severity for f in findings}
    ranked = sorted(found.items(), key=lambda pair: (pair[1].rank, pair[0]))
    shown = [f"{vulnerability(name)} {wording.weight(severity)}" for name, severity in ranked[:_IDS_SHOWN]]
    more = f" and {len(ranked) - _IDS_SHOWN} more" if len(ranked) > _IDS_SHOWN else ""
    return ", ".join(shown) + more


def _introduced(comparison: Comparison) -> Section:
    counts = wording.severities(facts.count(comparison.introduced))
    return Section(f"Introduced: {counts}", tuple(_finding_item(f) for f in comparison.introduced))


def _finding_item(finding: Finding) -> str:
    found = finding.vulnerability
    cause = f" {wording.BY[finding.cause]}" if finding.cause else ""
    fix = f"; fixed in {code(found.fixed_version)}" if found.fixed_version else "; no fix yet"
    what = f": {quote(found.title)}" if found.title else ""
    package = code(f"{found.package.name} {found.package.version}")
    return f"- {wording.weight(found.severity)} {vulnerability(found.id)} in {package}{cause}{fix}{what}"


def _remaining(comparison: Comparison) -> Section:
    findings = (*comparison.remaining, *comparison.moved)
    fixable = [f for f in findings if f.vulnerability.fixed_version]
    rest = [f for f in findings if not f.vulnerability.fixed_version]
    paths = dict.fromkeys(f.vulnerability.package.path for f in fixable)
    items = [
        line
        for path in paths
        for line in _path_items(path, [f for f in fixable if f.vulnerability.package.path == path])
    ]
    items += [_finding_item(f) for f in rest if f.vulnerability.severity in wording.SERIOUS]
    foot = f"Without a fix so far: {wording.severities(facts.count(rest))}." if rest else ""
    if comparison.moved:
        foot += f" {len(comparison.moved)} of these only changed their path."
    return Section(f"Remaining: {len(findings)} ({_fix_words(fixable)})", tuple(items), foot=foot.strip())


def _fix_words(fixable: Sequence[Finding]) -> str:
    if not fixable:
        return "none has a fix yet"
    return f"{len(fixable)} {'has' if len(fixable) == 1 else 'have'} a fix"


def _path_items(path: str, findings: Sequence[Finding]) -> list[str]:
    """What a lock file, or the distribution, could fix now."""
    where = f"in {code(path)}" if path else "in the distribution's packages"
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found = finding.vulnerability
        groups[f"{found.package.name} {found.package.version} → {found.fixed_version}"].append(finding)
    lines = [f"  - {code(change)}: {_ids(group)}" for change, group in groups.items()]
    return [f"- {wording.count(len(findings), 'fix', 'fixes')} {where}:", *lines]


def _packages(comparison: Comparison) -> Section:
    rows = [
        f"| {code(one.name)} | {_version(one.before)} | {_version(one.after)} | {one.cause.value} |"
        for one in comparison.packages
    ]
    kinds = (f"{sum(c.kind.value == kind for c in comparison.packages)} {kind}" for kind in _KINDS)
    counts = ", ".join(text for text in kinds if not text.startswith("0 "))
    head = "| Package | Before | After | Cause |\n|:--|:--|:--|:--|"
    return Section(f"Packages: {counts}", tuple(rows), head=head)


_KINDS: Final = ("changed", "added", "removed")


def _version(version: str | None) -> str:
    return code(version, limit=80) if version else wording.NONE


def _layers(before: Side | None, build: Build) -> Section:
    old = before.build if before else None
    rows = tuple(layer_rows(old.layers if old else (), build.layers))
    times = "Built without layer cache below the base."
    pushed = f" As pushed: {_pushed(old)} before, {_pushed(build)} after." if build.pushed_size else ""
    took = f"{_seconds(build)}, cold"
    if old:
        took = f"{_seconds(old)} before, {_seconds(build)} after (both cold)"
    summary = f"Layers and build: {took}"
    foot = f"{times}{pushed} {weights.sentences(build, code)}".rstrip()
    return Section(summary, rows, head=layers_head(), foot=foot)


def _seconds(build: Build | None) -> str:
    return wording.seconds(build.seconds if build else None)


def _pushed(build: Build | None) -> str:
    return wording.megabytes(build.pushed_size if build else None)


def failure_log(log: str) -> str:
    """The last lines of a failure's log, seen at once; up to 50 of them folded."""
    lines = log.splitlines()
    if len(lines) <= _LINES_SEEN:
        return block(log)
    seen = block("\n".join(lines[-_LINES_SEEN:]))
    return f"{seen}\n\n{Section('The last 50 lines', foot=block(log)).markdown(0)}"


def method(proved: Sequence[Proved], cases: Sequence[Case], *, cycle: str, command: str) -> Section:
    """How it was measured, with the command that repeats it."""
    first = proved[0].planned
    # No commit is named: this text changes only where what was measured does, the build context included.
    items = [f"- From {code(first.use.text)} to {code(str(first.update.to))}"]
    items += [f"- Why this one: {quote(wording.sentence(first.update.reason), limit=400)}"]
    items += [_scan_item(case) for case in cases]
    items += _harness({case.evidence.level for case in cases})
    items += _network_items(cases)
    if cycle:
        items.append(f"- Cycle {code(cycle)}")
    foot = f"Repeat it:\n\n{block(command)}"
    return Section("How it was measured, and the command that repeats it", tuple(items), foot=foot)


def _harness(levels: Container[Level]) -> list[str]:
    """How both sides were made alike: only what was done."""
    items = []
    if Level.BUILD in levels or Level.HEALTH in levels:
        items.append("- Before and after are the same commit and build arguments, built together")
    if Level.HEALTH in levels:
        items.append("- Both are started in the same harness, with no network beyond their own")
    return items


def _network_items(cases: Sequence[Case]) -> Iterable[str]:
    """What builds could reach; nothing where none was made, or it is not known."""
    for one in networks(side for case in cases for side in (case.evidence.before, case.evidence.after)):
        if one.closed:
            yield "- Builds were kept from loopback, private and link-local addresses"
        else:
            yield f"- Builds could reach private addresses: {quote(one.reason, limit=200)}"


def _scan_item(case: Case) -> str:
    scan = case.evidence.after.scan
    digest = code(wording.short_digest(scan.database.digest))
    note = f" ({quote(scan.database.note)})" if scan.database.note else ""
    database = f"{digest} of {wording.day(scan.database.updated_at)}{note}"
    system = quote(scan.distribution or "an unknown distribution")
    took = f"{wording.day(case.evidence.started)}, {wording.seconds(case.evidence.seconds)}"
    # Any other choice is part of the scanner's name.
    by = ", severity by each finding's own database, else NVD" if scan.severity_sources == ("auto",) else ""
    scanned = f"{quote(scan.scanner)} with database {database}{by} ({took})"
    return f"- {quote(case.name)}: {system}, {scanned}{kept(scan)}"
