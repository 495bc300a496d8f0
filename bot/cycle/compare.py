"""Compare two scans: what was fixed, what came, what stayed, and what caused it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from bot.model.vulnerability import (
    Cause,
    ChangeKind,
    Comparison,
    Finding,
    Package,
    PackageChange,
    Scan,
    Vulnerability,
)

_T = TypeVar("_T")
_DIGITS: Final = re.compile(r"\d+(?:\.\d+)*")


def compare(  # noqa: PLR0913 - two sides of three values each, all by keyword but the scans
    before: Scan,
    after: Scan,
    *,
    base_before: Sequence[str],
    base_after: Sequence[str],
    base_scan_before: Scan | None = None,
    base_scan_after: Scan | None = None,
) -> Comparison:
    """Compare two scans as multisets, each difference with its cause.

    Vulnerabilities are matched by identity (canonical id, package, path), equal versions
    first; what is left over is matched by id and source package with numbers set aside, which
    makes the way from `python3.11` to `python3.12` a move. Severity is an attribute.

    The cause of a difference, where p is the package and v the vulnerability:

    - `database`: the two scans used different databases, and p is there in the same version
      on both sides.
    - `base`: the base images alone show the difference. v is fixed when the old base carried
      it in p and the new one does not, or when the image now has p as a layer of the new base
      brings it, and the bases differ in p (the Dockerfile installed p itself until the base
      brought it). v is introduced when the new base carries it in p and the old one did not.
    - `rebuild`: everything else. The version that makes the difference stands in a layer of
      the Dockerfile's own, and would have come without the new base.

    Without scans of both bases, the layer of p decides: as *after* has it, or as *before* had
    it where it is gone. A layer above p in a base may hide an older p; only the scans of the
    bases tell, so give them wherever there are some.

    Args:
        before: Scan of the image on the old base.
        after: Scan of the image on the new base.
        base_before: Diff ids of the old base's layers.
        base_after: Diff ids of the new base's layers.
        base_scan_before: Scan of the old base itself.
        base_scan_after: Scan of the new base itself.

    Raises:
        ValueError: One is the scan of an SBOM and the other of an image.
    """
    if before.from_sbom is not after.from_sbom:
        raise ValueError("a scan of an SBOM and one of an image see different things: they are not compared")
    bases = None
    if base_scan_before is not None and base_scan_after is not None:
        bases = (_View.of(base_scan_before), _View.of(base_scan_after))
    causes = _Causes(_View.of(before), _View.of(after), frozenset(base_before), frozenset(base_after), bases)
    found = _match_vulnerabilities(before.vulnerabilities, after.vulnerabilities)
    return Comparison(
        fixed=_worst_first(Finding(v, causes.fixed(v)) for v in found.only_before),
        introduced=_worst_first(Finding(v, causes.introduced(v)) for v in found.only_after),
        remaining=_worst_first(Finding(v) for _, v in found.same),
        moved=_worst_first(Finding(v) for _, v in found.moved),
        packages=_package_changes(before.packages, after.packages, causes),
    )


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
    moved, left, right = _pair(left, right, lambda v: (v.id, _stem(_source(v.package))))
    return _Matched(exact + other, moved, left, right)


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


def _stem(text: str) -> str:
    """The text with its numbers set aside: `python3.11` and `python3.12` have one stem."""
    return _DIGITS.sub("#", text)


_Key = tuple[str, str, str]


def _key(package: Package) -> _Key:
    return (package.kind, package.name, package.path)


@dataclass(frozen=True, slots=True)
class _View:
    """A scan indexed for questions about one package."""

    packages: dict[_Key, list[Package]]
    vulnerable: Counter[tuple[str, str, str]]
    database: str

    @classmethod
    def of(cls, scan: Scan) -> _View:
        packages: defaultdict[_Key, list[Package]] = defaultdict(list)
        for package in scan.packages:
            packages[_key(package)].append(package)
        found = Counter(v.identity for v in scan.vulnerabilities)
        return cls(dict(packages), found, scan.database.digest)

    def versions(self, package: Package) -> tuple[str, ...]:
        """The versions of a package here, sorted; empty where it is absent."""
        return tuple(sorted(found.version for found in self.packages.get(_key(package), ())))

    def in_layers(self, package: Package, layers: frozenset[str]) -> bool:
        """True where the package is here and every version of it stands in one of these layers."""
        found = self.packages.get(_key(package), [])
        return bool(found) and all(one.diff_id in layers for one in found)


@dataclass(frozen=True, slots=True)
class _Causes:
    """Answers what caused a difference; the rule is in the docstring of `compare`."""

    before: _View
    after: _View
    base_before: frozenset[str]
    base_after: frozenset[str]
    bases: tuple[_View, _View] | None

    def fixed(self, found: Vulnerability) -> Cause:
        if self._by_database(found.package):
            return Cause.DATABASE
        if self.bases is None:
            return self._by_layer(found.package)
        old, new = (base.vulnerable[found.identity] for base in self.bases)
        return _base_if(old > new or self._brought_by_base(found.package))

    def introduced(self, found: Vulnerability) -> Cause:
        if self._by_database(found.package):
            return Cause.DATABASE
        if self.bases is None:
            return self._by_layer(found.package)
        old, new = (base.vulnerable[found.identity] for base in self.bases)
        return _base_if(new > old)

    def changed(self, package: Package) -> Cause:
        """Cause of a package's change; `package` as after has it, else as before had it."""
        if self.bases is None:
            return self._by_layer(package)
        if self.after.versions(package):
            return _base_if(self._brought_by_base(package))
        old, new = (base.versions(package) for base in self.bases)
        return _base_if(bool(old) and not new)

    def _brought_by_base(self, package: Package) -> bool:
        """True where the new base's layers hold the package, and the bases differ in it."""
        if self.bases is None or not self.after.in_layers(package, self.base_after):
            return False
        old, new = self.bases
        return old.versions(package) != new.versions(package)

    def _by_layer(self, package: Package) -> Cause:
        if self.after.versions(package):
            return _base_if(self.after.in_layers(package, self.base_after))
        return _base_if(self.before.in_layers(package, self.base_before))

    def _by_database(self, package: Package) -> bool:
        different = self.before.database != self.after.database
        both = (
            package.version in self.before.versions(package),
            package.version in self.after.versions(package),
        )
        return different and all(both)


def _base_if(condition: bool) -> Cause:  # noqa: FBT001 - one argument, read aloud at every call
    return Cause.BASE if condition else Cause.REBUILD


def _package_changes(
    before: Iterable[Package], after: Iterable[Package], causes: _Causes
) -> tuple[PackageChange, ...]:
    """Every package that differs; one that has only moved to another path does not."""
    _, left, right = _pair(before, after, lambda p: (_key(p), p.version))
    _, left, right = _pair(left, right, lambda p: (p.kind, p.name, p.version, _stem(p.path)))
    same_path, left, right = _pair(left, right, _key)
    moved, left, right = _pair(left, right, lambda p: (p.kind, p.name, _stem(p.path)))
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
