"""How many vulnerabilities what runs has, as of the daily rescan of SBOMs: kept for /metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.model.sboms import SbomRescan
from bot.model.severity import Severity
from bot.ports import Store

_KIND: Final = "exposure"
_NEWEST: Final = "newest"
Place = tuple[str, str, str]


def keep_exposure(found: SbomRescan, store: Store, now: datetime) -> None:
    """Note the counts of each target; what could not be told is left out, for it is not 0."""
    rows = []
    for one in (one for one in found.rescanned if one.scan.supported):
        counts = one.scan.counts()
        project, _, target = one.name.partition("#")
        rows.append([project, target, str(one.sbom.platform), {str(each): counts[each] for each in Severity}])
    store.remember(_KIND, _NEWEST, now, json.dumps(rows))


def exposure(store: Store) -> dict[Place, Mapping[str, int]]:
    """Counts by severity (`CRITICAL`) of each target (project, name, platform) that was rescanned last."""
    rows = json.loads(store.remembered(_KIND, _NEWEST) or "[]")
    return {(project, target, platform): counts for project, target, platform, counts in rows}
