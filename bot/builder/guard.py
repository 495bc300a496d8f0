"""Firewall rules that keep builds away from loopback, private and link-local addresses.

BuildKit inside the engine runs every step on the engine's default bridge and knows no other network,
so the rules stand on that bridge: in the raw table, before any rule of the engine's own, where one hook
catches what is forwarded and what is meant for this machine. They hold for every container on the
bridge, so they are for an engine of one's own, and only where the operator asks for them.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bot import process
from bot.builder.client import BuilderSettings, connect
from bot.builder.problems import engine_errors
from bot.errors import EngineError, ProcessFailed

Address = ipaddress.IPv4Network | ipaddress.IPv6Network

# What is no public address: RFC 6890 and its registries.
FORBIDDEN: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
    "::1/128", "::ffff:0:0/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
_BRIDGE_OPTION: Final = "com.docker.network.bridge.name"
_TABLE: Final = "raw"
_HOOK: Final = "PREROUTING"
_SECONDS: Final = 20.0
_CANNOT: Final = "builds cannot be kept from private addresses"
_HINT: Final = (
    "Run Refit as root beside an engine of its own, with iptables; or set builder.closed_network: false, "
    "and keep builds away from private addresses by other means."
)


def close_network(settings: BuilderSettings, resolv: Path = Path("/etc/resolv.conf")) -> str:
    """Put the rules in place, whole and at once; gives the bridge they stand on.

    Name servers of this machine stay reachable for names, and what the settings name stays reachable.

    Raises:
        EngineError: They cannot be put in place here: nothing may be built then.
    """
    bridge = _bridge(settings)
    allowed = [ipaddress.ip_network(one, strict=False) for one in settings.reachable]
    servers = [ipaddress.ip_network(one) for one in _name_servers(resolv)]
    try:
        for command, version in (("iptables", 4), ("ip6tables", 6)):
            _apply(command, bridge, chain_of(bridge, servers, allowed, version))
    except ProcessFailed as error:
        raise EngineError(f"{_CANNOT}: {error.message}", hint=_HINT) from error
    return bridge


def open_network(settings: BuilderSettings) -> None:
    """Take the rules away again; where there are none, that is no error."""
    bridge = _bridge(settings)
    for command in ("iptables", "ip6tables"):
        asked, env = _asked(command)
        for words in (("-D", _HOOK, *_hook(bridge)), ("-F", _chain(bridge)), ("-X", _chain(bridge))):
            process.run([*asked, *words], timeout=_SECONDS, env=env, check=False)


def chain_of(bridge: str, servers: Iterable[Address], allowed: Iterable[Address], version: int) -> str:
    """The chain for one version of IP, as iptables-restore reads it. Pure."""
    name = _chain(bridge)
    lines = [f"*{_TABLE}", f":{name} - [0:0]"]
    if version == 6:
        lines.append(f"-A {name} -p icmpv6 -j RETURN")  # neighbours are found by it
    for server in _of(servers, version):
        lines += [f"-A {name} -d {server} -p {kind} --dport 53 -j RETURN" for kind in ("udp", "tcp")]
    lines += [f"-A {name} -d {network} -j RETURN" for network in _of(allowed, version)]
    lines += [
        f"-A {name} -d {network} -j DROP" for network in _of(map(ipaddress.ip_network, FORBIDDEN), version)
    ]
    return "\n".join([*lines, "COMMIT", ""])


def _of(networks: Iterable[Address], version: int) -> Iterator[Address]:
    return (one for one in networks if one.version == version)


def _chain(bridge: str) -> str:
    return f"REFIT-{bridge}"


def _bridge(settings: BuilderSettings) -> str:
    if os.geteuid() != 0:
        raise EngineError(f"{_CANNOT}: Refit is not root", hint=_HINT)
    with connect(settings) as client, engine_errors("tell about its network"):
        options = client.networks.get("bridge").attrs.get("Options") or {}
    bridge = str(options.get(_BRIDGE_OPTION) or "")
    if not bridge or not Path("/sys/class/net", bridge).exists():
        raise EngineError(f"{_CANNOT}: the engine's bridge is not on this machine", hint=_HINT)
    return bridge


def _name_servers(resolv: Path) -> Iterator[str]:
    """Name servers of this machine; the engine gives builds the same, but for loopback ones."""
    for line in resolv.read_text(encoding="utf-8").splitlines() if resolv.is_file() else ():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and not words[1].startswith("127."):
            yield words[1].partition("%")[0]


def _apply(command: str, bridge: str, chain: str) -> None:
    asked, env = _asked(command)
    # A chain that is declared is emptied and filled in one step: there is no moment without rules.
    restore = [f"{asked[0]}-restore", "--noflush", "--wait"]
    process.run(restore, timeout=_SECONDS, env=env, stdin=chain.encode())
    if process.run([*asked, "-C", _HOOK, *_hook(bridge)], timeout=_SECONDS, env=env, check=False).code != 0:
        process.run([*asked, "-I", _HOOK, *_hook(bridge)], timeout=_SECONDS, env=env)


def _asked(command: str) -> tuple[list[str], dict[str, str]]:
    """The words that begin a command on our table, and the environment it runs in."""
    env = process.environment() | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    return [shutil.which(command, path=env["PATH"]) or command, "--wait", "-t", _TABLE], env


def _hook(bridge: str) -> tuple[str, ...]:
    return ("-i", bridge, "-j", _chain(bridge))
