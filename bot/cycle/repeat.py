"""Repeat the proof of a pull request: the same commit, target and digests, measured anew."""

from __future__ import annotations

from dataclasses import replace

from bot.cycle.bases import registry_pairs
from bot.cycle.discover import in_file
from bot.cycle.job import ProofJob
from bot.cycle.parts import Parts
from bot.cycle.prove import measure
from bot.errors import UsageError
from bot.model.compared import ImageComparison, ImageFacts
from bot.model.evidence import Evidence, Side
from bot.model.run import Cycle, CycleState, Planned
from bot.model.target import Target
from bot.model.update import Update, UpdateKind
from bot.model.use import Use
from bot.ports import Checkout


def repeat(parts: Parts, target: Target, commit: str, old: str, new: str) -> ImageComparison:
    """Measure a target at a commit on two digests of its base.

    Args:
        parts: The collaborators.
        target: Which.
        commit: Of its project.
        old: Digest of the base that its Dockerfile names at that commit.
        new: Digest that takes its place.

    Raises:
        UsageError: The Dockerfile does not name the old digest, or a side could not be measured.
        RefitError: The commit, an image or a scan cannot be had.
    """
    project = next(one for one in parts.projects if one.name == target.project)
    checkout = parts.forge(project).checkout(project, commit)
    uses = _uses(parts, target, checkout, old)
    lead = next((use for use in uses if use.final), uses[-1])
    assert lead.reference is not None  # noqa: S101 - its digest was compared; tells the type checker
    update = Update(UpdateKind.DIGEST, lead.reference.with_digest(new), "asked for by a person")
    bases = registry_pairs(parts, lead, update, target.platforms)
    planned = Planned(project, target, lead, update, checkout.commit, also=_others(uses, lead), bases=bases)
    pair = next((one for one in bases if one.platform.satisfies(parts.platform)), bases[0])
    cycle = Cycle("compare", "compare", 1, CycleState.RUNNING, parts.clock.now())
    evidence = measure(ProofJob(planned, pair, checkout, parts, cycle, may_build=True))
    return _shown(evidence, target.name, (old, new))


def _uses(parts: Parts, target: Target, checkout: Checkout, digest: str) -> tuple[Use, ...]:
    project = next(one for one in parts.projects if one.name == target.project)
    data = checkout.read(target.dockerfile)
    found = in_file(replace(project, targets=(target,)), target.dockerfile, data, parts.policy.custom)
    uses = tuple(one.use for one in found if one.use.reference and one.use.reference.digest == digest)
    if not uses:
        named = sorted({one.use.text for one in found})
        raise UsageError(
            f"{target.dockerfile} at {checkout.commit[:12]} names no image with {digest}",
            hint=f"It names {', '.join(named) or 'no image'}.",
        )
    return uses


def _others(uses: tuple[Use, ...], lead: Use) -> tuple[Use, ...]:
    return tuple(use for use in uses if use is not lead)


def _shown(evidence: Evidence, name: str, digests: tuple[str, str]) -> ImageComparison:
    if evidence.before is None:
        why = evidence.failure or evidence.before_reason or evidence.level_reason
        raise UsageError(f"{name} could not be measured on both bases: {why}")
    notes = (f"level {evidence.level}: {evidence.level_reason}",) if evidence.level_reason else ()
    sides = (evidence.before, evidence.after)
    facts = [_facts(f"{name} on {digest}", side) for digest, side in zip(digests, sides, strict=True)]
    return ImageComparison(
        before=facts[0],
        after=facts[1],
        platform=evidence.platform,
        comparison=evidence.comparison,
        seconds=evidence.seconds,
        notes=notes,
        caused=True,
    )


def _facts(name: str, side: Side) -> ImageFacts:
    build = side.build
    return ImageFacts(
        name=name,
        how="built" if build else "its base image alone",
        scan=side.scan,
        size=side.size,
        pushed_size=build.pushed_size if build else side.base_pushed_size,
        layers=len(build.layers) if build else len(side.scan.diff_ids),
        build=build,
        build_seconds=build.seconds if build else None,
        health=side.health,
    )
