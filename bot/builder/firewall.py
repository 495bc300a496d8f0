"""The firewall rules that keep the steps of builds away from what is no public address. Pure.

They are nftables' (nft(8)), in tables of their own, one name for each build. BuildKit inside the engine runs
every step on the engine's default bridge and knows no other network, so what comes from that bridge is
judged, but for the addresses of containers, which are others' business. Rules that are not renewed do
nothing any more: what a process leaves behind that was killed harms nobody.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import Template
from typing import Any, Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What is no public address: RFC 6890 and its registries.
FORBIDDEN: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
    "::1/128", "::ffff:0:0/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
PREFIX: Final = "refit_"
LIFETIME: Final = 30
"""Seconds after which rules that nobody renews do nothing any more."""
_MEMORY: Final = 3600

# Judged is what leaves the bridge to be routed, or to this machine (family inet), and what goes from one of
# its ports to another (family bridge), which the first sees only where the kernel's br_netfilter is on.
# This machine is out of reach by public addresses of its own too: what listens there may count on a firewall.
# The first packet to a forbidden address is dropped, later ones are refused at once: a sender asks again
# after a second, and by then it is known whether it is a container that has just started.
_RULES: Final = Template("""\
add table inet $table
delete table inet $table
add table bridge $table
delete table bridge $table
table inet $table {
  set guarded { type ifname; flags timeout; }
  set others4 { type ipv4_addr; flags interval; }
  set others6 { type ipv6_addr; flags interval; }
  set servers4 { type ipv4_addr; flags interval; }
  set servers6 { type ipv6_addr; flags interval; }
  set open4 { type ipv4_addr; flags interval; }
  set open6 { type ipv6_addr; flags interval; }
  set forbidden4 { type ipv4_addr; flags interval; }
  set forbidden6 { type ipv6_addr; flags interval; }
  set refused4 {
    type ipv4_addr . ipv4_addr . inet_service; size 65535; flags dynamic, timeout; timeout ${memory}s;
  }
  set refused6 {
    type ipv6_addr . ipv6_addr . inet_service; size 65535; flags dynamic, timeout; timeout ${memory}s;
  }
  chain at_once {
    update @refused4 { ip saddr . ip daddr . th dport }
    update @refused6 { ip6 saddr . ip6 daddr . th dport }
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain refuse {
    meta l4proto != { tcp, udp } drop
    ip saddr . ip daddr . th dport @refused4 goto at_once
    ip6 saddr . ip6 daddr . th dport @refused6 goto at_once
    update @refused4 { ip saddr . ip daddr . th dport }
    update @refused6 { ip6 saddr . ip6 daddr . th dport }
    drop
  }
  chain steps {
    type filter hook prerouting priority -300; policy accept;
    iifname != @guarded accept
    ip saddr @others4 accept
    ip6 saddr @others6 accept
    icmpv6 type { $neighbours } accept
    meta l4proto { tcp, udp } th dport 53 ip daddr @servers4 accept
    meta l4proto { tcp, udp } th dport 53 ip6 daddr @servers6 accept
    ip daddr @open4 accept
    ip6 daddr @open6 accept
    fib daddr type local goto refuse
    ip daddr @forbidden4 goto refuse
    ip6 daddr @forbidden6 goto refuse
  }
}
table bridge $table {
  set guarded4 { type ipv4_addr; flags interval, timeout; }
  set guarded6 { type ipv6_addr; flags interval, timeout; }
  set others4 { type ipv4_addr; flags interval; }
  set others6 { type ipv6_addr; flags interval; }
  set open4 { type ipv4_addr; flags interval; }
  set open6 { type ipv6_addr; flags interval; }
  chain steps {
    type filter hook forward priority -300; policy accept;
    ip saddr @others4 accept
    ip6 saddr @others6 accept
    ip daddr @open4 accept
    ip6 daddr @open6 accept
    icmpv6 type { $neighbours } accept
    ip saddr @guarded4 ip daddr @guarded4 drop
    ip6 saddr @guarded6 ip6 daddr @guarded6 drop
  }
}
""")
# How neighbours and routers are found (RFC 4861, RFC 2710, RFC 3810): without it there is no IPv6.
_NEIGHBOURS: Final = (
    "nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert, "
    "mld-listener-report, mld2-listener-report"
)


@dataclass(frozen=True, slots=True)
class Bridge:
    """The engine's default bridge: its interface, and the ranges that it gives addresses from."""

    name: str
    subnets: tuple[Network, ...]


def rules(table: str, servers: Iterable[Network], reachable: Iterable[Network]) -> str:
    """All rules of one build, whole and at once, in place of those that have its name already.

    They hold for nothing before the first `renewal`.

    Args:
        table: Their name.
        servers: Name servers: they may be asked for names.
        reachable: What may be reached all the same.
    """
    text = _RULES.substitute(table=table, memory=_MEMORY, neighbours=_NEIGHBOURS)
    opened = list(reachable)
    return text + "".join(
        [
            *_added(f"inet {table} servers", servers),
            *_added(f"inet {table} open", opened),
            *_added(f"bridge {table} open", opened),
            *_added(f"inet {table} forbidden", map(ipaddress.ip_network, FORBIDDEN)),
        ]
    )


def renewal(table: str, bridge: Bridge, others: Iterable[str]) -> str:
    """Let the rules live on, and from now on hold for all on the bridge but `others`."""
    addresses = [ipaddress.ip_network(one) for one in others]
    sets = [f"inet {table} guarded", *(f"bridge {table} guarded{version}" for version in (4, 6))]
    sets += [f"{family} {table} others{version}" for family in ("inet", "bridge") for version in (4, 6)]
    return "".join(
        [
            *(f"flush set {one}\n" for one in sets),
            f'add element inet {table} guarded {{ "{bridge.name}" timeout {LIFETIME}s }}\n',
            *_added(f"bridge {table} guarded", bridge.subnets, f" timeout {LIFETIME}s"),
            *_added(f"inet {table} others", addresses),
            *_added(f"bridge {table} others", addresses),
        ]
    )


def removal(tables: Iterable[str]) -> str:
    """Take rules away, whether they are there or not."""
    both = [f"{family} {table}" for table in tables for family in ("inet", "bridge")]
    return "".join(f"add table {one}\ndelete table {one}\n" for one in both)


def leftovers(listing: str) -> list[str]:
    """The tables that nobody renews any more, from `nft --json list sets inet`."""
    return [str(one["table"]) for one in _sets(listing) if one["name"] == "guarded" and not one.get("elem")]


def refused(listing: str, within: float) -> tuple[str, ...]:
    """What steps were kept from, as `address:port`, from `nft --json list sets inet`.

    Args:
        listing: What nft wrote. The rules of builds at the same time are all asked, for the first that
            refuses a packet keeps it from the others.
        within: Seconds to look back; nft tells whole ones, so up to one more.
    """
    found = dict.fromkeys(
        _place(*element["elem"]["val"]["concat"][1:])
        for one in _sets(listing)
        if one["name"].startswith("refused")
        for element in one.get("elem") or ()
        if _MEMORY - element["elem"]["expires"] <= within + 1
    )
    return tuple(sorted(found))


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _sets(listing: str) -> Iterator[dict[str, Any]]:
    for one in json.loads(listing)["nftables"] if listing else ():
        if str(one.get("set", {}).get("table", "")).startswith(PREFIX):
            yield one["set"]


def _added(name: str, networks: Iterable[Network], more: str = "") -> Iterator[str]:
    """Fill the two sets of a name, for IPv4 and IPv6; what overlaps is one range."""
    every = list(networks)
    four = [one for one in every if isinstance(one, ipaddress.IPv4Network)]
    six = [one for one in every if isinstance(one, ipaddress.IPv6Network)]
    for version, ranges in ((4, ipaddress.collapse_addresses(four)), (6, ipaddress.collapse_addresses(six))):
        elements = ", ".join(f"{one}{more}" for one in ranges)
        if elements:
            yield f"add element {name}{version} {{ {elements} }}\n"
