"""The builder on a real engine: numbers against other counts, failures with their messages, closed rooms."""

from __future__ import annotations

import json
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from bot import process
from bot.builder import BuilderSettings, DockerBuilder
from bot.builder.client import choose_command
from bot.errors import BuildFailed, EngineError, EngineMissing
from bot.model.evidence import Build, Health, HealthState
from bot.model.target import HealthPlan
from bot.ports import BuildRequest
from deploy.lab import Lab, archive

pytestmark = pytest.mark.lab

BASE = "library/debian:bookworm-slim"
SLEEP = 'CMD ["sleep", "60"]'


@dataclass(frozen=True)
class Bench:
    """A builder on the lab's engine; `docker` is the bare command beside it."""

    builder: DockerBuilder
    settings: BuilderSettings
    base: str
    folder: Path
    prefix: str

    def build(self, *lines: str, name: str = "image", seconds: float = 60) -> Build:
        dockerfile = self.folder / f"{name}.Dockerfile"
        dockerfile.write_text("\n".join((*lines, "")))
        context = self.folder / "context"
        context.mkdir(exist_ok=True)
        return self.builder.build(BuildRequest(context, dockerfile, f"{self.prefix}-{name}", seconds=seconds))

    def start(self, *lines: str, plan: HealthPlan | None = None) -> Health:
        built = self.build(f"FROM {self.base}", *lines)
        return self.builder.health(built.image, plan or HealthPlan(seconds=4), name=f"{self.prefix}-run")

    def docker(self, *words: str) -> str:
        command = choose_command(self.settings).path
        return process.run([command, *words], timeout=60, env=self.settings.environment()).text.strip()


@pytest.fixture
def bench(lab: Lab, tmp_path: Path) -> Iterator[Bench]:
    settings = BuilderSettings(lab.docker_host, reachable=archive.addresses())
    made = Bench(
        DockerBuilder(settings),
        settings,
        f"debian@{lab.stale[BASE]}",
        tmp_path,
        f"refit-{uuid.uuid4().hex[:8]}",
    )
    try:
        yield made
    finally:
        made.builder.remove(made.prefix)


def test_sizes_are_those_of_the_layer_tars_that_the_engine_saves(bench: Bench) -> None:
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


def test_what_a_push_would_store_is_what_a_registry_stores_after_one(bench: Bench, lab: Lab) -> None:
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


def test_packages_own_about_what_they_say_they_installed(bench: Bench) -> None:
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


def test_waste_is_found_where_it_was_made(bench: Bench) -> None:
    built = bench.build(f"FROM {bench.base}", "RUN head -c 5000000 /dev/zero > /five", "RUN rm /five")
    assert built.waste is not None
    assert built.waste.wasted == 5_000_000
    assert built.waste.efficiency < 1
    assert built.waste.paths[0].path == "five"


def test_layers_carry_the_diff_ids_of_the_image(bench: Bench) -> None:
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
    "a stage that is not there": (["FROM {base}", "COPY --from=nosuch/x:1 / /"], EngineError, "nosuch/x:1"),
}


@pytest.mark.parametrize(("lines", "kind", "message"), DOES_NOT_BUILD.values(), ids=DOES_NOT_BUILD.keys())
def test_what_does_not_build_says_why(
    bench: Bench, lab: Lab, lines: list[str], kind: type[EngineError], message: str
) -> None:
    values = {"base": bench.base, "registry": lab.registry}
    with pytest.raises(kind) as raised:
        bench.build(*(line.format(**values) for line in lines))
    assert isinstance(raised.value, BuildFailed) is (kind is BuildFailed) or kind is EngineError
    assert message.format(**values) in raised.value.message
    assert raised.value.hint


def test_a_build_that_hangs_is_ended_and_the_step_named(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as raised:
        bench.build(f"FROM {bench.base}", "RUN echo waiting && sleep 300", seconds=10)
    assert "did not end within 10 s at [2/2] RUN echo waiting && sleep 300" in raised.value.message
    assert raised.value.log == "waiting"


def test_the_last_fifty_lines_of_the_failing_step_are_kept(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as raised:
        bench.build(f"FROM {bench.base}", "RUN seq 1 300 && exit 9")
    assert raised.value.log.splitlines() == [str(number) for number in range(251, 301)]


def test_cache_mounts_of_two_sides_are_apart(bench: Bench) -> None:
    mount = "RUN --mount=type=cache,target=/c test ! -e /c/seen && touch /c/seen"
    bench.build(f"FROM {bench.base}", mount, name="before")
    bench.build(f"FROM {bench.base}", mount, name="after")


NOT_HEALTHY = {
    "exits": (['CMD ["sh", "-c", "echo bye; exit 7"]'], HealthState.EXITED, "ended with exit code 7\nbye"),
    "exits at once with success": (['CMD ["true"]'], HealthState.EXITED, "ended with exit code 0"),
    "a command that is not there": (['CMD ["/nope"]'], HealthState.EXITED, "it cannot be started"),
    "a user that is not there": (["USER nobodyknows", SLEEP], HealthState.EXITED, "it cannot be started"),
    "never healthy": (
        ["HEALTHCHECK CMD echo not yet; exit 1", SLEEP],
        HealthState.UNHEALTHY,
        "not healthy within 4 s; the last probe said: exit code 1 not yet",
    ),
    "a probe that hangs": (["HEALTHCHECK CMD sleep 60", SLEEP], HealthState.UNHEALTHY, "no answer within"),
    "a probe that is not there": (['HEALTHCHECK CMD ["/nope"]', SLEEP], HealthState.UNHEALTHY, "/nope"),
    "eats memory": (
        ['CMD ["tail", "/dev/zero"]'],
        HealthState.EXITED,
        "it used more memory than its limit",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "state", "log"), NOT_HEALTHY.values(), ids=NOT_HEALTHY.keys())
def test_a_container_that_does_not_do_well_says_why(
    bench: Bench, lines: list[str], state: HealthState, log: str
) -> None:
    found = bench.start(*lines, plan=HealthPlan(seconds=4, memory=64 * 1024**2))
    assert found.state is state
    assert log in found.log


def test_an_image_without_a_command_has_exited_before_it_began(bench: Bench) -> None:
    (bench.folder / "context").mkdir()
    (bench.folder / "context" / "file").touch()
    built = bench.build("FROM scratch", "COPY file /file")
    found = bench.builder.health(built.image, HealthPlan(), name=f"{bench.prefix}-run")
    assert (found.state, found.log) == (HealthState.EXITED, "it cannot be started: No command specified")


# What a container must find true inside, asked by its own health check.
ROOM = {
    "no network but its own": (["HEALTHCHECK CMD test $(ls /sys/class/net) = lo"], HealthPlan()),
    "no capability for a user": (
        ["USER nobody", "HEALTHCHECK CMD grep -q '^CapBnd:.0000000000000000' /proc/1/status"],
        HealthPlan(),
    ),
    "no new privileges": (["HEALTHCHECK CMD grep -q '^NoNewPrivs:.1' /proc/1/status"], HealthPlan()),
    "no raw sockets for root": (
        ["HEALTHCHECK CMD grep -q '^CapBnd:.00000000000004cb' /proc/1/status"],
        HealthPlan(),
    ),
    "the environment of the plan": (
        ["HEALTHCHECK CMD test $MODE = test"],
        HealthPlan(env=(("MODE", "test"),)),
    ),
    "a writable root": (["HEALTHCHECK CMD touch /made"], HealthPlan()),
    "a read-only root with room for temporary files": (
        ["HEALTHCHECK CMD ! touch /made && touch /tmp/made /run/made"],
        HealthPlan(read_only=True),
    ),
}


@pytest.mark.parametrize(("lines", "plan"), ROOM.values(), ids=ROOM.keys())
def test_a_container_stands_in_a_closed_room(bench: Bench, lines: list[str], plan: HealthPlan) -> None:
    found = bench.start(*lines, SLEEP, plan=plan)
    assert found.state is HealthState.HEALTHY, found.log


def test_companions_are_reached_by_name_and_the_world_is_not(bench: Bench) -> None:
    bench.build(f"FROM {bench.base}", SLEEP, name="db")
    bench.build(f"FROM {bench.base}", SLEEP, name="cache")
    names = (f"{bench.prefix}-db", f"{bench.prefix}-cache")
    asked = " && ".join(f"getent hosts {name}" for name in names)
    found = bench.start(
        f"HEALTHCHECK CMD {asked} && test $(ls /sys/class/net) = lo", SLEEP, plan=HealthPlan(companions=names)
    )
    assert found.state is HealthState.HEALTHY, found.log


def test_a_companion_that_cannot_be_had_is_the_engines_trouble(bench: Bench, lab: Lab) -> None:
    with pytest.raises(EngineError, match="the engine could not start"):
        bench.start(SLEEP, plan=HealthPlan(companions=(f"{lab.registry}/team/none:1",)))


def test_nothing_that_was_started_stays(bench: Bench) -> None:
    bench.build(f"FROM {bench.base}", SLEEP, name="db")
    bench.start(SLEEP, plan=HealthPlan(companions=(f"{bench.prefix}-db",), seconds=1))
    name = f"name={bench.prefix}"
    assert bench.docker("ps", "--all", "--quiet", "--filter", name) == ""
    assert bench.docker("network", "ls", "--quiet", "--filter", name) == ""


def test_what_a_crash_left_behind_is_removed(bench: Bench) -> None:
    bench.build(f"FROM {bench.base}", SLEEP, name="crash")
    bench.docker("network", "create", "--internal", f"{bench.prefix}-crash-net")
    left = ["--name", f"{bench.prefix}-crash-run", "--network", f"{bench.prefix}-crash-net"]
    bench.docker("run", "--detach", *left, f"{bench.prefix}-crash")
    bench.builder.remove(f"{bench.prefix}-crash")
    name = f"name={bench.prefix}"
    assert bench.docker("ps", "--all", "--quiet", "--filter", name) == ""
    assert bench.docker("network", "ls", "--quiet", "--filter", name) == ""
    assert bench.docker("images", "--quiet", f"{bench.prefix}-crash") == ""


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


@pytest.mark.parametrize("host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
def test_without_an_engine_it_says_what_to_install(host: str) -> None:
    with pytest.raises(EngineMissing) as raised:
        DockerBuilder(BuilderSettings(host)).available()
    assert "Install Docker Engine" in raised.value.hint
