"""Running Trivy: in an empty folder, with nothing of the caller's, bounded in time and memory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Final

from bot import process
from bot.errors import ProcessFailed
from bot.scanner.binary import Binary, check_binary, find_binary
from bot.scanner.settings import ScannerSettings
from bot.scanner.slots import Slot

_MARGIN_SECONDS: Final = 15.0
_OUTPUT_LIMIT: Final = 2**24
_LIMITER: Final = "prlimit"
# Go tells the reason of a crash first, then every thread: more than the last lines that are kept.
_CRASH: Final = ("fatal error:", "panic:")
# Trivy is written in Go: near this part of its memory it collects garbage harder, rather than fail.
_SOFT_SHARE: Final = 0.8


class Runner:
    """Runs the configured Trivy.

    Args:
        settings: How it is run.
    """

    def __init__(self, settings: ScannerSettings) -> None:
        self._settings = settings

    def binary(self) -> Binary:
        """The binary that runs, checked by its bytes; raises `ScannerRefused` for one that must not."""
        return check_binary(find_binary(self._settings.path), self._settings.sha256)

    def run(
        self, arguments: Sequence[str], place: Slot, seconds: float, access: Mapping[str, str] | None = None
    ) -> str:
        """Run it to its end.

        Args:
            arguments: What it is asked.
            place: Where it runs.
            seconds: What it was given itself; it is killed a little later.
            access: Its environment beside our own, from `granted`.

        Returns:
            Its log.

        Raises:
            ProcessFailed: It failed, took too long, or too much memory.
        """
        argv = [*_bounded(self._settings.memory), str(self.binary().path), *arguments]
        crash: list[str] = []
        try:
            finished = process.run(
                argv,
                timeout=seconds + _MARGIN_SECONDS,
                cwd=place.empty,
                env=self._environment(place) | dict(access or {}),
                limit=_OUTPUT_LIMIT,
                on_line=lambda line: crash.append(line) if line.startswith(_CRASH) else None,
                tied=True,
            )
        except ProcessFailed as error:
            said = error.message.replace(f"{_LIMITER} ", "trivy ", 1)  # it becomes Trivy and ends as it does
            output = "\n".join([*crash[:1], error.output])
            raise ProcessFailed(said, output=output, hint=error.hint) from error
        return finished.stderr.decode(errors="replace")

    def _environment(self, place: Slot) -> dict[str, str]:
        """Nothing of the caller's but what finds programs and certificates: no TRIVY_*, no token."""
        extra = {"HOME": str(place.empty), "TMPDIR": str(place.temporary)}
        extra["GOMEMLIMIT"] = str(int(self._settings.memory * _SOFT_SHARE))
        extra["GOTRACEBACK"] = (
            "none"  # the reason alone, which a dump of every thread would push out of sight
        )
        return process.environment(**extra, **self._settings.engine)


def _bounded(memory: int) -> list[str]:
    """The hard limit on memory of its own, which a database mapped into it is not; util-linux sets it."""
    prlimit = shutil.which(_LIMITER)
    return [prlimit, f"--data={memory}", "--core=0", "--"] if prlimit else []
