"""The builder on a real engine: numbers against other counts, and failures with their messages."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from bot.builder import BuilderSettings, DockerBuilder
from bot.builder.client import choose_command, connect
from bot.errors import BuildFailed, EngineError, EngineMissing
from deploy.lab import Lab
from tests import newer
from tests.integration.builder.workbench import Workbench, on
from tests.newer import Newer

pytestmark = pytest.mark.lab


@pytest.fixture
def bench(lab: Lab, builds_with: BuilderSettings, tmp_path: Path) -> Iterator[Workbench]:
    with on(builds_with, lab, tmp_path) as made:
        yield made


def test_sizes_are_those_of_the_layer_tars_that_the_engine_saves(bench: Workbench) -> None:
    built = bench.build(f"FROM {bench.base}", "RUN head -c 5000000 /dev/zero > /five", "RUN rm /five")
    saved = bench.folder / "saved.tar"
    bench.docker("save", "--output", str(saved), built.image)
    with tarfile.open(saved) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        names = json.loads(manifest.read())[0]["Layers"]
        sizes = [tar.getmember(name).size for name in names]
    assert [layer.size for layer in built.layers] == sizes
    assert built.size == sum(sizes)
    assert built.layers[1].size > 5_000_000


def test_what_a_push_would_store_is_what_a_registry_stores_after_one(bench: Workbench, lab: Lab) -> None:
    built = bench.build(f"FROM {bench.base}", "RUN cp -r /usr/share/zoneinfo /etc/zones")
    name = f"{lab.registry}/{bench.prefix}/pushed"
    bench.docker("tag", built.image, f"{name}:1")
    try:
        bench.docker("push", "--quiet", f"{name}:1")
    finally:
        bench.docker("image", "rm", f"{name}:1")
    with urlopen(_manifest(f"{lab.registry}/v2/{bench.prefix}/pushed"), timeout=20) as answer:  # noqa: S310 - the lab's
        manifest = json.load(answer)
    stored = manifest["layers"][-1]["size"]
    assert built.layers[-1].pushed_size == pytest.approx(stored, rel=0.08)  # Go packs a little less than zlib
    assert built.pushed_size is not None
    assert built.pushed_size > stored


def _manifest(image: str) -> Request:
    accept = "application/vnd.docker.distribution.manifest.v2+json"
    return Request(f"http://{image}/manifests/1", headers={"Accept": accept})


def test_packages_own_about_what_they_say_they_installed(bench: Workbench) -> None:
    """Its own sum rounds each file up to a KiB and counts what slimming removed: never less than ours."""
    built = bench.build(f"FROM {bench.base}", "RUN apt-get --version")
    asked = [
        "run",
        "--rm",
        "--network",
        "none",
        built.image,
        "dpkg-query",
        "-W",
        "-f",
        "${Installed-Size}\\n",
    ]
    told = sum(int(line) for line in bench.docker(*asked).split()) * 1024
    assert built.package_size is not None
    assert told * 0.3 < built.package_size < told
    assert built.package_size < built.size


def test_waste_is_found_where_it_was_made(bench: Workbench) -> None:
    built = bench.build(f"FROM {bench.base}", "RUN head -c 5000000 /dev/zero > /five", "RUN rm /five")
    assert built.waste is not None
    assert built.waste.wasted == 5_000_000
    assert built.waste.efficiency < 1
    assert built.waste.paths[0].path == "five"


def test_layers_carry_the_diff_ids_of_the_image(bench: Workbench) -> None:
    built = bench.build(f"FROM {bench.base}", "RUN mkdir /made")
    told = json.loads(bench.docker("image", "inspect", built.image))[0]["RootFS"]["Layers"]
    assert [layer.diff_id for layer in built.layers] == told


DOES_NOT_BUILD = {
    "a command that fails": (["FROM {base}", "RUN false"], BuildFailed, "RUN false failed with exit code 1"),
    "a command that is not there": (["FROM {base}", "RUN nosuch"], BuildFailed, "failed with exit code 127"),
    "a file that is not there": (["FROM {base}", "COPY nothere /x"], BuildFailed, "COPY nothere /x failed"),
    "an unknown instruction": (["FROM {base}", "FOO x"], BuildFailed, "unknown instruction: FOO"),
    "an empty Dockerfile": ([], BuildFailed, "the Dockerfile does not build"),
    "a base no registry has": (
        ["FROM {registry}/team/none:1", "RUN true"],
        BuildFailed,
        "no registry has {registry}/team/none:1",
    ),
    "a registry that is down": (
        ["FROM 127.0.0.1:1/team/none:1", "RUN true"],
        EngineError,
        "the engine could not get 127.0.0.1:1/team/none:1",
    ),
    "an image to copy from whose registry is down": (
        ["FROM {base}", "COPY --from=127.0.0.1:1/team/none:1 / /"],
        EngineError,
        "the engine could not get 127.0.0.1:1/team/none:1",
    ),
    "a reader of Dockerfiles whose registry is down": (
        ["# syntax=127.0.0.1:1/docker/dockerfile:1", "FROM {base}"],
        EngineError,
        "the engine could not get 127.0.0.1:1/docker/dockerfile:1",
    ),
}


@pytest.mark.parametrize(("lines", "kind", "message"), DOES_NOT_BUILD.values(), ids=DOES_NOT_BUILD.keys())
def test_what_does_not_build_says_why(
    bench: Workbench, lab: Lab, lines: list[str], kind: type[EngineError], message: str
) -> None:
    values = {"base": bench.base, "registry": lab.registry}
    with pytest.raises(kind) as raised:
        bench.build(*(line.format(**values) for line in lines))
    assert type(raised.value) is kind
    assert message.format(**values) in raised.value.message
    assert raised.value.hint


def test_a_build_that_hangs_is_ended_and_the_step_named(bench: Workbench) -> None:
    with pytest.raises(BuildFailed) as raised:
        bench.build(f"FROM {bench.base}", "RUN echo waiting && sleep 300", seconds=10)
    where = "(builder.seconds) at [2/2] RUN echo waiting && sleep 300"
    assert f"did not end within 10 s {where}" in raised.value.message
    assert raised.value.log == "waiting"


def test_the_last_fifty_lines_of_the_failing_step_are_kept(bench: Workbench) -> None:
    with pytest.raises(BuildFailed) as raised:
        bench.build(f"FROM {bench.base}", "RUN seq 1 300 && exit 9")
    assert raised.value.log.splitlines() == [str(number) for number in range(251, 301)]


def test_cache_mounts_of_two_sides_are_apart(bench: Workbench) -> None:
    mount = "RUN --mount=type=cache,target=/c test ! -e /c/seen && touch /c/seen"
    bench.build(f"FROM {bench.base}", mount, name="before")
    bench.build(f"FROM {bench.base}", mount, name="after")


def test_it_says_what_builds_with_what(bench: Workbench) -> None:
    by_buildx = bench.settings.docker is not None
    engine, buildkit = ("26.1.", "buildx 0.13.") if by_buildx else ("20.10.", "docker 20.10.")
    said = bench.builder.available()
    assert said.startswith(f"docker {engine}")
    assert f", buildkit by {buildkit}" in said


def test_a_docker_command_that_cannot_build_is_passed_over(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "docker"
    path.write_text(
        "#!/bin/sh\necho 'ERROR: BuildKit is enabled but the buildx component is missing.' >&2\nexit 1\n"
    )
    path.chmod(0o755)
    with pytest.raises(EngineMissing, match="buildx component is missing") as raised:
        choose_command(BuilderSettings(lab.docker_host, docker=path))
    assert raised.value.hint
    assert choose_command(BuilderSettings(lab.docker_host)).version


def test_trying_a_command_and_building_leave_no_file_in_the_temporary_folder(
    builds_with: BuilderSettings, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = bench.folder / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    choose_command(builds_with)
    bench.build(f"FROM {bench.base}")
    assert list(temporary.iterdir()) == []


def test_trying_a_command_makes_no_image_that_a_kill_could_leave_behind(builds_with: BuilderSettings) -> None:
    with connect(builds_with) as client:
        began = int(time.time()) + 1
        time.sleep(began - time.time())  # what other tests removed was removed before
        choose_command(builds_with)
        told = list(client.events(since=began, until=int(time.time()) + 1, filters={"type": "image"}))
        images = client.images.list(all=True, filters={"label": "dev.refit.trial"})
    assert told == []
    assert images == []


def test_a_command_that_the_engine_finds_too_old_is_named_with_what_to_install(
    lab: Lab, newer_docker: Newer, tmp_path: Path
) -> None:
    """As Docker 29 does it with that of Debian 12."""
    strict = {"DOCKER_MIN_API_VERSION": "1.44"}
    with newer.running(newer_docker, tmp_path / "strict", lab.registry, env=strict) as engine:
        old = replace(engine.settings, docker=Path("/usr/bin/docker"))
        for settings in (old, replace(old, docker_config=tmp_path)):
            with pytest.raises(EngineMissing, match="is too old") as raised:
                choose_command(settings)
            assert "install a newer one, with docker-buildx" in raised.value.hint
        assert choose_command(engine.settings).buildx
        assert DockerBuilder(engine.settings).available().startswith("docker 26.1.")


@pytest.mark.parametrize(
    ("host", "hint"),
    [("unix:///nowhere/docker.sock", "Install Docker Engine"), ("tcp://127.0.0.1:1", "Start the engine")],
)
def test_without_an_engine_it_says_what_to_do(host: str, hint: str) -> None:
    with pytest.raises(EngineMissing) as raised:
        DockerBuilder(BuilderSettings(host)).available()
    assert hint in raised.value.hint
