"""deploy/compose.yaml on the lab's engine, brought up by a real Docker Compose, with stand-ins for images."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot import process
from bot.errors import ProcessFailed
from deploy.lab import Lab
from tests.e2e.images import docker
from tests.e2e.privileges import almost_privileged
from tests.e2e.world import ROOT
from tests.newer import Newer

FILE: Final = ROOT / "deploy" / "compose.yaml"
_MADE_UP: Final = "the-password-of-this-test"


@dataclass(frozen=True, slots=True)
class Compose:
    """One project of Docker Compose.

    Attributes:
        lab: Where it runs.
        command: The docker command that has the plug-in.
        folder: Holds refit.yaml, .env and what the test adds to the file.
        name: Of the project.
    """

    lab: Lab
    command: Newer
    folder: Path
    name: str

    def __call__(self, *words: str, seconds: float = 300) -> str:
        """Run one command of Compose; what it printed.

        Raises:
            ProcessFailed: It failed.
        """
        files = ["-f", str(FILE), "-f", str(self.folder / "more.json")]
        where = ["-p", self.name, "--project-directory", str(self.folder), *files]
        env = self.command.environment(DOCKER_HOST=self.lab.docker_host)
        try:
            argv: list[str | Path] = [self.command.docker, "compose", *where, *words]
            return process.run(argv, timeout=seconds, env=env).text
        except ProcessFailed as error:
            raise AssertionError(f"{error}\n{error.output}") from error

    def load(self, image: str) -> None:
        """Give an image to the project's own engine, as the file says; in parts that no pipe has to hold."""
        docker(self.lab, "save", "--output", self.folder / "image.tar", image)
        self("cp", str(self.folder / "image.tar"), "engine:/srv/image.tar")
        self("exec", "-T", "engine", "docker", "load", "--input", "/srv/image.tar")

    def state(self, service: str) -> dict[str, Any]:
        """The engine's word on the container of a service."""
        container = self("ps", "--all", "--quiet", service).strip()
        found: list[dict[str, Any]] = json.loads(docker(self.lab, "inspect", container))
        return found[0]

    def logs(self, service: str) -> str:
        """All that a service logged."""
        return self("logs", "--no-color", "--no-log-prefix", service)

    def wait_healthy(self, service: str, seconds: float = 400) -> None:
        """Wait for the image's HEALTHCHECK to say so."""
        deadline = time.monotonic() + seconds
        while (state := self.state(service)["State"])["Health"]["Status"] != "healthy":
            assert time.monotonic() < deadline, f"{state}\n{self.logs(service)}"
            time.sleep(0.5)

    def wait_for(self, service: str, words: str, seconds: float = 400) -> None:
        """Wait until a service has logged these words."""
        deadline = time.monotonic() + seconds
        while words not in (log := self.logs(service)):
            assert time.monotonic() < deadline, f"{service}: no {words!r} in\n{log}"
            time.sleep(0.5)


@contextmanager
def project(
    lab: Lab,
    newer: Newer,
    folder: Path,
    *,
    refit: Mapping[str, object],
    variables: Mapping[str, str],
    services: Mapping[str, object] | None = None,
) -> Iterator[Compose]:
    """A project in a folder of its own; its containers, networks and volumes are gone afterwards.

    Args:
        lab: Where it runs.
        newer: The docker command.
        folder: An empty one.
        refit: The configuration.
        variables: What stands in `.env`.
        services: What the lab needs beyond the file, by service.
    """
    for name, content in (("refit.yaml", refit), ("more.json", {"services": services or {}})):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    named = {"REFIT_STORE_PASSWORD": _MADE_UP, **variables}
    (folder / ".env").write_text(
        "".join(f"{key}={value}\n" for key, value in named.items()), encoding="utf-8"
    )
    made = Compose(lab, newer, folder, f"refit-{folder.name}".lower())
    try:
        yield made
    finally:
        made("--profile", "engine", "--profile", "many", "down", "--volumes", "--timeout", "5")


def engine_here(flags: Sequence[str]) -> dict[str, object]:
    """What `engine` has in place of `privileged`, and what it runs with more flags."""
    return {
        "privileged": False,
        **almost_privileged(),
        "command": ["dockerd", "--host=unix:///run/engine/docker.sock", "--group=10001", *flags],
    }
