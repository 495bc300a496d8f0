"""The docker command against one engine: the lab's own, or one that the machine has."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.errors import ProcessFailed
from bot.process import Finished, environment, run

_DEBIANS: Final = Path("/usr/bin/docker")


@dataclass(frozen=True, slots=True)
class Docker:
    """Speaks to the engine at `host` (a DOCKER_HOST).

    Args:
        host: Where the engine is.
        program: The docker command; None takes Debian's, else that on PATH.
    """

    host: str
    program: Path | None = None

    def __call__(self, *words: str | Path, timeout: float, stdin: bytes = b"") -> Finished:
        """Run one command; builds go to the classic builder, which every docker command still has.

        Raises:
            ProcessFailed: The command failed.
        """
        found = _DEBIANS if _DEBIANS.exists() else Path(shutil.which("docker") or "docker")
        env = environment(DOCKER_HOST=self.host, DOCKER_BUILDKIT="0", HOME="/nonexistent")
        return run([self.program or found, *words], timeout=timeout, env=env, stdin=stdin)

    def answers(self) -> bool:
        """Whether the engine speaks."""
        with contextlib.suppress(ProcessFailed):
            self("version", "--format", "{{.Server.Version}}", timeout=10)
            return True
        return False
