"""Vulnerability databases with a few entries, for the real Trivy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.lab import bolt

CRATES = "cargo::GitHub Security Advisory Rust"
NOBODY_FIXED = b'{"Status":2}'


def database(
    cache: Path,
    debian: Mapping[str, Mapping[str, str]],
    *,
    crates: Mapping[str, Mapping[str, str]] | None = None,
    due: bool = False,
) -> Path:
    """Write a database below Trivy's cache folder.

    Args:
        cache: The folder.
        debian: Source package → CVE → the version that fixes it; empty for none.
        crates: Likewise for Rust, by GitHub's advisories; each CVE is also `GHSA-xxxx-xxxx-xxxx`.
        due: Whether Trivy finds that there may be a newer one.
    """
    folder = cache / "db"
    folder.mkdir(parents=True)
    (folder / "trivy.db").write_bytes(bolt.dump(_contents(debian, crates or {})))
    now = datetime.now(UTC)
    later = now + timedelta(days=-1 if due else 365)
    before = now - timedelta(days=2)
    dates = {"UpdatedAt": before, "DownloadedAt": before, "NextUpdate": later}
    written = {name: moment.isoformat() for name, moment in dates.items()}
    (folder / "metadata.json").write_text(json.dumps({"Version": 2, **written}))
    return cache


def _contents(
    debian: Mapping[str, Mapping[str, str]], crates: Mapping[str, Mapping[str, str]]
) -> bolt.Bucket:
    fixes = {
        package: {cve: _json({"FixedVersion": fix}) if fix else NOBODY_FIXED for cve, fix in found.items()}
        for package, found in debian.items()
    }
    detail = {"Title": "made up", "Severity": "HIGH", "VendorSeverity": {"nvd": 3}}
    source = {"ID": "debian", "Name": "made up", "URL": "https://www.debian.org/security/"}
    return {
        "debian 12": fixes,
        CRATES: {
            crate: {cve: _advisory(fix) for cve, fix in found.items()} for crate, found in crates.items()
        },
        "vulnerability": {
            cve: _json(detail) for every in (debian, crates) for one in every.values() for cve in one
        },
        "data-source": {"debian 12": _json(source), CRATES: _json(source | {"ID": "ghsa"})},
    }


def _advisory(fix: str) -> bytes:
    patched = {"PatchedVersions": [fix]} if fix else {}
    vulnerable = {"VulnerableVersions": [f"<{fix}" if fix else ">=0"]}
    return _json({"VendorIDs": ["GHSA-xxxx-xxxx-xxxx"], **patched, **vulnerable})


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
