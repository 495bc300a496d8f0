"""A forge in memory, with the acts of people on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.errors import BranchTaken, ForgeError, ForgeRefused
from bot.model.marker import WITHDRAWN, body_digest
from bot.model.pulls import Check, OpenPull, Proposal
from bot.model.run import Issue, Publication, PublicationKind, PublicationState, PullRequest
from bot.model.target import Project

Shelf = dict[tuple[str, str], list[Publication]]
_OPEN = PublicationState.OPEN


def content_id(content: object) -> str:
    """An id that is equal for equal content."""
    return hashlib.sha1(repr(content).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class FakeCheckout:
    """Files by path."""

    files: Mapping[str, bytes]
    branch: str = "main"

    @property
    def commit(self) -> str:
        return content_id(sorted(self.files.items()))

    def tree(self, path: str) -> str:
        inside = "" if path == "." else f"{path}/"
        below = {name: data for name, data in self.files.items() if f"{name}/".startswith(inside)}
        if not below:
            raise ForgeRefused(f"{path} does not exist")
        return content_id(sorted(below.items()))

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))

    def read(self, path: str, *, limit: int = 10 * 1024**2) -> bytes:
        if path not in self.files or len(self.files[path]) > limit:
            raise ForgeRefused(f"{path} cannot be read")
        return self.files[path]

    def mode(self, path: str) -> str:
        self.read(path)
        return "100644"

    def export(self, destination: Path) -> None:
        for path, content in self.files.items():
            file = destination / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


@dataclass
class FakeForge:
    """Projects and publications in memory.

    Attributes:
        files: Project → its base branch's files by path.
        errors: Project → what each call about it raises.
        published: Project and slot → pull requests, newest last.
        wanted: URL → what was last written there.
        issues: Project and slot → issues, newest last.
        comments: What was said when something was closed.
        writes: How often anything was written.
        opened: Project → pull requests that others opened.
        proposals: URL → what such a one changes.
        checks: Commit and name → what was said there.
        said: URL and key → the comment of ours.
        is_app: True where a check carries all of its text.
        no_checks: What writing a check raises, where the token may not.
        issues_off: What asking for issues raises, where a project has none.
    """

    files: dict[str, dict[str, bytes]]
    errors: dict[str, ForgeError] = field(default_factory=dict)
    published: dict[tuple[str, str], list[Publication]] = field(default_factory=dict)
    wanted: dict[str, PullRequest | Issue] = field(default_factory=dict)
    issues: dict[tuple[str, str], list[Publication]] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    writes: int = 0
    opened: dict[str, list[OpenPull]] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    checks: dict[tuple[str, str], Check] = field(default_factory=dict)
    said: dict[tuple[str, str], str] = field(default_factory=dict)
    is_app: bool = True
    no_checks: ForgeError | None = None
    issues_off: ForgeError | None = None
    _history: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    _pushed: set[str] = field(default_factory=set)

    def checkout(self, project: Project, commit: str | None = None) -> FakeCheckout:
        now = FakeCheckout(dict(self._project(project)), project.base or "main")
        self._history[now.commit] = now.files
        if commit is not None and commit not in self._history:
            raise ForgeRefused(f"{project.name} has no commit {commit}")
        return replace(now, files=self._history[commit]) if commit else now

    def find(self, project: Project, slot: str, branch: str) -> Publication | None:
        del branch
        self._project(project)
        return next(reversed(self.published.get((project.name, slot), [])), None)

    def publish(self, project: Project, wanted: PullRequest, existing: Publication | None) -> Publication:
        now = self.find(project, wanted.slot, wanted.branch)
        if now is not None and now.state is _OPEN and now.url in self._pushed:
            raise BranchTaken(f"branch {wanted.branch} holds a commit by somebody")
        return self._reconciled(self.published, project, wanted, now, existing)

    def find_issue(self, project: Project, slot: str) -> Publication | None:
        self._project(project)
        if self.issues_off is not None:
            raise self.issues_off
        return next(reversed(self.issues.get((project.name, slot), [])), None)

    def publish_issue(self, project: Project, wanted: Issue, existing: Publication | None) -> Publication:
        now = self.find_issue(project, wanted.slot)
        return self._reconciled(self.issues, project, wanted, now, existing)

    def close(self, project: Project, publication: Publication, comment: str) -> Publication:
        self._project(project)
        if publication.state is PublicationState.MERGED:
            return publication
        self.writes += 1
        self.comments.append(comment)
        withdrawn = self.becomes(publication, PublicationState.CLOSED)
        return self._replace(withdrawn, replace(withdrawn, digest=WITHDRAWN))

    def open_pulls(self, project: Project) -> tuple[OpenPull, ...]:
        self._project(project)
        return tuple(self.opened.get(project.name, ()))

    def proposal(self, project: Project, pull: OpenPull, paths: Sequence[str]) -> Proposal:
        self._project(project)
        whole = self.proposals[pull.url]
        files = {path: data for path, data in whole.files.items() if path in paths}
        return Proposal(files, (*whole.others, *(set(whole.files) - set(files))))

    def attest(self, project: Project, check: Check) -> bool:
        self._project(project)
        if self.no_checks is not None:
            raise self.no_checks
        self.writes += self.checks.get((check.commit, check.name)) != check
        self.checks[check.commit, check.name] = check
        return self.is_app

    def say(self, project: Project, url: str, key: str, text: str) -> None:
        self._project(project)
        self.writes += self.said.get((url, key)) != text
        self.said[url, key] = text

    # -- what people do -----------------------------------------------------------------------

    def becomes(self, publication: Publication, state: PublicationState) -> Publication:
        """Close or reopen."""
        return self._replace(publication, replace(publication, state=state))

    def merge(self, publication: Publication) -> None:
        """Merge: the base branch holds the bytes."""
        wanted = self.wanted[publication.url]
        assert isinstance(wanted, PullRequest)
        self.files[publication.project].update(wanted.files)
        self.becomes(publication, PublicationState.MERGED)

    def push(self, publication: Publication) -> None:
        """Commit on top of our branch."""
        self._pushed.add(publication.url)
        self._replace(publication, replace(publication, commit=content_id(publication.commit)))

    # -- inside -------------------------------------------------------------------------------

    def _project(self, project: Project) -> dict[str, bytes]:
        if project.name in self.errors:
            raise self.errors[project.name]
        if project.name not in self.files:
            raise ForgeRefused(f"there is no project {project.name}")
        return self.files[project.name]

    def _reconciled(
        self,
        shelf: Shelf,
        project: Project,
        wanted: PullRequest | Issue,
        now: Publication | None,
        existing: Publication | None,
    ) -> Publication:
        if now is not None and now.state is _OPEN:
            return now if self.wanted[now.url] == wanted else self._write(shelf, project, wanted, now)
        if now is not None and existing is None and now.digest == wanted.digest:
            return now
        return self._write(shelf, project, wanted, None)

    def _write(
        self,
        shelf: Shelf,
        project: Project,
        wanted: PullRequest | Issue,
        now: Publication | None,
    ) -> Publication:
        self.writes += 1
        listed = shelf.setdefault((project.name, wanted.slot), [])
        pull = isinstance(wanted, PullRequest)
        number = sum(map(len, [*self.published.values(), *self.issues.values()])) + 1
        url = now.url if now else f"memory://{project.name}/{'pull' if pull else 'issues'}/{number}"
        made = Publication(
            slot=wanted.slot,
            kind=PublicationKind.PULL_REQUEST if pull else PublicationKind.ISSUE,
            project=project.name,
            digest=wanted.digest,
            url=url,
            branch=wanted.branch if isinstance(wanted, PullRequest) else "",
            state=_OPEN,
            commit=content_id(sorted(wanted.files.items())) if isinstance(wanted, PullRequest) else "",
            body_digest=body_digest(wanted.title, wanted.body),
        )
        self.wanted[url] = wanted
        listed[-1:] = [made] if now else [*listed[-1:], made]
        return made

    def _replace(self, old: Publication, new: Publication) -> Publication:
        for shelf in (self.published, self.issues):
            for listed in shelf.values():
                listed[:] = [new if one.url == old.url else one for one in listed]
        return new
