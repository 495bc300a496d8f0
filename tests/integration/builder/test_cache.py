"""Layer cache on a real buildx: what the moved base reaches is built anew, the rest may come from caches."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.dockerfile.stages import touched, with_names
from bot.dockerfile.uses import read
from bot.errors import BuildFailed
from bot.model.evidence import Build
from bot.ports import BuildRequest
from deploy.lab import Lab
from tests.integration.builder.bench import BASE
from tests.integration.builder.workbench import Workbench, on
from tests.newer import NewerEngine

pytestmark = pytest.mark.lab

# The tools stand on a base of their own, which does not move; the stage that becomes the image has no name.
DOCKERFILE = """\
FROM {other} AS tools
RUN cat /proc/sys/kernel/random/uuid > /made-by-tools
FROM {moved}
RUN cat /proc/sys/kernel/random/uuid > /made-by-image
COPY --from=tools /made-by-tools /made-by-tools
"""
IMAGES = {"before": "stale", "after": "fresh"}


@pytest.fixture
def bench(newer_engine: NewerEngine, lab: Lab, tmp_path: Path) -> Iterator[Workbench]:
    with on(newer_engine.settings, lab, tmp_path) as made:
        yield made


def request(bench: Workbench, lab: Lab, side: str, *more: str) -> BuildRequest:
    """One side, as the proof asks for it: the stages that the moved base reaches are fresh."""
    images = {"other": f"debian@{lab.stale[BASE]}", "moved": f"debian@{getattr(lab, IMAGES[side])[BASE]}"}
    data = (DOCKERFILE.format(**images) + "\n".join((*more, ""))).encode()
    moved = read("Dockerfile", data)[1]
    written, stages = with_names(data, touched(data, moved))
    folder = bench.folder / side
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_bytes(written)
    return BuildRequest(folder, folder / "Dockerfile", f"{bench.prefix}-{side}", fresh_stages=stages)


def cached(built: Build) -> dict[str, bool]:
    """Instruction → whether it came from a cache."""
    return {step.name.partition("] ")[2]: step.cached for step in built.steps if "/made-by-" in step.name}


RUN_TOOLS, RUN_IMAGE, COPY_TOOLS = (
    "RUN cat /proc/sys/kernel/random/uuid > /made-by-tools",
    "RUN cat /proc/sys/kernel/random/uuid > /made-by-image",
    "COPY --from=tools /made-by-tools /made-by-tools",
)
KEPT = {RUN_TOOLS: True, RUN_IMAGE: False, COPY_TOOLS: False}


def contents(bench: Workbench, built: Build) -> tuple[str, str]:
    """What the two stages made."""
    command = ["run", "--rm", "--network=none", built.image, "cat", "/made-by-tools", "/made-by-image"]
    tools, image = bench.docker(*command).split()
    return tools, image


def test_what_the_base_reaches_is_built_anew_on_both_sides_and_the_rest_is_shared(
    bench: Workbench, lab: Lab
) -> None:
    bench.builder.build(request(bench, lab, "before"))

    sides = {side: bench.builder.build(request(bench, lab, side)) for side in IMAGES}

    assert {side: cached(built) for side, built in sides.items()} == {"before": KEPT, "after": KEPT}
    assert [built.cache_hit_rate for built in sides.values()] == [pytest.approx(1 / 3)] * 2
    (tools, one), (same_tools, other) = (contents(bench, built) for built in sides.values())
    assert tools == same_tools
    assert one != other


def test_a_registrys_cache_serves_what_the_base_does_not_reach(bench: Workbench, lab: Lab) -> None:
    pushed = f"{lab.registry}/{bench.prefix}/cache:1"
    asked = request(bench, lab, "before")
    push = ["--cache-to=type=inline", "--provenance=false", "--target=tools", f"--tag={pushed}", "--push"]
    bench.docker("buildx", "build", "--builder=default", *push, str(asked.context))
    made = bench.docker("run", "--rm", "--network=none", pushed, "cat", "/made-by-tools")
    bench.docker("image", "rm", "--force", pushed)
    bench.docker("buildx", "prune", "--builder=default", "--all", "--force")

    built = bench.builder.build(replace(asked, cache_from=(pushed,)))

    assert cached(built) == KEPT
    assert built.lost_caches == ()
    assert contents(bench, built)[0] == made
    assert not any("building with" in step.name for step in built.steps)


def test_a_cache_that_cannot_be_had_costs_time_and_is_not_blamed(bench: Workbench, lab: Lab) -> None:
    nowhere = (f"{lab.registry}/{bench.prefix}/nothing:{uuid.uuid4().hex[:8]}",)
    built = bench.builder.build(replace(request(bench, lab, "before"), cache_from=nowhere))
    assert cached(built)[RUN_IMAGE] is False
    assert [cache for cache, _ in built.lost_caches] == list(nowhere)
    assert "not found" in built.lost_caches[0][1]

    with pytest.raises(BuildFailed, match="RUN exit 3 failed with exit code 3"):
        bench.builder.build(replace(request(bench, lab, "after", "RUN exit 3"), cache_from=nowhere))


def test_asked_for_no_stage_nothing_comes_from_any_cache(bench: Workbench, lab: Lab) -> None:
    bench.builder.build(request(bench, lab, "before"))
    again = bench.builder.build(replace(request(bench, lab, "before"), fresh_stages=()))
    assert set(cached(again).values()) == {False}
    assert again.cache_hit_rate == 0


def test_buildx_keeps_nothing_of_a_build_where_its_settings_are(bench: Workbench) -> None:
    folder = bench.settings.docker_config
    assert folder is not None
    before = set(folder.rglob("*"))

    bench.build(f"FROM {bench.base}", "RUN true")

    assert set(folder.rglob("*")) == before
