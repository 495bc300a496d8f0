"""Builds on a closed network, on a real engine: they are kept from the neighbourhood, and nobody else is."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace

import docker
import pytest
from docker.models.containers import Container

from bot import process
from bot.builder import guarded
from bot.builder.firewall import PREFIX, rules
from bot.errors import BuildFailed, EngineError
from bot.model.evidence import BuildNetwork
from tests.integration.builder.bench import ENGINES, Bench

pytestmark = pytest.mark.lab

ON_BOTH = pytest.mark.parametrize("bench", ENGINES, indirect=True)
CLOSED = BuildNetwork(closed=True)
METADATA = "169.254.169.254"


@dataclass(frozen=True)
class Neighbour:
    """A service of this machine on the engine's bridge, as a company's package mirror is one."""

    address: str
    port: int

    @property
    def reach(self) -> str:
        """What fails where it cannot be reached."""
        return f"timeout 5 bash -c '</dev/tcp/{self.address}/{self.port}'"


@pytest.fixture
def client(bench: Bench) -> Iterator[docker.DockerClient]:
    with closing(docker.DockerClient(base_url=bench.settings.host)) as connected:
        yield connected


@pytest.fixture
def neighbour(client: docker.DockerClient) -> Iterator[Neighbour]:
    gateway = client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    with socket.create_server((gateway, 0)) as listening:
        yield Neighbour(*listening.getsockname())


@pytest.fixture
def image(bench: Bench) -> str:
    return bench.build("LABEL of=others").image


@contextmanager
def container(client: docker.DockerClient, image: str, *command: str) -> Iterator[Container]:
    """A container of somebody else on the engine's bridge."""
    started = client.containers.run(image, list(command), detach=True)
    try:
        yield started
    finally:
        started.remove(force=True)


def tables() -> str:
    return process.run(["/usr/sbin/nft", "list", "tables"], timeout=120).text


def test_a_build_is_kept_from_the_neighbourhood_and_says_what_to_do(
    bench: Bench, neighbour: Neighbour
) -> None:
    with pytest.raises(BuildFailed) as raised:
        bench.build(f"RUN {neighbour.reach}")
    where = f"{neighbour.address}:{neighbour.port}"
    assert f"closed_network kept builds from {where} (see builder.reachable)" in raised.value.message
    assert "builder.reachable" in raised.value.hint
    assert "Connection refused" in raised.value.log  # at once, not after minutes

    opened = replace(bench.settings, reachable=(*bench.settings.reachable, neighbour.address))
    assert bench.build(f"RUN {neighbour.reach}", settings=opened).network == CLOSED
    off = bench.build(f"RUN {neighbour.reach}", settings=replace(bench.settings, closed_network=False))
    assert off.network == BuildNetwork(closed=False, reason="builder.closed_network is off")
    assert PREFIX not in tables()


def test_a_failure_of_another_kind_is_not_put_down_to_the_network(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as raised:
        bench.build("RUN exit 3")
    assert "closed_network" not in raised.value.message + raised.value.hint


def test_a_step_has_names_and_the_archive_and_no_metadata_service(bench: Bench) -> None:
    unreachable = f"! timeout 5 bash -c '</dev/tcp/{METADATA}/80'"
    assert bench.build(f"RUN apt-get update -qq && {unreachable}").network == CLOSED


@ON_BOTH
def test_containers_of_others_are_not_concerned_be_they_there_before_or_start_meanwhile(
    bench: Bench, client: docker.DockerClient, image: str, neighbour: Neighbour
) -> None:
    reach = ["bash", "-c", neighbour.reach]
    with container(client, image, "sleep", "60") as before, guarded(bench.settings, bench.prefix) as guard:
        assert before.exec_run(reach).exit_code == 0
        for _ in range(3):  # its first packet, as soon as its program runs
            with container(client, image, *reach) as started:
                assert started.wait(timeout=300)["StatusCode"] == 0
        assert guard.refused() == ()
        with pytest.raises(BuildFailed):
            bench.build(f"RUN {neighbour.reach}", settings=replace(bench.settings, closed_network=False))
        assert guard.network() == CLOSED


@ON_BOTH
def test_an_address_that_a_container_had_is_no_way_out_for_the_next_step(
    bench: Bench, client: docker.DockerClient, image: str, neighbour: Neighbour
) -> None:
    """Docker 20.10 gives it away at once."""
    with guarded(bench.settings, bench.prefix):
        for _ in range(3):
            with container(client, image, "true") as ended:
                ended.wait(timeout=300)
            with pytest.raises(BuildFailed):
                bench.build(f"RUN {neighbour.reach}", settings=replace(bench.settings, closed_network=False))


def test_rules_that_somebody_took_away_are_put_back_and_the_build_does_not_count_as_closed(
    bench: Bench, client: docker.DockerClient, image: str
) -> None:
    with guarded(bench.settings, bench.prefix) as guard:
        (table,) = [line for line in tables().splitlines() if f"inet {PREFIX}" in line]
        process.run(["/usr/sbin/nft", f"delete {table}"], timeout=120)
        with container(client, image, "sleep", "60"):
            assert table in tables()
        assert guard.network() == BuildNetwork(closed=False, reason="the rules were taken away meanwhile")


def test_what_a_killed_process_left_is_cleared_by_the_next_build(bench: Bench) -> None:
    left = f"{PREFIX}0123456789ab"
    process.run(["/usr/sbin/nft", rules(left, [], [])], timeout=120)
    bench.build("RUN true")
    assert left not in tables()


class Forward(socketserver.BaseRequestHandler):
    """Passes a connection on to the engine's socket."""

    socket_path = ""

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.socket_path)
            back = threading.Thread(target=pump, args=(engine, self.request), daemon=True)
            back.start()
            pump(self.request, engine)
            back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def elsewhere(bench: Bench) -> Iterator[Bench]:
    """The engine as if it were on another machine: it is spoken to over TCP."""
    handler = type("Handler", (Forward,), {"socket_path": bench.settings.host.removeprefix("unix://")})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"tcp://127.0.0.1:{server.server_address[1]}"
        yield replace(bench, settings=replace(bench.settings, docker_host=host))
        server.shutdown()


def test_where_it_cannot_be_had_builds_go_on_and_say_so_or_nothing_is_built(
    elsewhere: Bench, neighbour: Neighbour
) -> None:
    built = elsewhere.build(f"RUN {neighbour.reach}")
    assert built.network == BuildNetwork(closed=False, reason="the engine is on another machine")
    with pytest.raises(EngineError, match="the engine is on another machine") as raised:
        elsewhere.build("RUN true", settings=replace(elsewhere.settings, closed_network=True))
    assert "builder.firewall_image" in raised.value.hint


def test_an_image_with_nft_lets_the_engine_set_the_rules_itself_wherever_it_is(
    bench: Bench, elsewhere: Bench, client: docker.DockerClient, neighbour: Neighbour
) -> None:
    image = bench.build("RUN apt-get update -qq && apt-get install -qq -y nftables").image
    settings = replace(elsewhere.settings, firewall_image=image, closed_network=True)
    assert elsewhere.build("RUN apt-get update -qq", settings=settings).network == CLOSED
    with pytest.raises(BuildFailed, match=r"see builder.reachable"):
        elsewhere.build(f"RUN {neighbour.reach}", settings=settings)
    assert not client.containers.list(all=True, filters={"name": bench.prefix})
    assert PREFIX not in tables()
    for none in (bench.build("LABEL nft=none").image, "refit.invalid/nft:none"):
        with pytest.raises(EngineError, match="builds cannot be kept from private addresses"):
            elsewhere.build("RUN true", settings=replace(settings, firewall_image=none))
