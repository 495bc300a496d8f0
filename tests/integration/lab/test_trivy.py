"""The made Trivy database, read by the real Trivy."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.process import run
from deploy.lab import Lab

pytestmark = pytest.mark.lab


def trivy(lab: Lab, repository: str, digest: str, folder: Path) -> dict[str, Any]:
    """What Trivy says of an image in the lab's registry."""
    binary, out = Path(sys.executable).with_name("trivy"), folder / "report.json"
    argv: list[str | Path] = [
        binary,
        "image",
        "--cache-dir",
        lab.trivy_cache,
        "--skip-db-update",
        "--offline-scan",
    ]
    argv += ["--scanners", "vuln", "--image-src", "remote", "--insecure", "--list-all-pkgs"]
    argv += ["--format", "json", "--output", out, f"{lab.registry}/{repository}@{digest}"]
    run(argv, timeout=60, cwd=folder)
    report: dict[str, Any] = json.loads(out.read_text())
    return report


def findings(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [found for result in report["Results"] for found in result.get("Vulnerabilities", [])]


@pytest.mark.parametrize(
    ("name", "family"),
    [("library/debian:bookworm-slim", "debian"), ("library/nginx:1.27-alpine", "alpine")],
    ids=["debian", "alpine"],
)
def test_the_fresh_base_has_fewer_findings_and_none_with_a_fix(
    lab: Lab, tmp_path: Path, name: str, family: str
) -> None:
    repository = name.rpartition(":")[0]
    stale = trivy(lab, repository, lab.stale[name], tmp_path)
    fresh = trivy(lab, repository, lab.fresh[name], tmp_path)

    assert stale["Metadata"]["OS"]["Family"] == family
    assert [found for found in findings(stale) if found.get("FixedVersion")]
    assert [found for found in findings(fresh) if found.get("FixedVersion")] == []
    assert 0 < len(findings(fresh)) < len(findings(stale))
