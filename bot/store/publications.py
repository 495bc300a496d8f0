"""Publications: what was last published in each slot."""

from __future__ import annotations

from bot.model.run import Publication, PublicationKind, PublicationState
from bot.store.base import Rows, columns
from bot.store.tables import PUBLICATIONS
from bot.store.transaction import Row


class PublicationRows(Rows):
    """Publications by slot, recorded after the forge confirmed them."""

    def publication(self, slot: str) -> Publication | None:
        """What was last published in a slot."""
        row = self._get(PUBLICATIONS, slot)
        return None if row is None else _publication(row)

    def publications(self, project: str | None = None) -> tuple[Publication, ...]:
        """All publications, by slot."""
        if project is None:
            rows = self._rows(PUBLICATIONS, "ORDER BY slot")
        else:
            rows = self._rows(PUBLICATIONS, "WHERE project = ? ORDER BY slot", project)
        return tuple(map(_publication, rows))

    def save_publication(self, publication: Publication) -> None:
        """Store a publication after the forge confirmed it."""
        self._save(PUBLICATIONS, columns(publication))


def _publication(row: Row) -> Publication:
    kind, state = PublicationKind(row["kind"]), PublicationState(row["state"])
    return Publication(**{**row, "kind": kind, "state": state})
