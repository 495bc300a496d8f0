"""Both sides of a proof: built together, scanned with one database, started together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bot.cycle.building import build
from bot.cycle.change import changed_file
from bot.cycle.job import ProofJob
from bot.cycle.layer_growth import with_growth, without_files
from bot.cycle.parts import Parts
from bot.cycle.scans import cached_scan
from bot.cycle.workspace import Workspace, cut_off, inside, workspace
from bot.dockerfile.stages import touched, with_names
from bot.errors import BuildFailed, EngineError
from bot.model.evidence import BaseImage, BasePair, Build, Health, Side, SideName
from bot.model.target import Target
from bot.model.vulnerability import Scan
from bot.ports import Builder, BuildRequest, ScanRequest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BuiltPair:
    """What building and starting gave.

    Attributes:
        before: None for a pin, where the old base is gone, or where it does not build.
        after: None where only the new side does not build.
        before_reason: Why it does not build on the old base, where it does on the new one; empty otherwise.
        failure: Why the new side does not build; empty otherwise.
        failure_log: Last lines of the failing step.
        health_reason: Why the containers were not started; empty otherwise.
    """

    before: Side | None
    after: Side | None
    before_reason: str = ""
    failure: str = ""
    failure_log: str = ""
    health_reason: str = ""


def build_sides(job: ProofJob) -> BuiltPair:
    """Build, scan and start a target on its old and its new base.

    Everything made is removed again, whatever happens.

    Args:
        job: What is proved.

    Raises:
        BuildFailed: It builds on neither side: not the update's fault.
        EngineError: The engine failed.
        ScanError: A scan did not finish.
    """
    builder, target = job.parts.builder, job.planned.target
    if builder is None or target is None:
        raise EngineError("there is nothing to build")
    with workspace(job.parts, f"proof-{job.pair.after.digest[7:19]}") as room:
        requests = _requests(job, target, room)
        job.say(f"build {' and '.join(requests)}")
        built = _build_all(job.parts, requests)
        if any(isinstance(one, BuildFailed) and one.limit for one in built.values()):
            cut_off(job.parts, room.name)
        return _measured(job, target, builder, built, room.name)


@dataclass(frozen=True, slots=True)
class _Version:
    """One side before it is built: what its file says, and the base image that it stands on."""

    side: SideName
    content: bytes
    base: BaseImage


def _versions(job: ProofJob, data: bytes) -> Iterator[_Version]:
    pair = job.pair
    if pair.before is not None:
        yield _Version(SideName.BEFORE, data, pair.before)
    yield _Version(SideName.AFTER, changed_file(data, job.planned), pair.after)


def _requests(job: ProofJob, target: Target, room: Workspace) -> dict[SideName, BuildRequest]:
    data, args = job.checkout.read(job.planned.use.file), dict(target.args)
    platform = job.pair.platform
    moved = [touched(data, use, args=args, platform=platform) for use, _ in job.planned.changes]
    fresh = tuple(dict.fromkeys(stage for stages in moved for stage in stages))
    return {one.side: _request(job, target, one, fresh, room) for one in _versions(job, data)}


def _request(
    job: ProofJob, target: Target, version: _Version, fresh: Sequence[str], room: Workspace
) -> BuildRequest:
    """Write one side's files, and say how they are built; `fresh` are the stages below the moved base."""
    root, policy = room.folder / version.side, job.parts.policy
    job.checkout.export(root)
    written, stages = with_names(version.content, fresh)
    (root / job.planned.use.file).write_bytes(written)
    return BuildRequest(
        context=inside(root, target.context),
        dockerfile=inside(root, target.dockerfile),
        name=f"{room.name}-{version.side}",
        args=target.args,
        stage=target.stage,
        platform=job.pair.platform,
        fresh_stages=stages,
        seconds=policy.build_seconds,
        scratch=room.folder,
        secrets=policy.secrets.get(target.project, {}),
        cache_from=target.cache_from,
        base_layers=_base_layers(version.base),
    )


def _base_layers(image: BaseImage) -> tuple[tuple[str, int | None], ...]:
    """Layers of a base image with what a registry stores for each, where the two lists fit."""
    fits = len(image.layer_sizes) == len(image.diff_ids)
    sizes: Sequence[int | None] = image.layer_sizes if fits else [None] * len(image.diff_ids)
    return tuple(zip(image.diff_ids, sizes, strict=True))


def _build_all(
    parts: Parts, requests: Mapping[SideName, BuildRequest]
) -> dict[SideName, Build | BuildFailed]:
    """Build all sides at the same time, so that both see the same archives and mirrors."""

    def built_or_not(request: BuildRequest) -> Build | BuildFailed:
        try:
            return build(parts, request)
        except BuildFailed as error:
            return error

    built = _together({side: partial(built_or_not, request) for side, request in requests.items()})
    return built | {side: built_or_not(requests[side]) for side in _doubtful(built)}


def _doubtful(built: Mapping[SideName, Build | BuildFailed]) -> Sequence[SideName]:
    """Sides that are built once more, alone, before anybody is blamed.

    Where one builds and the other does not, that may be a download that broke off: not to be put down to the
    update, nor credited to it. Where both were ended for their memory, one may have been for the other's:
    whose steps they are cannot be seen from outside the engine. What hung would hang again.
    """
    failed = {side: one.limit for side, one in built.items() if isinstance(one, BuildFailed)}
    if len(failed) < len(built):
        return [side for side, limit in failed.items() if limit in ("", "memory")]
    return list(failed) if len(failed) > 1 and set(failed.values()) == {"memory"} else []


def _together(calls: Mapping[SideName, Callable[[], T]]) -> dict[SideName, T]:
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        futures = {key: pool.submit(call) for key, call in calls.items()}
        return {key: future.result() for key, future in futures.items()}


def _measured(
    job: ProofJob,
    target: Target,
    builder: Builder,
    built: Mapping[SideName, Build | BuildFailed],
    name: str,
) -> BuiltPair:
    before, after = built.get(SideName.BEFORE), built[SideName.AFTER]
    if isinstance(after, BuildFailed):
        if not isinstance(before, Build):
            raise after
        return BuiltPair(None, None, failure=after.message, failure_log=after.log)
    builds = _kept(before, after)
    job.say(f"scan {' and '.join(builds)}")
    scans = _scan_all(builds, job.pair, job.parts)
    job.say(f"start {' and '.join(builds)}")
    healths, not_started = _start_all(builder, builds, target, name)
    if not_started:
        cut_off(job.parts, name)
    sides = {
        side: Side("", scans[side], build=build, health=healths.get(side)) for side, build in builds.items()
    }
    why = f"it does not build on the old base: {before.message}" if isinstance(before, BuildFailed) else ""
    return BuiltPair(sides.get(SideName.BEFORE), sides[SideName.AFTER], why, health_reason=not_started)


def _kept(before: Build | BuildFailed | None, after: Build) -> dict[SideName, Build]:
    """What was built, as it is kept: the new side tells where it grew."""
    if not isinstance(before, Build):
        return {SideName.AFTER: without_files(after)}
    grown = with_growth(before, after)
    return {SideName.BEFORE: without_files(before), SideName.AFTER: without_files(grown)}


def _scan_all(builds: Mapping[SideName, Build], pair: BasePair, parts: Parts) -> dict[SideName, Scan]:
    calls = {
        side: partial(
            cached_scan,
            ScanRequest(
                build.image,
                remote=False,
                digest=build.image,
                platform=pair.platform,
                keep=True,
                exposure=side is SideName.AFTER,
            ),
            parts,
        )
        for side, build in builds.items()
    }
    return _together(calls)


def _start_all(
    builder: Builder, builds: Mapping[SideName, Build], target: Target, name: str
) -> tuple[dict[SideName, Health], str]:
    """Start all sides; an engine that fails here costs the level, not the proof."""
    calls = {
        side: partial(builder.health, build.image, target.health, name=f"{name}-{side}")
        for side, build in builds.items()
    }
    try:
        return _together(calls), ""
    except EngineError as error:
        return {}, f"the containers could not be started: {error.message}"
