"""Which hosts answer for a registry: its mirrors first, then itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.errors import ConfigError
from bot.model.reference import DOCKER_HUB, Reference
from bot.registry.guard import is_loopback
from bot.registry.settings import HostSettings, RegistrySettings

_API_HOSTS: Final = {DOCKER_HUB: "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to ask for an image.

    Attributes:
        name: The host as settings and sentences name it.
        host: The host that is connected to, with its port where there is one.
        scheme: `http` or `https` where it is certain; None where it has to be tried.
        settings: What the operator says about it.
        prefix: Path in front of repositories (a proxy project of Harbor or Nexus).
        mirror: True where it stands in for another registry.
    """

    name: str
    host: str
    scheme: str | None
    settings: HostSettings
    prefix: str = ""
    mirror: bool = False

    def repository(self, reference: Reference) -> str:
        """The repository as this host knows it."""
        return f"{self.prefix}/{reference.repository}" if self.prefix else reference.repository


def endpoints(reference: Reference, settings: RegistrySettings) -> tuple[Endpoint, ...]:
    """Everybody who may know an image, in the order in which they are asked.

    Raises:
        ConfigError: A mirror's address cannot be used.
    """
    own = settings.host(reference.registry)
    mirrors = tuple(_mirror(text, settings) for text in own.mirrors)
    return (*mirrors, _endpoint(reference.registry, None, own))


def _endpoint(name: str, scheme: str | None, settings: HostSettings, prefix: str = "") -> Endpoint:
    host = _API_HOSTS.get(name, name)
    bare = bare_host(host)
    tried = settings.insecure or is_loopback(bare)
    certain = scheme or (None if tried else "https")
    return Endpoint(name, host, certain, settings, prefix)


def bare_host(host: str) -> str:
    """A host without its port."""
    return host.partition("]")[0][1:] if host.startswith("[") else host.partition(":")[0]


def _mirror(text: str, settings: RegistrySettings) -> Endpoint:
    scheme, _, rest = text.rpartition("://")
    name, _, prefix = rest.strip("/").partition("/")
    found = _endpoint(name, scheme or None, settings.host(name), prefix)
    if scheme not in ("", "http", "https") or not name or "@" in name:
        raise ConfigError(f"registries: mirrors: {text!r} is not host[:port][/prefix]")
    if scheme == "http" and not (found.settings.insecure or is_loopback(bare_host(name))):
        raise ConfigError(
            f"registries: mirrors: {text} would be spoken to in plain HTTP",
            hint=f"Give {name} its own entry with `insecure: true` if that is meant.",
        )
    return Endpoint(found.name, found.host, found.scheme, found.settings, prefix, mirror=True)
