"""The real Trivy on real images: its own numbers, the package manager's, and causes proved by layers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import process
from bot.errors import ScanError, ScannerRefused
from bot.model.target import LINUX_AMD64
from bot.ports import BuildRequest, ScanRequest
from bot.scanner import TrivyScanner
from bot.scanner.binary import find_binary
from tests.integration.scanner.bench import BASE, Bench

pytestmark = pytest.mark.lab


def test_packages_are_those_of_the_package_manager(bench: Bench) -> None:
    image = bench.image(f"FROM debian@{bench.lab.stale[BASE]}", "RUN mkdir /made")
    told = bench.docker(
        "run", "--rm", "--network", "none", image, "dpkg-query", "-W", "-f", "${Package} ${Version}\\n"
    )
    scan = bench.scan(image)
    assert sorted(f"{p.name} {p.version}" for p in scan.packages if p.kind == "debian") == sorted(
        told.splitlines()
    )


def test_findings_are_those_of_a_bare_trivy(bench: Bench) -> None:
    digest = bench.lab.stale[BASE]
    report = bench.folder / "bare.json"
    argv: list[str | Path] = [
        find_binary(None),
        "image",
        "--cache-dir",
        bench.lab.trivy_cache,
        "--skip-db-update",
    ]
    argv += [
        "--offline-scan",
        "--scanners",
        "vuln",
        "--image-src",
        "remote",
        "--insecure",
        "--format",
        "json",
    ]
    process.run(
        [*argv, "--output", report, f"{bench.lab.registry}/library/debian@{digest}"],
        timeout=60,
        cwd=bench.folder,
    )
    bare = json.loads(report.read_text())
    told = sorted(
        (found["VulnerabilityID"], found["PkgName"], found["InstalledVersion"], found["Severity"])
        for result in bare["Results"]
        for found in result.get("Vulnerabilities", ())
    )
    scan = bench.base(digest)
    ours = sorted((v.id, v.package.name, v.package.version, v.severity.value) for v in scan.vulnerabilities)
    assert ours == told
    assert scan.size == bare["Metadata"]["Size"]


def test_the_registry_and_the_engine_give_the_same_packages_and_findings(bench: Bench) -> None:
    digest = bench.lab.stale[BASE]
    remote, local = bench.base(digest), bench.scan(bench.image(f"FROM debian@{digest}", "RUN mkdir /made"))
    assert remote.packages == local.packages
    assert remote.vulnerabilities == local.vulnerabilities
    assert local.diff_ids[: len(remote.diff_ids)] == remote.diff_ids


def test_the_trivy_size_is_the_builders_sum_of_layers(bench: Bench) -> None:
    name = f"{bench.prefix}-image"
    image = bench.image(f"FROM debian@{bench.lab.stale[BASE]}", "RUN mkdir /made")
    dockerfile = bench.folder / "image.Dockerfile"
    built = bench.builder.build(BuildRequest(bench.folder / "context", dockerfile, name))
    assert bench.scan(image).size == built.size


UNKNOWN = {
    "no distribution": ("FROM scratch", "COPY file /file"),
    "an unknown distribution": ("FROM scratch", "COPY foo-release /etc/os-release"),
    "a release past its end": ("FROM {base}", "RUN echo 8.1 > /etc/debian_version"),
    "a release that is not there yet": ("FROM {base}", "RUN echo 99.1 > /etc/debian_version"),
}


@pytest.mark.parametrize("lines", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_image_without_vulnerability_data_is_unknown_and_not_clean(
    bench: Bench, lines: tuple[str, ...]
) -> None:
    (bench.folder / "context").mkdir()
    (bench.folder / "context" / "file").touch()
    (bench.folder / "context" / "foo-release").write_text("ID=foo\nVERSION_ID=9\nNAME=Foo\n")
    base = f"debian@{bench.lab.stale[BASE]}"
    assert not bench.scan(bench.image(*(line.format(base=base) for line in lines))).supported


def test_the_ignore_file_hides_by_name_counts_and_changes_the_identity(bench: Bench) -> None:
    digest = bench.lab.stale[BASE]
    worst = bench.base(digest).vulnerabilities[0]
    ignore = bench.folder / "ignore"
    ignore.write_text(f"{worst.id}\n")
    scanner = TrivyScanner(replace(bench.settings, ignore_file=ignore))
    scan = scanner.scan(ScanRequest(f"debian@{digest}", remote=True, digest=digest, platform=LINUX_AMD64))
    assert worst.id not in {found.id for found in scan.vulnerabilities}
    assert (worst.id, worst.package.name) in {(one.id, one.package) for one in scan.ignored}
    assert scanner.identity() != bench.scanner.identity()


def test_settings_that_lie_about_are_not_read(bench: Bench, tmp_path: Path) -> None:
    """Trivy would take `trivy.yaml` and `.trivyignore` from where it stands."""
    digest = bench.lab.stale[BASE]
    before = len(bench.base(digest).vulnerabilities)
    for folder in (tmp_path, Path(bench.settings.folder)):
        (folder / "trivy.yaml").write_text("severity: [CRITICAL]\nscan: {scanners: [secret]}\n")
        (folder / ".trivyignore").write_text("CVE-*\n")
    assert len(bench.base(digest).vulnerabilities) == before


def test_an_old_database_stops_the_scan(bench: Bench) -> None:
    scanner = TrivyScanner(bench.settings, now=lambda: datetime.now(UTC) + timedelta(days=4000))
    with pytest.raises(ScanError, match="days old, more than the 7 allowed"):
        scanner.database()


def test_a_refused_binary_scans_nothing(bench: Bench) -> None:
    path = bench.folder / "trivy"
    path.write_bytes(b"\x7fELF github.com/aquasecurity/trivy/pkg/version/app.ver=0.69.5 ")
    path.chmod(0o755)
    request = ScanRequest("debian@" + bench.lab.stale[BASE], remote=True, digest="", platform=LINUX_AMD64)
    with pytest.raises(ScannerRefused, match="CVE-2026-33634"):
        TrivyScanner(replace(bench.settings, path=path)).scan(request)


FAILS = {
    "a registry that is down": (
        "127.0.0.1:1/team/app@sha256:" + "1" * 64,
        True,
        "the registry cannot be reached",
    ),
    "an image the registry lacks": (
        "{registry}/library/debian@sha256:" + "1" * 64,
        True,
        "the registry has no such image",
    ),
    "an image the engine lacks": ("sha256:" + "1" * 64, False, "the engine has no such image"),
    "a name that is none": ("Not A Name", True, "an image reference has no spaces"),
}


@pytest.mark.parametrize(("subject", "remote", "message"), FAILS.values(), ids=FAILS.keys())
def test_a_scan_that_fails_says_why(bench: Bench, subject: str, remote: bool, message: str) -> None:  # noqa: FBT001 - a column of the table
    subject = subject.format(registry=bench.lab.registry)
    with pytest.raises(ScanError) as raised:
        bench.scanner.scan(ScanRequest(subject, remote=remote, digest="", platform=LINUX_AMD64))
    assert message in raised.value.message


def test_a_scan_that_takes_too_long_is_ended(bench: Bench) -> None:
    digest = bench.lab.stale[BASE]
    scanner = TrivyScanner(replace(bench.settings, seconds=0.001))
    with pytest.raises(ScanError, match="ran out of time") as raised:
        scanner.scan(ScanRequest(f"debian@{digest}", remote=True, digest=digest, platform=LINUX_AMD64))
    assert "scanner.seconds" in raised.value.hint
