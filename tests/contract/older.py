"""What older Refits stored: a row of every table, as the version that made the table wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, insert, select

from bot.store.revision import MIGRATIONS

NOW: Final = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
_AMD64: Final = {"os": "linux", "architecture": "amd64"}

Row = Mapping[str, Any]

SCAN: Final = {
    "subject": "debian@sha256:a", "distribution": "debian 12", "supported": True, "packages": [],
    "vulnerabilities": [], "scanner": "trivy 0.74.0",
    "database": {"digest": "sha256:d", "updated_at": "2026-11-20T06:00:00Z", "version": 2},
    "ignored": ["CVE-2007-5686 passwd"],
}  # fmt: skip
EVIDENCE: Final = {
    "key": "k", "level": "base", "level_reason": "", "platform": _AMD64, "before": None,
    "after": {"base": "debian@sha256:a", "scan": SCAN}, "comparison": None,
    "started": "2026-11-24T04:00:00Z", "seconds": 1.0,
}  # fmt: skip
# From 0007 on, a hidden finding is more than a line.
_EXPLAINED: Final = SCAN | {"ignored": [{"id": "CVE-2007-5686", "package": "passwd"}]}
_IMAGE: Final = {
    "name": "ghcr.io/acme/shop", "registry": "ghcr.io", "repository": "acme/shop", "tag": "1", "digest": None,
}  # fmt: skip
_PUBLISHED: Final = {
    "project": "acme/shop", "target": "backend", "platform": _AMD64,
    "image": _IMAGE, "state": "shipped",
    "reason": "built on what the branch holds", "at": "2026-11-24T04:00:00Z",
}  # fmt: skip

# The revision that made each table, and a row of it.
ROWS: Final[Mapping[str, tuple[str, Row]]] = {
    "audit": ("0001", {"id": 7, "at": NOW, "who": "slack:U1", "what": "rescan", "detail": "debian:12"}),
    "baselines": ("0001", {
        "project": "acme/shop", "target": "backend", "platform": "linux/amd64", "size": 10**10,
        "digest": "debian:12@sha256:a", "at": NOW,
    }),
    "cache": ("0001", {"kind": "blob", "key": "sha256:a", "value": b"\x00\xff", "stored": NOW}),
    "cycles": ("0001", {
        "id": "monthly-2026-11", "name": "monthly-2026-11", "attempt": 1, "state": "running", "started": NOW,
        "finished": None, "plan": '{"updates": [], "decided": []}', "result": None,
    }),
    "evidence": ("0001", {"key": "k", "created": NOW}),
    "measurements": ("0001", {
        "project": "acme/shop", "target": "backend", "platform": "linux/amd64", "cycle": "monthly-2026-11",
        "base": "debian:12@sha256:a", "at": NOW, "size": 10**10, "layers": 3, "critical": 1, "high": 2,
        "medium": 3, "low": 4, "applied": True,
    }),
    "publications": ("0001", {
        "slot": "s", "project": "acme/shop", "kind": "pull-request", "digest": "sha256:a", "url": "u",
        "branch": "refit/s", "state": "open", "commit": "c", "body_digest": "b",
    }),
    "scans": ("0001", {"key": "sbom sha256:5"}),
    "sightings": ("0001", {"reference": "debian:12", "digest": "sha256:a", "first_seen": NOW}),
    "snoozes": ("0003", {
        "project": "acme/shop", "image": "debian:12", "who": "slack:U1", "reason": "freeze", "at": NOW,
        "until": datetime(2027, 1, 1, tzinfo=UTC),
    }),
    "ledger": ("0003", {"kind": "notice", "key": "critical x", "value": "known", "at": NOW}),
    "published": ("0004", {
        "project": "acme/shop", "target": "backend", "platform": "linux/amd64",
        "body": json.dumps(_PUBLISHED), "at": NOW,
    }),
    "receipts": ("0006", {"key": "job", "body": '{"key": "job", "evidence": ["k"]}', "at": NOW}),
    "leases": ("0006", {"name": "drive", "holder": "", "beat": NOW}),
    "sboms": ("0007", {
        "subject": "acme/shop#backend", "platform": "linux/amd64", "base": "debian@sha256:a",
        "digest": "sha256:5", "at": NOW,
    }),
    "told": ("0008", {
        "digest": "sha256:5", "audience": "", "subject": "", "body": json.dumps(_EXPLAINED), "at": NOW,
    }),
    "driving": ("0009", {
        "cycle": "monthly-2026-11", "who": "host process 1", "since": NOW, "step": "prove", "detail": "",
    }),
}  # fmt: skip


def revisions() -> list[str]:
    """Every revision, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def heads() -> list[str]:
    """Revisions that no other follows."""
    return list(ScriptDirectory.from_config(_config()).get_heads())


def write(url: str, revision: str) -> Mapping[str, Row]:
    """Make a store as the Refit of a revision left it; gives the row of each table."""
    rows = {
        table: {**row, **_documents(table, revision)}
        for table, (since, row) in ROWS.items()
        if since <= revision
    }
    settings, engine = _config(), create_engine(_driver(url))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
        tables = MetaData()
        tables.reflect(connection)
        for table, row in rows.items():
            connection.execute(insert(tables.tables[table]), dict(row))
    engine.dispose()
    return rows


def read(url: str) -> Mapping[str, Row]:
    """The row of each table now."""
    engine, tables = create_engine(_driver(url)), MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        rows = {
            name: row
            for name, table in tables.tables.items()
            for row in connection.execute(select(table)).mappings()
        }
    engine.dispose()
    return {name: dict(row) for name, row in rows.items()}


def _documents(table: str, revision: str) -> Row:
    """What was stored as JSON has had other shapes."""
    scan = SCAN if revision < "0007" else _EXPLAINED
    if table == "evidence":
        return {"body": json.dumps(EVIDENCE | {"after": {"base": "debian@sha256:a", "scan": scan}})}
    if table == "scans":
        return {"body": json.dumps(scan)} | ({"created": NOW} if revision >= "0007" else {})
    return {}


def _config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


def _driver(url: str) -> str:
    return url.replace("postgresql:", "postgresql+psycopg:")
