"""Failures are values: each shows for its target with cause and hint, and the others go on."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.shown import visible_text
from tests.e2e.world import Base, Ended, World

pytestmark = pytest.mark.lab

GOOD = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"


def run_with(world: World, other: str, *, health: dict[str, object] | None = None) -> tuple[Base, Ended]:
    """Run a project of a good target and another one whose Dockerfile is given."""
    base = world.base()
    targets = [
        {"name": "good", "dockerfile": "good/Dockerfile"},
        {"name": "other", "dockerfile": "other/Dockerfile", "health": health or {}},
    ]
    files = {"good/Dockerfile": GOOD, "other/Dockerfile": other}
    pinned = {name: text.format(base=base.pinned, name=base.name) for name, text in files.items()}
    world.project(pinned, targets=targets)
    base.move()
    return base, world.run()


def update(ended: Ended, target: str) -> dict[str, object]:
    found: dict[str, object] = next(one for one in ended.document["updates"] if one["target"] == target)
    return found


def test_an_unreachable_registry_fails_its_use_and_the_other_target_gets_its_pull_request(
    world: World,
) -> None:
    _, ended = run_with(world, "FROM 127.0.0.1:9/gone/image:1\n")

    assert ended.code == 3
    assert update(ended, "good")["publication"]
    (failed,) = ended.document["failed"]
    assert failed["target"] == "other"
    assert "127.0.0.1:9" in failed["error"]
    assert failed["hint"]


def test_a_tag_that_is_gone_says_so(world: World) -> None:
    _, ended = run_with(world, "FROM {name}-no-such-tag\n")

    (failed,) = ended.document["failed"]
    assert failed["error"].startswith("gone")


def test_a_dockerfile_that_never_built_falls_back_to_the_base_level(world: World) -> None:
    _, ended = run_with(world, "FROM {base}\nRUN echo before and after alike >&2; exit 7\n")

    other = update(ended, "other")
    assert ended.code == 0
    assert (other["level"], other["verdict"]) == ("base", "warn")
    assert "does not build before this update either" in str(other["reasons"])
    assert update(ended, "good")["level"] == "health"


def test_an_update_that_breaks_the_build_becomes_a_draft_that_says_why(world: World) -> None:
    only_old = "RUN grep -q security /etc/apt/sources.list.d/* /etc/apt/sources.list && exit 7 || true\n"
    _, ended = run_with(world, f"FROM {{base}}\n{only_old}")

    other = update(ended, "other")
    assert other["verdict"] == "block", ended.out
    assert "does not build on the new base" in str(other["reasons"])
    page = next(page for page in world.pages() if "block" in page.read_text(encoding="utf-8").lower())
    assert "exit code: 7" in page.read_text(encoding="utf-8") or "exit code 7" in page.read_text(
        encoding="utf-8"
    )


def test_a_container_that_never_gets_healthy_on_either_side_is_not_comparable(world: World) -> None:
    unhealthy = "FROM {base}\nHEALTHCHECK CMD false\nCMD sleep 600\n"
    _, ended = run_with(world, unhealthy, health={"seconds": 3})

    other = update(ended, "other")
    assert other["verdict"] == "warn"
    assert "not comparable" in str(other["reasons"])


def test_a_scanner_that_fails_is_never_no_vulnerabilities(world: World) -> None:
    broken = world.folder / "trivy"
    real = Path(sys.executable).parent / "trivy"
    broken.write_text(f'#!/bin/sh\ncase "$*" in *image*) echo boom >&2; exit 1;; esac\nexec {real} "$@"\n')
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    world.settings["scanner"] = {
        "path": str(broken),
        "database_folder": str(world.lab.trivy_cache),
        "offline": True,
    }

    _, ended = run_with(world, GOOD)

    assert ended.code in (3, 4)
    assert ended.document["updates"] == []
    assert {failed["target"] for failed in ended.document["failed"]} == {"good, other"}
    assert world.pages() == []


def test_an_old_database_fails_every_scan(world: World) -> None:
    old = world.folder / "old" / "db"
    old.mkdir(parents=True)
    (old / "trivy.db").write_bytes((world.lab.trivy_cache / "db/trivy.db").read_bytes())
    metadata = json.loads((world.lab.trivy_cache / "db/metadata.json").read_text())
    (old / "metadata.json").write_text(json.dumps(metadata | {"UpdatedAt": "2026-01-01T00:00:00Z"}))
    world.settings["scanner"] = {"database_folder": str(old.parent), "offline": True}

    _, ended = run_with(world, GOOD)

    assert ended.document["updates"] == []
    assert "old" in ended.document["failed"][0]["error"]


def test_a_database_that_cannot_be_renewed_serves_within_its_age_and_the_reviewer_is_told(
    world: World,
) -> None:
    """R20: a mirror that is down is no reason to stop, and none to be silent."""
    cache, nobody = world.folder / "cache", "127.0.0.1:1/nobody/trivy-db:2"
    shutil.copytree(world.lab.trivy_cache / "db", cache / "db")
    now = datetime.now(UTC)
    old = {"UpdatedAt": now - timedelta(days=5), "NextUpdate": now - timedelta(days=4)}
    metadata = json.loads((cache / "db/metadata.json").read_text())
    dates = {name: moment.isoformat() for name, moment in old.items()}
    (cache / "db/metadata.json").write_text(json.dumps(metadata | dates))
    world.settings["scanner"] = {"database_folder": str(cache), "database": [nobody]}

    _, ended = run_with(world, GOOD)

    told = (
        f"vulnerabilities as known on {now - timedelta(days=5):%Y-%m-%d}: the database could not be updated"
    )
    assert ended.code == 0
    assert {one["verdict"] for one in ended.document["updates"]} == {"pass"}
    assert all(told in one["reasons"][0] and nobody in one["reasons"][0] for one in ended.document["updates"])
    (page,) = world.pages()
    assert told.capitalize() in visible_text(page)


def test_without_an_engine_the_evidence_stays_at_level_base_and_says_what_to_install(world: World) -> None:
    world.settings["builder"] = {"docker_host": f"unix://{world.folder}/no.sock"}

    _, ended = run_with(world, GOOD)

    assert ended.code == 0
    assert {one["level"] for one in ended.document["updates"]} == {"base"}
    assert "level: base (the base images alone), because no container engine answers" in visible_text(
        world.pages()[0]
    )
