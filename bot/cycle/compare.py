"""Compare two scans: what was fixed, what came, what stayed, and what caused it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from bot.cycle.causes import Causes, View, key_of, stem
from bot.model.vulnerability import (
    ChangeKind,
    Comparison,
    Finding,
    Package,
    PackageChange,
    Scan,
    Vulnerability,
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class KnownBase:
    """What is known of the base image that an image stands on.

    Attributes:
        diff_ids: Of its layers; none where nothing tells which of the image's are its base's.
        scan: Of the base image alone, or None.
    """

    diff_ids: Sequence[str] = ()
    scan: Scan | None = None


UNKNOWN_BASE: Final = KnownBase()


def compare(
    before: Scan, after: Scan, base_before: KnownBase = UNKNOWN_BASE, base_after: KnownBase = UNKNOWN_BASE
) -> Comparison:
    """Compare two scans as multisets, each difference with its cause.

    Vulnerabilities are matched by identity (canonical id, package, path), equal versions
    first, then by a shared alias; what is left over is matched by id and source package with
    numbers set aside, which makes the way from `python3.11` to `python3.12` a move. Severity is
    an attribute.

    The cause of a difference, where p is the package and v the vulnerability:

    - `database`: the two scans used different databases, and p is there in the same version
      on both sides.
    - `base`: the base images alone show the difference. v is fixed when the old base carried
      it in p and the new one does not, or when the image now has p as a layer of the new base
      brings it, and the bases differ in p (the Dockerfile installed p itself until the base
      brought it). v is introduced when the new base carries it in p and the old one did not.
      A package changed by the base where a layer of the new base holds it and the bases differ in it,
      or where each image has it as its own base has it, copied into whatever layer. What a program or an
      environment was made with (Go's standard library, `pip`) is the base's too, and so is what that fixes or
      introduces: where each image has it in a version that its base has elsewhere, and the bases differ.
    - `rebuild`: everything else. The version that makes the difference stands in a layer of
      the Dockerfile's own, and would have come without the new base.

    Without scans of both bases, the layer of p decides: as *after* has it, or as *before* had
    it where it is gone. A layer above p in a base may hide an older p; only the scans of the
    bases tell, so give them wherever there are some.

    Args:
        before: Scan of the image on the old base.
        after: Scan of the image on the new base.
        base_before: The old base.
        base_after: The new base.

    Raises:
        ValueError: One is the scan of an SBOM and the other of an image.
    """
    if before.from_sbom is not after.from_sbom:
        raise ValueError("a scan of an SBOM and one of an image see different things: they are not compared")
    causes = _causes(before, after, base_before, base_after)
    found = _match_vulnerabilities(before.vulnerabilities, after.vulnerabilities)
    return Comparison(
        fixed=_worst_first(Finding(v, causes.fixed(v)) for v in found.only_before),
        introduced=_worst_first(Finding(v, causes.introduced(v)) for v in found.only_after),
        remaining=_worst_first(Finding(v) for _, v in found.same),
        moved=_worst_first(Finding(v) for _, v in found.moved),
        packages=_package_changes(before.packages, after.packages, causes),
    )


def _causes(before: Scan, after: Scan, base_before: KnownBase, base_after: KnownBase) -> Causes:
    layers = frozenset(base_before.diff_ids), frozenset(base_after.diff_ids)
    bases = None
    if base_before.scan is not None and base_after.scan is not None:
        bases = View.of(base_before.scan), View.of(base_after.scan)
    return Causes(View.of(before), View.of(after), *layers, bases)


@dataclass(frozen=True, slots=True)
class _Matched:
    """Two multisets matched: pairs that are the same, pairs that moved, and what is left."""

    same: list[tuple[Vulnerability, Vulnerability]]
    moved: list[tuple[Vulnerability, Vulnerability]]
    only_before: list[Vulnerability]
    only_after: list[Vulnerability]


def _match_vulnerabilities(before: Iterable[Vulnerability], after: Iterable[Vulnerability]) -> _Matched:
    exact, left, right = _pair(_sorted(before), _sorted(after), lambda v: (v.identity, v.package.version))
    other, left, right = _pair(left, right, lambda v: v.identity)
    renamed, left, right = _pair_by_alias(left, right)
    moved, left, right = _pair(left, right, lambda v: (v.id, stem(_source(v.package))))
    return _Matched(exact + other + renamed, moved, left, right)


def _pair_by_alias(
    before: Iterable[Vulnerability], after: Iterable[Vulnerability]
) -> tuple[list[tuple[Vulnerability, Vulnerability]], list[Vulnerability], list[Vulnerability]]:
    """Pair what got another id meanwhile (a GHSA or TEMP its CVE), each at most once; as `_pair`."""
    waiting: defaultdict[Hashable, list[Vulnerability]] = defaultdict(list)
    for old in before:
        waiting[old.identity[1:]].append(old)
    pairs, rest = [], []
    for new in after:
        partners = waiting[new.identity[1:]]
        same = next((old for old in partners if old.is_also(new)), None)
        if same is None:
            rest.append(new)
        else:
            partners.remove(same)
            pairs.append((same, new))
    return pairs, [old for partners in waiting.values() for old in partners], rest


def _pair(
    before: Iterable[_T], after: Iterable[_T], key: Callable[[_T], Hashable]
) -> tuple[list[tuple[_T, _T]], list[_T], list[_T]]:
    """Pair members with equal keys, each at most once; gives pairs, rest before, rest after."""
    waiting: defaultdict[Hashable, list[_T]] = defaultdict(list)
    for item in before:
        waiting[key(item)].append(item)
    pairs, rest = [], []
    for item in after:
        partners = waiting[key(item)]
        if partners:
            pairs.append((partners.pop(0), item))
        else:
            rest.append(item)
    return pairs, [item for items in waiting.values() for item in items], rest


def _sorted(found: Iterable[Vulnerability]) -> list[Vulnerability]:
    """In an order of their own, so that the order of a report changes no result."""
    return sorted(
        found, key=lambda v: (*v.identity, v.package.version, _source(v.package), v.package.diff_id)
    )


def _source(package: Package) -> str:
    return package.source or package.name


def _package_changes(
    before: Iterable[Package], after: Iterable[Package], causes: Causes
) -> tuple[PackageChange, ...]:
    """Every package that differs; one that has only moved to another path does not."""
    _, left, right = _pair(before, after, lambda p: (key_of(p), p.version))
    _, left, right = _pair(left, right, lambda p: (p.kind, p.name, p.version, stem(p.path)))
    same_path, left, right = _pair(left, right, key_of)
    moved, left, right = _pair(left, right, lambda p: (p.kind, p.name, stem(p.path)))
    changes = [
        PackageChange(new.name, ChangeKind.CHANGED, old.version, new.version, causes.changed(new), new.path)
        for old, new in same_path + moved
    ]
    changes += [
        PackageChange(p.name, ChangeKind.REMOVED, p.version, None, causes.changed(p), p.path) for p in left
    ]
    changes += [
        PackageChange(p.name, ChangeKind.ADDED, None, p.version, causes.changed(p), p.path) for p in right
    ]
    return tuple(sorted(changes, key=lambda c: (c.name, c.path, c.before or "", c.after or "")))


def _worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    found = finding.vulnerability
    return (found.severity.rank, found.id, found.package.name, found.package.path, found.package.version)
