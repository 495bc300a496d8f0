"""SBOMs at hand, and what was told of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from bot.model.artifact import Sbom
from bot.model.vulnerability import Scan
from bot.store.base import Rows
from bot.store.codec import SCAN, decode, encode
from bot.store.tables import SbomRow, ToldRow


class SbomRows(Rows):
    """SBOMs by subject, platform and base; what was told by their digest."""

    def sboms(self, subject: str | None = None) -> tuple[Sbom, ...]:
        """The SBOMs at hand, of a subject or of all, newest first."""
        query = select(SbomRow).order_by(SbomRow.at.desc(), SbomRow.subject, SbomRow.base)
        if subject is not None:
            query = query.where(SbomRow.subject == subject)
        with self._session() as session:
            return tuple(_sbom(row) for row in session.scalars(query))

    def save_sbom(self, sbom: Sbom) -> None:
        """Remember an SBOM; one of the same subject, platform and base replaces it."""
        fields = {name: getattr(sbom, name) for name in Sbom.__dataclass_fields__}
        with self._writing() as session:
            session.merge(SbomRow(**fields))
            _let_go(session)

    def remove_sbom(self, sbom: Sbom) -> None:
        """Forget an SBOM, and what was told of it where no other entry has the same digest."""
        with self._writing() as session:
            row = session.get(SbomRow, (sbom.subject, sbom.platform, sbom.base))
            if row is not None and row.digest == sbom.digest:
                session.delete(row)
            _let_go(session)

    def told(self, digest: str, audience: str, subject: str) -> Scan | None:
        """What an audience was told last of an SBOM of a target, or None; it lists no packages."""
        with self._session() as session:
            row = session.get(ToldRow, (digest, audience, subject))
        return None if row is None else decode(SCAN, row.body)

    def save_told(self, digest: str, audience: str, subject: str, scan: Scan, now: datetime) -> None:
        """Store what an audience was told of an SBOM of a target."""
        body = encode(SCAN, scan)
        self._save(ToldRow(digest=digest, audience=audience, subject=subject, body=body, at=now))

    def use_sboms(self, digests: Collection[str], now: datetime) -> None:
        """Note that these were rescanned."""
        with self._writing() as session:
            for digest in digests:
                session.execute(update(SbomRow).where(SbomRow.digest == digest).values(used=now))


def _let_go(session: Session) -> None:
    """Nothing is to be told of an SBOM that is at hand no more."""
    session.flush()
    at_hand = exists().where(SbomRow.digest == ToldRow.digest)
    session.execute(delete(ToldRow).where(~at_hand), execution_options={"synchronize_session": False})


def _sbom(row: SbomRow) -> Sbom:
    return Sbom(row.subject, row.platform, row.base, row.digest, row.at, row.used)
