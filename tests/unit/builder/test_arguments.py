"""What the docker command is asked."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from bot.builder.arguments import build_arguments
from bot.builder.client import BuilderSettings, Command, candidates, choose_command
from bot.builder.health import Probe, probe_of
from bot.errors import EngineMissing
from bot.model.manifest import Platform
from bot.model.target import HealthPlan
from bot.ports import BuildRequest

BUILTIN = Command(Path("/usr/bin/docker"), "20.10.24", buildx=False)
BUILDX = Command(Path("/usr/bin/docker"), "28.2.2", buildx=True)
REQUEST = BuildRequest(Path("/c"), Path("/c/Dockerfile"), "refit-1-before")


def asked(command: Command, request: BuildRequest) -> str:
    return " ".join(build_arguments(command, request))


@pytest.mark.parametrize(
    ("command", "stages", "flag"),
    [
        (BUILTIN, (), "--no-cache"),
        (BUILTIN, ("final",), "--no-cache"),
        (BUILDX, (), "--no-cache"),
        (BUILDX, ("deps", "final"), "--no-cache-filter deps,final"),
        (BUILDX, ("deps", "1"), "--no-cache"),
    ],
    ids=["all", "cannot choose", "all with buildx", "chosen stages", "a stage without a name"],
)
def test_stages_on_the_moved_base_never_come_from_the_cache(
    command: Command, stages: tuple[str, ...], flag: str
) -> None:
    assert f" {flag} " in asked(command, replace(REQUEST, fresh_stages=stages)) + " "


def test_a_registrys_cache_serves_only_stages_that_are_not_fresh() -> None:
    request = replace(REQUEST, cache_from=("ghcr.io/acme/shop:cache",), fresh_stages=("final",))
    assert "--cache-from ghcr.io/acme/shop:cache" in asked(BUILDX, request)
    assert "--cache-from" not in asked(BUILDX, replace(request, fresh_stages=()))
    assert "--cache-from" not in asked(BUILTIN, request)


def test_each_side_has_cache_mounts_of_its_own() -> None:
    before, after = asked(BUILTIN, REQUEST), asked(BUILTIN, replace(REQUEST, name="refit-1-after"))
    assert "BUILDKIT_CACHE_MOUNT_NS=refit-1-before" in before
    assert "BUILDKIT_CACHE_MOUNT_NS=refit-1-after" in after


def test_arguments_stage_and_platform_are_passed_on() -> None:
    request = replace(
        REQUEST, args=(("A", "1"), ("B", "two words")), stage="final", platform=Platform("linux", "arm64")
    )
    words = build_arguments(BUILTIN, request)
    for pair in (
        ("--build-arg", "A=1"),
        ("--build-arg", "B=two words"),
        ("--target", "final"),
        ("--platform", "linux/arm64"),
    ):
        assert pair in list(itertools.pairwise(words))
    assert words[-2:] == ["--", "/c"]


def test_every_docker_on_the_search_path_is_a_candidate_once_and_in_order(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "docker").touch(mode=0o755)
    (tmp_path / "unusable").mkdir()
    (tmp_path / "unusable" / "docker").touch(mode=0o644)
    search = ":".join(str(tmp_path / name) for name in ("new", "unusable", "", "old", "new"))
    assert candidates(search)[:2] == [tmp_path / "new" / "docker", tmp_path / "old" / "docker"]


def test_the_docker_command_sees_no_secret_of_ours() -> None:
    settings = BuilderSettings("unix:///run/x.sock")
    allowed = {"PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "NO_PROXY"}
    assert set(settings.environment()) <= allowed | {"DOCKER_HOST", "DOCKER_BUILDKIT", "HOME"}


@pytest.mark.parametrize(
    ("config", "plan", "probe"),
    [
        ({"Healthcheck": {"Test": ["CMD", "/app", "--health"]}}, HealthPlan(), Probe(("/app", "--health"))),
        (
            {"Healthcheck": {"Test": ["CMD-SHELL", "true || exit 1"], "Timeout": 3_000_000_000}},
            HealthPlan(),
            Probe(("/bin/sh", "-c", "true || exit 1"), 3.0),
        ),
        (
            {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}, "Shell": ["/bin/bash", "-ec"]},
            HealthPlan(),
            Probe(("/bin/bash", "-ec", "true")),
        ),
        ({"Healthcheck": {"Test": ["NONE"]}}, HealthPlan(), Probe(())),
        ({"Healthcheck": None}, HealthPlan(), Probe(())),
        ({}, HealthPlan(), Probe(())),
        ({"Healthcheck": {"Test": ["CMD", "a"]}}, HealthPlan(command=("b", "c")), Probe(("b", "c"))),
    ],
    ids=["exec form", "shell form", "own shell", "switched off", "null", "none", "the plan's own"],
)
def test_the_probe_is_the_plans_command_else_the_images_healthcheck(
    config: dict[str, object], plan: HealthPlan, probe: Probe
) -> None:
    assert probe_of(config, plan) == probe


def test_buildx_loads_the_image_into_the_engine_and_adds_nothing_to_it() -> None:
    words = build_arguments(BUILDX, REQUEST)
    assert words[:2] == ["buildx", "build"]
    assert {"--load", "--provenance=false", "--builder=default"} <= set(words)
    assert build_arguments(BUILTIN, REQUEST)[:2] == ["build", "--progress=plain"]


def docker_script(folder: Path, *, buildx: str, built_in: str) -> Path:
    """A docker command of which `buildx build` and `build` end as told."""
    path = folder / "docker"
    path.write_text(
        f"""#!/bin/sh
case "$1 $2" in
  "--version "*) echo "Docker version 99.1.2, build abc" ;;
  "buildx version") echo "github.com/docker/buildx v0.30.1 9e66234" ;;
  "buildx build") {buildx} ;;
  "build "*) {built_in} ;;
esac
"""
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("buildx", "built_in", "version", "chosen"),
    [("exit 0", "exit 0", "0.30.1", True), ("exit 1", "exit 0", "99.1.2", False)],
    ids=["buildx builds", "buildx is there but broken"],
)
def test_buildx_is_used_where_it_really_builds(
    tmp_path: Path, buildx: str, built_in: str, version: str, *, chosen: bool
) -> None:
    path = docker_script(tmp_path, buildx=buildx, built_in=built_in)
    command = choose_command(BuilderSettings(docker=path))
    assert (command.version, command.buildx) == (version, chosen)


def test_where_nothing_builds_the_command_own_words_say_why(tmp_path: Path) -> None:
    refuses = "echo 'ERROR: BuildKit is enabled but the buildx component is missing' >&2; exit 1"
    path = docker_script(tmp_path, buildx="exit 1", built_in=refuses)
    with pytest.raises(EngineMissing, match="the buildx component is missing") as raised:
        choose_command(BuilderSettings(docker=path))
    assert "docker-buildx" in raised.value.hint
