"""What caused a difference between two scans; the rule is in the docstring of `bot.cycle.compare.compare`."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from bot.model.vulnerability import Cause, Package, Scan, Vulnerability

Key = tuple[str, str, str]


def key_of(package: Package) -> Key:
    """What makes it the same package in two images."""
    return (package.kind, package.name, package.path)


@dataclass(frozen=True, slots=True)
class View:
    """A scan indexed for questions about one package."""

    packages: dict[Key, list[Package]]
    vulnerable: Counter[tuple[str, str, str]]
    database: str

    @classmethod
    def of(cls, scan: Scan) -> View:
        """Index a scan."""
        packages: defaultdict[Key, list[Package]] = defaultdict(list)
        for package in scan.packages:
            packages[key_of(package)].append(package)
        found = Counter(v.identity for v in scan.vulnerabilities)
        return cls(dict(packages), found, scan.database.digest)

    def versions(self, package: Package) -> tuple[str, ...]:
        """The versions of a package here, sorted; empty where it is absent."""
        return tuple(sorted(found.version for found in self.packages.get(key_of(package), ())))

    def in_layers(self, package: Package, layers: frozenset[str]) -> bool:
        """True where the package is here and every version of it stands in one of these layers."""
        found = self.packages.get(key_of(package), [])
        return bool(found) and all(one.diff_id in layers for one in found)


@dataclass(frozen=True, slots=True)
class Causes:
    """Answers what caused a difference; the rule is in the docstring of `compare`."""

    before: View
    after: View
    base_before: frozenset[str]
    base_after: frozenset[str]
    bases: tuple[View, View] | None

    def fixed(self, found: Vulnerability) -> Cause:
        """Cause of a vulnerability that only *before* has."""
        if self._by_database(found.package):
            return Cause.DATABASE
        if self.bases is None:
            return self._by_layer(found.package)
        old, new = (base.vulnerable[found.identity] for base in self.bases)
        return _base_if(old > new or self._brought_by_base(found.package))

    def introduced(self, found: Vulnerability) -> Cause:
        """Cause of a vulnerability that only *after* has."""
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
            return _base_if(self._brought_by_base(package) or self._as_in_the_bases(package))
        old, new = (base.versions(package) for base in self.bases)
        return _base_if(bool(old) and not new)

    def _brought_by_base(self, package: Package) -> bool:
        """True where the new base's layers hold the package, and the bases differ in it."""
        if self.bases is None or not self.after.in_layers(package, self.base_after):
            return False
        old, new = self.bases
        return old.versions(package) != new.versions(package)

    def _as_in_the_bases(self, package: Package) -> bool:
        """True where each image has the package as its base has it, copied into whatever layer."""
        if self.bases is None:
            return False
        before, after = self.before.versions(package), self.after.versions(package)
        return (before, after) == tuple(base.versions(package) for base in self.bases)

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
