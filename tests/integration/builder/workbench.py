"""A builder on a real engine, and a folder to write Dockerfiles in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot import process
from bot.builder import BuilderSettings, DockerBuilder
from bot.builder.client import choose_command
from bot.model.evidence import Build, Health
from bot.model.target import HealthPlan
from bot.ports import BuildRequest
from deploy.lab import Lab
from tests.integration.builder.bench import BASE

SLEEP = 'CMD ["sleep", "60"]'


@dataclass(frozen=True)
class Workbench:
    """A builder on the lab's engine; `docker` is the bare command beside it."""

    builder: DockerBuilder
    settings: BuilderSettings
    base: str
    folder: Path
    prefix: str

    def build(self, *lines: str, name: str = "image", seconds: float = 600) -> Build:
        dockerfile = self.folder / f"{name}.Dockerfile"
        dockerfile.write_text("\n".join((*lines, "")))
        context = self.folder / "context"
        context.mkdir(exist_ok=True)
        return self.builder.build(BuildRequest(context, dockerfile, f"{self.prefix}-{name}", seconds=seconds))

    def start(self, *lines: str, plan: HealthPlan | None = None) -> Health:
        built = self.build(f"FROM {self.base}", *lines)
        return self.builder.health(built.image, plan or HealthPlan(seconds=4), name=f"{self.prefix}-run")

    def docker(self, *words: str) -> str:
        command = choose_command(self.settings).path
        return process.run([command, *words], timeout=300, env=self.settings.environment()).text.strip()


@contextmanager
def on(settings: BuilderSettings, lab: Lab, folder: Path) -> Iterator[Workbench]:
    """A workbench whose images are all removed at the end."""
    builder, prefix = DockerBuilder(settings), f"refit-{uuid.uuid4().hex[:8]}"
    made = Workbench(builder, settings, f"debian@{lab.stale[BASE]}", folder, prefix)
    try:
        yield made
    finally:
        made.builder.remove(made.prefix)
