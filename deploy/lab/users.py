"""Who uses a lab that is up: it ends with its last user, so that two test runs can share one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deploy.lab.daemon import started_at


@dataclass(frozen=True, slots=True)
class Users:
    """Processes that said they use the lab; one that died without a word counts no longer.

    Args:
        folder: One small file for each user.
    """

    folder: Path

    def enter(self) -> None:
        """This process uses the lab."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file(os.getpid()).write_text(started_at(os.getpid()) or "")

    def leave(self) -> None:
        """This process uses it no longer."""
        self._file(os.getpid()).unlink(missing_ok=True)

    def keep(self, *, up: bool) -> None:
        """Let the lab stay up with no user at all, or no longer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "kept").touch() if up else (self.folder / "kept").unlink(missing_ok=True)

    @property
    def kept(self) -> bool:
        """Whether somebody asked that it stays up."""
        return (self.folder / "kept").exists()

    def others(self) -> list[int]:
        """The other processes that use it, by id."""
        files = [file for file in self.folder.glob("[0-9]*") if file != self._file(os.getpid())]
        return [int(file.name) for file in files if started_at(int(file.name)) == file.read_text()]

    def _file(self, pid: int) -> Path:
        return self.folder / str(pid)
