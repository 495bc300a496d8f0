"""Comments on GitHub: who may say what, reactions, and one answer for each question."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from github import UnknownObjectException
from github.IssueComment import IssueComment
from github.PullRequest import PullRequest
from github.Repository import Repository

from bot.forge.api import translated
from bot.forge.auth import Access
from bot.forge.comments import say
from bot.forge.place import Place, is_by, login_of
from bot.model import marker
from bot.model.discussion import Comment, Pull

_WRITERS: Final = frozenset({"admin", "write"})  # GitHub counts `maintain` as write, `triage` as read
_LOOKED_AT: Final = 500
_WRITING: Final = timedelta(seconds=5)  # GitHub dates both times of a new comment alike


class GitHubDiscussion:
    """The `Discussion` port on github.com or an Enterprise Server.

    Args:
        access: Token or App; its clients are used by nobody else, for they are not for two threads.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._repositories: dict[str, Repository] = {}
        self._lock = threading.Lock()

    def login(self, project: str) -> str:
        """See `Discussion.login`."""
        with self._asking(project, "ask who we are"):
            return self._access.login(project)

    def may_write(self, project: str, login: str) -> bool:
        """See `Discussion.may_write`; an account that GitHub does not know may not."""
        with self._asking(project, f"ask what {login} may do"):
            try:
                return self._repository(project).get_collaborator_permission(login) in _WRITERS
            except UnknownObjectException:
                return False

    def pull(self, project: str, number: int) -> Pull | None:
        """See `Discussion.pull`."""
        with self._asking(project, f"read #{number}"):
            try:
                found = self._repository(project).get_pull(number)
            except UnknownObjectException:
                return None
            return self._pull(project, found)

    def react(self, project: str, comment: int, sign: str) -> None:
        """See `Discussion.react`."""
        with self._asking(project, "react to a comment"):
            repo = self._repository(project)
            url = f"{repo.url}/issues/comments/{comment}"
            IssueComment(repo.requester, {}, {"url": url, "id": comment}, completed=True).create_reaction(
                sign
            )

    def answer(self, project: str, number: int, key: str, text: str) -> None:
        """See `Discussion.answer`."""
        with self._asking(project, f"comment on #{number}"):
            place = Place(self._repository(project), self._access.login(project), project)
            say(place, number, key, text)

    def since(self, project: str, moment: datetime) -> tuple[Comment, ...]:
        """See `Discussion.since`."""
        with self._asking(project, "read comments"):
            listed = self._repository(project).get_issues_comments("updated", "asc", moment)
            return tuple(_comment(one) for one in islice(listed, _LOOKED_AT))

    # -- inside -------------------------------------------------------------------------------

    def _pull(self, project: str, found: PullRequest) -> Pull:
        ours = is_by(found.user, self._access.login(project))
        slot, digest = (marker.parse(found.body) or ("", "")) if ours else ("", "")
        source: Repository | None = found.head.repo  # GitHub says null where the fork is gone
        fork = source is None or source.full_name != found.base.repo.full_name
        return Pull(
            number=found.number,
            commit=found.head.sha,
            branch=found.head.ref,
            fork=fork,
            open=found.state == "open",
            slot=slot,
            digest=digest,
            url=found.html_url,
        )

    def _repository(self, project: str) -> Repository:
        if project not in self._repositories:
            self._repositories[project] = self._access.client(project).get_repo(project)
        return self._repositories[project]

    @contextmanager
    def _asking(self, project: str, doing: str) -> Iterator[None]:
        with self._lock, translated(project, doing):
            yield


def _comment(one: IssueComment) -> Comment:
    number = int(one.issue_url.rpartition("/")[2])
    edited = one.updated_at - one.created_at > _WRITING
    return Comment(one.id, number, login_of(one.user), one.body or "", one.updated_at, edited=edited)
