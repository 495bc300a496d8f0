"""BuildKit's plain progress (`--progress=plain`) → steps, and what the failing step wrote. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from bot.model.evidence import Step

KEPT_LINES: Final = 50
_LINE: Final = re.compile(r"#(\d+) (.*)")
_DONE: Final = re.compile(r"DONE (\d+(?:\.\d+)?)s")
_OUTPUT: Final = re.compile(r"(\d+\.\d+) (.*)")
_EXIT: Final = re.compile(r"exit code: (\d+)")
# An image of a stage, or the one that `# syntax=` names.
_PULL: Final = re.compile(
    r"\[internal\] load metadata for |(\[[^\]]*\] )?FROM |resolve image config for |docker-image://"
)
# buildx's word on where it builds; no step of the build.
_PREFACE: Final = "0"
# A cache that cannot be had fails its own step and nothing else.
_CACHE: Final = "importing cache manifest from "
# What a step moved, and of what: `transferring context: 1.2MB`, `sha256:… 1.05MB / 31.36MB 0.3s`.
_MOVED: Final = re.compile(r"(transferring [a-z]+|sha256:[0-9a-f]+):? (\d{1,9}(?:\.\d+)?)([kMG]?B)\b")
_REASON: Final = 200
_UNITS: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
# What BuildKit says of a step beside its output: digests, transfers, and the mark that it goes on later.
_NOISE: Final = re.compile(
    r"(sha256:|transferring |resolve |pulling |extracting |naming to |writing image |\.\.\.$)"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a build did, or has done so far.

    Attributes:
        steps: In the order they began.
        failed: Name of the step that failed, or empty.
        running: Name of the step that began last and has not ended, or empty.
        error: What BuildKit says of the failure, in one line; empty where nothing failed.
        log: The last 50 lines that the failed (else the running) step wrote.
        lost_caches: Images of layer cache that could not be had, each with what BuildKit says.
    """

    steps: tuple[Step, ...]
    failed: str = ""
    running: str = ""
    error: str = ""
    log: str = ""
    lost_caches: tuple[tuple[str, str], ...] = ()

    @property
    def exit_code(self) -> int | None:
        """Exit code of the command that failed, or None where no command did."""
        found = _EXIT.search(self.error)
        return int(found[1]) if found else None

    @property
    def failed_to_pull(self) -> bool:
        """True where what failed is getting an image from a registry."""
        return _PULL.match(self.failed) is not None

    @property
    def pull_seconds(self) -> float:
        """Seconds of all steps that get images."""
        return sum(step.seconds for step in self.steps if _PULL.match(step.name))

    @property
    def pull_bytes(self) -> int:
        """Bytes that came from registries, as exact as BuildKit tells (four digits)."""
        return sum(step.bytes for step in self.steps if _PULL.match(step.name))


@dataclass(slots=True)
class _Vertex:
    """One numbered part of the build while its lines come in."""

    name: str
    seconds: float = 0.0
    cached: bool = False
    error: str = ""
    ended: bool = False
    output: list[str] = field(default_factory=list)
    moved: dict[str, int] = field(default_factory=dict)

    @property
    def cache(self) -> str:
        """The image whose layer cache it gets; empty for what does something else."""
        return self.name.removeprefix(_CACHE) if self.name.startswith(_CACHE) else ""

    @property
    def lost_cache(self) -> tuple[str, str]:
        """The cache that it could not get, and why."""
        return self.cache, self.error.removeprefix(f"{self.cache}: ")[:_REASON]

    @property
    def broke(self) -> bool:
        """True where it ended the build: it failed itself, and was needed."""
        return not self.cache and self.error not in ("", "context canceled")

    def take(self, text: str) -> None:
        if found := _MOVED.match(text):
            self.moved[found[1]] = round(float(found[2]) * _UNITS[found[3]])
        done, output = _DONE.fullmatch(text), _OUTPUT.match(text)
        if done:
            self.seconds, self.ended = float(done[1]), True
        elif text == "CACHED":
            self.cached, self.ended = True, True
        elif text.startswith("ERROR"):
            self.error, self.ended = text.removeprefix("ERROR").lstrip(": "), True
        elif output:
            self.output = [*self.output[-KEPT_LINES + 1 :], output[2]]
        elif text == "CANCELED":
            self.ended = True
        elif not _NOISE.match(text) and text != self.name:
            self.output = [*self.output[-KEPT_LINES + 1 :], text]


class ProgressReader:
    """Reads a build's output line by line, while it runs.

    Lines look like `#5 [2/2] RUN make`, `#5 0.312 compiling`, `#5 CACHED`, `#5 DONE 0.4s` and
    `#5 ERROR: …`; the number is that of a vertex in BuildKit's graph, and lines of several
    vertices are mixed.
    """

    def __init__(self) -> None:
        self._vertices: dict[str, _Vertex] = {}
        self._outside = ""

    def feed(self, line: str) -> None:
        """Take the next line."""
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            self._outside = _error_outside(line) or self._outside
        elif found[1] == _PREFACE:
            return
        elif found[1] in self._vertices:
            self._vertices[found[1]].take(found[2])
        else:
            self._vertices[found[1]] = _Vertex(found[2])

    def result(self) -> Progress:
        """What is known by now."""
        vertices = list(self._vertices.values())
        broken = next((v for v in vertices if v.broke), None)
        running = next((v for v in reversed(vertices) if not v.ended), None)
        told = broken or running
        return Progress(
            steps=tuple(Step(v.name, v.seconds, v.cached, sum(v.moved.values())) for v in vertices),
            failed=broken.name if broken else "",
            running=running.name if running else "",
            error=broken.error if broken else self._outside,
            log="\n".join(told.output) if told else "",
            lost_caches=tuple(v.lost_cache for v in vertices if v.cache and v.error),
        )


def _error_outside(line: str) -> str:
    """An error that belongs to no step: the Dockerfile cannot be read, the engine refused."""
    text = line.strip()
    marks = ("ERROR:", "error:", "failed to solve", "Error response from daemon", "unable to prepare context")
    return text if text.startswith(marks) else ""
