"""The Debian packages that the lab is made with: which are missing, and how they come."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bot.errors import ProcessFailed
from bot.process import run
from deploy.lab.errors import LabError

REGISTRY: Final[Mapping[str, str]] = {
    "docker-registry": "/usr/bin/docker-registry",
    "mmdebstrap": "/usr/bin/mmdebstrap",
    "git": "/usr/bin/git",
}
ENGINE: Final[Mapping[str, str]] = {
    "docker.io": "/usr/sbin/dockerd",
    "iptables": "/usr/sbin/iptables",
    "iproute2": "/usr/sbin/ip",
    "nftables": "/usr/sbin/nft",
}
_APPARMOR: Final = Path("/sys/module/apparmor/parameters/enabled")


def ensure(*, engine: bool, say: Callable[[str], None]) -> None:
    """Install what is missing, as root; else say exactly what to install.

    Args:
        engine: Whether the private engine is wanted, which needs root.
        say: Takes one line of progress.

    Raises:
        LabError: Something is missing and cannot be installed here, or the engine is wanted without root.
    """
    absent = missing(engine=engine)
    if os.geteuid() != 0:
        refuse_without_root(absent, engine=engine)
    elif absent:
        say(f"installing {' '.join(absent)}")
        _install(absent)


def missing(*, engine: bool) -> list[str]:
    """The names of the packages whose programs are not on this machine."""
    wanted = dict(REGISTRY)
    if engine:
        wanted |= ENGINE
        if _APPARMOR.exists() and _APPARMOR.read_text().startswith("Y"):
            wanted["apparmor"] = "/usr/sbin/apparmor_parser"  # dockerd loads its profile with it
    return [name for name, program in wanted.items() if not Path(program).exists()]


def refuse_without_root(absent: list[str], *, engine: bool) -> None:
    """Say what root has to do first, if anything.

    Raises:
        LabError: Packages are missing, or the private engine is wanted.
    """
    if absent:
        raise LabError(f"The lab needs {', '.join(absent)}.", hint=_command(absent))
    if engine:
        raise LabError(
            "The lab's private engine needs root.", hint="Run as root, or start it without an engine."
        )


def _command(absent: list[str]) -> str:
    return "Run as root: apt-get install --no-install-recommends " + " ".join(absent)


def _install(absent: list[str]) -> None:
    env = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    options = ["-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    try:
        refresh()
        run(["apt-get", "install", *options, *absent], timeout=900, env=env)
    except ProcessFailed as error:
        raise LabError(f"Installing the lab's packages failed: {error}.", hint=_command(absent)) from error


def refresh() -> None:
    """Fetch the machine's package lists anew (as root).

    Raises:
        ProcessFailed: The machine's package archive cannot be reached.
    """
    run(["apt-get", "update", "-qq"], timeout=600, env=dict(os.environ))
