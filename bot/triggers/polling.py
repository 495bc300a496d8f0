"""Comments asked for from time to time, where GitHub cannot call us."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.errors import ForgeError
from bot.model.discussion import Comment
from bot.model.run import PublicationState
from bot.ports import Clock, Discussion, Queue, Store
from bot.triggers.webhook import command_in, comment_task

log: Final = logging.getLogger(__name__)
_KIND: Final = "polled"


class Polling:
    """Looks for new commands, one request for each project that has something of ours.

    Args:
        discussion: GitHub.
        queue: Takes the commands.
        store: Remembers how far each project was read, and where something of ours is.
        clock: Wall time.
        on_github: Tells of a project's name whether it lives there.
    """

    def __init__(
        self,
        discussion: Discussion,
        queue: Queue,
        store: Store,
        clock: Clock,
        on_github: Callable[[str], bool],
    ) -> None:
        self._discussion, self._queue, self._store, self._clock = discussion, queue, store, clock
        self._on_github = on_github

    def look(self) -> None:
        """Ask every project once; one that fails is asked again the next time."""
        known = self._store.publications()
        ours = {one.project for one in known if one.state is not PublicationState.MERGED}
        for project in sorted(filter(self._on_github, ours)):
            try:
                self._read(project)
            except ForgeError as error:
                log.warning("comments of %s were not read: %s", project, error.message)

    def _read(self, project: str) -> None:
        now = self._clock.now()
        known = self._store.remembered(_KIND, project)
        if known is None:  # what was said before we listened is history
            self._store.remember(_KIND, project, now, now.isoformat())
            return
        comments = self._discussion.since(project, datetime.fromisoformat(known))
        for one in comments:
            self._take(project, one)
        if comments:
            # The last second is read again: another comment may come in it, and one heard twice runs once.
            self._store.remember(_KIND, project, now, max(one.at for one in comments).isoformat())

    def _take(self, project: str, comment: Comment) -> None:
        command = command_in(comment.text)
        if command and not comment.edited:
            task = comment_task(project, comment.number, comment.id, comment.author, command)
            self._queue.submit(task, f"comment {comment.id}")
