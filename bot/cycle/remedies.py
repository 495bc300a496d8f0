"""What would fix a vulnerability: today's base, one that is to come, a rebuild, a lock file, or nothing."""

from __future__ import annotations

from datetime import datetime

from bot.model.sboms import Remedy
from bot.model.vulnerability import Scan, Vulnerability
from bot.ports import Store


class Remedies:
    """Judges the findings of one SBOM.

    Args:
        store: Remembers when a fix was known first.
        scan: Of the SBOM.
        today: Of the SBOM of today's base.
        base_layers: Diff ids of the layers that the image has from its base.
    """

    def __init__(self, store: Store, scan: Scan, today: Scan, base_layers: frozenset[str]) -> None:
        self._store, self._scan, self._base_layers = store, scan, base_layers
        self._today = {one.identity for one in today.vulnerabilities} if today.supported else None

    def of(self, found: Vulnerability) -> tuple[Remedy, datetime | None]:
        """What would fix it, and when the distribution's fix was known at the latest."""
        package = found.package
        if package.path:
            return (Remedy.LOCK_FILE if found.fixed_version else Remedy.NONE), None
        since = self._since(found)
        in_base = not package.diff_id or package.diff_id in self._base_layers
        if in_base and self._gone_today(found):
            return Remedy.BASE, since
        if since is None:
            return Remedy.NONE, None
        return (Remedy.WAITING if in_base else Remedy.REBUILD), since

    def _gone_today(self, found: Vulnerability) -> bool:
        """Today's base no longer has it: its package is newer there, or not there at all."""
        return self._today is not None and found.identity not in self._today

    def _since(self, found: Vulnerability) -> datetime | None:
        """When we first saw this fix: the date of the first database that listed it."""
        version = found.fixed_version
        if version is None:
            return None
        family = self._scan.distribution.partition(" ")[0]
        fix = f"fix of {found.id} in {family} {found.package.source or found.package.name}"
        known = self._store.first_seen(fix, version)
        return known or self._store.observe(fix, version, self._scan.database.updated_at)
