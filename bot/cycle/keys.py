"""Keys of finished work: the digest of everything that went in. Pure."""

from __future__ import annotations

import hashlib
import json

from pydantic import TypeAdapter

from bot.model.evidence import BasePair
from bot.model.run import Planned
from bot.model.target import Target
from bot.model.vulnerability import Database
from bot.ports import ScanRequest

_TARGET: TypeAdapter[Target | None] = TypeAdapter(Target | None)
_PAIR: TypeAdapter[BasePair] = TypeAdapter(BasePair)


def scan_key(request: ScanRequest, scanner: str, database: Database) -> str:
    """The key of a scan: image digest, platform, what is looked for, scanner, database."""
    wanted = f"keep {request.keep}, exposure {request.exposure}"
    return _digest("scan", request.digest, str(request.platform), wanted, scanner, database.digest)


def sbom_key(digest: str, scanner: str, database: Database) -> str:
    """The key of a scan of an SBOM: its digest, scanner, database."""
    return _digest("sbom", digest, scanner, database.digest)


def evidence_key(  # noqa: PLR0913 - everything that goes in, by name
    planned: Planned, pair: BasePair, *, trees: tuple[str, ...], scanner: str, means: str, month: str
) -> str:
    """The key of evidence.

    It lasts for a month: what the Dockerfile's own installs take and what databases know moves on, and a
    pull request that is still open should not vouch for a month that is over.

    Args:
        planned: The update.
        pair: Its bases on one platform.
        trees: Git ids of the Dockerfile and the build context.
        scanner: Name and version of the scanner.
        means: The level that will be tried, and with what engine.
        month: Of the cycle, `2026-11`.
    """
    target = _TARGET.dump_json(planned.target).decode()
    bases = _PAIR.dump_json(pair).decode()
    to = " ".join(str(reference) for _, reference in planned.changes)
    return _digest("evidence", target, planned.use.file, to, bases, *trees, scanner, means, month)


def ticket(planned: Planned) -> str:
    """What names an update within its cycle's plan, on every machine."""
    use = planned.use
    return _digest("ticket", planned.project.name, planned.subject, use.file, str(use.line), use.text)[:16]


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
