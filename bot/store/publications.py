"""Publications: what was last published in each slot."""

from __future__ import annotations

from sqlalchemy import select

from bot.model.run import Publication, PublicationKind, PublicationState
from bot.store.base import Rows
from bot.store.tables import PublicationRow


class PublicationRows(Rows):
    """Publications by slot, recorded after the forge confirmed them."""

    def publication(self, slot: str) -> Publication | None:
        """What was last published in a slot."""
        with self._session() as session:
            row = session.get(PublicationRow, slot)
        return None if row is None else _publication(row)

    def publications(self, project: str | None = None) -> tuple[Publication, ...]:
        """All publications, by slot."""
        query = select(PublicationRow).order_by(PublicationRow.slot)
        if project is not None:
            query = query.where(PublicationRow.project == project)
        with self._session() as session:
            return tuple(_publication(row) for row in session.scalars(query))

    def save_publication(self, publication: Publication) -> None:
        """Store a publication after the forge confirmed it."""
        fields = {name: getattr(publication, name) for name in Publication.__dataclass_fields__}
        self._save(PublicationRow(**fields))


def _publication(row: PublicationRow) -> Publication:
    return Publication(
        slot=row.slot,
        kind=PublicationKind(row.kind),
        project=row.project,
        digest=row.digest,
        url=row.url,
        branch=row.branch,
        state=PublicationState(row.state),
        commit=row.commit,
        body_digest=row.body_digest,
    )
