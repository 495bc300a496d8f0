"""The lab's pure parts: changelogs that are read, pins that are set, severities that never change."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from deploy.lab import LabError, alpine
from deploy.lab.packages import refuse_without_root
from deploy.lab.sample import SOURCE, pin
from deploy.lab.trivydb import fixes, made_up_severity

OLD, NEW = "sha256:" + 64 * "0", "sha256:" + 64 * "1"
DIGESTS = {"library/debian:bookworm-slim": NEW}
CHANGELOG = """\
perl (5.36.0-7+deb12u4) bookworm-security; urgency=medium

  * Fix CVE-2026-8376 and CVE-2025-15649; follow-up for CVE-2024-56406.

 -- A Maintainer <a@example.org>  Mon, 05 Oct 2026 10:00:00 +0000

perl (5.36.0-7+deb12u2) bookworm; urgency=medium

  * CVE-2024-56406: heap overflow. (Closes: #1)
"""


def test_a_cve_counts_as_fixed_by_the_first_version_whose_changelog_names_it(tmp_path: Path) -> None:
    (tmp_path / "perl-base.gz").write_bytes(gzip.compress(CHANGELOG.encode()))
    versions = {cve: json.loads(entry)["FixedVersion"] for cve, entry in fixes(tmp_path)["perl"].items()}
    assert versions == {
        "CVE-2026-8376": "5.36.0-7+deb12u4",
        "CVE-2025-15649": "5.36.0-7+deb12u4",
        "CVE-2024-56406": "5.36.0-7+deb12u2",
    }


def test_a_made_up_severity_never_changes() -> None:
    made = {cve: made_up_severity(cve) for cve in ("CVE-2026-8376", "CVE-2025-15649", "CVE-2026-42496")}
    assert made == {"CVE-2026-8376": "CRITICAL", "CVE-2025-15649": "HIGH", "CVE-2026-42496": "LOW"}


@pytest.mark.parametrize(
    ("line", "registry", "expected"),
    [
        (f"FROM debian:bookworm-slim@{OLD}\n", "", f"FROM debian:bookworm-slim@{NEW}\n"),
        (f"FROM debian:bookworm-slim@{OLD} AS x\n", "", f"FROM debian:bookworm-slim@{NEW} AS x\n"),
        (
            f"FROM debian:bookworm-slim@{OLD}\n",
            "127.0.0.1:5000",
            f"FROM 127.0.0.1:5000/library/debian:bookworm-slim@{NEW}\n",
        ),
        (f"FROM ubuntu:24.04@{OLD}\n", "127.0.0.1:5000", f"FROM ubuntu:24.04@{OLD}\n"),
        ("FROM builder\n", "", "FROM builder\n"),
    ],
    ids=["pin", "stage name stays", "other registry", "unknown image", "stage"],
)
def test_a_pin_is_set_and_nothing_else_changes(line: str, registry: str, expected: str) -> None:
    assert pin(line, DIGESTS, registry) == expected


@pytest.mark.parametrize("dockerfile", sorted(SOURCE.rglob("Dockerfile")), ids=lambda path: path.parent.name)
def test_every_base_of_the_sample_is_pinned_to_a_digest_that_the_readme_has_a_source_for(
    dockerfile: Path,
) -> None:
    readme = (SOURCE / "README.md").read_text()
    bases = [line.split()[1] for line in dockerfile.read_text().splitlines() if line.startswith("FROM ")]
    assert bases
    for base in bases:
        name, _, digest = base.partition("@")
        assert digest.startswith("sha256:")
        assert f"`{name}`" in readme


def test_the_made_up_apk_database_names_each_source_package() -> None:
    record = alpine.installed({"libssl3": "3.3.3-r0"}).splitlines()
    assert {"P:libssl3", "V:3.3.3-r0", "o:openssl"} <= set(record)


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        (["docker.io", "mmdebstrap"], "Run as root: apt-get install .*docker.io mmdebstrap"),
        ([], "engine needs root"),
    ],
    ids=["packages", "private engine"],
)
def test_without_root_the_lab_says_exactly_what_to_do(absent: list[str], said: str) -> None:
    with pytest.raises(LabError, match=said):
        refuse_without_root(absent, engine=True)
