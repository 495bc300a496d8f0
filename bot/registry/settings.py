"""How to speak to each registry, and where immutable answers are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.model.reference import Reference


class ContentCache(Protocol):
    """The part of the store that the registry client uses."""

    def cached(self, kind: str, key: str) -> tuple[bytes, datetime] | None:
        """A cached answer and when it was stored."""
        ...

    def cache(self, kind: str, key: str, value: bytes, now: datetime) -> None:
        """Cache an answer."""
        ...


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What an operator says about one registry host.

    Attributes:
        mirrors: Asked before the registry, in order: `host[:port][/prefix]`, with or without a scheme.
        insecure: Allow plain HTTP and certificates that nobody vouches for.
        ca_file: Certificates trusted for this host, beside the system's.
        username: User of a login, together with `password`.
        password: Password or access token of `username`.
        token: A finished bearer token, sent as it is.
        concurrency: Most requests in flight at once.
        rate: Most requests in a second, or None.
        aliases: Other host names of the same registry; what they name is asked here.
        timeout: Seconds that one request may take, its body included.
    """

    mirrors: tuple[str, ...] = ()
    insecure: bool = False
    ca_file: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    concurrency: int = 8
    rate: float | None = None
    aliases: tuple[str, ...] = ()
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """The settings of the registry client.

    Attributes:
        hosts: Settings by host as references name it (`docker.io`), mirrors included.
        docker_config: Docker's `config.json`, read for logins; None reads none.
        tags_age: How long a stored tag list is good enough.
    """

    hosts: Mapping[str, HostSettings] = field(default_factory=dict)
    docker_config: Path | None = None
    tags_age: timedelta = timedelta(hours=24)

    def canonical(self, reference: Reference) -> Reference:
        """The same image under its registry's own name, where another one of its names was written."""
        name = next((name for name, host in self.hosts.items() if reference.registry in host.aliases), None)
        return reference if name is None else replace(reference, registry=name)

    def host(self, name: str) -> HostSettings:
        """The settings of one host; the defaults where nothing is said about it."""
        return self.hosts.get(name, HostSettings())
