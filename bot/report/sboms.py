"""A rescan of SBOMs in plain text, for terminal, chat and mail. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from bot.model.sboms import Known, Remedy, Rescanned, SbomRescan
from bot.model.severity import Severity
from bot.report import wording
from bot.report.hidden import hidden
from bot.report.quote import visible

_SHOWN: Final = 10
_WIDTH: Final = 80
_REMEDIES: Final = {
    Remedy.BASE: "fixed by today's base",
    Remedy.WAITING: "waiting for base",
    Remedy.REBUILD: "fixed by a rebuild",
    Remedy.LOCK_FILE: "fixed by a newer version in a lock file",
    Remedy.NONE: "without a fix",
}


def summary(result: SbomRescan) -> str:
    """What became known for each target, and what would fix it; targets without news in one line each."""
    lines = [line for one in result.rescanned for line in _target(one)]
    lines += [f"{visible(one.subject)}: {visible(one.error)} {visible(one.hint)}" for one in result.problems]
    return "\n".join([*lines, _foot(result)])


def news(result: SbomRescan) -> str:
    """Only what became known, worst first; empty where that is nothing: what is worth a message."""
    return "\n".join(f"{visible(one.name)}: {_line(known, one)}{_doubt(one)}" for one, known in result.new)


def _doubt(one: Rescanned) -> str:
    """The cause, where it may be another than the database."""
    return f" (cause: {one.cause})" if one.told_by else ""


def _target(one: Rescanned) -> Iterator[str]:
    name = f"{visible(one.name)} · {visible(one.sbom.platform)} · {visible(one.image)}"
    yield f"{name}: {_state(one)}"
    for known in one.new[:_SHOWN]:
        yield f"  new: {_line(known, one)}"
    if len(one.new) > _SHOWN:
        yield f"  … and {len(one.new) - _SHOWN} more"
    if one.withdrawn:
        yield f"  withdrawn: {', '.join(visible(found.id, limit=_WIDTH) for found in one.withdrawn[:_SHOWN])}"
    if said := hidden(one.scan.ignored):
        yield f"  {said}"
    if one.told_by:
        told, now = visible(one.told_by), visible(one.scan.scanner)
        yield f"  told last from {told}, now by {now}: the cause may be the scanner or the database"
    yield f"  {_scanned(one)}"


def _state(one: Rescanned) -> str:
    if not one.scan.supported:
        return "unknown: the scanner has no data for this distribution"
    if one.note:
        return f"{_all(one)} ({visible(one.note)})"
    if not one.new:
        return f"nothing new; {_all(one)}"
    return f"{_counts(one.new)} new; {_all(one)}"


def _all(one: Rescanned) -> str:
    """Everything known, by what would fix it."""
    by = Counter(known.remedy for known in one.known)
    parts = [f"{by[remedy]} {words}" for remedy, words in _REMEDIES.items() if by[remedy]]
    return f"{len(one.known)} known" + (f": {', '.join(parts)}" if parts else "")


def _counts(known: tuple[Known, ...]) -> str:
    by = Counter(one.vulnerability.severity for one in known)
    return ", ".join(f"{by[severity]} {severity.lower()}" for severity in Severity if by[severity])


def _line(known: Known, one: Rescanned) -> str:
    found = known.vulnerability
    package = visible(f"{found.package.name} {found.package.version}", limit=_WIDTH)
    where = f", {visible(found.package.path, limit=_WIDTH)}" if found.package.path else ""
    named = f"{found.severity.lower()} {visible(found.id, limit=_WIDTH)} in {package}{where}"
    return f"{named}: {_remedy(known, one)}"


def _remedy(known: Known, one: Rescanned) -> str:
    fixed = visible(known.vulnerability.fixed_version or "", limit=_WIDTH)
    if known.remedy is Remedy.NONE:
        return "no fix yet"
    if known.remedy is Remedy.LOCK_FILE:
        return f"fixed in {fixed}"
    since = ""
    if known.fixed_since is not None:
        family = visible(one.scan.distribution.partition(" ")[0].capitalize())
        since = f"; fixed in {family} since {wording.day(known.fixed_since)} at the latest ({fixed})"
    return _REMEDIES[known.remedy] + since


def _scanned(one: Rescanned) -> str:
    made = wording.day(one.sbom.at)
    if not one.sbom.subject:
        return f"from the SBOM of its base, made {made}: no build of it is at hand"
    other = "" if one.exact else ", on another base than the Dockerfile names now"
    return f"from the SBOM of the build of {made}{other}"


def _foot(result: SbomRescan) -> str:
    targets = wording.count(len(result.rescanned), "SBOM")
    failed = f" · {len(result.problems)} failed" if result.problems else ""
    database = f" · database of {wording.day(result.database.updated_at)}" if result.database else ""
    return f"{targets} rescanned{failed}{database} · {wording.seconds(result.seconds)}"
