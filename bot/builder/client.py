"""The docker command that can build, chosen by trying, and the SDK's connection."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import docker

from bot import process
from bot.builder.problems import HINTS, REACHING, engine_errors, hint_for
from bot.builder.reach import reaching, tls_of
from bot.errors import EngineError, EngineMissing, ProcessFailed

SDK_SECONDS: Final = 120
_TRY_SECONDS: Final = 60.0
_KNOCK_SECONDS: Final = 10.0
_DEFAULT_SOCKET: Final = "unix:///var/run/docker.sock"
_TRIAL: Final = b"FROM scratch\nLABEL dev.refit.trial=1\n"
_VERSION: Final = re.compile(r"Docker version ([0-9][^ ,]*)")
_BUILDX: Final = re.compile(r"\bv?([0-9]+\.[0-9]+[^ \n]*)")


@dataclass(frozen=True, slots=True)
class BuilderSettings:
    """How the engine is reached.

    Attributes:
        docker_host: Its DOCKER_HOST; empty takes the environment's, else the default socket.
        docker_config: Folder with the `config.json` that holds registry logins, and with plug-ins; None takes
            the environment's DOCKER_CONFIG, else the user's.
        logins: Logins of registries beside those, by the name under which Docker keeps each: their entries in
            `auths` of that file.
        docker: The docker command, or None to choose one on PATH by trying.
        cpus: Processors a container may use when started.
        processes: Processes a container may have when started.
        memory: Bytes of memory that one step of a build may use; None for no limit.
        min_free: Bytes that a build must leave free on the engine's disk.
        cache: Bytes of build cache that stay in the engine; None leaves it alone.
        closed_network: Keep builds from loopback, private and link-local addresses: where that cannot be had,
            `True` builds nothing, and `auto` builds all the same.
        reachable: Addresses and ranges that stay reachable all the same.
        firewall_image: Image that holds nft, to set the rules from a container; empty sets them from here.
    """

    docker_host: str = ""
    docker_config: Path | None = None
    logins: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False, hash=False)
    docker: Path | None = None
    cpus: float = 1.0
    processes: int = 512
    memory: int | None = None
    min_free: int = 0
    cache: int | None = None
    closed_network: bool | Literal["auto"] = "auto"
    reachable: tuple[str, ...] = ()
    firewall_image: str = ""

    @property
    def host(self) -> str:
        """Where the engine is, as a URL; empty for the default socket."""
        return self.docker_host or os.environ.get("DOCKER_HOST", "")

    @property
    def config(self) -> Path | None:
        """Docker's own folder; None for the user's."""
        named = os.environ.get("DOCKER_CONFIG")
        return self.docker_config or (Path(named) if named else None)

    def reaching(self) -> dict[str, str]:
        """What leads a program to the engine, as its environment."""
        return reaching(self.host, self.config)

    def environment(self) -> dict[str, str]:
        """The environment of the docker command: its home for plug-ins and logins, no more."""
        extra = {"DOCKER_BUILDKIT": "1", "HOME": os.environ.get("HOME", "/nonexistent"), **self.reaching()}
        if self.config:
            extra["DOCKER_CONFIG"] = str(self.config)
        return process.environment(**extra)


@dataclass(frozen=True, slots=True)
class Command:
    """A docker command that can build with BuildKit.

    Attributes:
        path: Where it is.
        version: Of what builds, the command or the plug-in: `20.10.24+dfsg1`.
        buildx: True where it builds by the buildx plug-in, which knows more flags.
    """

    path: Path
    version: str
    buildx: bool

    @property
    def words(self) -> tuple[str, ...]:
        """The words that begin a build, wherever its result goes."""
        if self.buildx:
            return ("buildx", "build", "--builder=default", "--provenance=false", "--progress=plain")
        return ("build", "--progress=plain")

    @property
    def build(self) -> tuple[str, ...]:
        """The words that begin a build into the engine's own image store."""
        return (*self.words, "--load") if self.buildx else self.words


@contextmanager
def connect(settings: BuilderSettings, seconds: int = SDK_SECONDS) -> Iterator[docker.DockerClient]:
    """A connection of the docker SDK; one for each use, for it is not made for threads.

    Raises:
        EngineMissing: No engine answers.
    """
    with engine_errors("be reached", (*REACHING, *HINTS)):
        _knock(settings.host or _DEFAULT_SOCKET)
        tls = tls_of(settings.reaching())
        client = docker.DockerClient(
            base_url=settings.host or None, version="auto", timeout=seconds, tls=tls or False
        )
    try:
        yield client
    finally:
        client.close()


def _knock(host: str) -> None:
    """Try the socket before the SDK does, which leaves it open when nobody answers."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as tried:
            tried.settimeout(_KNOCK_SECONDS)
            try:
                tried.connect(host.removeprefix("unix://"))
            except OSError as error:
                error.filename = host  # or nobody is told which socket it was
                raise


def choose_command(settings: BuilderSettings) -> Command:
    """The first docker command that really builds with BuildKit.

    A newer command without the buildx plug-in cannot build, and may stand before an older one
    with BuildKit inside: only trying tells.

    Raises:
        EngineMissing: None does; the message says what each one answered.
    """
    answers = []
    for path in [settings.docker] if settings.docker else candidates(os.environ.get("PATH", "")):
        try:
            return _tried(path, settings)
        except ProcessFailed as error:
            answers.append(f"{path}: {_reason(error)}")
    said = "; ".join(answers)
    raise EngineMissing(
        "no docker command here can build" + (f" ({said})" if said else ": there is none on PATH"),
        hint=hint_for(said)
        or "Install the docker command with BuildKit (docker.io 20.10, or docker-buildx).",
    )


def candidates(search_path: str) -> list[Path]:
    """Every `docker` on a search path, in its order, and the usual places after it; none twice."""
    folders = [*search_path.split(os.pathsep), "/usr/bin", "/usr/local/bin"]
    paths = [Path(folder) / "docker" for folder in folders if folder]
    return [path for path in dict.fromkeys(paths) if os.access(path, os.X_OK)]


def _tried(path: Path, settings: BuilderSettings) -> Command:
    """The command at `path`, by the buildx plug-in where that works, else by what it has inside."""
    env = settings.environment()
    found = _VERSION.search(process.run([path, "--version"], timeout=_TRY_SECONDS, env=env).text)
    plugin = process.run([path, "buildx", "version"], timeout=_TRY_SECONDS, env=env, check=False)
    if plugin.code == 0:
        named = _BUILDX.search(plugin.text)
        with contextlib.suppress(ProcessFailed):
            return _built_with(Command(path, named[1] if named else "unknown", buildx=True), env)
    return _built_with(Command(path, found[1] if found else "unknown", buildx=False), env)


def _built_with(command: Command, env: Mapping[str, str]) -> Command:
    """The command itself, once it has built an empty image, given back as an archive.

    A command that is too old for the engine still builds through its buildx plug-in, and can do nothing else.
    The engine keeps nothing of the trial, so nothing is left in it however this process ends.
    """
    words = [*command.words, "--output=type=tar,dest=-", "-"]
    with tempfile.TemporaryDirectory(prefix="refit-trial-") as folder:
        # Else buildx keeps a file of every build, and what it was piped in a folder.
        kept = {**env, "BUILDX_CONFIG": folder, "TMPDIR": folder}
        process.run([command.path, *words], timeout=_TRY_SECONDS, env=kept, stdin=_TRIAL)
    process.run([command.path, "version"], timeout=_TRY_SECONDS, env=env)
    return command


def _reason(error: ProcessFailed) -> str:
    lines: Sequence[str] = [line for line in error.output.splitlines() if line.strip()]
    told = [line for line in lines if "error" in line.lower() or "cannot connect" in line.lower()]
    return " ".join((told or lines or [error.message])[-1].split())[:300]


def data_folder(settings: BuilderSettings) -> Path | None:
    """Where the engine keeps its data, where that is on this machine; else None."""
    if not (settings.host or _DEFAULT_SOCKET).startswith("unix://"):
        return None
    with connect(settings) as client, engine_errors("tell about itself"):
        folder = Path(str(client.info().get("DockerRootDir") or "/nowhere"))
    return folder if folder.is_dir() else None


def engine_version(settings: BuilderSettings) -> str:
    """Version of the engine; raises `EngineMissing` where none answers."""
    with connect(settings) as client, engine_errors("say its version"):
        answer = client.version()
    if not answer.get("Version"):
        raise EngineError(f"the engine at {settings.host or 'the default socket'} says no version")
    return str(answer["Version"])
