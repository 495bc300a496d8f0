"""The private engine's own bridge: a free address range, and three rules that are taken back at the end.

dockerd runs with `--iptables=false`: on a machine with a Docker of its own, a second one would otherwise
rewrite the first one's chains. All that builds need is a way out, which these rules give.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.process import run
from deploy.lab.errors import LabError

_RANGES: Final = [ipaddress.IPv4Network(f"172.30.{third}.0/24") for third in range(200, 256)]
_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Bridge:
    """A network bridge of this lab alone.

    Args:
        name: Interface name, at most 15 characters.
    """

    name: str

    def up(self) -> None:
        """Create the bridge on a free range, with its rules; what is there already stays."""
        if not self._exists:
            run(["ip", "link", "add", "name", self.name, "type", "bridge"], timeout=_SECONDS)
            run(["ip", "address", "add", f"{_free_range()[1]}/24", "dev", self.name], timeout=_SECONDS)
        run(["ip", "link", "set", self.name, "up"], timeout=_SECONDS)
        for rule in self._rules():
            if not _iptables("-C", rule):
                _iptables("-I", rule, check=True)

    def down(self) -> None:
        """Take back the rules and the bridge; packet forwarding stays on, another engine may count on it."""
        if self._exists:
            for rule in self._rules():
                _iptables("-D", rule)
            run(["ip", "link", "delete", self.name], timeout=_SECONDS)

    @property
    def _exists(self) -> bool:
        return Path(f"/sys/class/net/{self.name}").exists()

    def _rules(self) -> list[list[str]]:
        """Each rule as table, chain, and what it matches; the comment says whose it is."""
        note = ["-m", "comment", "--comment", self.name]
        answers = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
        outward = ["-s", self._subnet(), "!", "-o", self.name]
        return [
            ["filter", "FORWARD", "-i", self.name, *note, "-j", "ACCEPT"],
            ["filter", "FORWARD", "-o", self.name, *answers, *note, "-j", "ACCEPT"],
            ["nat", "POSTROUTING", *outward, *note, "-j", "MASQUERADE"],
        ]

    def _subnet(self) -> str:
        out = run(["ip", "-4", "-o", "address", "show", "dev", self.name], timeout=_SECONDS, check=False).text
        found = re.search(r"inet (\S+)", out)
        return str(ipaddress.IPv4Interface(found[1]).network) if found else ""


def _free_range() -> ipaddress.IPv4Network:
    """The first range that no route of this machine touches."""
    routes = run(["ip", "-4", "-o", "route", "show", "table", "all"], timeout=_SECONDS).text
    taken = [
        ipaddress.IPv4Network(word, strict=False) for word in re.findall(r"\d+(?:\.\d+){3}(?:/\d+)?", routes)
    ]
    taken = [network for network in taken if network.prefixlen > 0]
    for candidate in _RANGES:
        if not any(candidate.overlaps(network) for network in taken):
            return candidate
    raise LabError(
        "No address range is free for the lab's bridge.", hint="Stop another lab: python -m deploy.lab down"
    )


def _iptables(action: str, rule: list[str], *, check: bool = False) -> bool:
    table, chain, *match = rule
    argv = ["iptables", "-w", "60", "-t", table, action, chain, *match]
    return run(argv, timeout=_SECONDS, check=check).code == 0
