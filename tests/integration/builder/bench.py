"""A builder on a real engine, for tests of what builds may take and reach."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bot.builder import BuilderSettings, DockerBuilder
from bot.model.evidence import Build
from bot.ports import BuildRequest

BASE: Final = "library/debian:bookworm-slim"
_NUMBERS: Final = itertools.count(1)
ENGINES: Final = ("Docker 20.10", NEWER := "Docker 26.1")


@dataclass(frozen=True)
class Bench:
    """A builder on the lab's engine, with settings of the test's own."""

    settings: BuilderSettings
    base: str
    folder: Path
    prefix: str

    def build(
        self, *lines: str, secrets: dict[str, str] | None = None, settings: BuilderSettings | None = None
    ) -> Build:
        """Build the base with more lines on top."""
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text("\n".join((f"FROM {self.base}", *lines, "")))
        name = f"{self.prefix}-{next(_NUMBERS)}"  # one name for two images would leave the first without any
        request = BuildRequest(self.folder, dockerfile, name, secrets=secrets or {}, seconds=200)
        return _builder(settings or self.settings).build(request)


@cache
def _builder(settings: BuilderSettings) -> DockerBuilder:
    """The same for the same settings: it tries only once which command can build."""
    return DockerBuilder(settings)
