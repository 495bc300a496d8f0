"""Issues: what no pull request can solve, one a target, kept up to date and closed when it is solved.

Nothing is asked of the forge where nothing changed: what was said last is in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from bot.cycle.bases import base_image
from bot.cycle.inventory import last_key
from bot.cycle.parts import Parts
from bot.cycle.tally import Run
from bot.errors import ForgeRefused, RegistryError
from bot.model import marker
from bot.model.draft import Draft
from bot.model.evidence import VerdictState
from bot.model.manifest import Platform
from bot.model.reference import Reference
from bot.model.run import Decided, Issue, Proved, Publication, PublicationKind, PublicationState
from bot.model.target import Project
from bot.model.update import Abandoned, Blocked, Current, Failed
from bot.model.vulnerability import Vulnerability
from bot.report import comments, issue
from bot.report.issue import Trouble

_LABELS = ("refit",)
_WORD = "target"


@dataclass(frozen=True, slots=True)
class _Subject:
    """Everything this cycle found out about one target."""

    name: str
    proved: tuple[Proved, ...]
    decided: tuple[Decided, ...]

    @property
    def known(self) -> bool:
        """False where something could not be decided: then nothing is said, and nothing taken back."""
        return not any(isinstance(one.outcome, Failed) for one in self.decided)


def report_targets(project: Project, run: Run) -> None:
    """Bring the issues of a project's targets to what this cycle found out.

    Raises:
        ForgeError: The forge did not take it; the next cycle tries again.
    """
    if any(problem.subject == project.name for problem in run.tally.problems):
        return
    slots = set()
    for subject in _subjects(project, run):
        slot = slot_of(project, subject.name)
        slots.add(slot)
        if subject.known:
            _report(project, slot, _trouble(subject, run.parts), run)
    _forget_targets(project, slots, run)


def slot_of(project: Project, target: str) -> str:
    """The one place that the issue of a target has."""
    return marker.slot(project.name, f"{_WORD} {target}", [])


def _subjects(project: Project, run: Run) -> Iterable[_Subject]:
    proved = [one for one in run.tally.updates if one.planned.project.name == project.name]
    decided = [one for one in run.tally.decided if one.project == project.name]
    names = dict.fromkeys([*(one.planned.subject for one in proved), *(_name(one) for one in decided)])
    for name in names:
        yield _Subject(
            name,
            tuple(one for one in proved if one.planned.subject == name),
            tuple(one for one in decided if _name(one) == name),
        )


def _name(decided: Decided) -> str:
    return decided.subject


def _trouble(subject: _Subject, parts: Parts) -> Trouble:
    blocked = [
        one
        for one in subject.proved
        if one.verdict.state is VerdictState.BLOCK and (one.publication is None or _is_issue(one.publication))
    ]
    abandoned = [one for one in subject.decided if isinstance(one.outcome, Abandoned)]
    image, found = _vulnerable(subject, parts)
    return Trouble(
        subject.name,
        tuple(blocked) if parts.policy.blocked is Blocked.ISSUE else (),
        tuple(abandoned),
        found,
        image,
    )


def _is_issue(publication: Publication) -> bool:
    return publication.kind is PublicationKind.ISSUE


def _vulnerable(subject: _Subject, parts: Parts) -> tuple[str, tuple[Vulnerability, ...]]:
    """Serious findings with a fix, of a target that has no update: from its SBOM's last scan."""
    worst = parts.policy.issue_severity
    current = [one for one in subject.decided if one.use.final and isinstance(one.outcome, Current)]
    if worst is None or subject.proved or not current:
        return "", ()
    found: dict[tuple[str, str, str], Vulnerability] = {}
    for one in _last_findings(subject, current[0], parts):
        if one.fixed_version and not one.package.path and one.severity.rank <= worst.rank:
            found.setdefault(one.identity, one)
    ranked = sorted(found.values(), key=lambda one: (one.severity.rank, one.id))
    return current[0].use.unpinned if ranked else "", tuple(ranked)


def _last_findings(subject: _Subject, held: Decided, parts: Parts) -> Iterable[Vulnerability]:
    """What the newest scan of each SBOM found, of those made on the base that is held now."""
    if held.use.reference is None:
        return
    made = parts.store.sboms(f"{held.project}#{subject.name}")
    scans = [(one, scan) for one in made if (scan := parts.store.scan(last_key(one.digest))) is not None]
    bases = asyncio.run(_bases(parts, held.use.reference, {one.platform for one, _ in scans}))
    for one, scan in scans:
        if one.base == bases[one.platform]:
            yield from scan.vulnerabilities


async def _bases(parts: Parts, reference: Reference, platforms: Iterable[str]) -> dict[str, str]:
    """The image that a base is on each platform; empty where that cannot be told."""

    async def on(platform: str) -> tuple[str, str]:
        try:
            return platform, (await base_image(parts.registry, reference, Platform.parse(platform))).reference
        except (RegistryError, ValueError):
            return platform, ""

    return dict(await asyncio.gather(*map(on, platforms)))


def _report(project: Project, slot: str, trouble: Trouble, run: Run) -> None:
    recorded = run.parts.store.publication(slot)
    if not trouble:
        _solve(project, recorded, run)
        return
    wanted = Issue(
        slot=slot,
        digest=trouble.digest,
        title=issue.title(trouble),
        body=issue.body(trouble, marker=marker.marker(slot, trouble.digest)),
        labels=_LABELS,
    )
    if run.dry:
        run.tally.drafts.append(Draft(project.name, issue=wanted))
        return
    try:
        published = _published(project, wanted, recorded, run.parts)
    except ForgeRefused as error:  # a project may have its issues switched off
        run.tally.notes.append(f"no issue in {project.name}: {error.message}")
        return
    if published.state is PublicationState.OPEN:
        _link(published, trouble, run)


def _published(project: Project, wanted: Issue, recorded: Publication | None, parts: Parts) -> Publication:
    """Open or update it; one that says so already costs no request, and a closed one stays closed."""
    if recorded is not None and recorded.digest == wanted.digest:
        text = marker.body_digest(wanted.title, wanted.body)
        if recorded.state is not PublicationState.OPEN or recorded.body_digest == text:
            return recorded
    forge = parts.forge(project)
    existing = forge.find_issue(project, wanted.slot)
    if existing is not None and existing.state is not PublicationState.OPEN:
        if existing.digest == wanted.digest:
            parts.store.save_publication(existing)
            return existing
        existing = None
    published = forge.publish_issue(project, wanted, existing)
    parts.store.save_publication(published)
    parts.store.audit("refit", "report", f"{published.url} {wanted.title}", parts.clock.now())
    return published


def _link(published: Publication, trouble: Trouble, run: Run) -> None:
    """The result names the issue where it stands for an update that is not proposed."""
    run.tally.issues.append(published)
    blocked = {id(one) for one in trouble.blocked}
    run.tally.updates[:] = [
        replace(one, publication=published, publication_note="") if id(one) in blocked else one
        for one in run.tally.updates
    ]


def _solve(project: Project, recorded: Publication | None, run: Run) -> None:
    """Close the issue of a target that has nothing wrong any more."""
    if run.dry or recorded is None or recorded.state is not PublicationState.OPEN:
        return
    forge, parts = run.parts.forge(project), run.parts
    live = forge.find_issue(project, recorded.slot)
    if live is not None and live.state is PublicationState.OPEN:
        live = forge.close(project, live, comments.solved())
        parts.store.audit("refit", "close", f"{live.url} solved", parts.clock.now())
    parts.store.save_publication(live or replace(recorded, state=PublicationState.CLOSED))


def _forget_targets(project: Project, slots: AbstractSet[str], run: Run) -> None:
    """Targets that are gone have no trouble any more."""
    for recorded in run.parts.store.publications(project.name):
        ours = recorded.kind is PublicationKind.ISSUE and f"|{_WORD}-" in recorded.slot
        if ours and recorded.slot not in slots:
            _solve(project, recorded, run)
