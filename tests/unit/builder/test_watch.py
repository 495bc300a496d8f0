"""What ends a build while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.builder.watch import Watch

ANON = "anon 3000000000\nfile 9000000000\nshmem 1000000000\n"
RSS = "cache 9000000000\nrss 1\nrss_huge 5\ntotal_rss 3000000000\ntotal_shmem 1000000000\n"


def step(root: Path, group: str, stat: str) -> Path:
    """Control groups of which one is a build's step."""
    (root / group).mkdir(parents=True)
    (root / group / "memory.stat").write_text(stat)
    return root


# Where Docker's BuildKit has its steps, by version and by the engine's driver.
STEPS = {
    "v2": ("docker/buildkit/jvifp9a6b1lx", ANON),
    "v2, systemd": ("system.slice/system.slice:docker:jvifp9a6b1lx", ANON),
    "v2, systemd, a slice of its own": ("system.slice/builds.slice:docker:jvifp9a6b1lx", ANON),
    "v1": ("memory/docker/buildkit/jvifp9a6b1lx", RSS),
    "v1, systemd": ("memory/system.slice/docker.service/system.slice:docker:jvifp9a6b1lx", RSS),
}


@pytest.mark.parametrize(("group", "stat"), STEPS.values(), ids=STEPS.keys())
def test_a_step_that_uses_too_much_memory_is_told_with_both_numbers(
    tmp_path: Path, group: str, stat: str
) -> None:
    groups = step(tmp_path, group, stat)
    watch = Watch(3_900_000_000, 0, None, groups)
    assert watch.trouble() == "a step used 4.0 GB of memory, more than the 3.9 GB it may use (builder.memory)"
    assert (watch.memory_exceeded, watch.disk_full) == (True, False)
    assert Watch(4_000_000_000, 0, None, groups).trouble() == ""
    assert Watch(None, 0, None, groups).trouble() == ""


def test_a_disk_that_runs_full_is_told_before_it_is(tmp_path: Path) -> None:
    watch = Watch(None, 10**18, tmp_path, tmp_path)
    assert "left, and 1000000000.0 GB must stay free (builder.min_free)" in watch.trouble()
    assert watch.disk_full
    assert Watch(None, 1, tmp_path, tmp_path).trouble() == ""


def test_what_cannot_be_seen_from_here_ends_nothing(tmp_path: Path) -> None:
    assert Watch(1, 10**18, None, tmp_path / "nowhere").trouble() == ""
    broken = step(tmp_path, "docker/buildkit/x", "broken\nanon x\n")
    assert Watch(1, 10**18, tmp_path / "gone", broken).trouble() == ""


def test_a_container_is_no_step(tmp_path: Path) -> None:
    for group in (
        "docker/3413aa74fd2f",
        "system.slice/docker-3413aa74fd2f.scope",
        "system.slice/docker.service",
    ):
        step(tmp_path, group, ANON)
    assert Watch(1, 0, None, tmp_path).trouble() == ""
