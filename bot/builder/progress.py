"""BuildKit's plain progress (`--progress=plain`) → steps, and what the failing step wrote. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bot.model.evidence import Step

KEPT_LINES: Final = 50
_LINE: Final = re.compile(r"#(\d+) (.*)")
_DONE: Final = re.compile(r"DONE (\d+(?:\.\d+)?)s")
_OUTPUT: Final = re.compile(r"(\d+\.\d+) (.*)")
_EXIT: Final = re.compile(r"exit code: (\d+)")
# What BuildKit says of a step beside its output: digests, transfers, and the mark that it goes on later.
_NOISE: Final = re.compile(r"(sha256:|transferring |resolve |extracting |naming to |writing image |\.\.\.$)")


@dataclass(frozen=True, slots=True)
class Progress:
    """What a build did.

    Attributes:
        steps: In the order they began.
        failed: Name of the step that failed, or empty.
        error: What BuildKit says of the failure, in one line; empty where nothing failed.
        log: The last 50 lines that the failing step wrote.
    """

    steps: tuple[Step, ...]
    failed: str = ""
    error: str = ""
    log: str = ""

    @property
    def exit_code(self) -> int | None:
        """Exit code of the command that failed, or None where no command did."""
        found = _EXIT.search(self.error)
        return int(found[1]) if found else None


@dataclass(slots=True)
class _Vertex:
    """One numbered part of the build while its lines come in."""

    name: str
    seconds: float = 0.0
    cached: bool = False
    error: str = ""
    output: list[str] = field(default_factory=list)

    def take(self, text: str) -> None:
        done, output = _DONE.fullmatch(text), _OUTPUT.match(text)
        if done:
            self.seconds = float(done[1])
        elif text == "CACHED":
            self.cached = True
        elif text.startswith("ERROR"):
            self.error = text.removeprefix("ERROR").lstrip(": ")
        elif output:
            self.output = [*self.output[-KEPT_LINES + 1 :], output[2]]
        elif not _NOISE.match(text) and text not in ("CANCELED", self.name):
            self.output = [*self.output[-KEPT_LINES + 1 :], text]


def parse_progress(lines: Iterable[str]) -> Progress:
    """Read the whole output of a build, one line after the other.

    Lines look like `#5 [2/2] RUN make`, `#5 0.312 compiling`, `#5 CACHED`, `#5 DONE 0.4s` and
    `#5 ERROR: …`; the number is that of a vertex in BuildKit's graph, and lines of several
    vertices are mixed.
    """
    vertices: dict[str, _Vertex] = {}
    outside = ""
    for line in lines:
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            outside = _error_outside(line) or outside
        elif found[1] in vertices:
            vertices[found[1]].take(found[2])
        else:
            vertices[found[1]] = _Vertex(found[2])
    return _result(list(vertices.values()), outside)


def _result(vertices: list[_Vertex], outside: str) -> Progress:
    steps = tuple(Step(v.name, v.seconds, v.cached) for v in vertices)
    broken = [v for v in vertices if v.error and v.error != "context canceled"]
    if not broken:
        return Progress(steps, error=outside)
    first = broken[0]
    return Progress(steps, first.name, first.error, "\n".join(first.output))


def _error_outside(line: str) -> str:
    """An error that belongs to no step: the Dockerfile cannot be read, the engine refused."""
    text = line.strip()
    marks = ("ERROR:", "error:", "failed to solve", "Error response from daemon", "unable to prepare context")
    return text if text.startswith(marks) else ""
