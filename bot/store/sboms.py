"""SBOMs at hand, and what was told of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.model.artifact import Sbom
from bot.model.vulnerability import Scan
from bot.store.base import Rows, columns
from bot.store.codec import decode, encode
from bot.store.tables import SBOMS, TOLD
from bot.store.transaction import Transaction


class SbomRows(Rows):
    """SBOMs by subject, platform and base; what was told by their digest."""

    def sboms(self, subject: str | None = None) -> tuple[Sbom, ...]:
        """The SBOMs at hand, of a subject or of all, newest first."""
        newest = "ORDER BY at DESC, subject, base"
        if subject is None:
            rows = self._rows(SBOMS, newest)
        else:
            rows = self._rows(SBOMS, f"WHERE subject = ? {newest}", subject)
        return tuple(Sbom(**row) for row in rows)

    def save_sbom(self, sbom: Sbom) -> None:
        """Remember an SBOM; one of the same subject, platform and base replaces it."""
        with self._writing() as writing:
            writing.save(SBOMS, columns(sbom))
            _let_go(writing)

    def remove_sbom(self, sbom: Sbom) -> None:
        """Forget an SBOM, and what was told of it where no other entry has the same digest."""
        with self._writing() as writing:
            writing.run(
                "DELETE FROM sboms WHERE subject = ? AND platform = ? AND base = ? AND digest = ?",
                *(sbom.subject, sbom.platform, sbom.base, sbom.digest),
            )
            _let_go(writing)

    def told(self, digest: str, audience: str, subject: str) -> Scan | None:
        """What an audience was told last of an SBOM of a target, or None; it lists no packages."""
        row = self._get(TOLD, digest, audience, subject)
        return None if row is None else decode(Scan, row["body"])

    def save_told(self, digest: str, audience: str, subject: str, scan: Scan, now: datetime) -> None:
        """Store what an audience was told of an SBOM of a target."""
        key = {"digest": digest, "audience": audience, "subject": subject}
        self._save(TOLD, {**key, "body": encode(scan), "at": now})

    def use_sboms(self, digests: Collection[str], now: datetime) -> None:
        """Note that these were rescanned."""
        with self._writing() as writing:
            for digest in digests:
                writing.run("UPDATE sboms SET used = ? WHERE digest = ?", now, digest)


def _let_go(writing: Transaction) -> None:
    """Nothing is to be told of an SBOM that is at hand no more."""
    writing.run("DELETE FROM told WHERE NOT EXISTS (SELECT 1 FROM sboms WHERE sboms.digest = told.digest)")
