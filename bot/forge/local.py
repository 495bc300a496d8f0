"""The forge without an account: a git checkout, a branch made by plumbing, and the pull request as a file.

What people do to it is read from git: a branch that was deleted is a closed pull request, a base branch that
holds the proposed bytes a merged one, and a commit by somebody else on the branch means hands off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.errors import BranchTaken, ForgeRefused
from bot.forge import plumbing
from bot.forge.checkout import GitCheckout
from bot.forge.git import Git, git_directory
from bot.forge.plumbing import Identity, Signature
from bot.forge.records import Record, Records
from bot.model.marker import BRANCH_PREFIX, WITHDRAWN, body_digest, file_name
from bot.model.pulls import Check, OpenPull, Proposal
from bot.model.run import Issue, Publication, PublicationKind, PublicationState, PullRequest
from bot.model.target import Project
from bot.ports import Checkout, Clock

_PULL, _ISSUE = PublicationKind.PULL_REQUEST, PublicationKind.ISSUE
_OPEN, _CLOSED, _MERGED = PublicationState.OPEN, PublicationState.CLOSED, PublicationState.MERGED


class LocalForge:
    """Projects that are git checkouts on this machine (the `Forge` port).

    Args:
        state: The state folder; pages of pull requests and issues are written below it.
        clock: Dates the commits.
        identity: Author and committer of the commits; it is also how they are known as ours.
    """

    def __init__(self, state: Path, clock: Clock, identity: Identity | None = None) -> None:
        self._records = Records(state)
        self._clock = clock
        self._identity = identity or Identity()

    def checkout(self, project: Project, commit: str | None = None) -> Checkout:
        """The files of the base branch now, or at a commit; what is not committed does not count."""
        git = _git(project)
        name = self._base(git, project)
        return GitCheckout(git, _known(git, project, commit) or _base_commit(git, project, name), name)

    def find(self, project: Project, slot: str, branch: str) -> Publication | None:
        """The pull request of a slot; its `commit` is where its branch is now."""
        del branch  # the record knows it
        record = self._records.find(_PULL, project.name, slot)
        if record is None:
            return None
        git = _git(project)
        record = self._seen(git, record)
        return self._records.publication(record, commit=_head(git, record.branch) or record.commit)

    def publish(self, project: Project, wanted: PullRequest, existing: Publication | None) -> Publication:
        """Open a pull request, or bring the open one up to date; see `Forge.publish`.

        Raises:
            BranchTaken: Somebody committed to the branch, or has it checked out.
        """
        current = self.find(project, wanted.slot, wanted.branch)
        if current and current.state is _OPEN:
            done = self._same(project, wanted, current)
        else:  # closed or merged since the caller looked: silent until the next digest
            done = current is not None and existing is None and current.digest == wanted.digest
        return current if current and done else self._write(_git(project), project, wanted)

    def find_issue(self, project: Project, slot: str) -> Publication | None:
        """The issue of a slot; a page that somebody deleted is a closed issue."""
        record = self._records.find(_ISSUE, project.name, slot)
        if record is None:
            return None
        if record.state is _OPEN and not self._records.page(record).exists():
            record = replace(record, state=_CLOSED)
            self._records.save(record)
        return self._records.publication(record, commit="")

    def publish_issue(self, project: Project, wanted: Issue, existing: Publication | None) -> Publication:
        """Open an issue, or bring the open one up to date."""
        del existing  # the record is at hand
        current = self.find_issue(project, wanted.slot)
        digest = body_digest(wanted.title, wanted.body)
        same = current and (current.digest, current.body_digest) == (wanted.digest, digest)
        if current and current.state is _OPEN and same:
            return current
        record = Record(
            kind=_ISSUE,
            slot=wanted.slot,
            project=project.name,
            digest=wanted.digest,
            title=wanted.title,
            state=_OPEN,
            body_digest=digest,
            name=file_name(wanted.slot),
            labels=wanted.labels,
        )
        self._records.save(record, f"# {wanted.title}\n\n{wanted.body}")
        return self._records.publication(record, commit="")

    def close(self, project: Project, publication: Publication, comment: str) -> Publication:
        """Close a pull request or issue: the comment goes below its page, and our branch goes away."""
        record = self._records.find(publication.kind, project.name, publication.slot)
        if record is None:
            raise ForgeRefused(f"{project.name} has no {publication.kind} for {publication.slot}")
        closed = record.state if record.state is _MERGED else _CLOSED
        if closed is _CLOSED:
            record = replace(record, digest=WITHDRAWN)
            self._records.add(record, f"**Closed.** {comment}")
        record = replace(record, state=closed, comments=(*dict.fromkeys((*record.comments, comment)),))
        self._records.save(record)
        if record.kind is _PULL:
            self._drop_branch(_git(project), record.branch)
        return self._records.publication(record, commit=record.commit)

    def open_pulls(self, project: Project) -> tuple[OpenPull, ...]:
        """Nobody opens pull requests here but Refit, and those are found by their slot."""
        del project
        return ()

    def proposal(self, project: Project, pull: OpenPull, paths: Sequence[str]) -> Proposal:
        """See `open_pulls`: there are none of others."""
        del pull, paths
        raise ForgeRefused(f"{project.name} lives on this machine, where nobody else opens pull requests")

    def attest(self, project: Project, check: Check) -> bool:
        """The page of the pull request says it all."""
        del project, check
        return True

    def say(self, project: Project, url: str, key: str, text: str) -> None:
        """Below the page of the pull request or issue, once."""
        del key
        for kind in PublicationKind.PULL_REQUEST, PublicationKind.ISSUE:
            for record in self._records.all(kind, project.name):
                if str(self._records.page(record)) == url:
                    self._records.add(record, text)

    # -- inside -------------------------------------------------------------------------------

    def _base(self, git: Git, project: Project) -> str:
        """The configured branch, else the current one; `HEAD` where none is checked out."""
        current = project.base or git.ask("symbolic-ref", "--quiet", "--short", "HEAD") or "HEAD"
        if current.startswith(BRANCH_PREFIX):  # somebody looks at a pull request of ours
            records = self._records.all(_PULL, project.name)
            return next((record.base for record in records if record.branch == current), current)
        return current

    def _seen(self, git: Git, record: Record) -> Record:
        """The record with the state that git shows; what was seen once stays."""
        state = _state(git, record) if record.state is _OPEN else record.state
        if state is not record.state:
            record = replace(record, state=state)
            self._records.save(record)
        return record

    def _same(self, project: Project, wanted: PullRequest, current: Publication) -> bool:
        """True where an open pull request already is what is wanted."""
        record = self._records.find(_PULL, project.name, wanted.slot)
        git = _git(project)
        self._check_ours(git, current.branch)
        written = plumbing.blobs(git, f"refs/heads/{current.branch}", wanted.files)
        return (
            record is not None
            and current.digest == wanted.digest
            and current.body_digest == body_digest(wanted.title, wanted.body)
            and (record.labels, record.draft) == (wanted.labels, wanted.draft)
            and written == {path: _blob(git, content) for path, content in wanted.files.items()}
        )

    def _write(self, git: Git, project: Project, wanted: PullRequest) -> Publication:
        """Commit, branch, page, record: in this order, so that a record means all of it is there."""
        old = self._check_ours(git, wanted.branch)
        signature = Signature(self._identity, self._clock.now())
        commit = plumbing.write_commit(git, wanted.base_commit, wanted.files, wanted.message, signature)
        plumbing.move_branch(git, wanted.branch, commit, old)
        record = _record(project, wanted, commit, plumbing.blobs(git, commit, wanted.files))
        self._records.save(record, _page(wanted))
        return self._records.publication(record, commit=commit)

    def _check_ours(self, git: Git, branch: str) -> str | None:
        """Where a branch of ours is now, or None where there is none; `BranchTaken` where it is not ours."""
        head = _head(git, branch)
        if head and plumbing.committer(git, head) != self._identity.email:
            raise BranchTaken(f"branch {branch} is at {head[:12]}, a commit that is not Refit's")
        return head

    def _drop_branch(self, git: Git, branch: str) -> None:
        head = _head(git, branch)
        if head and plumbing.committer(git, head) == self._identity.email:
            plumbing.delete_branch(git, branch, head)


def _git(project: Project) -> Git:
    if project.location is None:
        raise ForgeRefused(
            f"project {project.name} has no location",
            hint="The local forge needs the path of a git checkout.",
        )
    return Git(git_directory(Path(project.location)))


def _base_commit(git: Git, project: Project, name: str) -> str:
    commit = git.commit("HEAD" if name == "HEAD" else f"refs/heads/{name}")
    if commit is None:
        branches = git.line("for-each-ref", "--count=10", "--format=%(refname:short)", "refs/heads/")
        known = ", ".join(branches.split()) or "none"
        raise ForgeRefused(
            f"project {project.name}: {project.location} has no commit on branch {name}",
            hint=f"Commit something, or set `base` to a branch of it (there are: {known}).",
        )
    return commit


def _known(git: Git, project: Project, commit: str | None) -> str | None:
    if commit is not None and git.commit(commit) is None:
        raise ForgeRefused(f"project {project.name}: {project.location} has no commit {commit}")
    return commit


def _head(git: Git, branch: str) -> str | None:
    return git.commit(f"refs/heads/{branch}")


def _blob(git: Git, content: bytes) -> str:
    return git.line("hash-object", "--stdin", stdin=content)


def _state(git: Git, record: Record) -> PublicationState:
    base = "HEAD" if record.base == "HEAD" else f"refs/heads/{record.base}"
    head = _head(git, record.branch)
    if git.commit(base) and plumbing.blobs(git, base, record.blobs) == record.blobs:
        return _MERGED
    if head is None:
        return _CLOSED
    return _MERGED if git.ask("merge-base", "--is-ancestor", head, base) is not None else _OPEN


def _record(project: Project, wanted: PullRequest, commit: str, written: dict[str, str]) -> Record:
    return Record(
        kind=_PULL,
        slot=wanted.slot,
        project=project.name,
        digest=wanted.digest,
        title=wanted.title,
        state=_OPEN,
        body_digest=body_digest(wanted.title, wanted.body),
        name=file_name(wanted.branch.removeprefix(BRANCH_PREFIX)),
        branch=wanted.branch,
        base=wanted.base,
        commit=commit,
        blobs=written,
        labels=wanted.labels,
        draft=wanted.draft,
    )


def _page(wanted: PullRequest) -> str:
    """The pull request as a page: what a forge shows around the body, then the body."""
    facts = [f"`{wanted.branch}` into `{wanted.base}`", *(f"label `{label}`" for label in wanted.labels)]
    facts += ["**draft**"] if wanted.draft else []
    how = f"Merge: `git merge {wanted.branch}` · close: `git branch -D {wanted.branch}`"
    return f"# {wanted.title}\n\n{' · '.join(facts)}  \n{how}\n\n---\n\n{wanted.body}"
