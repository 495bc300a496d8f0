"""A newer Docker beside the machine's: engine, command and plug-ins of Debian 13, unpacked and not installed.

    python -m tests.newer        # fetches it where it is missing, and says how to use it

Debian 12 has Docker 20.10, with BuildKit built in; Debian 13 has 26.1, with buildx and compose. Its packages
come through apt from the machine's own mirror, into lists of their own, checked by Debian's keyring. They run
on Debian 12, all but runc: the engine takes the machine's.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock

from bot.builder import BuilderSettings
from bot.errors import ProcessFailed
from bot.process import environment, run
from deploy.lab import LabError, archive, packages
from deploy.lab.engine import Engine

RELEASE: Final = "trixie"
PACKAGES: Final = ("docker.io", "docker-cli", "docker-buildx", "docker-compose", "containerd")
PLUGINS: Final = ("docker-buildx", "docker-compose")
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
_ROOT: Final = Path(__file__).parents[1]
_COMMAND: Final = "python -m tests.newer"
_SECONDS: Final = 900
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Newer:
    """Where it was unpacked.

    Args:
        folder: Its own folder in the lab's.
    """

    folder: Path

    @property
    def usr(self) -> Path:
        """What would be `/usr` were it installed."""
        return self.folder / "root" / "usr"

    @property
    def docker(self) -> Path:
        """The docker command; it finds its plug-ins by `config`."""
        return self.usr / "bin" / "docker"

    @property
    def config(self) -> Path:
        """The value for DOCKER_CONFIG: a folder with the plug-ins buildx and compose, and no logins."""
        return self.folder / "config"

    def environment(self, **extra: str) -> dict[str, str]:
        """A small environment in which `docker` has its plug-ins."""
        return environment(DOCKER_CONFIG=str(self.config), HOME="/nonexistent", **extra)


@dataclass(frozen=True, slots=True)
class NewerEngine:
    """A second private engine, of the newer Docker.

    Args:
        newer: The programs.
        engine: What they run.
    """

    newer: Newer
    engine: Engine

    @property
    def settings(self) -> BuilderSettings:
        """How Refit's builder reaches it: through buildx."""
        return BuilderSettings(self.engine.host, docker_config=self.newer.config, docker=self.newer.docker)


def ensure(folder: Path | None = None, release: str = RELEASE) -> Newer:
    """The newer Docker, fetched where it is missing.

    Args:
        folder: Where it is kept between runs; default `newer` of the lab's folder.
        release: Debian's, whose Docker it is.

    Raises:
        LabError: It cannot be had here; the hint says how to get it.
    """
    newer = Newer((folder or _lab() / "newer").resolve())
    newer.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(newer.folder / "lock", timeout=_SECONDS):
        if not (newer.folder / "ready").exists():
            _fetch(newer, release)
            (newer.folder / "ready").touch()
    return newer


@contextmanager
def running(
    newer: Newer, folder: Path, mirror: str, *, env: Mapping[str, str] | None = None, features: str = ""
) -> Iterator[NewerEngine]:
    """Run a private engine of it; what it made in `folder` is removed at the end.

    Args:
        newer: The programs.
        folder: For its images, containers and log.
        mirror: `HOST:PORT` of the registry that answers for docker.io; empty for docker.io itself.
        env: Environment of the engine beside the machine's own.
        features: One of the engine's that is to be switched on: `containerd-snapshotter` keeps images in
            containerd's store, as Docker 29 does when it is new on a machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "daemon.json"
    config.write_text(json.dumps({"features": {features: True} if features else {}}))
    pairs, options = tuple((env or {}).items()), (f"--config-file={config.resolve()}",)
    engine = Engine(folder.resolve(), mirror, pairs, programs=newer.usr, options=options)
    try:
        engine.start()
        yield NewerEngine(newer, engine)
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(newer: Newer, release: str) -> None:
    print(f"fetching Docker of Debian {release}: {' '.join(PACKAGES)}")
    for name in ("root", "config", "apt"):
        shutil.rmtree(newer.folder / name, ignore_errors=True)
    apt = newer.folder / "apt"
    options = _private(apt, release)
    try:
        _apt(["apt-get", *options, "update", "-qq"])
        _apt(["apt-get", *options, "download", "-qq", *PACKAGES], folder=apt)
        for package in sorted(apt.glob("*.deb")):
            run(["dpkg-deb", "--extract", package, newer.folder / "root"], timeout=_SECONDS)
    except ProcessFailed as error:
        message = f"Docker of Debian {release} could not be fetched: {error}."
        hint = f"See that this machine's mirror of Debian has {release} too, then run {_COMMAND}."
        raise LabError(message, hint=hint) from error
    _link_plugins(newer)
    shutil.rmtree(apt)


def _private(apt: Path, release: str) -> list[str]:
    """Options that give apt a source and lists of its own; all else (proxies, logins) is the machine's."""
    for name in ("lists/partial", "archives/partial", "none"):
        (apt / name).mkdir(parents=True)
    sources = apt / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {release} main\n")
    values = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": apt / "none",
        "Dir::Etc::preferencesparts": apt / "none",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt,
        "Acquire::Languages": "none",
        "Acquire::Retries": _TRIES,
        "APT::Sandbox::User": "root",  # its own user may not write where we do
        "APT::Update::Error-Mode": "any",
    }
    return [word for name, value in values.items() for word in ("-o", f"{name}={value}")]


def _mirror() -> str:
    """Where this machine gets Debian from."""
    try:
        return archive.read().uris[archive.RELEASE]
    except LabError:
        packages.refresh()
        return archive.read().uris[archive.RELEASE]


def _apt(argv: list[str], folder: Path | None = None) -> None:
    """Run it, again where a mirror was out of step for a moment."""
    for left in reversed(range(_TRIES)):
        if run(argv, timeout=_SECONDS, env=dict(os.environ), cwd=folder, check=left == 0).code == 0:
            return


def _link_plugins(newer: Newer) -> None:
    plugins = newer.config / "cli-plugins"
    plugins.mkdir(parents=True)
    for name in PLUGINS:
        (plugins / name).symlink_to(Path("../../root/usr/libexec/docker/cli-plugins") / name)  # moves with us


def _lab() -> Path:
    return Path(os.environ.get("REFIT_LAB_DIR") or _ROOT / ".lab")


def main() -> int:
    """Fetch it and say how to use it; 4 when it cannot be had."""
    try:
        newer = ensure()
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"DOCKER_CONFIG={newer.config} {newer.docker}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
