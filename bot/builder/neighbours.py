"""Who else is on the engine's default bridge, and when that changes."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import docker
import docker.errors

from bot.builder.client import BuilderSettings, connect
from bot.builder.firewall import Bridge
from bot.errors import EngineError

_BRIDGE_NAME: Final = "com.docker.network.bridge.name"
_LIVING: Final = frozenset({"created", "running", "paused", "restarting"})
# `connect` comes some 0.3 s before a container's program runs, `die` before its address is free, which the
# engine may give at once to the next who asks, be it a build's step.
_EVENTS: Final = {"type": ["network", "container"], "event": ["connect", "disconnect", "die"]}
_JOIN_SECONDS: Final = 5.0


def bridge_of(client: docker.DockerClient) -> Bridge:
    """The engine's default bridge, which is where steps of builds are.

    Raises:
        EngineError: It has none.
    """
    attrs: dict[str, Any] = client.networks.get("bridge").attrs
    name = str((attrs.get("Options") or {}).get(_BRIDGE_NAME) or "")
    if not name:
        raise EngineError("the engine has no default bridge")
    configs = (attrs.get("IPAM") or {}).get("Config") or ()
    return Bridge(name, tuple(ipaddress.ip_network(one["Subnet"]) for one in configs))


def containers_on_it(client: docker.DockerClient) -> frozenset[str]:
    """Addresses of the engine's containers on its default bridge; a step of a build is no container.

    The network lists steps too, so only who is also among the containers counts.
    """
    living = {one["Id"] for one in client.api.containers(all=True) if one.get("State") in _LIVING}
    attached = (client.networks.get("bridge").attrs.get("Containers") or {}).items()
    theirs = [one for name, one in attached if name in living]
    found = (one.get(key) for one in theirs for key in ("IPv4Address", "IPv6Address"))
    return frozenset(address.partition("/")[0] for address in found if address)


@contextmanager
def listening(settings: BuilderSettings, changed: Callable[[], None]) -> Iterator[None]:
    """Call `changed`, in a thread of its own, whenever a container comes or goes."""
    with connect(settings) as client:
        events = client.events(filters=_EVENTS)

        def listen() -> None:
            with suppress(KeyboardInterrupt):  # this process ends
                for _ in events:
                    changed()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield
        finally:
            with suppress(docker.errors.DockerException, OSError):  # over ssh it cannot be ended
                events.close()
                thread.join(_JOIN_SECONDS)
