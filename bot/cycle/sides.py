"""Both sides of a proof: built together, scanned with one database, started together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from bot.model.evidence import BaseImage, BasePair, Build, Health, Side
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


def _requests(job: ProofJob, target: Target, room: Workspace) -> dict[str, BuildRequest]:
    planned = job.planned
    data = job.checkout.read(planned.use.file)
    versions = {"before": data, "after": changed_file(data, planned)}
    if job.pair.before is None:
        del versions["before"]
    args = dict(target.args)
    moved = [touched(data, use, args=args, platform=job.pair.platform) for use, _ in planned.changes]
    fresh = tuple(dict.fromkeys(stage for stages in moved for stage in stages))
    requests = {}
    for side, content in versions.items():
        root = room.folder / side
        job.checkout.export(root)
        written, stages = with_names(content, fresh)
        (root / planned.use.file).write_bytes(written)
        requests[side] = BuildRequest(
            context=inside(root, target.context),
            dockerfile=inside(root, target.dockerfile),
            name=f"{room.name}-{side}",
            args=target.args,
            stage=target.stage,
            platform=job.pair.platform,
            fresh_stages=stages,
            seconds=job.parts.policy.build_seconds,
            scratch=room.folder,
            secrets=job.parts.policy.secrets.get(target.project, {}),
            cache_from=target.cache_from,
            base_layers=_base_layers(job.pair.before if side == "before" else job.pair.after),
        )
    return requests


def _base_layers(image: BaseImage | None) -> tuple[tuple[str, int | None], ...]:
    """Layers of a base image with what a registry stores for each, where the two lists fit."""
    if image is None:
        return ()
    fits = len(image.layer_sizes) == len(image.diff_ids)
    sizes: Sequence[int | None] = image.layer_sizes if fits else [None] * len(image.diff_ids)
    return tuple(zip(image.diff_ids, sizes, strict=True))


def _build_all(parts: Parts, requests: Mapping[str, BuildRequest]) -> dict[str, Build | BuildFailed]:
    """Build all sides at the same time, so that both see the same archives and mirrors."""

    def built_or_not(request: BuildRequest) -> Build | BuildFailed:
        try:
            return build(parts, request)
        except BuildFailed as error:
            return error

    built = _together({side: partial(built_or_not, request) for side, request in requests.items()})
    return built | {side: built_or_not(requests[side]) for side in _doubtful(built)}


def _doubtful(built: Mapping[str, Build | BuildFailed]) -> Sequence[str]:
    """Sides that are built once more, alone, before anybody is blamed.

    Where one builds and the other does not, that may be a download that broke off: not to be put down to the
    update, nor credited to it. Where both were ended for their memory, one may have been for the other's:
    whose steps they are cannot be seen from outside the engine. What hung would hang again.
    """
    failed = {side: one.limit for side, one in built.items() if isinstance(one, BuildFailed)}
    if len(failed) < len(built):
        return [side for side, limit in failed.items() if limit in ("", "memory")]
    return list(failed) if len(failed) > 1 and set(failed.values()) == {"memory"} else []


def _together(calls: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        futures = {key: pool.submit(call) for key, call in calls.items()}
        return {key: future.result() for key, future in futures.items()}


def _measured(
    job: ProofJob,
    target: Target,
    builder: Builder,
    built: Mapping[str, Build | BuildFailed],
    name: str,
) -> BuiltPair:
    before, after = built.get("before"), built["after"]
    if isinstance(after, BuildFailed):
        if before is None or isinstance(before, BuildFailed):
            raise after
        return BuiltPair(None, None, failure=after.message, failure_log=after.log)
    builds: dict[str, Build] = {"after": after}
    before_reason = ""
    if isinstance(before, BuildFailed):
        before_reason = f"it does not build on the old base: {before.message}"
    elif before is not None:
        builds = {"before": before, "after": with_growth(before, after)}
    builds = {side: without_files(build) for side, build in builds.items()}
    job.say(f"scan {' and '.join(builds)}")
    scans = _scan_all(builds, job.pair, job.parts)
    job.say(f"start {' and '.join(builds)}")
    healths, health_reason = _start_all(builder, builds, target, name)
    if health_reason:
        cut_off(job.parts, name)
    sides = {
        side: Side("", scans[side], build=build, health=healths.get(side)) for side, build in builds.items()
    }
    return BuiltPair(sides.get("before"), sides["after"], before_reason, health_reason=health_reason)


def _scan_all(builds: Mapping[str, Build], pair: BasePair, parts: Parts) -> dict[str, Scan]:
    calls = {
        side: partial(
            cached_scan,
            ScanRequest(
                build.image,
                remote=False,
                digest=build.image,
                platform=pair.platform,
                keep=True,
                exposure=side == "after",
            ),
            parts,
        )
        for side, build in builds.items()
    }
    return _together(calls)


def _start_all(
    builder: Builder, builds: Mapping[str, Build], target: Target, name: str
) -> tuple[dict[str, Health], str]:
    """Start all sides; an engine that fails here costs the level, not the proof."""
    calls = {
        side: partial(builder.health, build.image, target.health, name=f"{name}-{side}")
        for side, build in builds.items()
    }
    try:
        return _together(calls), ""
    except EngineError as error:
        return {}, f"the containers could not be started: {error.message}"
