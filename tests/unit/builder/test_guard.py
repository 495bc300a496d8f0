"""The rules that keep builds away from what is no public address."""

from __future__ import annotations

import ipaddress

import pytest

from bot.builder.guard import FORBIDDEN, chain_of

SERVERS = [ipaddress.ip_network("10.255.255.53"), ipaddress.ip_network("fd00::53")]
ALLOWED = [ipaddress.ip_network("10.1.0.0/16")]


def verdict(chain: str, address: str, port: int = 443) -> str:
    """What the chain does with a TCP packet: the first rule that matches decides, as in the kernel."""
    for line in chain.splitlines():
        words = line.split()
        if not line.startswith("-A") or "icmpv6" in words:
            continue
        network = ipaddress.ip_network(words[words.index("-d") + 1])
        fits = "-p" not in words or (words[words.index("-p") + 1], port) == ("tcp", 53)
        if fits and ipaddress.ip_address(address) in network:
            return words[-1]
    return "RETURN"


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "10.0.0.1", "127.0.0.1", "172.17.0.1", "192.168.1.1", "100.64.0.1", "224.0.0.1"],
)
def test_metadata_services_and_the_neighbourhood_are_out_of_reach(address: str) -> None:
    assert verdict(chain_of("docker0", SERVERS, ALLOWED, 4), address) == "DROP"


@pytest.mark.parametrize("address", ["::1", "fd00:ec2::254", "fe80::1", "::ffff:10.0.0.1"])
def test_so_they_are_in_the_new_protocol(address: str) -> None:
    assert verdict(chain_of("docker0", SERVERS, ALLOWED, 6), address) == "DROP"


def test_the_public_names_and_what_the_operator_names_stay_reachable() -> None:
    chain = chain_of("docker0", SERVERS, ALLOWED, 4)
    assert verdict(chain, "151.101.2.132") == "RETURN"
    assert verdict(chain, "10.1.2.3") == "RETURN"
    assert verdict(chain, "10.255.255.53", port=53) == "RETURN"
    assert verdict(chain, "10.255.255.53", port=80) == "DROP"
    assert verdict(chain_of("docker0", SERVERS, ALLOWED, 6), "2606:2800::1") == "RETURN"


def test_each_version_has_only_its_own_addresses() -> None:
    for version in (4, 6):
        chain = chain_of("docker0", SERVERS, ALLOWED, version)
        named = [line.split()[line.split().index("-d") + 1] for line in chain.splitlines() if " -d " in line]
        assert {ipaddress.ip_network(one).version for one in named} == {version}
    assert len(FORBIDDEN) == len(set(FORBIDDEN))
