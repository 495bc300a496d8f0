"""The real Trivy on images with secrets, mistakes and lock files; what it hides, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.model.artifact import ArtifactKind
from bot.model.severity import Severity
from bot.model.vulnerability import Scan
from bot.scanner import DatabaseSettings, TrivyScanner
from tests.integration.scanner.bench import Bench
from tests.integration.scanner.databases import database

pytestmark = pytest.mark.lab

TOKEN = "ghp_" + "0123456789abcdefghij" * 2
PASSWORD = "wJalrXUtnFEMI" + "K7MDENGbPxRfiCY"


@pytest.fixture(scope="module")
def exposed(shared: Bench) -> Scan:
    """A scan of an image that tells a token in a file and in ENV, and runs as root."""
    context = shared.folder / "context"
    context.mkdir(exist_ok=True)
    (context / "creds.txt").write_text(f"token = {TOKEN}\n")
    image = shared.image(
        f"FROM {shared.stale}",
        f"ENV GITHUB_TOKEN={TOKEN}",
        f"ENV AWS_SECRET_ACCESS_KEY={PASSWORD}",
        "COPY creds.txt /app/",
    )
    return shared.scan(image, keep=True, exposure=True)


def kept(shared: Bench, scan: Scan, kind: ArtifactKind) -> str:
    (artifact,) = [one for one in scan.artifacts if one.kind is kind]
    return shared.artifacts.get(artifact.digest).decode()


def test_a_secret_is_told_by_file_and_line_and_one_of_the_config_as_such(exposed: Scan) -> None:
    assert exposed.secrets is not None
    found = {(one.rule, one.path, one.line, one.severity) for one in exposed.secrets}
    assert found == {
        ("github-pat", "/app/creds.txt", 1, Severity.CRITICAL),
        ("github-pat", "", 0, Severity.CRITICAL),
    }


def test_the_layer_that_brings_a_secret_is_known(exposed: Scan) -> None:
    (found,) = [one for one in exposed.secrets or () if one.path]
    assert found.diff_id == exposed.diff_ids[-1]


def test_mistakes_in_the_config_are_found(exposed: Scan) -> None:
    assert exposed.misconfigurations is not None
    assert {"DS-0002", "DS-0026", "DS-0031"} <= {one.id for one in exposed.misconfigurations}


def test_no_secret_is_in_the_scan_or_in_what_is_kept(shared: Bench, exposed: Scan) -> None:
    everything = [repr(exposed), *(kept(shared, exposed, kind) for kind in ArtifactKind)]
    assert [text for text in everything if TOKEN in text or PASSWORD in text] == []


def test_the_sbom_lists_every_package_and_the_report_every_finding(shared: Bench, exposed: Scan) -> None:
    sbom = json.loads(kept(shared, exposed, ArtifactKind.SBOM))
    libraries = [one for one in sbom["components"] if one["type"] == "library"]
    assert (sbom["bomFormat"], len(libraries)) == ("CycloneDX", len(exposed.packages))
    report = json.loads(kept(shared, exposed, ArtifactKind.SARIF))
    told = {one["ruleId"] for one in report["runs"][0]["results"]}
    assert {found.id for found in exposed.vulnerabilities} <= told
    assert report["version"] == "2.1.0"


def test_without_being_asked_nobody_looks_for_secrets_and_nothing_is_kept(shared: Bench) -> None:
    scan = shared.remote(shared.stale)
    assert (scan.secrets, scan.misconfigurations, scan.artifacts) == (None, None, ())


def test_who_gave_each_severity_is_recorded(shared: Bench) -> None:
    scan = shared.remote(shared.stale)
    assert scan.severity_sources == ("auto",)
    assert {found.severity_source for found in scan.vulnerabilities} == {"nvd"}


def test_another_source_of_severities_is_another_scan_and_says_so(shared: Bench) -> None:
    scanner = TrivyScanner(replace(shared.settings, severity_sources=("debian", "nvd")))
    assert scanner.identity() == f"{shared.scanner.identity()}, severity by debian then nvd"


def test_a_vex_document_hides_with_its_reason(shared: Bench) -> None:
    worst = shared.remote(shared.stale).vulnerabilities[0]
    document = shared.folder / "vex.json"
    document.write_text(json.dumps(_vex(worst.id, worst.package.name)))
    bench = replace(shared, settings=replace(shared.settings, vex=(document,)))
    scan = bench.remote(shared.stale)
    (hidden,) = [one for one in scan.ignored if one.id == worst.id and one.package == worst.package.name]
    assert worst.identity not in {found.identity for found in scan.vulnerabilities}
    assert (hidden.status, hidden.source) == ("not_affected", str(document))
    assert "vulnerable_code_not_in_execute_path" in hidden.reason


CARGO = """version = 3
[[package]]
name = "time"
version = "0.1.43"
source = "registry+https://github.com/rust-lang/crates.io-index"
[[package]]
name = "h2"
version = "0.3.24"
source = "registry+https://github.com/rust-lang/crates.io-index"
"""


def test_a_finding_of_a_lock_file_says_which_and_has_one_id_of_its_two(shared: Bench, tmp_path: Path) -> None:
    (shared.folder / "context").mkdir(exist_ok=True)
    (shared.folder / "context" / "Cargo.lock").write_text(CARGO)
    image = shared.image(f"FROM {shared.stale}", "COPY Cargo.lock /app/", name="crates")
    crates = {"h2": {"CVE-2026-10003": "0.3.26"}, "time": {"CVE-2026-10004": ""}}
    cache = database(tmp_path / "cache", {}, crates=crates)
    bench = replace(shared, settings=replace(shared.settings, database=DatabaseSettings(cache, offline=True)))
    found = {one.id: one for one in bench.scan(image).vulnerabilities}
    assert set(found) == {"CVE-2026-10003", "CVE-2026-10004"}
    fixable, open_ = found["CVE-2026-10003"], found["CVE-2026-10004"]
    assert {one.package.path for one in found.values()} == {"app/Cargo.lock"}
    assert (fixable.fixed_version, open_.fixed_version) == ("0.3.26", None)
    assert fixable.aliases == ("GHSA-xxxx-xxxx-xxxx",)


def _vex(identifier: str, package: str) -> dict[str, object]:
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "the tests",
        "timestamp": "2026-11-01T00:00:00Z",
        "version": 1,
        "statements": [
            {
                "vulnerability": {"name": identifier},
                "products": [{"@id": f"pkg:deb/debian/{package}"}],
                "status": "not_affected",
                "justification": "vulnerable_code_not_in_execute_path",
            }
        ],
    }
