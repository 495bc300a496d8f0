"""A Trivy database made from the archive's own changelogs: real CVEs, real fixed versions.

What a changelog does not say is made up, the same in every run, and says so in the entry: the severity of a
fixed CVE is derived from its id. The CVEs without a fix are real ones that Debian 12 lists as open and minor.
The entries for Alpine fit the made-up root of `alpine.py`; they are no copy of Alpine's security database.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from deploy.lab import alpine, bolt

DEBIAN: Final = "debian 12"
ALPINE: Final = f"alpine {alpine.VERSION}"
_AFFECTED: Final = b'{"Status":2}'  # trivy-db's StatusAffected: no fix
_LEVELS: Final = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_SHARES: Final = ((8, "CRITICAL"), (40, "HIGH"), (82, "MEDIUM"), (100, "LOW"))
_HEAD: Final = re.compile(r"^(\S+) \(([^)]+)\) .*; urgency=")
_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,7}")
_UNFIXED: Final[Mapping[str, str]] = {
    "CVE-2005-2541": "tar",
    "CVE-2007-5686": "shadow",
    "CVE-2010-4756": "glibc",
    "CVE-2011-3374": "apt",
    "CVE-2011-4116": "perl",
    "CVE-2013-4392": "systemd",
    "CVE-2016-2781": "coreutils",
    "CVE-2017-18018": "coreutils",
    "CVE-2018-20796": "glibc",
    "CVE-2019-9192": "glibc",
    "CVE-2022-0563": "util-linux",
}
# CVE → (Alpine source package, version that fixes it or "" for none, severity); written for the lab.
_ALPINE: Final[Mapping[str, tuple[str, str, str]]] = {
    "CVE-2024-8176": ("expat", "2.7.0-r0", "HIGH"),
    "CVE-2024-58251": ("busybox", "", "LOW"),
    "CVE-2025-9230": ("openssl", "3.3.5-r0", "HIGH"),
    "CVE-2025-9232": ("openssl", "3.3.5-r0", "MEDIUM"),
    "CVE-2025-26519": ("musl", "1.2.5-r9", "HIGH"),
    "CVE-2025-32414": ("libxml2", "2.13.4-r5", "MEDIUM"),
    "CVE-2025-32415": ("libxml2", "2.13.4-r5", "HIGH"),
    "CVE-2025-46394": ("busybox", "", "LOW"),
    "CVE-2025-49794": ("libxml2", "2.13.4-r6", "CRITICAL"),
}


def write(cache: Path, changelogs: Path, date: datetime) -> None:
    """Write `db/trivy.db` and `db/metadata.json` below Trivy's cache folder.

    Args:
        cache: The value for `--cache-dir`.
        changelogs: Folder of gzipped Debian changelogs.
        date: When the database says it was made.
    """
    folder = cache / "db"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trivy.db").write_bytes(bolt.dump(contents(changelogs)))
    stamp, later = date.isoformat(), (date + timedelta(days=365)).isoformat()
    metadata = {"Version": 2, "UpdatedAt": stamp, "DownloadedAt": stamp, "NextUpdate": later}
    (folder / "metadata.json").write_text(json.dumps(metadata))


def contents(changelogs: Path) -> bolt.Bucket:
    """The database's buckets, in the layout of trivy-db's schema version 2."""
    debian = fixes(changelogs)
    severities = {cve: made_up_severity(cve) for found in debian.values() for cve in found}
    for cve, package in _UNFIXED.items():
        debian.setdefault(package, {})[cve] = _AFFECTED
    severities |= dict.fromkeys(_UNFIXED, "LOW") | {cve: entry[2] for cve, entry in _ALPINE.items()}
    source = {
        "ID": "debian",
        "Name": "Debian changelogs (refit lab)",
        "URL": "https://www.debian.org/security/",
    }
    own = {"ID": "alpine", "Name": "made up (refit lab)", "URL": "https://secdb.alpinelinux.org/"}
    return {
        DEBIAN: debian,
        ALPINE: _alpine(),
        "vulnerability": {cve: _detail(cve, level) for cve, level in severities.items()},
        "data-source": {DEBIAN: _json(source), ALPINE: _json(own)},
    }


def fixes(changelogs: Path) -> dict[str, dict[str, bytes]]:
    """Source package → CVE → the first version whose changelog entry names it."""
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted(changelogs.glob("*.gz")):
        for source, version, cve in entries(gzip.decompress(path.read_bytes()).decode(errors="replace")):
            # Newest first in the file: an older entry overwrites, so the first fix stays.
            found.setdefault(source, {})[cve] = _json({"FixedVersion": version})
    return found


def entries(changelog: str) -> Iterator[tuple[str, str, str]]:
    """(source package, version, CVE) for each CVE that an entry names, in the file's order."""
    source = version = ""
    for line in changelog.splitlines():
        head = _HEAD.match(line)
        if head:
            source, version = head[1], head[2]
        for cve in _CVE.findall(line) if source else ():
            yield source, version, cve


def made_up_severity(cve: str) -> str:
    """A severity derived from the id alone: about 8 % critical, 32 % high, 42 % medium, the rest low."""
    number = int(hashlib.sha256(cve.encode()).hexdigest(), 16) % 100
    return next(level for bound, level in _SHARES if number < bound)


def _alpine() -> dict[str, dict[str, bytes]]:
    bucket: dict[str, dict[str, bytes]] = {}
    for cve, (package, fixed, _) in _ALPINE.items():
        bucket.setdefault(package, {})[cve] = _json({"FixedVersion": fixed}) if fixed else _AFFECTED
    return bucket


def _detail(cve: str, severity: str) -> bytes:
    level = _LEVELS.index(severity)
    note = "Entry of the Refit lab: the id is real, the severity is made up for the lab."
    return _json(
        {
            "Title": f"{cve} (severity made up for the lab)",
            "Description": note,
            "Severity": severity,
            "VendorSeverity": {"nvd": level},
            "References": [f"https://security-tracker.debian.org/tracker/{cve}"],
        }
    )


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
