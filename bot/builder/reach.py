"""How an engine is reached, in the words of docker's own environment, for everything that speaks to it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import docker

_TCP: Final = "tcp://"


def reaching(host: str, config: Path | None) -> dict[str, str]:
    """The environment that leads the docker command, and Trivy, to an engine.

    Certificates go with an engine at a `tcp://` address only, where the environment says that they are to be
    checked: https://docs.docker.com/engine/security/protect-access/#secure-by-default

    Args:
        host: Its URL; empty for the default socket.
        config: Docker's folder, where certificates are by default; None for the user's.
    """
    reached = {"DOCKER_HOST": host} if host else {}
    if not host.startswith(_TCP) or not os.environ.get("DOCKER_TLS_VERIFY"):
        return reached
    folder = os.environ.get("DOCKER_CERT_PATH") or str(config or Path.home() / ".docker")
    return reached | {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder}


def tls_of(reached: Mapping[str, str]) -> docker.tls.TLSConfig | None:
    """The same for the SDK; None where no certificate is asked for.

    Raises:
        TLSParameterError: One of them is not there.
    """
    if "DOCKER_CERT_PATH" not in reached:
        return None
    ca, cert, key = (f"{reached['DOCKER_CERT_PATH']}/{name}.pem" for name in ("ca", "cert", "key"))
    return _Certified(client_cert=(cert, key), ca_cert=ca, verify=True)


class _Certified(docker.tls.TLSConfig):
    """Certificates of the engine's own: requests would take `$REQUESTS_CA_BUNDLE` for who vouches for it."""

    def configure_client(self, client: docker.APIClient) -> None:
        """See `TLSConfig.configure_client`."""
        super().configure_client(client)
        client.trust_env = False


def is_open(reached: Mapping[str, str]) -> bool:
    """True where orders go to another machine unencrypted: whoever is on the way may give others."""
    host = reached.get("DOCKER_HOST", "")
    if not host.startswith(_TCP) or "DOCKER_CERT_PATH" in reached:
        return False
    name = urlsplit(host).hostname or ""
    try:
        return not ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name != "localhost"
