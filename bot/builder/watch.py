"""What a build takes while it runs: memory of its steps, and room on the engine's disk.

BuildKit inside the engine has no limits of its own for either, so the build is watched from outside
and ended. It can be watched where the engine runs on this machine; elsewhere nothing is seen.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")
# Where BuildKit's steps have their control groups, of version 2 and of version 1. With the driver `cgroupfs`
# that is a group below the engine's; with `systemd`, a plain one beside or below that of the engine itself.
# moby: `newCgroupParent` in cmd/dockerd; BuildKit: `GenerateSpec` in executor/oci; runc: `defaultDirPath`.
_STEPS: Final = (
    *("*/buildkit/*", "memory/*/buildkit/*"),
    *("*.slice:docker:*", "*/*.slice:docker:*"),
    *("memory/*.slice:docker:*", "memory/*/*.slice:docker:*", "memory/*/*/*.slice:docker:*"),
)
# Memory that cannot be given back: of programs, and of files that live in memory. Kernel documentation:
# cgroup-v1/memory.rst and cgroup-v2.rst.
_COUNTED: Final = frozenset({"total_rss", "total_shmem", "anon", "shmem"})


@dataclass(slots=True)
class Watch:
    """Watches one build.

    Attributes:
        memory: Bytes that one step may use; None for no limit.
        min_free: Bytes that must stay free on the engine's disk.
        disk: Folder where the engine keeps its data, or None where that is not on this machine.
        groups: Where this machine's control groups are.
        memory_exceeded: True where memory was the reason to end it.
        disk_full: True where the disk was.
        reason: Why the build had to end, in words; empty while all was well.
    """

    memory: int | None
    min_free: int
    disk: Path | None
    groups: Path = _CONTROL_GROUPS
    memory_exceeded: bool = field(default=False, init=False)
    disk_full: bool = field(default=False, init=False)
    reason: str = field(default="", init=False)

    def trouble(self) -> str:
        """Why the build must end, in words; empty while all is well."""
        if self.disk is not None and (free := _free(self.disk)) < self.min_free:
            self.disk_full = True
            must = f"{_amount(self.min_free)} must stay free (builder.min_free)"
            self.reason = f"the engine's disk has {_amount(free)} left, and {must}"
        elif self.memory is not None and (used := max(_used(self.groups), default=0)) > self.memory:
            self.memory_exceeded = True
            may = f"the {_amount(self.memory)} it may use (builder.memory)"
            self.reason = f"a step used {_amount(used)} of memory, more than {may}"
        return self.reason


def _free(folder: Path) -> int:
    with suppress(OSError):
        return shutil.disk_usage(folder).free
    return 2**63


def _used(groups: Path) -> Iterator[int]:
    for step in _STEPS:
        for file in groups.glob(f"{step}/memory.stat"):
            with suppress(OSError, ValueError):  # a step that has just ended
                yield sum(_counts(file.read_text(encoding="ascii")))


def _counts(stat: str) -> Iterator[int]:
    for line in stat.splitlines():
        name, _, value = line.partition(" ")
        if name in _COUNTED:
            yield int(value)


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.0f} MB"
