"""What was last found behind each target's `image:`."""

from __future__ import annotations

from sqlalchemy import select

from bot.model.published import Published
from bot.store.base import Rows
from bot.store.codec import PUBLISHED, decode, encode
from bot.store.tables import PublishedRow


class PublishedRows(Rows):
    """One row for each target and platform: the newest look replaces the one before it."""

    def published(self, project: str | None = None) -> tuple[Published, ...]:
        """What is published, by project, target and platform."""
        query = select(PublishedRow).order_by(
            PublishedRow.project, PublishedRow.target, PublishedRow.platform
        )
        if project is not None:
            query = query.where(PublishedRow.project == project)
        with self._session() as session:
            return tuple(decode(PUBLISHED, row.body) for row in session.scalars(query))

    def save_published(self, published: Published) -> None:
        """Store what was found for a target on one platform."""
        self._save(
            PublishedRow(
                project=published.project,
                target=published.target,
                platform=str(published.platform),
                body=encode(PUBLISHED, published),
                at=published.at,
            )
        )
