"""Prove: measure one update, before and after, as far as its target allows.

Before and after are the same commit and the same build arguments, on the old and the new
base, started together. Level `base` needs no engine; a target that cannot be built falls back
to it and says why.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.cycle.base_scans import Bases, scan_bases, with_others
from bot.cycle.job import ProofJob
from bot.cycle.keys import evidence_key
from bot.cycle.parts import Parts
from bot.cycle.sides import BuiltPair, build_sides
from bot.dockerfile.frontend import foreign_frontend
from bot.errors import BuildFailed, EngineError
from bot.model.evidence import Absence, Evidence, Level, Side
from bot.model.run import Cycle, Planned
from bot.ports import Checkout


def prove(
    planned: Planned, checkout: Checkout, parts: Parts, cycle: Cycle, *, may_build: bool
) -> tuple[Evidence, ...]:
    """Measure an update on every platform of its target; finished evidence is found by key.

    Args:
        planned: The update, with its bases.
        checkout: The project's files at the commit it was planned on.
        parts: The collaborators.
        cycle: What failed counts for this cycle only: the next one tries again.
        may_build: False when this cycle has built as much as it may.

    Raises:
        ScanError: A scan did not finish, so nothing can be said.
        ForgeError: The build context cannot be exported.
    """
    jobs = (ProofJob(planned, pair, checkout, parts, cycle, may_build) for pair in planned.bases)
    return tuple(_prove_on(job) for job in jobs)


def measure(job: ProofJob) -> Evidence:
    """Measure an update on one platform, whatever was measured before; nothing is stored.

    Raises:
        ScanError: A scan did not finish, so nothing can be said.
        ForgeError: The build context cannot be exported.
    """
    why_not = _why_not_built(job)
    return _measure(job, _key(job, why_not), why_not)


def _key(job: ProofJob, why_not: str) -> str:
    parts = job.parts
    means = why_not or (parts.builder.available() if parts.builder else "")
    month = f"{job.cycle.started.astimezone(parts.policy.zone):%Y-%m}"
    scanner = parts.scanner.identity()
    return evidence_key(job.planned, job.pair, trees=_trees(job), scanner=scanner, means=means, month=month)


def _prove_on(job: ProofJob) -> Evidence:
    parts, why_not = job.parts, _why_not_built(job)
    key = _key(job, why_not)
    this_time = f"{key} {job.cycle.id}"
    for stored in (key, this_time):
        if (finished := parts.store.evidence(stored)) is not None:
            job.say("proved before, nothing to do again")
            return finished
    evidence = _measure(job, key, why_not)
    if evidence.failure or evidence.not_built or evidence.this_time_only:
        evidence = replace(evidence, key=this_time)
    parts.store.save_evidence(evidence)
    # Another run may have been faster: what was finished first counts, for everybody.
    return parts.store.evidence(evidence.key) or evidence


def _measure(job: ProofJob, key: str, why_not: str) -> Evidence:
    clock = job.parts.clock
    started, begun = clock.now(), clock.monotonic()
    job.say("scan the base images")
    bases = scan_bases(job.pair, job.parts)
    evidence = _base_evidence(bases, key, why_not, started)
    if not why_not:
        evidence = _with_builds(evidence, job, bases)
    return replace(evidence, seconds=clock.monotonic() - begun, commit=job.checkout.commit)


def _why_not_built(job: ProofJob) -> str:
    """Why the level stays at base, in words; empty where the target will be built."""
    target, parts = job.planned.target, job.parts
    if target is None:
        return f"{job.planned.use.file} names an image that no target builds"
    if not target.build:
        return "the configuration keeps this target at level base"
    if parts.builder is None:
        return parts.no_builder or "there is no container engine"
    if not job.pair.platform.satisfies(parts.platform):
        return f"this machine builds {parts.platform}, not {job.pair.platform}"
    if not job.may_build:
        return "this cycle has built as many targets as it may"
    foreign = foreign_frontend(job.checkout.read(target.dockerfile), parts.policy.frontends)
    return f"its `# syntax=` names {foreign}, which builder.frontends does not allow" if foreign else ""


def _trees(job: ProofJob) -> tuple[str, ...]:
    file, target = job.planned.use.file, job.planned.target
    return (job.checkout.tree(file), job.checkout.tree(target.context if target else file))


def _base_evidence(bases: Bases, key: str, why_not: str, started: datetime) -> Evidence:
    before, after = bases.sides()
    pair = bases.pair
    return Evidence(
        key=key,
        level=Level.BASE,
        level_reason=why_not,
        platform=pair.platform,
        before=before,
        after=after,
        comparison=bases.compared(before, after),
        started=started,
        seconds=0.0,
        before_reason=pair.before_reason,
        absence=pair.absence,
    )


def _with_builds(evidence: Evidence, job: ProofJob, bases: Bases) -> Evidence:
    """Raise the level as far as building and starting go; else say why it stays."""
    try:
        built = build_sides(job)
    except BuildFailed as error:
        return replace(
            evidence,
            level_reason=f"the target does not build: {error.message}",
            not_built=error.message,
            failure_log=error.log,
            failed_before_too=job.pair.before is not None,
        )
    except EngineError as error:
        help_ = f" ({error.hint.removesuffix('.')})" if error.hint else ""
        return replace(evidence, level_reason=f"{error.message}{help_}", this_time_only=True)
    return _built_evidence(evidence, built, with_others(bases, job))


def _built_evidence(evidence: Evidence, built: BuiltPair, bases: Bases) -> Evidence:
    if built.after is None:
        return replace(
            evidence,
            level_reason="the target does not build on the new base",
            failure=f"it does not build on the new base, and did on the old one: {built.failure}",
            failure_log=built.failure_log,
        )
    before = _on_base(built.before, evidence.before) if built.before and evidence.before else None
    after = _on_base(built.after, evidence.after)
    return replace(
        evidence,
        level=Level.HEALTH if after.health else Level.BUILD,
        level_reason="" if after.health else built.health_reason,
        before=before,
        after=after,
        comparison=bases.compared(before, after),
        before_reason=built.before_reason or evidence.before_reason,
        this_time_only=bool(built.health_reason),
        absence=Absence.NOT_BUILT if built.before_reason else evidence.absence,
    )


def _on_base(built: Side, base: Side) -> Side:
    """What was built, beside what is known of its base image."""
    return replace(built, base=base.base, base_size=base.base_size, base_pushed_size=base.base_pushed_size)
