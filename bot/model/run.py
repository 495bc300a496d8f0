"""Cycles, plans, publications and results: what one run did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.model.evidence import BasePair, Evidence, Verdict
from bot.model.measurement import Baseline
from bot.model.published import Published
from bot.model.reference import Reference
from bot.model.target import Project, Target
from bot.model.update import Abandoned, Current, Failed, Skipped, Update, Waiting
from bot.model.use import Use
from bot.model.vulnerability import Comparison, Scan


class CycleState(StrEnum):
    """Where a cycle stands."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run over all projects.

    Attributes:
        id: `monthly-2026-11`, or `monthly-2026-11.2` for a second attempt.
        name: `monthly-2026-11`.
        attempt: 1-based.
        state: Where it stands.
        started: When it began.
        finished: When it ended, or None.
    """

    id: str
    name: str
    attempt: int
    state: CycleState
    started: datetime
    finished: datetime | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """One update to prove and publish.

    Attributes:
        project: Where.
        target: The image it changes; None for a use that belongs to no target (a compose file's `image:`).
        use: The place that changes.
        update: What it becomes.
        commit: The commit it was planned on.
        also: Other uses of the same image in the same file, which move with it.
        bases: The base before and after, for each platform the target builds.
        along: Uses of other images that share bytes (an `ARG`) with it, and what they become.
    """

    project: Project
    target: Target | None
    use: Use
    update: Update
    commit: str
    also: tuple[Use, ...] = ()
    bases: tuple[BasePair, ...] = ()
    along: tuple[tuple[Use, Reference], ...] = ()

    @property
    def changes(self) -> tuple[tuple[Use, Reference], ...]:
        """Every use that an edit for this update moves, and what it becomes."""
        return (*((use, self.update.to) for use in self.uses), *self.along)

    @property
    def uses(self) -> tuple[Use, ...]:
        """Every use that changes."""
        return (self.use, *self.also)

    @property
    def subject(self) -> str:
        """What people call it: the target, else the file."""
        return self.target.name if self.target else self.use.file


@dataclass(frozen=True, slots=True)
class Decided:
    """A use that needs no proof, with its outcome."""

    project: str
    target: str | None
    use: Use
    outcome: Current | Waiting | Abandoned | Skipped | Failed

    @property
    def subject(self) -> str:
        """What people call it: the target, else the file."""
        return self.target or self.use.file


@dataclass(frozen=True, slots=True)
class Plan:
    """What a cycle set out to do; stored when made, so that a resumed cycle goes on with it.

    Attributes:
        updates: To be proved and published.
        decided: Everything else: the counts add up.
        problems: Failures that belong to no use: a project that could not be fetched.
        requests: Registry requests it took, by method.
        published: What was found behind the targets' `image:`.
    """

    updates: tuple[Planned, ...]
    decided: tuple[Decided, ...]
    problems: tuple[Problem, ...] = ()
    requests: Mapping[str, int] = field(default_factory=dict)
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure as a value: what failed, why, what to do."""

    subject: str
    error: str
    hint: str = ""


class PublicationKind(StrEnum):
    """What carries a verdict."""

    PULL_REQUEST = "pull-request"
    ISSUE = "issue"
    EVIDENCE = "evidence"  # ours, on a pull request that somebody else opened


class PublicationState(StrEnum):
    """What became of it."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Publication:
    """A pull request or issue, after the forge confirmed it.

    Attributes:
        slot: Project, image and files: one open publication for each.
        kind: What it is.
        project: Where.
        digest: What it proposes; with the slot it decides what is new.
        url: Where a person reads it (a path on the local forge).
        branch: Its branch; empty for an issue.
        state: What became of it.
        commit: Head commit we pushed, to see whether somebody else pushed since.
        body_digest: sha256 of title and body as written, to leave unchanged ones alone.
    """

    slot: str
    kind: PublicationKind
    project: str
    digest: str
    url: str
    branch: str
    state: PublicationState
    commit: str = ""
    body_digest: str = ""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request to be opened or brought up to date.

    Attributes:
        slot: See `Publication`.
        digest: See `Publication`.
        branch: Name of its branch.
        base: Branch it goes to.
        base_commit: Commit its one commit stands on.
        title: One line.
        body: Markdown, at most 65,536 characters, marker included.
        message: Commit message.
        files: New bytes of each changed file, by path.
        labels: Labels it carries.
        draft: True where the verdict blocks.
        context: What it was proved on; where that moved, the branch moves too.
        base_tree: Git id of the base commit's tree; empty where the forge shall look it up.
        modes: Git mode of each changed file; likewise.
        reviewers: Who is asked to review it when it is opened: logins, and teams as `owner/team`.
        assignees: Logins it is assigned to when it is opened.
        auto_merge: True where it may be merged by itself once its required checks have passed.
    """

    slot: str
    digest: str
    branch: str
    base: str
    base_commit: str
    title: str
    body: str
    message: str
    files: Mapping[str, bytes]
    labels: tuple[str, ...] = ()
    draft: bool = False
    context: str = ""
    base_tree: str = ""
    modes: Mapping[str, str] = field(default_factory=dict)
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    auto_merge: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue to be opened or brought up to date; fields as in `PullRequest`."""

    slot: str
    digest: str
    title: str
    body: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """One update with everything that became of it."""

    planned: Planned
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    baseline: Baseline | None = None
    publication: Publication | None = None
    publication_note: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one cycle did; everything the outputs show.

    Attributes:
        cycle: Which.
        updates: Proved, with their publications.
        decided: Uses that needed no proof.
        problems: Failures, each with cause and hint.
        requests: Registry requests by method.
        quota: What each registry says is left: host → `98/100`.
        seconds: Wall time.
        dry_run: True where nothing was written to a forge.
        notes: Sentences about the run itself, for its foot.
        issues: Issues that are open for targets.
        published: What was found behind the targets' `image:`.
    """

    cycle: Cycle
    updates: tuple[Proved, ...]
    decided: tuple[Decided, ...]
    problems: tuple[Problem, ...]
    requests: Mapping[str, int]
    seconds: float
    quota: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    notes: tuple[str, ...] = ()
    issues: tuple[Publication, ...] = ()
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class Rescan:
    """What a rescan found.

    Attributes:
        subject: What was asked for: a target or an image.
        how: What was scanned: the image's digest, or a fresh build.
        scan: The new scan.
        last: The scan before it; None at the first.
        comparison: The difference between the two; None where one of them knows too little to compare.
        seconds: How long it took.
    """

    subject: str
    how: str
    scan: Scan
    last: Scan | None
    comparison: Comparison | None
    seconds: float
