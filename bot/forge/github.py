"""GitHub as a forge: files by git over HTTP, everything else by PyGithub."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from github import GithubException
from github.GithubException import RateLimitExceededException
from github.Repository import Repository

from bot.errors import ForgeRefused, ForgeUnavailable
from bot.forge import checks, comments, issues, others, pulls
from bot.forge.api import Connection, message_of, translated
from bot.forge.auth import Access
from bot.forge.budget import Budget
from bot.forge.checkout import GitCheckout
from bot.forge.git import Git
from bot.forge.known import Known, Shelf
from bot.forge.listing import Wanted, matching
from bot.forge.mirror import Remote, fetch
from bot.forge.place import Place
from bot.forge.reading import blob, refreshed
from bot.forge.tree import TreeCheckout
from bot.model.marker import file_name
from bot.model.pulls import Check, OpenPull, Proposal
from bot.model.run import Issue, Publication, PublicationKind, PullRequest
from bot.model.target import Project
from bot.ports import Checkout

Done = TypeVar("Done")
# GitHub refuses the second of two: somebody was faster, or our first try did take effect.
_ALREADY: Final = "already exists"


class GitHubForge:
    """Projects named `owner/name` on github.com or an Enterprise Server (the `Forge` port).

    Args:
        state: The state folder; mirrors are below it.
        connection: Where GitHub is, and how patient we are.
        access: Token or App.
        sleep: Waits between attempts; takes seconds.
    """

    def __init__(
        self,
        state: Path,
        connection: Connection,
        access: Access,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._mirrors = state / "mirrors"
        self._shelf = Shelf(state / "github")
        self._connection, self._access, self._sleep = connection, access, sleep
        self._budget = Budget(sleep)
        self._repositories: dict[str, Repository] = {}
        # One PyGithub client is not for two threads, and GitHub wants writes one after the other.
        self._lock = threading.Lock()

    def projects(self, pattern: str, wanted: Wanted) -> tuple[str, ...]:
        """Names of the projects that a glob stands for: `acme/*`, `acme/shop-*`, `*/*` for all there are."""
        owner, _, _ = pattern.partition("/")
        with self._lock, translated(pattern, "list projects"):
            return matching(self._access.repositories(owner), pattern, wanted)

    def checkout(self, project: Project, commit: str | None = None) -> Checkout:
        """The files of the base branch now, or at a commit of it; a clone is made only to build."""
        if commit is not None:
            known = self._shelf.load(project.name)
            if known is None or known.commit != commit or not known.tree:
                return self._clone(project, commit)
            return self._tree(project, known)
        known = self._once(project, "read the project", lambda: self._refreshed(project))
        return self._tree(project, known) if known.tree else self._clone(project, known.commit)

    def find(self, project: Project, slot: str, branch: str) -> Publication | None:
        """See `Forge.find`; its `commit` is where the branch is now."""

        def work() -> Publication | None:
            place = self._place(project)
            pull = pulls.newest(place, slot, branch)
            return pulls.publication(place, pull) if pull else None

        return self._once(project, "look up pull requests", work)

    def publish(self, project: Project, wanted: PullRequest, existing: Publication | None) -> Publication:
        """See `Forge.publish`.

        Raises:
            BranchTaken: Somebody else committed to the branch.
        """
        doing = "publish a pull request"
        return self._repeated(project, doing, lambda place: pulls.reconcile(place, wanted, existing))

    def find_issue(self, project: Project, slot: str) -> Publication | None:
        """See `Forge.find_issue`."""

        def work() -> Publication | None:
            place = self._place(project)
            issue = issues.newest(place, slot)
            return issues.publication(place, issue) if issue else None

        return self._once(project, "look up issues", work)

    def publish_issue(self, project: Project, wanted: Issue, existing: Publication | None) -> Publication:
        """See `Forge.publish_issue`."""
        doing = "publish an issue"
        return self._repeated(project, doing, lambda place: issues.reconcile(place, wanted, existing))

    def close(self, project: Project, publication: Publication, comment: str) -> Publication:
        """See `Forge.close`; a comment that is there already is not repeated."""
        number = _number(publication.url)

        def work(place: Place) -> Publication:
            if publication.kind is PublicationKind.ISSUE:
                return issues.close(place, place.repo.get_issue(number), comment)
            return pulls.close(place, place.repo.get_pull(number), comment)

        return self._repeated(project, f"close #{number}", work)

    def open_pulls(self, project: Project) -> tuple[OpenPull, ...]:
        """See `Forge.open_pulls`."""

        def work() -> tuple[OpenPull, ...]:
            place = self._place(project)
            return others.open_pulls(place, project.base or place.repo.default_branch)

        return self._once(project, "list open pull requests", work)

    def proposal(self, project: Project, pull: OpenPull, paths: Sequence[str]) -> Proposal:
        """See `Forge.proposal`."""
        doing = f"read what #{pull.number} changes"
        return self._once(project, doing, lambda: others.proposal(self._place(project), pull, paths))

    def attest(self, project: Project, check: Check) -> bool:
        """See `Forge.attest`: a check run as an App, a commit status with a token."""
        doing = f"write the check on {check.commit[:12]}"
        return self._repeated(project, doing, lambda place: checks.attest(place, check))

    def say(self, project: Project, url: str, key: str, text: str) -> None:
        """See `Forge.say`."""
        number = _number(url)
        doing = f"comment on #{number}"
        self._repeated(project, doing, lambda place: comments.say(place, number, key, text))

    def disconnect(self) -> None:
        """Close the connections to GitHub; the next call opens new ones."""
        with self._lock:
            self._access.disconnect()

    # -- inside -------------------------------------------------------------------------------

    def _repeated(self, project: Project, doing: str, work: Callable[[Place], Done]) -> Done:
        """Do something that looks before each step; after a write whose end is unknown, look and go on."""
        for attempt in range(self._connection.attempts - 1):
            try:
                return self._once(project, doing, lambda: self._unless_already(project, work))
            except ForgeUnavailable as error:
                if isinstance(error.__cause__, RateLimitExceededException):
                    raise  # it was waited for as long as may be; asking on makes it worse
                self._sleep(self._connection.pause * 2**attempt)
        return self._once(project, doing, lambda: self._unless_already(project, work))

    def _once(self, project: Project, doing: str, work: Callable[[], Done]) -> Done:
        """Do something; where GitHub no longer knows an App's token, do it with a new one."""
        try:
            with self._asking(project, doing):
                return work()
        except ForgeRefused as error:
            cause = error.__cause__
            unknown = isinstance(cause, GithubException) and cause.status == 401
            if not (unknown and self._access.renew(project.name)):
                raise
        with self._asking(project, doing):
            return work()

    def _unless_already(self, project: Project, work: Callable[[Place], Done]) -> Done:
        place = self._place(project)
        try:
            return work(place)
        except GithubException as error:
            if error.status == 422 and _ALREADY in message_of(error).lower():
                raise ForgeUnavailable(f"{project.name}: {message_of(error)}") from error
            raise

    def _place(self, project: Project) -> Place:
        repo, login = self._repository(project), self._access.login(project.name)
        return Place(repo, login, project.name, self._access.is_app, self._budget.spend)

    def _repository(self, project: Project) -> Repository:
        """A handle on the project; asked for once a run, with its checkout."""
        with_token = self._access.client(project.name)
        if project.name not in self._repositories:
            known = self._shelf.load(project.name) or self._refreshed(project)
            url = f"/repos/{known.full_name}"
            facts = {
                "url": url,
                "full_name": known.full_name,
                "name": known.full_name.partition("/")[2],
                "default_branch": known.default_branch,
            }
            self._repositories[project.name] = Repository(with_token.requester, {}, facts, completed=True)
        return self._repositories[project.name]

    def _refreshed(self, project: Project) -> Known:
        """The project as it is now: it may be renamed, archived or on another default branch since."""
        if "/" not in project.name:
            raise ForgeRefused(f"{project.name} is no project on GitHub", hint="Write owner/name.")
        self._repositories.pop(project.name, None)
        reader = self._access.reader(project.name)
        return refreshed(reader, project.name, project.base, self._shelf)

    def _tree(self, project: Project, known: Known) -> TreeCheckout:
        def content(oid: str) -> tuple[bytes, bool]:
            reader = self._access.reader(project.name)
            doing = "read a file"
            return self._once(project, doing, lambda: blob(reader, known.full_name, oid, self._shelf))

        return TreeCheckout(known, content, lambda: self._clone(project, known.commit))

    def _clone(self, project: Project, commit: str) -> GitCheckout:
        with self._asking(project, "fetch the project"):
            known = self._shelf.load(project.name) or self._refreshed(project)
            branch = project.base or known.default_branch
            url = f"{self._connection.origin}/{known.full_name}.git"
            remote = Remote(url, self._access.password(project.name))
        folder = self._mirrors / f"{file_name(project.name)}.git"
        if folder.exists() and Git(folder).commit(commit):
            return GitCheckout(Git(folder), commit, branch)
        git, fetched = fetch(remote, folder, commit)
        return GitCheckout(git, fetched, branch)

    @contextmanager
    def _asking(self, project: Project, doing: str) -> Iterator[None]:
        with self._lock, translated(project.name, doing):
            yield


def _number(url: str) -> int:
    """The number at the end of a pull request's or issue's address."""
    return int(url.rstrip("/").rpartition("/")[2])
