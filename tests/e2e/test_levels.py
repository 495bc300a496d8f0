"""How far a proof goes, and why not farther, as the reviewer and the JSON document are told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.lab import Lab
from tests.e2e.shown import visible_text
from tests.e2e.world import World

pytestmark = pytest.mark.lab

OF_BOTH = ("amd64", "arm64")
RELEASE = {"etc/os-release": b'ID=debian\nVERSION_ID="12"\n'}
STARTS = "FROM {base}\nCMD sleep 60\n"
BRIEF: dict[str, Any] = {"health": {"seconds": 1}}


def moved(lab: Lab, name: str) -> str:
    """An image for two platforms whose tag has moved; the old one, pinned."""
    repository = f"levels/{name}"
    old, _ = (
        lab.push_image(
            repository,
            "1",
            layers=[RELEASE | {"number": number.encode()}],
            created=datetime(2026, 1, int(number), tzinfo=UTC),
            architectures=OF_BOTH,
        )
        for number in ("1", "2")
    )
    return f"{lab.registry}/{repository}:1@{old}"


def test_another_platform_than_the_machines_stays_at_level_base_and_it_is_said(world: World) -> None:
    platforms = ["linux/amd64", "linux/arm64"]
    world.project(
        {"Dockerfile": f"FROM {moved(world.lab, 'both')}\nCOPY Dockerfile /\n"},
        targets=[{"name": "shop", "platforms": platforms, **BRIEF}],
    )

    (update,) = world.run().document["updates"]

    (other,) = update["other_platforms"]
    assert (update["platform"], other["platform"]) == ("linux/amd64", "linux/arm64")
    assert (update["level"], other["level"]) == ("health", "base")
    why = "this machine builds linux/amd64, not linux/arm64"
    assert (update["level_reason"], other["level_reason"]) == ("", why)
    assert other["build"] == {"before": None, "after": None}
    (page,) = world.pages()
    assert f"shop · linux/arm64: level base (the base images alone), because {why}" in visible_text(page)


def test_where_not_all_may_be_built_those_are_that_fix_most(world: World) -> None:
    base = world.base()
    files = {"a-calm": f"FROM {moved(world.lab, 'calm')}\n", "z-urgent": STARTS.format(base=base.pinned)}
    world.project(
        {f"{name}/Dockerfile": text for name, text in files.items()},
        targets=[{"name": name, "dockerfile": f"{name}/Dockerfile", **BRIEF} for name in files],
    )
    world.settings["builder"] = {"docker_host": world.lab.docker_host, "max_builds_per_cycle": 1}
    base.move()

    updates = {one["target"]: one for one in world.run().document["updates"]}

    assert {name: one["level"] for name, one in updates.items()} == {"a-calm": "base", "z-urgent": "health"}
    why = "this cycle has built as many targets as it may"
    assert updates["a-calm"]["level_reason"] == why
    assert any(
        f"level: base (the base images alone), because {why}" in visible_text(p) for p in world.pages()
    )
