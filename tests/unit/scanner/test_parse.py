"""Reading Trivy's report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import ScanError
from bot.model.exposure import Ignored
from bot.model.vulnerability import Database, Package, Scan, Severity
from bot.scanner.parse import Context, parse

LAYER = "sha256:" + "a" * 64
DATABASE = Database("sha256:" + "d" * 64, datetime(2026, 11, 1, tzinfo=UTC), 2)

# Cut down from a report of Trivy 0.74.0 on a Debian image.
PASSWD = {
    "ID": "passwd@1:4.13+dfsg1-1+deb12u2",
    "Name": "passwd",
    "Identifier": {"PURL": "pkg:deb/debian/passwd@4.13", "UID": "aa01"},
    "Version": "4.13+dfsg1",
    "Release": "1+deb12u2",
    "Epoch": 1,
    "SrcName": "shadow",
    "Layer": {"DiffID": LAYER},
}
SHADOW_CVE = {
    "VulnerabilityID": "CVE-2007-5686",
    "PkgID": "passwd@1:4.13+dfsg1-1+deb12u2",
    "PkgName": "passwd",
    "PkgIdentifier": {"PURL": "pkg:deb/debian/passwd@4.13", "UID": "aa01"},
    "InstalledVersion": "1:4.13+dfsg1-1+deb12u2",
    "Status": "affected",
    "Layer": {"DiffID": LAYER},
    "Title": "initscripts in rPath Linux 1 sets insecure permissions",
    "Severity": "LOW",
}


def result(**values: Any) -> dict[str, Any]:
    return {"Target": "image (debian 12.11)", "Class": "os-pkgs", "Type": "debian", **values}


def report(*results: dict[str, Any], system: dict[str, Any] | None = None) -> bytes:
    named = {"Family": "debian", "Name": "12.11"} if system is None else system
    metadata = {"Size": 4096, "DiffIDs": [LAYER]} | ({"OS": named} if named else {})
    return json.dumps({"SchemaVersion": 2, "Metadata": metadata, "Results": list(results)}).encode()


def read(document: bytes, log: str = "") -> Scan:
    return parse(document, Context("debian:12", "trivy 0.74.0", DATABASE, log))


def test_a_package_of_the_distribution_carries_its_full_version_source_and_layer() -> None:
    scan = read(report(result(Packages=[PASSWD])))
    assert scan.packages == (Package("passwd", "1:4.13+dfsg1-1+deb12u2", "debian", "", "shadow", LAYER),)
    assert (scan.distribution, scan.supported, scan.size, scan.diff_ids) == (
        "debian 12.11",
        True,
        4096,
        (LAYER,),
    )


def test_a_finding_points_at_the_very_package_it_is_in() -> None:
    scan = read(report(result(Packages=[PASSWD], Vulnerabilities=[SHADOW_CVE])))
    (found,) = scan.vulnerabilities
    assert found.package == scan.packages[0]
    assert (found.id, found.severity, found.fixed_version, found.status) == (
        "CVE-2007-5686",
        Severity.LOW,
        None,
        "affected",
    )


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"Target": "Node.js", "Type": "node-pkg", "file": "app/x/package.json"}, "app/x/package.json"),
        ({"Target": "usr/local/bin/backend", "Type": "rustbinary", "file": ""}, "usr/local/bin/backend"),
        ({"Target": "backend", "Type": "gobinary", "file": ""}, "backend"),
        ({"Target": "Python", "Type": "python-pkg", "file": ""}, ""),
    ],
    ids=[
        "gathered packages name their file",
        "a program is the path",
        "a program at the root",
        "unknown file",
    ],
)
def test_a_package_of_a_language_carries_the_file_that_lists_it(values: dict[str, str], path: str) -> None:
    one = {"Name": "x", "Version": "1.0", "FilePath": values["file"], "Identifier": {"UID": "1"}}
    raw = {"Target": values["Target"], "Class": "lang-pkgs", "Type": values["Type"], "Packages": [one]}
    assert [p.path for p in read(report(raw)).packages] == [path]


@pytest.mark.parametrize(
    ("own", "vendor", "references", "canonical", "aliases"),
    [
        ("CVE-2026-1", ["DSA-1-1"], [], "CVE-2026-1", ("DSA-1-1",)),
        ("GHSA-aaaa-bbbb-cccc", ["CVE-2026-10001"], [], "CVE-2026-10001", ("GHSA-aaaa-bbbb-cccc",)),
        (
            "GHSA-aaaa-bbbb-cccc",
            [],
            ["https://nvd.nist.gov/vuln/detail/CVE-2026-10001"],
            "CVE-2026-10001",
            ("GHSA-aaaa-bbbb-cccc",),
        ),
        (
            "GHSA-aaaa-bbbb-cccc",
            ["CVE-2026-10001", "CVE-2026-10002"],
            [],
            "GHSA-aaaa-bbbb-cccc",
            ("CVE-2026-10001", "CVE-2026-10002"),
        ),
        ("TEMP-0841856-B18BAF", [], [], "TEMP-0841856-B18BAF", ()),
    ],
    ids=[
        "cve with an advisory",
        "advisory of one cve",
        "cve by its link",
        "advisory of two cves",
        "no cve yet",
    ],
)
def test_a_vulnerability_is_named_by_its_cve_where_it_has_just_one(
    own: str, vendor: list[str], references: list[str], canonical: str, aliases: tuple[str, ...]
) -> None:
    raw = SHADOW_CVE | {"VulnerabilityID": own, "VendorIDs": vendor, "References": references}
    (found,) = read(report(result(Packages=[PASSWD], Vulnerabilities=[raw]))).vulnerabilities
    assert (found.id, found.aliases) == (canonical, aliases)


def test_one_vulnerability_listed_under_two_ids_is_one_finding_with_the_worse_severity_and_the_fix() -> None:
    cve = SHADOW_CVE | {"VulnerabilityID": "CVE-2026-10001", "Severity": "LOW"}
    ghsa = SHADOW_CVE | {
        "VulnerabilityID": "GHSA-aaaa-bbbb-cccc",
        "VendorIDs": ["CVE-2026-10001"],
        "Severity": "HIGH",
        "FixedVersion": "2.0",
        "Status": "fixed",
    }
    (found,) = read(report(result(Packages=[PASSWD], Vulnerabilities=[cve, ghsa]))).vulnerabilities
    assert (found.id, found.severity, found.fixed_version, found.status, found.aliases) == (
        "CVE-2026-10001",
        Severity.HIGH,
        "2.0",
        "fixed",
        ("GHSA-aaaa-bbbb-cccc",),
    )


def listed(*vulnerabilities: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    raws = [SHADOW_CVE | one for one in vulnerabilities]
    found = read(report(result(Packages=[PASSWD], Vulnerabilities=raws))).vulnerabilities
    return [(one.id, one.aliases) for one in found]


@pytest.mark.parametrize("turned", [False, True], ids=["the CVE first", "the alias first"])
@pytest.mark.parametrize("alias", ["GHSA-aaaa-bbbb-cccc", "TEMP-0841856-B18BAF", "DSA-5000-1"])
def test_a_cve_and_an_alias_that_only_it_knows_of_are_one_finding(alias: str, *, turned: bool) -> None:
    pair = [{"VulnerabilityID": "CVE-2026-10001", "VendorIDs": [alias]}, {"VulnerabilityID": alias}]
    assert listed(*(reversed(pair) if turned else pair)) == [("CVE-2026-10001", (alias,))]


def test_what_only_shares_an_advisory_is_not_one_finding() -> None:
    several = [
        {"VulnerabilityID": "CVE-2026-10001", "VendorIDs": ["DSA-5000-1"]},
        {"VulnerabilityID": "CVE-2026-10002", "VendorIDs": ["DSA-5000-1"]},
        {"VulnerabilityID": "TEMP-0841856-B18BAF", "VendorIDs": ["DSA-5000-1"]},
        {"VulnerabilityID": "GHSA-aaaa-bbbb-cccc", "VendorIDs": ["CVE-2026-10001", "CVE-2026-10002"]},
    ]
    assert len(listed(*several)) == 4


@pytest.mark.parametrize(
    ("system", "log"),
    [
        ({}, ""),
        ({"Family": "none"}, ""),
        ({"Family": "debian", "Name": "8.1", "EOSL": True}, ""),
        (
            {"Family": "debian", "Name": "99.1"},
            'WARN\tThis OS version is not on the EOL list\tfamily="debian"',
        ),
        ({"Family": "nixos", "Name": "25.11"}, 'WARN\tUnsupported os\tfamily="nixos"'),
    ],
    ids=["no distribution", "distribution none", "past its end", "unknown release", "unknown distribution"],
)
def test_a_distribution_without_vulnerability_data_is_unknown_and_not_clean(
    system: dict[str, Any], log: str
) -> None:
    assert not read(report(result(Packages=[PASSWD]), system=system), log).supported


def test_findings_that_the_ignore_file_hid_are_named() -> None:
    hidden = {"Type": "vulnerability", "Status": "ignored", "Finding": SHADOW_CVE}
    scan = read(report(result(Packages=[PASSWD], ExperimentalModifiedFindings=[hidden])))
    assert scan.vulnerabilities == ()
    assert scan.ignored == (Ignored("CVE-2007-5686", "passwd"),)


def test_a_severity_that_is_none_of_the_five_words_is_unknown() -> None:
    raw = SHADOW_CVE | {"Severity": "negligible"}
    scan = read(report(result(Packages=[PASSWD], Vulnerabilities=[raw])))
    assert scan.counts() == {s: int(s is Severity.UNKNOWN) for s in Severity}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"SchemaVersion": 1}',
        b"{}",
        b'{"SchemaVersion": 2, "Results": [{"Packages": [{}]}]}',
    ],
    ids=["empty", "cut off", "a list", "null", "old schema", "no schema", "package without a name"],
)
def test_what_is_no_report_is_an_error_and_never_an_empty_scan(document: bytes) -> None:
    with pytest.raises(ScanError, match=r"^Trivy's report on debian:12 cannot be read") as raised:
        read(document)
    assert raised.value.hint


@pytest.mark.parametrize("odd", [7, 1.5, True, [], {"a": "b"}])
@pytest.mark.parametrize("key", ["Title", "Status", "FixedVersion", "SeveritySource"])
def test_a_text_that_is_none_is_an_error_and_not_passed_on(key: str, odd: object) -> None:
    with pytest.raises(ScanError, match=key):
        read(report(result(Packages=[PASSWD], Vulnerabilities=[{**SHADOW_CVE, key: odd}])))


@pytest.mark.parametrize("key", ["Title", "Status", "FixedVersion", "SeveritySource", "Layer", "PkgPath"])
def test_null_is_the_same_as_nothing(key: str) -> None:
    without = {name: value for name, value in SHADOW_CVE.items() if name != key}
    expected = read(report(result(Vulnerabilities=[without])))

    assert read(report(result(Vulnerabilities=[{**SHADOW_CVE, key: None}]))) == expected
