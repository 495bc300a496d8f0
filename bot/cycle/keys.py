"""Keys of finished work: the digest of everything that went in. Pure."""

from __future__ import annotations

import hashlib
import json

from pydantic import TypeAdapter

from bot.model.evidence import BasePair
from bot.model.run import Planned
from bot.model.target import Target
from bot.model.vulnerability import Database

_TARGET: TypeAdapter[Target | None] = TypeAdapter(Target | None)
_PAIR: TypeAdapter[BasePair] = TypeAdapter(BasePair)


def scan_key(image: str, platform: str, scanner: str, database: Database) -> str:
    """The key of a scan: image digest, platform, scanner, database."""
    return _digest("scan", image, platform, scanner, database.digest)


def evidence_key(
    planned: Planned, pair: BasePair, *, trees: tuple[str, ...], scanner: str, means: str
) -> str:
    """The key of evidence.

    Args:
        planned: The update.
        pair: Its bases on one platform.
        trees: Git ids of the Dockerfile and the build context.
        scanner: Name and version of the scanner.
        means: The level that will be tried, and with what engine.
    """
    target = _TARGET.dump_json(planned.target).decode()
    bases = _PAIR.dump_json(pair).decode()
    return _digest(
        "evidence", target, planned.use.file, str(planned.update.to), bases, *trees, scanner, means
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
