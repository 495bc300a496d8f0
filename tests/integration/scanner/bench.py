"""A scanner and a builder on the lab, for every test of the real Trivy."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot import process
from bot.artifacts import ArtifactShelf, open_shelf
from bot.builder import BuilderSettings, DockerBuilder
from bot.builder.client import choose_command
from bot.model.target import LINUX_AMD64
from bot.model.vulnerability import Scan
from bot.ports import BuildRequest, ScanRequest
from bot.scanner import DatabaseSettings, ScannerSettings, TrivyScanner
from deploy.lab import Lab, archive

BASE: Final = "library/debian:bookworm-slim"
_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True)
class Bench:
    """A scanner and a builder on the lab, and what they need."""

    lab: Lab
    settings: ScannerSettings
    builder: DockerBuilder
    artifacts: ArtifactShelf
    folder: Path
    prefix: str

    @property
    def scanner(self) -> TrivyScanner:
        return TrivyScanner(self.settings, artifacts=self.artifacts)

    @property
    def stale(self) -> str:
        return f"debian@{self.lab.stale[BASE]}"

    @property
    def fresh(self) -> str:
        return f"debian@{self.lab.fresh[BASE]}"

    def remote(self, reference: str, *, keep: bool = False) -> Scan:
        """Scan an image by its registry; `reference` ends in its digest."""
        digest = reference.partition("@")[2]
        return self.scanner.scan(
            ScanRequest(reference, remote=True, digest=digest, platform=LINUX_AMD64, keep=keep)
        )

    def base(self, digest: str) -> Scan:
        return self.remote(f"debian@{digest}")

    def image(self, *lines: str, name: str = "image") -> str:
        context = self.folder / "context"
        context.mkdir(exist_ok=True)
        dockerfile = self.folder / f"{name}.Dockerfile"
        dockerfile.write_text("\n".join((*lines, "")))
        # One name for two images would leave the first without any, and nobody would remove it.
        request = BuildRequest(context, dockerfile, f"{self.prefix}-{name}-{next(_NUMBERS)}")
        return self.builder.build(request).image

    def scan(self, image: str, *, keep: bool = False, exposure: bool = False) -> Scan:
        wanted = ScanRequest(
            image, remote=False, digest=image, platform=LINUX_AMD64, keep=keep, exposure=exposure
        )
        return self.scanner.scan(wanted)

    def pushed(self, *lines: str, name: str) -> str:
        """Build a base image of one's own and push it; gives its reference with digest."""
        image = self.image(*lines, name=name)
        tag = f"{self.lab.registry}/{self.prefix}/{name}:1"
        self.docker("tag", image, tag)
        said = self.docker("push", tag)
        self.docker("rmi", tag)
        digest = said.rpartition("digest: ")[2].split()[0]
        return f"{self.lab.registry}/{self.prefix}/{name}@{digest}"

    def docker(self, *words: str) -> str:
        settings = BuilderSettings(self.lab.docker_host)
        command = choose_command(settings).path
        return process.run([command, *words], timeout=120, env=settings.environment()).text


@contextmanager
def opened(lab: Lab, folder: Path) -> Iterator[Bench]:
    """A bench whose images are gone afterwards."""
    settings = ScannerSettings(
        folder / "scans",
        DatabaseSettings(lab.trivy_cache, offline=True),
        engine={"DOCKER_HOST": lab.docker_host},
        mirrors={"docker.io": (f"http://{lab.registry}",)},
    )
    builder = DockerBuilder(BuilderSettings(lab.docker_host, reachable=archive.addresses()))
    artifacts = open_shelf(str(folder / "artifacts"))
    made = Bench(lab, settings, builder, artifacts, folder, f"refit-{uuid.uuid4().hex[:8]}")
    try:
        yield made
    finally:
        builder.remove(made.prefix)
