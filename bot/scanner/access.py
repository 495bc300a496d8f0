"""How registries let Trivy in: by the login of the one that is asked, no other's, and whose certificates."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import ScanError
from bot.model.reference import login_name
from bot.scanner.slots import Slot


@dataclass(frozen=True, slots=True)
class Access:
    """How one registry host lets itself be asked.

    Attributes:
        login: Its entry in Docker's `config.json`; empty where there is none.
        ca_file: Certificates trusted for it beside the system's, or None.
    """

    login: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: Path | None = None


AccessTo = Callable[[str], Access]


def anonymous(_host: str) -> Access:
    """No login anywhere, and the system's certificates."""
    return Access()


def granted(access: Access, host: str, place: Slot) -> dict[str, str]:
    """Lay down in the slot what Trivy needs to ask a host, which goes with it; gives its environment.

    Raises:
        ScanError: The file of certificates cannot be read.
    """
    found: dict[str, str] = {}
    if access.login:
        place.logins.mkdir(mode=0o700, exist_ok=True)
        logins = {"auths": {login_name(host): dict(access.login)}}
        (place.logins / "config.json").write_text(json.dumps(logins), encoding="utf-8")
        found["DOCKER_CONFIG"] = str(place.logins)
    if access.ca_file is not None:
        place.certificates.write_bytes(_bundle(access.ca_file, host))
        found["SSL_CERT_FILE"] = str(place.certificates)
    return found


def _bundle(own: Path, host: str) -> bytes:
    """One file for all: the variable that names it would else take the system's away."""
    system = ssl.get_default_verify_paths().cafile
    try:
        return b"\n".join(Path(file).read_bytes() for file in (system, own) if file)
    except OSError as error:
        raise ScanError(
            f"cannot read {error.filename}: {error.strerror}", hint=f"Correct the ca_file of {host}."
        ) from error
