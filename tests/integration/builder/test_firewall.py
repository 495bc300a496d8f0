"""The rules in a real kernel: a bridge with a step of a build and a container of others, in namespaces."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import pytest

from bot import process
from bot.builder.firewall import PREFIX, Bridge, refused, removal, renewal, rules

pytestmark = pytest.mark.lab

# What the host has itself, and what is routed to the world outside.
ITS_OWN: Final = ("10.0.0.1", "169.254.169.254", "192.168.1.1", "fd00:ec2::254")
BEYOND: Final = ("10.9.9.9", "100.64.0.1", "fd00:ec2::9")
PRIVATE: Final = (*ITS_OWN, *BEYOND, "172.31.9.1")
PUBLIC: Final = ("151.101.2.132", "2606:2800::1")
ITS_PUBLIC: Final = ("151.101.66.132", "2606:2800::2")
MIRROR: Final = "10.1.0.5"
SERVER: Final = "192.168.1.1"
OTHER: Final = "172.31.9.3"
BRIDGE: Final = Bridge("br0", (ipaddress.ip_network("172.31.9.0/24"), ipaddress.ip_network("fd00:9::/64")))
TABLE: Final = f"{PREFIX}test"
PLACES: Final = ("host", "step", "other", "world")
# Connects to each address at a port, all at once; the kernel asks again after a second.
ASK: Final = """
import asyncio, sys
async def ask(address):
    try:
        await asyncio.wait_for(asyncio.open_connection(address, int(sys.argv[1])), float(sys.argv[2]))
    except TimeoutError:
        return "silence"
    except OSError:
        return "refused"
    return "open"
async def main():
    print(*await asyncio.gather(*map(ask, sys.argv[3:])))
asyncio.run(main())
"""


@dataclass(frozen=True)
class Namespaces:
    """`host` has the bridge; `step` and `other` are each on a port of it; `world` is beyond."""

    prefix: str

    def command(self, where: str, *argv: str) -> list[str]:
        return ["ip", "netns", "exec", f"{self.prefix}-{where}", *argv]

    def run(self, where: str, *argv: str) -> str:
        return process.run(self.command(where, *argv), timeout=120).text

    def ip(self, where: str, command: str) -> None:
        process.run(["ip", "-n", f"{self.prefix}-{where}", *command.split()], timeout=120)

    def reach(self, where: str, *addresses: str, port: int = 80, wait: float = 30) -> dict[str, str]:
        told = self.run(where, sys.executable, "-c", ASK, str(port), str(wait), *addresses).split()
        return dict(zip(addresses, told, strict=True))

    @contextmanager
    def listening(self, where: str, port: int) -> Iterator[None]:
        argv = self.command(where, sys.executable, "-um", "http.server", str(port), "--bind", "::")
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
            assert server.stdout is not None
            assert b"Serving" in server.stdout.readline()
            try:
                yield
            finally:
                server.kill()


@pytest.fixture(scope="module")
def net() -> Iterator[Namespaces]:
    made = Namespaces(f"refit-{uuid.uuid4().hex[:6]}")
    with ExitStack() as stack:
        for where in PLACES:
            name = f"{made.prefix}-{where}"
            process.run(["ip", "netns", "add", name], timeout=120)
            stack.callback(process.run, ["ip", "netns", "delete", name], timeout=120)
            made.ip(where, "link set lo up")
        _connect(made)
        for where, port in (("host", 80), ("host", 53), ("other", 80), ("world", 80)):
            stack.enter_context(made.listening(where, port))
        yield made


def _connect(made: Namespaces) -> None:
    made.ip("host", "link add br0 type bridge")
    made.ip("host", "address add 172.31.9.1/24 dev br0")
    made.ip("host", "address add fd00:9::1/64 dev br0 nodad")
    made.ip("host", "link set br0 up")
    for address in (*ITS_OWN, *ITS_PUBLIC):
        made.ip("host", f"address add {address} dev lo")
    for number, where in ((2, "step"), (3, "other")):
        made.ip("host", f"link add p{number} type veth peer name eth0 netns {made.prefix}-{where}")
        made.ip("host", f"link set p{number} master br0 up")
        made.ip(where, "link set eth0 up")
        made.ip(where, f"address add 172.31.9.{number}/24 dev eth0")
        made.ip(where, f"address add fd00:9::{number}/64 dev eth0 nodad")
        made.ip(where, "route add default via 172.31.9.1")
        made.ip(where, "route add default via fd00:9::1")
    _connect_world(made)


def _connect_world(made: Namespaces) -> None:
    made.run("host", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    made.ip("host", f"link add out type veth peer name eth0 netns {made.prefix}-world")
    for where, device, number in (("host", "out", 1), ("world", "eth0", 2)):
        made.ip(where, f"link set {device} up")
        made.ip(where, f"address add 203.0.113.{number}/30 dev {device}")
        made.ip(where, f"address add 2606:2801::{number}/64 dev {device} nodad")
    for address in (*BEYOND, *PUBLIC, MIRROR):
        made.ip("world", f"address add {address} dev lo")
        made.ip("host", f"route add {address} via {'2606:2801::2' if ':' in address else '203.0.113.2'}")
    made.ip("world", "route add default via 203.0.113.1")
    made.ip("world", "route add default via 2606:2801::1")


@pytest.fixture
def closed(net: Namespaces) -> Iterator[Namespaces]:
    servers, reachable = [ipaddress.ip_network(SERVER)], [ipaddress.ip_network("10.1.0.0/16")]
    script = rules(TABLE, servers, reachable) + renewal(TABLE, BRIDGE, [OTHER, "fd00:9::3"])
    net.run("host", "nft", script)
    try:
        yield net
    finally:
        net.run("host", "nft", removal([TABLE]))


def test_without_rules_a_step_reaches_everything(net: Namespaces) -> None:
    assert set(net.reach("step", *PRIVATE, *PUBLIC, *ITS_PUBLIC, MIRROR, OTHER).values()) == {"open"}


def test_a_step_is_refused_what_is_private_soon_and_reaches_what_is_public(closed: Namespaces) -> None:
    assert set(closed.reach("step", *PRIVATE, *ITS_PUBLIC).values()) == {"refused"}
    assert set(closed.reach("step", *PUBLIC, MIRROR).values()) == {"open"}
    assert closed.reach("step", SERVER, "10.0.0.1", port=53) == {SERVER: "open", "10.0.0.1": "refused"}


def test_only_the_first_packet_is_met_with_silence(closed: Namespaces) -> None:
    """Whoever sent it may be a container of others that has just started, and asks again."""
    tries = [closed.reach("step", "10.0.0.1", wait=wait)["10.0.0.1"] for wait in (0.6, 30)]
    assert tries == ["silence", "refused"]


def test_containers_of_others_reach_what_they_reached_before(closed: Namespaces) -> None:
    assert set(closed.reach("other", *PRIVATE, *PUBLIC, *ITS_PUBLIC, MIRROR).values()) == {"open"}


@pytest.mark.parametrize("netfilter", ["1", "0"])
def test_neighbours_on_the_bridge_are_out_of_reach(closed: Namespaces, netfilter: str) -> None:
    """Only with the kernel's br_netfilter do the rules for what is routed see what is not."""
    switches = [f"net.bridge.bridge-nf-call-{one}={netfilter}" for one in ("iptables", "ip6tables")]
    closed.run("host", "sysctl", "-q", "-w", *switches)
    assert "open" not in closed.reach("step", OTHER, "fd00:9::3", wait=2.5).values()


def test_what_was_refused_is_told(closed: Namespaces) -> None:
    closed.reach("step", "10.0.0.1", "fd00:ec2::254", "151.101.2.132")
    listing = closed.run("host", "nft", "--json", "list", "sets", "inet")
    assert refused(listing, within=60) == ("10.0.0.1:80", "[fd00:ec2::254]:80")


def test_rules_that_nobody_renews_do_nothing_any_more(net: Namespaces) -> None:
    """What is left of a killed process: its lifetime is cut short here, by a renewal that has run out."""
    dying = renewal(TABLE, BRIDGE, []).replace("timeout 30s", "timeout 1s")
    net.run("host", "nft", rules(TABLE, [], []) + dying)
    try:
        assert net.reach("step", "10.0.0.1", OTHER) == {"10.0.0.1": "open", OTHER: "open"}
    finally:
        left = json.loads(net.run("host", "nft", "--json", "list", "sets", "inet"))
        net.run("host", "nft", removal([TABLE]))
    assert any(one.get("set", {}).get("name") == "guarded" for one in left["nftables"])
