"""The `Builder` port on a Docker engine: BuildKit through the docker command, the SDK for the rest."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from bot import process
from bot.builder.arguments import build_arguments
from bot.builder.client import BuilderSettings, Command, choose_command, connect, data_folder, engine_version
from bot.builder.failures import failure, kept_away, unfinished
from bot.builder.guard import Guard, guarded
from bot.builder.health import start_and_probe
from bot.builder.images import give_back
from bot.builder.logins import logged_in
from bot.builder.measure import measure_stream
from bot.builder.problems import engine_errors
from bot.builder.progress import Progress, ProgressReader
from bot.builder.removal import remove_all, trim_cache
from bot.builder.secrets import redacted, written
from bot.builder.watch import Watch
from bot.errors import BuildFailed, EngineError, ProcessFailed
from bot.model.evidence import Build, BuildNetwork, Health
from bot.model.target import HealthPlan
from bot.ports import BuildRequest

__all__ = ["BuilderSettings", "DockerBuilder"]

_SAVE_CHUNK: Final = 2 * 1024**2
_OUTPUT_LIMIT: Final = 16 * 1024**2


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
        """What builds with what: `docker 20.10.24, buildkit by docker 20.10.24`, `… by buildx 0.13.1`.

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
            # buildx keeps a file for every build where its settings are, and copies of what it is given.
            env = logged_in(self._settings, Path(folder)) | {"BUILDX_CONFIG": folder, "TMPDIR": folder}
            secrets = written(request.secrets, Path(folder))
            arguments = build_arguments(command, request, secrets)
            with redacted(request.secrets), guarded(self._settings, request.name) as guard:
                started = time.monotonic()
                progress = self._run([str(command.path), *arguments], env, request, guard)
                seconds = time.monotonic() - started
                network = self._checked(guard.network())
            build = self._measured(request.name, dict(request.base_layers), Path(folder))
        return replace(
            build,
            seconds=seconds,
            steps=progress.steps,
            pull_seconds=progress.pull_seconds,
            pull_bytes=progress.pull_bytes,
            network=network,
            lost_caches=progress.lost_caches,
        )

    def measure(self, image: str) -> Build:
        """Measure an image that the engine has.

        Raises:
            EngineError: It has none of that name, or failed.
        """
        with tempfile.TemporaryDirectory(prefix="refit-measure-") as folder:
            return self._measured(image, {}, Path(folder))

    def save(self, image: str, file: Path) -> None:
        """Write an image that the engine has into a file, as `docker save` does.

        Raises:
            EngineError: It has none of that name, or failed.
        """
        with connect(self._settings) as client, engine_errors(f"save {image}"), file.open("wb") as out:
            for chunk in client.images.get(image).save(chunk_size=_SAVE_CHUNK):
                out.write(chunk)

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

        What a run that crashed left behind goes as well, and the build cache over the settings'
        limit, what was used longest ago first.

        Raises:
            EngineError: The engine refused, or the prefix is empty, which would mean everything.
        """
        if not prefix:
            raise EngineError("an empty prefix would remove every image")
        with connect(self._settings) as client, engine_errors(f"remove {prefix}"):
            remove_all(client, prefix)
            trim_cache(client, self._settings.cache)

    def close(self) -> None:
        """Give back the images that were pulled to be started beside others; a base is build cache.

        Raises:
            EngineError: The engine refused.
        """
        with connect(self._settings) as client, engine_errors("remove what was pulled"):
            give_back(client)

    def _measured(self, name: str, base: Mapping[str, int | None], scratch: Path) -> Build:
        """Measure an image by name; its id is what the engine says, for image stores differ in that.

        Docker's own store takes the digest of the config for it, containerd's that of the manifest.
        """
        with connect(self._settings) as client, engine_errors(f"save {name}"):
            image = client.images.get(name)
            build = measure_stream(image.save(chunk_size=_SAVE_CHUNK), base, scratch)
            return replace(build, image=str(image.id))

    def _chosen(self) -> Command:
        with self._lock:
            self._command = self._command or choose_command(self._settings)
            return self._command

    def _checked(self, network: BuildNetwork) -> BuildNetwork:
        if self._settings.closed_network is True and not network.closed:
            raise EngineError(f"the build's network was not closed all the time: {network.reason}")
        return network

    def _run(self, argv: list[str], env: Mapping[str, str], request: BuildRequest, guard: Guard) -> Progress:
        try:
            return self._watched(argv, env, request, guard)
        except BuildFailed as error:
            raise kept_away(error, guard.refused()) from error

    def _watched(
        self, argv: list[str], env: Mapping[str, str], request: BuildRequest, guard: Guard
    ) -> Progress:
        reader = ProgressReader()
        watch = Watch(self._settings.memory, self._settings.min_free, data_folder(self._settings))

        def trouble() -> str:
            guard.keep()
            return watch.trouble()

        try:
            finished = process.run(
                argv,
                timeout=request.seconds,
                env=env,
                check=False,
                limit=_OUTPUT_LIMIT,
                on_line=reader.feed,
                until=trouble,
                tied=True,
            )
        except ProcessFailed as error:
            raise unfinished(error, reader.result(), request, watch) from error
        if finished.code != 0:
            raise failure(reader.result(), request, finished.tail)
        return reader.result()
