"""Comparing two scans: what differs, and what caused it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cycle.compare import KnownBase, compare
from bot.model.vulnerability import (
    Cause,
    ChangeKind,
    Comparison,
    Database,
    Finding,
    Package,
    Scan,
    Severity,
    Vulnerability,
)

DATABASE = Database("sha256:" + "d" * 64, datetime(2026, 11, 1, tzinfo=UTC), 2)
OLD_BASE, NEW_BASE, OWN_BEFORE, OWN_AFTER = ("sha256:" + letter * 64 for letter in "abcd")


def package(
    version: str, layer: str, name: str = "libssl3", path: str = "", source: str = "openssl"
) -> Package:
    return Package(name, version, "debian", path, source, layer)


def vulnerability(
    where: Package, name: str = "CVE-2026-1000", severity: Severity = Severity.HIGH
) -> Vulnerability:
    return Vulnerability(name, where, severity)


def scan(*packages: Package, vulnerable: tuple[Package, ...] = (), database: Database = DATABASE) -> Scan:
    found = tuple(vulnerability(one) for one in vulnerable)
    return Scan("image", "debian 12.11", supported=True, packages=packages, vulnerabilities=found,
                scanner="trivy 0.74.0", database=database)  # fmt: skip


def compared(before: Scan, after: Scan, bases: tuple[Scan, Scan] | None = None) -> Comparison:
    old, new = bases or (None, None)
    return compare(before, after, KnownBase([OLD_BASE], old), KnownBase([NEW_BASE], new))


@dataclass(frozen=True)
class Side:
    """The package on one side: in the base alone, and in the image; None where it is absent.

    A version ending in `!` is vulnerable; the image's version stands in a base layer where it
    equals the base's, else in a layer of the Dockerfile's own.
    """

    base: str | None
    image: str | None

    def scans(self, base_layer: str, own_layer: str) -> tuple[Scan, Scan]:
        return _scan(self.base, base_layer), _scan(
            self.image, base_layer if self.image == self.base else own_layer
        )


def _scan(version: str | None, layer: str) -> Scan:
    if version is None:
        return scan()
    one = package(version.removesuffix("!"), layer)
    return scan(one, vulnerable=(one,) if version.endswith("!") else ())


FIXED = {
    "the new base carries the fix": (Side("1!", "1!"), Side("2", "2"), "base", "base"),
    "the new base lacks the package": (Side("1!", "1!"), Side(None, None), "base", "base"),
    "both sides installed it, the new one later": (Side(None, "1!"), Side(None, "2"), "rebuild", "rebuild"),
    "the Dockerfile upgraded what both bases carry": (
        Side("1!", "1!"),
        Side("1!", "2"),
        "rebuild",
        "rebuild",
    ),
    "the Dockerfile upgraded what the new base left vulnerable": (
        Side("1!", "1!"),
        Side("2!", "3"),
        "rebuild",
        "rebuild",
    ),
    "the base fixed it and the Dockerfile went further": (
        Side("1!", "1!"),
        Side("2", "3"),
        "base",
        "rebuild",
    ),
    "an upgrade before was not enough, the new base is": (Side("1!", "2!"), Side("3", "3"), "base", "base"),
    "the Dockerfile installed it until the base brought it": (
        Side(None, "1!"),
        Side("2", "2"),
        "base",
        "base",
    ),
    "the Dockerfile no longer installs it": (Side(None, "1!"), Side(None, None), "rebuild", "rebuild"),
    "an own downgrade fell away, the base is the same": (
        Side("2", "1!"),
        Side("2", "2"),
        "rebuild",
        "rebuild",
    ),
    "the Dockerfile removes what both bases carry": (
        Side("1!", "1!"),
        Side("1!", None),
        "rebuild",
        "rebuild",
    ),
}

INTRODUCED = {
    "the new base carries a vulnerable version": (Side("1", "1"), Side("2!", "2!"), "base", "base"),
    "the new base adds the package": (Side(None, None), Side("1!", "1!"), "base", "base"),
    "the Dockerfile installs a vulnerable one": (Side(None, None), Side(None, "1!"), "rebuild", "rebuild"),
    "both installed it, the new one is vulnerable": (Side(None, "1"), Side(None, "2!"), "rebuild", "rebuild"),
    "an own upgrade that hid the base's is gone": (Side("1!", "2"), Side("1!", "1!"), "rebuild", "rebuild"),
    "the base dropped it and the Dockerfile installs it": (
        Side("1", "1"),
        Side(None, "2!"),
        "rebuild",
        "rebuild",
    ),
}


@pytest.mark.parametrize(("before", "after", "cause", "package_cause"), FIXED.values(), ids=FIXED.keys())
def test_a_fix_is_credited_to_what_brought_it(
    before: Side, after: Side, cause: str, package_cause: str
) -> None:
    old_base, old = before.scans(OLD_BASE, OWN_BEFORE)
    new_base, new = after.scans(NEW_BASE, OWN_AFTER)
    found = compared(old, new, (old_base, new_base))
    assert [one.cause for one in found.fixed] == [Cause(cause)]
    assert [one.cause for one in found.packages] == [Cause(package_cause)]
    assert (found.introduced, found.remaining, found.moved) == ((), (), ())


@pytest.mark.parametrize(
    ("before", "after", "cause", "package_cause"), INTRODUCED.values(), ids=INTRODUCED.keys()
)
def test_a_new_vulnerability_is_put_down_to_what_brought_it(
    before: Side, after: Side, cause: str, package_cause: str
) -> None:
    old_base, old = before.scans(OLD_BASE, OWN_BEFORE)
    new_base, new = after.scans(NEW_BASE, OWN_AFTER)
    found = compared(old, new, (old_base, new_base))
    assert [one.cause for one in found.introduced] == [Cause(cause)]
    assert [one.cause for one in found.packages] == [Cause(package_cause)]
    assert (found.fixed, found.remaining, found.moved) == ((), (), ())


@pytest.mark.parametrize(
    ("after_layer", "cause"), [(NEW_BASE, Cause.BASE), (OWN_AFTER, Cause.REBUILD)], ids=["base", "own"]
)
def test_without_scans_of_the_bases_the_layer_of_the_package_decides(after_layer: str, cause: Cause) -> None:
    old, new = package("1", OLD_BASE), package("2", after_layer)
    found = compared(scan(old, vulnerable=(old,)), scan(new))
    assert [one.cause for one in found.fixed] == [cause]


def test_two_bases_compared_alone_put_everything_down_to_the_base() -> None:
    old, new, added = package("1", OLD_BASE), package("2", NEW_BASE), package("1", NEW_BASE, "zlib1g")
    found = compared(scan(old, vulnerable=(old,)), scan(new, added, vulnerable=(added,)))
    causes = {one.cause for one in (*found.fixed, *found.introduced)} | {one.cause for one in found.packages}
    assert causes == {Cause.BASE}


def test_what_another_database_knows_of_an_unchanged_package_is_put_down_to_the_database() -> None:
    same = package("1", OLD_BASE)
    newer = replace(DATABASE, digest="sha256:" + "e" * 64)
    found = compared(scan(same), scan(same, vulnerable=(same,), database=newer))
    assert [one.cause for one in found.introduced] == [Cause.DATABASE]
    assert found.packages == ()


@pytest.mark.parametrize("temporary", ["GHSA-aaaa-bbbb-cccc", "TEMP-0841856-B18BAF", "DSA-5000-1"])
def test_a_vulnerability_that_got_its_cve_meanwhile_is_no_new_one(temporary: str) -> None:
    one = package("1", OLD_BASE)
    before = replace(scan(one), vulnerabilities=(vulnerability(one, temporary),))
    named = replace(vulnerability(one, "CVE-2026-1000"), aliases=(temporary,))
    found = compared(before, replace(scan(one), vulnerabilities=(named,)))
    assert (found.fixed, found.introduced) == ((), ())
    assert [finding.vulnerability.id for finding in found.remaining] == ["CVE-2026-1000"]


def test_two_cves_of_one_advisory_are_two_vulnerabilities() -> None:
    one = package("1", OLD_BASE)
    old, new = (
        replace(vulnerability(one, name), aliases=("DSA-5000-1",)) for name in ("CVE-2026-1", "CVE-2026-2")
    )
    found = compared(replace(scan(one), vulnerabilities=(old,)), replace(scan(one), vulnerabilities=(new,)))
    assert [finding.vulnerability.id for finding in found.fixed] == ["CVE-2026-1"]
    assert [finding.vulnerability.id for finding in found.introduced] == ["CVE-2026-2"]


def test_an_alias_in_another_package_is_another_finding() -> None:
    one, other = package("1", OLD_BASE), package("1", OLD_BASE, "curl", source="curl")
    before = replace(scan(one, other), vulnerabilities=(vulnerability(one, "GHSA-aaaa-bbbb-cccc"),))
    named = replace(vulnerability(other, "CVE-2026-1000"), aliases=("GHSA-aaaa-bbbb-cccc",))
    found = compared(before, replace(scan(one, other), vulnerabilities=(named,)))
    assert (len(found.fixed), len(found.introduced)) == (1, 1)


def test_a_raised_severity_is_no_new_vulnerability() -> None:
    same = package("1", OLD_BASE)
    before, after = scan(same, vulnerable=(same,)), scan(same, vulnerable=(same,))
    raised = replace(after, vulnerabilities=(replace(after.vulnerabilities[0], severity=Severity.CRITICAL),))
    found = compared(before, raised)
    assert (found.fixed, found.introduced) == ((), ())
    assert [one.vulnerability.severity for one in found.remaining] == [Severity.CRITICAL]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            package("3.11.2", OLD_BASE, "python3.11-minimal", "", "python3.11"),
            package("3.12.1", NEW_BASE, "python3.12-minimal", "", "python3.12"),
        ),
        (
            package("2.0", OLD_BASE, "idna", "usr/lib/python3.11/site-packages/idna/METADATA", "idna"),
            package("2.0", NEW_BASE, "idna", "usr/lib/python3.12/site-packages/idna/METADATA", "idna"),
        ),
        (package("1.1.1", OLD_BASE, "libssl1.1"), package("3.0.1", NEW_BASE, "libssl3")),
    ],
    ids=["numbered source package", "path of the interpreter", "renamed binary package"],
)
def test_a_vulnerability_that_follows_its_package_has_moved(old: Package, new: Package) -> None:
    found = compared(scan(old, vulnerable=(old,)), scan(new, vulnerable=(new,)))
    assert [one.vulnerability.package for one in found.moved] == [new]
    assert (found.fixed, found.introduced, found.remaining) == ((), (), ())


def test_the_same_library_in_two_programs_is_told_apart() -> None:
    kept = package("1", OLD_BASE, "lodash", "usr/lib/npm/package.json", "lodash")
    gone = package("1", OLD_BASE, "lodash", "app/package-lock.json", "lodash")
    found = compared(scan(kept, gone, vulnerable=(kept, gone)), scan(kept, vulnerable=(kept,)))
    assert [one.vulnerability.package.path for one in found.fixed] == ["app/package-lock.json"]
    assert [one.vulnerability.package.path for one in found.remaining] == ["usr/lib/npm/package.json"]


def test_packages_are_listed_as_added_removed_and_changed() -> None:
    before = scan(
        package("1", OLD_BASE, "apt"), package("1", OLD_BASE, "perl"), package("1", OLD_BASE, "tar")
    )
    after = scan(package("2", NEW_BASE, "apt"), package("1", NEW_BASE, "zstd"), package("1", NEW_BASE, "tar"))
    changes = [(one.name, one.kind, one.before, one.after) for one in compared(before, after).packages]
    assert changes == [
        ("apt", ChangeKind.CHANGED, "1", "2"),
        ("perl", ChangeKind.REMOVED, "1", None),
        ("zstd", ChangeKind.ADDED, None, "1"),
    ]


def test_a_package_that_only_moved_has_not_changed() -> None:
    old = package("2.0", OLD_BASE, "idna", "usr/lib/python3.11/idna/METADATA")
    new = package("2.0", NEW_BASE, "idna", "usr/lib/python3.12/idna/METADATA")
    assert compared(scan(old), scan(new)).packages == ()


GO = package("1.22.1", OLD_BASE, "stdlib", "usr/local/go/bin/go", "stdlib")
PROGRAM = package("1.22.1", OWN_BEFORE, "stdlib", "app/server", "stdlib")


def test_what_a_program_was_compiled_with_is_put_down_to_the_base_of_the_stage_that_compiled_it() -> None:
    """Go's standard library: no layer of the image is the toolchain's, and no rebuild would change it."""
    toolchain, program = (replace(one, version="1.22.5", diff_id=layer) for one, layer in
                          ((GO, NEW_BASE), (PROGRAM, OWN_AFTER)))  # fmt: skip
    bases = scan(GO, vulnerable=(GO,)), scan(toolchain)
    found = compared(scan(PROGRAM, vulnerable=(PROGRAM,)), scan(program), bases)
    assert [one.cause for one in found.fixed] == [Cause.BASE]
    assert [(one.path, one.cause) for one in found.packages] == [("app/server", Cause.BASE)]
    back = compared(scan(program), scan(PROGRAM, vulnerable=(PROGRAM,)), (bases[1], bases[0]))
    assert [one.cause for one in back.introduced] == [Cause.BASE]


@pytest.mark.parametrize(
    ("before", "after"),
    [("1.22.1", "1.23.0"), ("1.21.0", "1.22.5")],
    ids=["newer than the new base's", "older than the old base's"],
)
def test_a_program_made_with_another_toolchain_than_the_bases_is_put_down_to_the_rebuild(
    before: str, after: str
) -> None:
    bases = scan(GO), scan(replace(GO, version="1.22.5", diff_id=NEW_BASE))
    old, new = replace(PROGRAM, version=before), replace(PROGRAM, version=after, diff_id=OWN_AFTER)
    found = compared(scan(old, vulnerable=(old,)), scan(new), bases)
    assert [one.cause for one in found.fixed] == [Cause.REBUILD]
    assert [one.cause for one in found.packages] == [Cause.REBUILD]


def test_what_an_environment_was_made_with_is_the_bases_though_its_folder_has_the_version_in_its_name() -> (
    None
):
    def pip(version: str, folder: str, layer: str) -> Package:
        return package(version, layer, "pip", f"{folder}/pip-{version}.dist-info/METADATA", "pip")

    system, venv = "usr/lib/python3/dist-packages", "venv/lib/python3.11/site-packages"
    old, new = pip("23.0", venv, OWN_BEFORE), pip("24.0", venv, OWN_AFTER)
    old_base, new_base = pip("23.0", system, OLD_BASE), pip("24.0", system, NEW_BASE)
    bases = scan(old_base, vulnerable=(old_base,)), scan(new_base)
    found = compared(scan(old, vulnerable=(old,)), scan(new), bases)
    assert [one.cause for one in found.fixed] == [Cause.BASE]
    assert [(one.before, one.after, one.cause) for one in found.packages] == [("23.0", "24.0", Cause.BASE)]


def test_findings_come_worst_first() -> None:
    where = package("1", OLD_BASE)
    found = tuple(
        vulnerability(where, f"CVE-2026-{1000 + n}", severity)
        for n, severity in enumerate((Severity.LOW, Severity.CRITICAL, Severity.UNKNOWN, Severity.HIGH))
    )
    fixed = compared(replace(scan(where), vulnerabilities=found), scan()).fixed
    assert [one.vulnerability.severity.value for one in fixed] == ["CRITICAL", "HIGH", "LOW", "UNKNOWN"]


packages = st.builds(
    Package,
    name=st.sampled_from(["libssl1.1", "libssl3", "zlib1g", "python3.11", "python3.12", "idna"]),
    version=st.sampled_from(["1", "2", "3"]),
    kind=st.sampled_from(["debian", "python-pkg"]),
    path=st.sampled_from(["", "usr/lib/python3.11/x", "usr/lib/python3.12/x", "app/x"]),
    source=st.sampled_from(["", "openssl", "python3.11", "python3.12"]),
    diff_id=st.sampled_from(["", OLD_BASE, NEW_BASE, OWN_BEFORE, OWN_AFTER]),
)
vulnerabilities = st.builds(
    Vulnerability,
    id=st.sampled_from(["CVE-2026-1000", "CVE-2026-1001"]),
    package=packages,
    severity=st.sampled_from(Severity),
)
scans = st.lists(vulnerabilities, max_size=6).map(
    lambda found: replace(
        scan(), packages=tuple({one.package: None for one in found}), vulnerabilities=tuple(found)
    )
)


def one_source(one: Scan) -> Scan:
    """As in a real image: a binary package comes from one source package."""
    found = (replace(v, package=replace(v.package, source="")) for v in one.vulnerabilities)
    return replace(
        one,
        packages=tuple({replace(p, source="") for p in one.packages}),
        vulnerabilities=tuple(found),
    )


def identities(*groups: tuple[Finding, ...]) -> Counter[tuple[str, str, str]]:
    return Counter(one.vulnerability.identity for group in groups for one in group)


def ids(*groups: tuple[Finding, ...]) -> Counter[str]:
    return Counter(one.vulnerability.id for group in groups for one in group)


@settings(max_examples=60)
@given(scans, scans, st.booleans())
def test_fixed_remaining_and_moved_make_before_and_introduced_remaining_and_moved_make_after(
    before: Scan,
    after: Scan,
    with_bases: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    found = compared(before, after, (before, after) if with_bases else None)
    had = Counter(one.identity for one in before.vulnerabilities)
    has = Counter(one.identity for one in after.vulnerabilities)
    assert identities(found.introduced, found.remaining, found.moved) == has
    assert identities(found.fixed, found.remaining) <= had
    assert ids(found.fixed, found.remaining, found.moved) == Counter(v.id for v in before.vulnerabilities)


@settings(max_examples=60)
@given(scans, scans)
def test_remaining_is_all_that_both_sides_share(before: Scan, after: Scan) -> None:
    had = Counter(one.identity for one in before.vulnerabilities)
    has = Counter(one.identity for one in after.vulnerabilities)
    assert identities(compared(before, after).remaining) == had & has


@settings(max_examples=60)
@given(scans, scans)
def test_every_difference_has_a_cause_and_nothing_else_has_one(before: Scan, after: Scan) -> None:
    found = compared(before, after)
    assert all(one.cause is not None for one in (*found.fixed, *found.introduced))
    assert all(one.cause is None for one in (*found.remaining, *found.moved))


@settings(max_examples=150)
@given(scans, scans, scans)
def test_where_the_bases_are_alike_nothing_is_put_down_to_them(before: Scan, after: Scan, base: Scan) -> None:
    found = compared(before, after, (base, base))
    assert {one.cause for one in (*found.fixed, *found.introduced)} <= {Cause.REBUILD}
    assert {one.cause for one in found.packages} <= {Cause.REBUILD}


@settings(max_examples=60)
@given(scans, scans)
def test_where_the_images_are_the_bases_everything_is_put_down_to_them(before: Scan, after: Scan) -> None:
    found = compared(before, after, (before, after))
    assert {one.cause for one in (*found.fixed, *found.introduced)} <= {Cause.BASE}
    assert {one.cause for one in found.packages} <= {Cause.BASE}


@settings(max_examples=60)
@given(scans, scans)
def test_the_way_back_fixes_what_the_way_there_introduces(before: Scan, after: Scan) -> None:
    before, after = one_source(before), one_source(after)
    there, back = compared(before, after), compared(after, before)
    assert identities(there.fixed) == identities(back.introduced)
    assert identities(there.introduced) == identities(back.fixed)
    assert len(there.packages) == len(back.packages)


@settings(max_examples=60)
@given(scans)
def test_an_image_compared_with_itself_differs_in_nothing(one: Scan) -> None:
    found = compared(one, one)
    assert (found.fixed, found.introduced, found.moved, found.packages) == ((), (), (), ())


@settings(max_examples=60)
@given(scans, scans, st.randoms())
def test_the_order_of_findings_changes_no_number(before: Scan, after: Scan, random: Random) -> None:
    shuffled = list(before.vulnerabilities)
    random.shuffle(shuffled)
    first, second = compared(before, after), compared(replace(before, vulnerabilities=tuple(shuffled)), after)
    assert [len(part) for part in _parts(first)] == [len(part) for part in _parts(second)]


def _parts(found: Comparison) -> tuple[tuple[Finding, ...], ...]:
    return (found.fixed, found.introduced, found.remaining, found.moved)
