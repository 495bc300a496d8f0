"""Where firewall rules of the engine's machine are set: here, or in a container on that machine's network."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol, cast

import docker
import docker.errors
from docker.models.containers import Container

from bot import process
from bot.builder.client import BuilderSettings, connect
from bot.builder.firewall import Network
from bot.builder.images import have
from bot.builder.neighbours import bridge_of
from bot.builder.problems import engine_errors
from bot.errors import EngineError, ProcessFailed

CANNOT: Final = "builds cannot be kept from private addresses"
_SECONDS: Final = 20.0
_TRIES: Final = 3
# Engines give builds the second where systemd-resolved stands between.
_RESOLV: Final = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
_HELPER: Final[Mapping[str, Any]] = {
    "entrypoint": ["sleep"],
    "user": "0",
    "network_mode": "host",
    "read_only": True,
    "cap_drop": ["ALL"],
    "cap_add": ["NET_ADMIN"],
    "security_opt": ["no-new-privileges:true"],
    "pids_limit": 16,
}
_IMAGE_HINT: Final = (
    "Set builder.firewall_image to an image that holds nft: the engine then sets the rules itself, "
    "with no root for Refit."
)


class Firewall(Protocol):
    """Runs nft(8) where the engine's bridge is."""

    def nft(self, *words: str) -> str:
        """Run it with these arguments, of which a script may be one; gives what it wrote.

        Raises:
            EngineError: It cannot be run, or refused; then nothing has changed.
        """
        ...

    def servers(self) -> tuple[Network, ...]:
        """The machine's name servers, which the engine gives to builds too."""
        ...


@contextmanager
def firewall(settings: BuilderSettings, name: str) -> Iterator[Firewall]:
    """The firewall of the engine's machine.

    Args:
        settings: The engine, and whether rules are set in a container, of which image.
        name: Begins the name of that container.

    Raises:
        EngineError: It cannot be reached from here.
    """
    with ExitStack() as stack:
        client = stack.enter_context(connect(settings))
        wall: Firewall
        if settings.firewall_image:
            container = _helper(client, settings.firewall_image, f"{name}-firewall", stack)
            wall = _InContainer(container)
        else:
            _must_be_here(settings, client)
            wall = _Here()
        yield wall


class _Here:
    """This machine's own firewall."""

    def __init__(self, resolv: Sequence[Path] = _RESOLV) -> None:
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        self._nft, self._resolv = shutil.which("nft", path=path), resolv

    def nft(self, *words: str) -> str:
        if self._nft is None:
            raise EngineError(f"{CANNOT}: there is no nft", hint=f"Install nftables. {_IMAGE_HINT}")
        try:
            return process.run([self._nft, *words], timeout=_SECONDS).text
        except ProcessFailed as error:
            raise _refused(error.output or error.message) from error

    def servers(self) -> tuple[Network, ...]:
        texts = [file.read_text(encoding="utf-8") for file in self._resolv if file.is_file()]
        return tuple(name_servers(texts))


class _InContainer:
    """The firewall of the engine's machine, from a container on its network that may do nothing else."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def nft(self, *words: str) -> str:
        return self._told("nft", *words) if words[0] == "--json" else self._run("nft", *words)

    def servers(self) -> tuple[Network, ...]:
        return tuple(name_servers([self._told("cat", str(_RESOLV[0]))]))

    def _told(self, *argv: str) -> str:
        """What it writes: of a program that ends at once, Docker 20.10 may pass nothing on."""
        return next(filter(None, (self._run(*argv) for _ in range(_TRIES))), "")

    def _run(self, *argv: str) -> str:
        with engine_errors(f"run {argv[0]}"):
            code, output = self._container.exec_run(list(argv))
        text = cast("bytes", output).decode(errors="replace")  # it is no stream, for none was asked for
        if code != 0:
            raise _refused(text)
        return text


def _helper(client: docker.DockerClient, image: str, name: str, stack: ExitStack) -> Container:
    try:
        with engine_errors(f"start {image}"):
            have(client, image)
            container = client.containers.create(image, ["infinity"], name=name, **_HELPER)
            stack.callback(_remove, container)
            container.start()
    except EngineError as error:
        hint = "builder.firewall_image is an image that the engine can pull, with nft and sleep in it."
        raise EngineError(f"{CANNOT}: {error.message}", hint=hint) from error
    return container


def _remove(container: Container) -> None:
    with suppress(docker.errors.DockerException, OSError):  # else it goes with all that has the build's name
        container.remove(force=True)


def name_servers(texts: Iterable[str]) -> Iterator[Network]:
    """The name servers of resolv.conf(5) files; loopback ones are left out, as engines do."""
    for text in texts:
        for found in re.finditer(r"^nameserver\s+([0-9A-Fa-f.:]+)", text, re.MULTILINE):
            with suppress(ValueError):
                address = ipaddress.ip_network(found[1])
                if not address.is_loopback:
                    yield address


def _must_be_here(settings: BuilderSettings, client: docker.DockerClient) -> None:
    """An engine elsewhere, or in a network of its own, may have a bridge named like one here."""
    with engine_errors("tell about itself"):
        info, bridge = client.info(), bridge_of(client)
    local = not settings.host or settings.host.startswith("unix://")
    if not local or info.get("Name") != socket.gethostname():
        why = "the engine is on another machine"
    elif any("rootless" in one for one in info.get("SecurityOptions") or ()):
        why = "the engine is rootless"
    elif not Path("/sys/class/net", bridge.name).exists():
        why = "the engine's bridge is not on this machine"
    else:
        return
    raise EngineError(f"{CANNOT}: {why}", hint=_IMAGE_HINT)


def _refused(said: str) -> EngineError:
    line = next((one for one in said.splitlines() if one.strip()), "nft failed")
    if "not permitted" in said:
        return EngineError(
            f"{CANNOT}: Refit may not set firewall rules",
            hint=f"Run it as root, or with CAP_NET_ADMIN. {_IMAGE_HINT}",
        )
    return EngineError(f"{CANNOT}: {line[:300]}", hint="nftables 0.9.8 and Linux 5.9 are needed.")
