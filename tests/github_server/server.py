"""The server: started on loopback, filled by a test, asked by the program, and looked at afterwards."""

from __future__ import annotations

import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from tests.github_server import endpoints, faults
from tests.github_server.authors import person
from tests.github_server.endpoints import merging
from tests.github_server.exchange import Exchange
from tests.github_server.git import BareRepository
from tests.github_server.http import Application, configured
from tests.github_server.routing import PREFIX
from tests.github_server.state import App, Installation, Repository, Token, World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from tests.github_server.contract import Contract

_START_SECONDS = 300.0
_DEFAULT_TOKEN = "ghp_refit"
assert endpoints.__all__  # importing the package fills the table of operations


class GitHubServer:
    """A small GitHub over real bare repositories.

    Args:
        folder: Where the bare repositories live, as `OWNER/NAME.git`.
        contract: GitHub's OpenAPI description; every exchange is checked against it. None checks nothing.
    """

    def __init__(self, folder: Path, contract: Contract | None = None) -> None:
        self.folder = folder
        self.world = World()
        self.exchanges: list[Exchange] = []
        self.mismatches: list[str] = []
        self._contract = contract
        self._faults = faults.Faults()
        self._socket = socket.create_server(("127.0.0.1", 0))
        # asyncio sets this on sockets that it made itself only; without it each answer waits 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        application = Application(self.world, self._faults, self._record)
        self._uvicorn = uvicorn.Server(configured(application))
        self._thread = threading.Thread(target=self._serve, name=f"github-{self.port}")

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        end = time.monotonic() + _START_SECONDS
        while not self._uvicorn.started:
            if time.monotonic() > end or not self._thread.is_alive():
                raise RuntimeError(f"the GitHub server did not start on port {self.port}")
            time.sleep(0.005)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._uvicorn.should_exit = True
        self._uvicorn.force_exit = True
        self._thread.join(_START_SECONDS)
        self._socket.close()

    def _serve(self) -> None:
        self._uvicorn.run(sockets=[self._socket])

    def _record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        if self._contract is not None and exchange.template and not exchange.fault:
            self.mismatches += self._contract.check(exchange)

    # -- where it is --------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        """The API's root, as PyGithub's `base_url`."""
        return self.origin + PREFIX

    def clone_url(self, full_name: str, token: str | None = None) -> str:
        """The address for `git clone`; with a token, it carries it."""
        user = f"x-access-token:{token}@" if token else ""
        return f"http://{user}127.0.0.1:{self.port}/{full_name}.git"

    # -- filling it ---------------------------------------------------------------------------

    def create_repository(
        self,
        full_name: str,
        files: Mapping[str, bytes | str] | None = None,
        *,
        default_branch: str = "main",
        **settings: Any,
    ) -> Repository:
        """Host a repository whose default branch has one commit with these files.

        Args:
            full_name: `owner/name`; the owner becomes an organisation unless there is such an account.
            files: Content by path; none leaves an empty commit.
            default_branch: Its name.
            **settings: Other fields of `Repository`, as `private=True` or `drafts_refused=True`.
        """
        login, _, name = full_name.partition("/")
        with self.world.lock:
            git = BareRepository.create(self.folder / f"{full_name}.git", default_branch)
            owner = self.world.account(login, "Organization")
            repo = Repository(self.world.next_id(), owner, name, git, default_branch, **settings)
            self.world.repositories[full_name] = repo
            self.commit(full_name, files or {}, message="Begin", author=login)
        return repo

    def repository(self, full_name: str) -> Repository:
        """The state of a hosted repository."""
        return self.world.repositories[full_name]

    def commit(
        self,
        full_name: str,
        files: Mapping[str, bytes | str | None],
        *,
        branch: str | None = None,
        message: str = "Change",
        author: str = "alice",
    ) -> str:
        """Push as a person would: a commit on top of a branch (a new one starts at the default branch).

        Args:
            full_name: The repository.
            files: Content by path; None removes the file.
            branch: Default: the default branch.
            message: The whole commit message.
            author: Login of author and committer.

        Returns:
            The new commit's id.
        """
        with self.world.lock:
            repo, someone = self.repository(full_name), self.world.account(author)
            name = f"refs/heads/{branch or repo.default_branch}"
            tip = repo.git.ref(name) or repo.git.ref(f"refs/heads/{repo.default_branch}")
            changes = [("100644", _blob(repo, content), path) for path, content in files.items()]
            tree = repo.git.write_tree(changes, base=tip)
            who = person(someone)
            sha = repo.git.write_commit(tree, [tip] if tip else [], message, who, who)
            repo.git.set_ref(name, sha)
            merging.sync(repo, someone)
        return sha

    def read(self, full_name: str, path: str, ref: str | None = None) -> bytes:
        """The bytes of a file at a branch (default: the default branch), tag or commit.

        Raises:
            FileNotFoundError: there is no such file.
        """
        repo = self.repository(full_name)
        entry = repo.git.entry(ref or repo.default_branch, path)
        if entry is None:
            raise FileNotFoundError(f"{full_name}:{path}")
        return repo.git.blob(entry.sha)

    def rename_repository(self, old: str, new: str) -> None:
        """Rename or transfer: the old name answers with a redirect."""
        with self.world.lock:
            repo = self.world.repositories.pop(old)
            login, _, repo.name = new.partition("/")
            repo.owner = self.world.account(login, "Organization")
            self.world.repositories[new] = repo
            self.world.moved = {was: new if now == old else now for was, now in self.world.moved.items()} | {
                old: new
            }

    def rename_default_branch(self, full_name: str, new: str) -> None:
        """Rename the default branch; open pull requests follow it."""
        with self.world.lock:
            repo = self.repository(full_name)
            old, tip = repo.default_branch, repo.git.line("rev-parse", "HEAD")
            repo.git.set_ref(f"refs/heads/{new}", tip)
            repo.git.run("symbolic-ref", "HEAD", f"refs/heads/{new}")
            repo.git.delete_ref(f"refs/heads/{old}")
            repo.default_branch = new
            for _, pull in repo.pulls():
                pull.base = new if pull.base == old else pull.base

    # -- credentials --------------------------------------------------------------------------

    def create_token(
        self,
        login: str = "refit",
        value: str = _DEFAULT_TOKEN,
        *,
        permissions: dict[str, str] | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """A user's personal access token; with permissions (`{"contents": "write"}`) a fine-grained one."""
        with self.world.lock:
            account = self.world.account(login)
            self.world.tokens[value] = Token(value, account, permissions, expires_at=expires_at)
        return value

    def create_app(self, slug: str, public_key: str, permissions: dict[str, str], owner: str = "acme") -> App:
        """A GitHub App, known by its public key (PEM)."""
        with self.world.lock:
            bot = self.world.account(f"{slug}[bot]", "Bot")
            holder = self.world.account(owner, "Organization")
            app = App(
                self.world.next_id(), slug, holder, bot, public_key, {"metadata": "read", **permissions}
            )
            self.world.apps[app.id] = app
        return app

    def install(self, app: App, owner: str, repositories: set[str] | None = None) -> Installation:
        """Install an App on an account: on repositories by name, or on all."""
        with self.world.lock:
            account = self.world.account(owner, "Organization")
            item = Installation(self.world.next_id(), app, account, dict(app.permissions), repositories)
            self.world.installations[item.id] = item
        return item

    def revoke_token(self, value: str) -> None:
        """Make a token unknown from now on, as when it ran out in the middle of a run."""
        with self.world.lock:
            del self.world.tokens[value]

    # -- faults -------------------------------------------------------------------------------

    def fail_next(
        self,
        method: str,
        path_regex: str,
        status: int | None = 502,
        *,
        after_effect: bool = False,
        times: int = 1,
        body: Any = None,
        headers: dict[str, str] | None = None,
        delay_seconds: float = 0.0,
    ) -> None:
        """Let the next requests fail.

        Args:
            method: HTTP method, or `*`.
            path_regex: Searched in the path below the API's root, or in the git path.
            status: What is answered; None for the true answer, only late.
            after_effect: Do what was asked all the same.
            times: How many requests.
            body: JSON to answer with; a plain message without.
            headers: More headers of the answer.
            delay_seconds: Wait before anything is done.
        """
        pattern = re.compile(path_regex)
        one = faults.Fault(method, pattern, status, after_effect, times, body, headers or {}, delay_seconds)
        self._faults.add(one)

    def secondary_limit(self, method: str, path_regex: str, *, retry_after: int = 1, times: int = 1) -> None:
        """Answer with the secondary rate limit: 403 and Retry-After, in seconds."""
        self._faults.add(faults.secondary_limit(method, path_regex, retry_after, times))

    def primary_limit(self, method: str, path_regex: str, *, reset_in: int = 1, times: int = 1) -> None:
        """Answer with the primary rate limit: 403, nothing remaining, and a reset in some seconds."""
        self._faults.add(faults.primary_limit(method, path_regex, reset_in, times))

    # -- looking at it ------------------------------------------------------------------------

    def writes(self) -> list[Exchange]:
        """The exchanges that asked to change a project, refused ones among them."""
        return [exchange for exchange in self.exchanges if exchange.is_write]

    def assert_contract(self) -> None:
        """Fail unless every exchange so far agrees with GitHub's description.

        Raises:
            AssertionError: with each exchange that does not.
        """
        assert not self.mismatches, "not as GitHub describes itself:\n" + "\n".join(self.mismatches)


def _blob(repo: Repository, content: bytes | str | None) -> str | None:
    if content is None:
        return None
    return repo.git.write_blob(content.encode() if isinstance(content, str) else content)
