"""What caused a difference between two scans; the rule is in the docstring of `bot.cycle.compare.compare`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

from bot.model.vulnerability import Cause, Package, Scan, Vulnerability

Key = tuple[str, str, str]
_DIGITS: Final = re.compile(r"\d+(?:\.\d+)*")


def key_of(package: Package) -> Key:
    """What makes it the same package in two images."""
    return (package.kind, package.name, package.path)


def stem(text: str) -> str:
    """The text with its numbers set aside: `python3.11` and `python3.12` have one stem."""
    return _DIGITS.sub("#", text)


@dataclass(frozen=True, slots=True)
class View:
    """A scan indexed for questions about one package.

    Attributes:
        packages: By what makes it the same package in two images.
        placed: Versions by kind, name and path, with the numbers of the path set aside: `pip-23.0.dist-info`.
        anywhere: Versions by kind and name.
        vulnerable: How often each vulnerability of a package is there.
        database: What it was scanned with.
    """

    packages: dict[Key, list[Package]]
    placed: dict[Key, set[str]]
    anywhere: dict[tuple[str, str], set[str]]
    vulnerable: Counter[tuple[str, str, str]]
    database: str

    @classmethod
    def of(cls, scan: Scan) -> View:
        """Index a scan."""
        packages: defaultdict[Key, list[Package]] = defaultdict(list)
        placed: defaultdict[Key, set[str]] = defaultdict(set)
        anywhere: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for package in scan.packages:
            packages[key_of(package)].append(package)
            placed[_place(package)].add(package.version)
            anywhere[package.kind, package.name].add(package.version)
        found = Counter(v.identity for v in scan.vulnerabilities)
        return cls(dict(packages), dict(placed), dict(anywhere), found, scan.database.digest)

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
        return _base_if(
            old > new or self._brought_by_base(found.package) or self._made_with_the_bases(found.package)
        )

    def introduced(self, found: Vulnerability) -> Cause:
        """Cause of a vulnerability that only *after* has."""
        if self._by_database(found.package):
            return Cause.DATABASE
        if self.bases is None:
            return self._by_layer(found.package)
        old, new = (base.vulnerable[found.identity] for base in self.bases)
        return _base_if(new > old or self._made_with_the_bases(found.package))

    def changed(self, package: Package) -> Cause:
        """Cause of a package's change; `package` as after has it, else as before had it."""
        if self.bases is None:
            return self._by_layer(package)
        if self.after.versions(package):
            brought = self._brought_by_base(package) or self._as_in_the_bases(package)
            return _base_if(brought or self._made_with_the_bases(package))
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

    def _made_with_the_bases(self, package: Package) -> bool:
        """True where each image has it in a version that its base has elsewhere, and the bases differ in it.

        So it is with what a stage on the base compiles or copies into the image: Go's standard library in a
        program, `pip` in a virtual environment. No rebuild on the old base would bring the new version.
        """
        if self.bases is None or not package.path:
            return False
        before, after = (side.placed.get(_place(package), set()) for side in (self.before, self.after))
        old, new = (base.anywhere.get((package.kind, package.name), set()) for base in self.bases)
        return bool(before and after) and before <= old and after <= new and old != new

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


def _place(package: Package) -> Key:
    return (package.kind, package.name, stem(package.path))


def _base_if(condition: bool) -> Cause:  # noqa: FBT001 - one argument, read aloud at every call
    return Cause.BASE if condition else Cause.REBUILD
