"""Comments on GitHub: who may say what, reactions, and one answer for each question."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Final

from github import UnknownObjectException
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.PullRequest import PullRequest
from github.Repository import Repository

from bot.forge.api import translated
from bot.forge.auth import Access
from bot.model import marker
from bot.model.discussion import Comment, Pull

_WRITERS: Final = frozenset({"admin", "write"})  # GitHub counts `maintain` as write, `triage` as read
_LONGEST: Final = 65_000  # of 65,536
_LOOKED_AT: Final = 500


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

    def answer(self, project: str, number: int, key: str, text: str) -> str:
        """See `Discussion.answer`."""
        body = f"{head(key)}\n{text}"[:_LONGEST]
        with self._asking(project, f"comment on #{number}"):
            issue = self._issue(project, number)
            found = self._ours(project, issue, key)
            if found is None:
                return issue.create_comment(body).html_url
            if found.body != body:
                found.edit(body)
            return found.html_url

    def since(self, project: str, moment: datetime) -> tuple[Comment, ...]:
        """See `Discussion.since`."""
        with self._asking(project, "read comments"):
            listed = self._repository(project).get_issues_comments("updated", "asc", moment)
            return tuple(_comment(one) for one in islice(listed, _LOOKED_AT))

    # -- inside -------------------------------------------------------------------------------

    def _pull(self, project: str, found: PullRequest) -> Pull:
        ours = found.user.login == self._access.login(project)
        slot, digest = (marker.parse(found.body) or ("", "")) if ours else ("", "")
        source: Repository | None = found.head.repo  # GitHub says null where the fork is gone
        fork = source is None or source.full_name != found.base.repo.full_name
        return Pull(found.number, found.head.sha, fork, found.state == "open", slot, digest, found.html_url)

    def _ours(self, project: str, issue: Issue, key: str) -> IssueComment | None:
        login, first = self._access.login(project), head(key)
        for comment in islice(issue.get_comments(), _LOOKED_AT):
            if comment.user.login == login and (comment.body or "").startswith(first):
                return comment
        return None

    def _issue(self, project: str, number: int) -> Issue:
        """A handle on it, without asking what it is."""
        repo = self._repository(project)
        url = f"{repo.url}/issues/{number}"
        return Issue(repo.requester, {}, {"url": url, "number": number}, completed=True)

    def _repository(self, project: str) -> Repository:
        if project not in self._repositories:
            self._repositories[project] = self._access.client(project).get_repo(project)
        return self._repositories[project]

    @contextmanager
    def _asking(self, project: str, doing: str) -> Iterator[None]:
        with self._lock, translated(project, doing):
            yield


def head(key: str) -> str:
    """The hidden line that an answer begins with, by which it is found again."""
    return f"<!-- refit answer={marker.slug(key)} -->"


def _comment(one: IssueComment) -> Comment:
    number = int(one.issue_url.rpartition("/")[2])
    return Comment(one.id, number, one.user.login, one.body or "", one.created_at)
