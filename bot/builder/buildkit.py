"""The `Builder` port on a Docker engine: BuildKit through the docker command, the SDK for the rest."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import docker
import docker.errors

from bot import process
from bot.builder.client import BuilderSettings, Command, choose_command, connect, engine_version
from bot.builder.failures import failure, unfinished
from bot.builder.health import start_and_probe
from bot.builder.measure import measure_stream
from bot.builder.problems import engine_errors
from bot.builder.progress import Progress, ProgressReader
from bot.errors import EngineError, ProcessFailed
from bot.model.evidence import Build, Health
from bot.model.target import HealthPlan
from bot.ports import BuildRequest

__all__ = ["BuilderSettings", "DockerBuilder"]

_SAVE_CHUNK: Final = 2 * 1024**2


class DockerBuilder:
    """Builds, measures and starts images. Safe to call from several threads.

    Args:
        settings: How the engine is reached.
    """

    def __init__(self, settings: BuilderSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._command: Command | None = None

    def available(self) -> str:
        """Name and version of engine and command: `docker 20.10.24, buildkit by docker 20.10.24`.

        Raises:
            EngineMissing: There is no engine, or no docker command that can build.
        """
        version, command = engine_version(self._settings), self._chosen()
        how = "buildx" if command.buildx else "docker"
        return f"docker {version}, buildkit by {how} {command.version}"

    def build(self, request: BuildRequest) -> Build:
        """Build an image, tagged with the request's name, and measure it.

        Raises:
            BuildFailed: It does not build, or not in time; with the failing step's last lines.
            EngineError: The engine failed.
        """
        command = self._chosen()
        with tempfile.TemporaryDirectory(prefix="refit-build-", dir=request.scratch) as folder:
            iidfile = Path(folder) / "iid"
            started = time.monotonic()
            progress = self._run(command, request, iidfile)
            seconds = time.monotonic() - started
            build = self._measured(_read_id(iidfile), dict(request.base_layers), Path(folder))
        return replace(
            build,
            seconds=seconds,
            steps=progress.steps,
            pull_seconds=progress.pull_seconds,
            pull_bytes=progress.pull_bytes,
        )

    def measure(self, image: str) -> Build:
        """Measure an image that the engine has.

        Raises:
            EngineError: It has none of that name, or failed.
        """
        with tempfile.TemporaryDirectory(prefix="refit-measure-") as folder:
            return self._measured(image, {}, Path(folder))

    def health(self, image: str, plan: HealthPlan, *, name: str) -> Health:
        """Start an image on a closed network and probe it until it is healthy or time is up.

        Everything that was started is removed again.

        Raises:
            EngineError: The engine failed, or a companion cannot be had.
        """
        with connect(self._settings) as client, engine_errors(f"start {name}"):
            return start_and_probe(client, self._chosen().path, self._settings, image, plan, name=name)

    def remove(self, prefix: str) -> None:
        """Remove every container, network and image whose name starts with `prefix`.

        What a run that crashed left behind goes as well.

        Raises:
            EngineError: The engine refused, or the prefix is empty, which would mean everything.
        """
        if not prefix:
            raise EngineError("an empty prefix would remove every image")
        with connect(self._settings) as client, engine_errors(f"remove {prefix}"):
            _remove_containers(client, prefix)
            _remove_networks(client, prefix)
            _remove_images(client, prefix)

    def _measured(self, image: str, base: Mapping[str, int | None], scratch: Path) -> Build:
        with connect(self._settings) as client, engine_errors(f"save {image}"):
            archive = client.images.get(image).save(chunk_size=_SAVE_CHUNK)
            return measure_stream(archive, base, scratch)

    def _chosen(self) -> Command:
        with self._lock:
            self._command = self._command or choose_command(self._settings)
            return self._command

    def _run(self, command: Command, request: BuildRequest, iidfile: Path) -> Progress:
        argv = [str(command.path), *build_arguments(command, request, iidfile)]
        env, reader = self._settings.environment(), ProgressReader()
        try:
            finished = process.run(argv, timeout=request.seconds, env=env, check=False, on_line=reader.feed)
        except ProcessFailed as error:
            raise unfinished(error, reader.result(), request) from error
        if finished.code != 0:
            raise failure(reader.result(), request, finished.tail)
        return reader.result()


def build_arguments(command: Command, request: BuildRequest, iidfile: Path) -> list[str]:
    """The arguments of `docker build`; no layer cache below a fresh stage, cache mounts of its own."""
    arguments = [*command.build, "--iidfile", str(iidfile), "--tag", request.name]
    arguments += ["--file", str(request.dockerfile), "--network", "default", *_no_cache(command, request)]
    arguments += [word for key, value in request.args for word in ("--build-arg", f"{key}={value}")]
    arguments += ["--build-arg", f"BUILDKIT_CACHE_MOUNT_NS={request.name}"]
    if request.stage is not None:
        arguments += ["--target", request.stage]
    if request.platform is not None:
        arguments += ["--platform", str(request.platform)]
    return [*arguments, "--", str(request.context)]


def _no_cache(command: Command, request: BuildRequest) -> list[str]:
    """Run the fresh stages without cache; all stages where the command cannot choose, or one has no name."""
    named = request.fresh_stages and not any(stage.isdigit() for stage in request.fresh_stages)
    if command.buildx and named:
        return ["--no-cache-filter", ",".join(request.fresh_stages)]
    return ["--no-cache"]


def _read_id(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise EngineError(f"the build said it was done but named no image: {error.strerror}") from error


def _remove_containers(client: docker.DockerClient, prefix: str) -> None:
    for container in client.containers.list(all=True, filters={"name": prefix}, ignore_removed=True):
        if (container.name or "").startswith(prefix):
            with suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)


def _remove_networks(client: docker.DockerClient, prefix: str) -> None:
    for network in client.networks.list(filters={"name": prefix}):
        if (network.name or "").startswith(prefix):
            with suppress(docker.errors.NotFound):
                network.remove()


def _remove_images(client: docker.DockerClient, prefix: str) -> None:
    """Untag and remove; what somebody else removed meanwhile is gone, which is all that was wanted."""
    for tag in [tag for image in client.images.list() for tag in image.tags if tag.startswith(prefix)]:
        with suppress(docker.errors.NotFound):
            client.images.remove(tag, force=True)
