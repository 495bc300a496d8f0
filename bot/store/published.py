"""What was last found behind each target's `image:`."""

from __future__ import annotations

from bot.model.published import Published
from bot.store.base import Rows
from bot.store.codec import decode, encode
from bot.store.tables import PUBLISHED


class PublishedRows(Rows):
    """One row for each target and platform: the newest look replaces the one before it."""

    def published(self, project: str | None = None) -> tuple[Published, ...]:
        """What is published, by project, target and platform."""
        order = "ORDER BY project, target, platform"
        if project is None:
            rows = self._rows(PUBLISHED, order)
        else:
            rows = self._rows(PUBLISHED, f"WHERE project = ? {order}", project)
        return tuple(decode(Published, row["body"]) for row in rows)

    def save_published(self, published: Published) -> None:
        """Store what was found for a target on one platform."""
        row = {
            "project": published.project,
            "target": published.target,
            "platform": str(published.platform),
            "body": encode(published),
            "at": published.at,
        }
        self._save(PUBLISHED, row)
