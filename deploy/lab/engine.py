"""A private Docker engine: own folder, own socket, own bridge; it disturbs no other engine on the machine."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.lab import leftovers
from deploy.lab.daemon import Daemon
from deploy.lab.docker import Docker
from deploy.lab.network import Bridge

_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine that belongs to one lab folder.

    Args:
        folder: The lab's folder; images and containers live in its `engine`.
        mirror: `HOST:PORT` of the registry that answers for docker.io; empty for docker.io itself.
        env: Environment of the engine beside the machine's own, as pairs: a proxy, for example.
        programs: The `/usr` that dockerd is in: the machine's, or another version's, unpacked.
        options: More of dockerd's options.
    """

    folder: Path
    mirror: str
    env: tuple[tuple[str, str], ...] = ()
    programs: Path = Path("/usr")
    options: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The value for DOCKER_HOST."""
        return f"unix://{self._runtime}/docker.sock"

    @property
    def _name(self) -> str:
        return "refit" + hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]

    @property
    def _runtime(self) -> Path:
        """Sockets live here: a Unix socket's path has at most 107 bytes, and the lab's folder may be deep."""
        return Path("/run") / self._name

    @property
    def _daemon(self) -> Daemon:
        return Daemon("dockerd", self.folder)

    @property
    def _bridge(self) -> Bridge:
        return Bridge(self._name)

    def start(self) -> None:
        """Start the engine, unless it runs; what a killed run left behind is cleared first.

        Raises:
            LabError: It does not start; the message has the last line of its log.
        """
        if self._daemon.pid is not None and self.docker.answers():
            return
        self.stop()
        # The engine would give its bridge the range of its last life, which another lab may hold by now.
        shutil.rmtree(self.folder / "engine" / "network", ignore_errors=True)
        self._runtime.mkdir(parents=True, exist_ok=True)
        self._bridge.up()
        path = f"{self.programs}/sbin:{self.programs}/bin:{_PATH}:{os.environ.get('PATH', '')}"
        env = dict(os.environ) | {"PATH": path, **dict(self.env)}
        self._daemon.start(self._arguments(), ready=self.docker.answers, timeout=300, env=env)

    def stop(self) -> None:
        """End the engine and everything it started; its images stay for the next start."""
        self._daemon.stop(grace=30)
        leftovers.clear(self._runtime, self.folder / "engine")
        self._bridge.down()
        shutil.rmtree(self._runtime, ignore_errors=True)

    @property
    def docker(self) -> Docker:
        """The docker command of its own version against this engine."""
        return Docker(self.host, self.programs / "bin" / "docker")

    def _arguments(self) -> list[str]:
        return [
            str(self.programs / "sbin" / "dockerd"),
            f"--data-root={self.folder / 'engine'}",
            f"--exec-root={self._runtime}",
            f"--host={self.host}",
            f"--pidfile={self._runtime / 'docker.pid'}",
            f"--bridge={self._name}",
            "--iptables=false",
            # A containerd of the system may be shared: the names keep its other users' containers apart.
            f"--containerd-namespace={self._name}",
            f"--containerd-plugins-namespace={self._name}-plugins",
            "--insecure-registry=127.0.0.0/8",
            *([f"--registry-mirror=http://{self.mirror}"] if self.mirror else []),
            "--shutdown-timeout=3",
            "--log-level=warn",
            *self.options,
        ]
