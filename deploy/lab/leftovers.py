"""What a killed engine leaves behind: containerd, shims, containers, mounts; all of it the lab's own."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from bot.process import run
from deploy.lab.daemon import end


def clear(runtime: Path, data: Path) -> None:
    """End the processes and undo the mounts that a killed engine left; nothing after an orderly end.

    Args:
        runtime: The engine's `--exec-root`; its programs are known by this path on their command line.
        data: The engine's `--data-root`.
    """
    for pid in _programs(runtime):
        for child in _children(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        end(pid, grace=5)
    for mount in _mounts(runtime, data):
        run(["umount", "--lazy", mount], timeout=120, check=False)


def _programs(runtime: Path) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            ours = any(word.startswith(f"{runtime}/") for word in words[1:])
            if ours and Path(words[0]).name.startswith("containerd"):
                yield int(process.name)


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _mounts(runtime: Path, data: Path) -> list[str]:
    """The mount points in both folders, innermost first; dockerd mounts its data folder on itself."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [point for point in reversed(points) if f"{point}/".startswith((f"{runtime}/", f"{data}/"))]
