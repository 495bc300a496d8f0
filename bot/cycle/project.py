"""One project's updates, from the plan to what people see: look, prove, publish the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from bot.cycle.baselines import record
from bot.cycle.dashboard import show
from bot.cycle.evidence_for_others import attach, others_pulls
from bot.cycle.grouping import Group
from bot.cycle.inventory import record_sboms
from bot.cycle.issues import report_targets
from bot.cycle.parts import Parts
from bot.cycle.prove import prove
from bot.cycle.publish import compose, publish
from bot.cycle.standing import LIMIT_REASON, Seen, held_back, look, tell
from bot.cycle.tally import Run, subject
from bot.cycle.tidy import tidy
from bot.cycle.verdict import judge
from bot.errors import BranchTaken, RefitError, StoreError
from bot.model.draft import Draft
from bot.model.evidence import Evidence, VerdictState
from bot.model.pulls import OpenPull
from bot.model.run import Planned, Proved, Publication, PublicationState
from bot.model.target import Project
from bot.model.update import Blocked
from bot.model.vulnerability import Severity
from bot.ports import Checkout
from bot.report import comments, facts

_LEDGER = "opened"


@dataclass(frozen=True, slots=True)
class Ready:
    """A group that is proved, with the files it was proved on."""

    seen: Seen
    proved: tuple[Proved, ...]
    checkout: Checkout


def prepare(project: Project, groups: Sequence[Group], run: Run) -> list[Seen]:
    """Look at what a project has open: the groups to go on with, as far as people and limits allow."""
    try:
        opened = run.parts.forge(project).open_pulls(project) if groups else ()
    except RefitError as error:
        run.tally.fail(project.name, error)
        return []
    groups = _attached(groups, opened, run)
    seen: list[Seen] = []
    for group in groups:
        run.guarded(subject(group), partial(_look, group, opened, seen, run))
    return _within_limit(seen, run)


def carry_out(seen: Sequence[Seen], run: Run) -> None:
    """Prove a project's groups and publish them, the most urgent first; each failure is a value."""
    ready: list[Ready] = []
    for one in seen:
        run.guarded(subject(one.group), partial(_prove, one, ready, run))
    for proved in sorted(ready, key=lambda one: _urgency(one.proved)):
        run.guarded(subject(proved.seen.group), partial(_publish, proved, run))


def finish(project: Project, groups: Sequence[Group], run: Run) -> None:
    """Report what no pull request solves, and close what this cycle made superfluous."""
    if run.evidence_only:
        return
    if run.parts.policy.target_issues:
        run.guarded(project.name, partial(report_targets, project, run))
    if run.parts.policy.dashboard:
        run.guarded(project.name, partial(show, project, run))
    run.guarded(project.name, partial(tidy, project, {group.slot for group in groups}, run))


def _attached(groups: Sequence[Group], opened: Sequence[OpenPull], run: Run) -> list[Group]:
    """The groups without what others' pull requests change already: those get the evidence."""
    left: list[Group] = []
    for group in groups:
        rest = [group]

        def work(group: Group = group, rest: list[Group] = rest) -> None:
            covered = others_pulls(group, opened, run.parts)
            for match in covered:
                attach(match, _proved(match.members, _checkout(group, run), run), run)
            taken = {id(planned) for match in covered for planned in match.members}
            rest[:] = [replace(group, members=tuple(m for m in group.members if id(m) not in taken))]

        run.guarded(subject(group), work)
        left += [one for one in rest if one.members]
    if run.evidence_only:
        for group in left:
            run.tally.wait(group.members, "evidence only: nobody has opened this change")
        return []
    return left


def _look(group: Group, opened: Sequence[OpenPull], into: list[Seen], run: Run) -> None:
    seen = look(group, opened, run)
    if reason := held_back(seen, run):
        run.tally.wait(group.members, reason)
    else:
        into.append(seen)


def _within_limit(seen: Sequence[Seen], run: Run) -> list[Seen]:
    """Those to go on with: the open ones, and of the new ones the most urgent, as many as may be."""
    new = [one for one in seen if one.new]
    if not new:
        return list(seen)
    most, store = run.parts.policy.max_new_per_project, run.parts.store
    begun = [one for one in seen if store.remembered(_LEDGER, f"{run.cycle.id} {one.group.slot}") is not None]
    room = max(0, most - len([one for one in begun if not one.new]))
    if len(new) > room:
        new.sort(key=lambda one: (one not in begun, _estimate(one.group, run)))
    for one in new[room:]:
        run.tally.wait(one.group.members, LIMIT_REASON.format(most))
    kept = {id(one) for one in new[:room]}
    return [one for one in seen if not one.new or id(one) in kept]


def _estimate(group: Group, run: Run) -> tuple[int, ...]:
    """How urgent a group is by its base images alone: they are scanned once for all projects."""
    try:
        checkout = _checkout(group, run)
        evidence = [
            one
            for planned in group.members
            for one in prove(planned, checkout, run.parts, run.cycle, may_build=False)
        ]
    except RefitError:
        return ()  # it goes first, and its proof says what is wrong
    verdict = judge(evidence, None, None, run.parts.policy.verdict)
    return _urgency([Proved(group.members[0], tuple(evidence), verdict)])


def _urgency(proved: Sequence[Proved]) -> tuple[int, ...]:
    """Smaller is more urgent: by what is fixed, the worst severity first."""
    fixed = facts.fixed(facts.cases(proved)) or {}
    return tuple(-fixed.get(severity, 0) for severity in Severity)


def _prove(seen: Seen, into: list[Ready], run: Run) -> None:
    run.parts.progress.step(f"prove {seen.group.image} in {seen.group.project.name}")
    checkout = _checkout(seen.group, run)
    proved = _proved(seen.group.members, checkout, run)
    if _waived_for_nothing(proved):
        reason = "minimum age: waived only for what fixes vulnerabilities, and this fixes none"
        run.tally.wait(seen.group.members, reason)
        return
    into.append(Ready(seen, proved, checkout))


def _checkout(group: Group, run: Run) -> Checkout:
    return run.parts.forge(group.project).checkout(group.project, group.members[0].commit)


def _waived_for_nothing(proved: Sequence[Proved]) -> bool:
    """Tell whether the minimum age was waived for security, and the proof shows nothing fixed."""
    waived = all(one.planned.update.waived for one in proved)
    comparisons = [evidence.comparison for one in proved for evidence in one.evidence]
    return waived and not any(comparison and comparison.fixed for comparison in comparisons)


def _proved(members: Sequence[Planned], checkout: Checkout, run: Run) -> tuple[Proved, ...]:
    return tuple(_prove_one(planned, checkout, run) for planned in members)


def _prove_one(planned: Planned, checkout: Checkout, run: Run) -> Proved:
    parts = run.parts
    if parts.crew is None:
        evidence = prove(planned, checkout, parts, run.cycle, may_build=run.may_build(planned))
    else:
        evidence = parts.crew.prove(run.cycle, planned, may_build=run.may_build(planned))
    record(planned, evidence, run.cycle, parts)
    record_sboms(planned, evidence, checkout, parts)
    return judged(planned, evidence, parts)


def judged(planned: Planned, evidence: tuple[Evidence, ...], parts: Parts) -> Proved:
    """Evidence with its verdict, by the operator's rules and the target's baseline."""
    baseline = None
    built = next((one for one in evidence if one.after.build is not None), None)
    if planned.target is not None and built is not None:
        platform = str(built.platform)
        baseline = parts.store.baseline(planned.project.name, planned.target.name, platform)
    verdict = judge(evidence, planned.target, baseline, parts.policy.verdict)
    return Proved(planned, evidence, verdict, baseline)


def _publish(ready: Ready, run: Run) -> None:
    """Publish; a forge that fails costs the publication, not the proof."""
    group = ready.seen.group
    run.parts.progress.step(f"publish {group.image} in {group.project.name}")
    try:
        publication, note = _carried(ready, run)
    except BranchTaken:
        _leave_alone(ready.seen, run)
        return
    except StoreError:
        raise
    except RefitError as error:
        publication, note = None, error.message
        run.tally.fail(subject(group), error, "not published: ")
    if publication is not None and publication.state is not PublicationState.OPEN:
        run.tally.wait(group.members, "its pull request was closed; silent until the next digest")
        return
    run.tally.updates += [
        replace(one, publication=publication, publication_note=note) for one in ready.proved
    ]


def _carried(ready: Ready, run: Run) -> tuple[Publication | None, str]:
    """What carries the verdict of a group; or None, with why in words. A dry run keeps a draft of it."""
    policy = run.parts.policy
    blocked = any(one.verdict.state is VerdictState.BLOCK for one in ready.proved)
    if blocked and policy.blocked is not Blocked.DRAFT:
        return None, _BLOCKED_NOTES[policy.blocked]
    if run.dry:
        _draft(ready, run)
        return None, ""
    return _published(ready, run), ""


def _leave_alone(seen: Seen, run: Run) -> None:
    """Somebody pushed to its pull request: say so there, once."""
    if seen.existing is not None:
        tell(seen.group, seen.existing, "taken", comments.taken(hears=run.parts.policy.hears), run)
    run.tally.wait(seen.group.members, "somebody pushed to its pull request; left alone")


_BLOCKED_NOTES: Final = {
    Blocked.ISSUE: "blocked; the issue of its target says why",
    Blocked.NONE: "blocked, and the configuration opens no drafts",
}


def _draft(ready: Ready, run: Run) -> None:
    seen = ready.seen
    wanted = compose(seen.group, ready.proved, ready.checkout, run.parts, seen.existing)
    before = {path: ready.checkout.read(path) for path in wanted.files}
    run.tally.drafts.append(Draft(seen.group.project.name, wanted, before))


def _published(ready: Ready, run: Run) -> Publication:
    """Open or update; that a new one is begun is noted first, so that a kill does not raise the limit."""
    seen = ready.seen
    if seen.new:
        run.parts.store.remember(_LEDGER, f"{run.cycle.id} {seen.group.slot}", run.parts.clock.now())
    if run.parts.crew is not None:
        return run.parts.crew.publish(run.cycle, seen.group)
    return publish(seen.group, ready.proved, ready.checkout, run.parts, seen.existing)
