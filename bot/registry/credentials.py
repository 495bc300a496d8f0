"""Logins: from the settings, else from Docker's config.json and its credential helpers."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.errors import ProcessFailed, RegistryLoginFailed
from bot.model.reference import DOCKER_HUB, login_name
from bot.process import environment, run
from bot.registry.settings import HostSettings

_HELPER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HELPER_SECONDS: Final = 30.0
_HELPER_LIMIT: Final = 1024**2
_CONFIG_LIMIT: Final = 4 * 1024**2
_IDENTITY_USER: Final = "<token>"
# Credential helpers find the cloud's own login by these; nothing else of our environment is theirs.
_HELPER_VARIABLES: Final = re.compile(
    r"HOME|USER|LOGNAME|XDG_.*|DBUS_.*|GNUPGHOME|PASSWORD_STORE_.*|DOCKER_CONFIG"
    r"|AWS_.*|ECS_.*|GOOGLE_.*|CLOUDSDK_.*|AZURE_.*|ACR_.*|MSI_.*|IDENTITY_.*"
    r"|(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy|SSL_CERT_(?:FILE|DIR)"
)


@dataclass(frozen=True, slots=True)
class Credential:
    """How we say who we are to one registry; none of it is shown.

    Attributes:
        username: User, with `password`.
        password: Password or access token of the user.
        identity: A refresh token for the token server (OAuth 2), in place of a password.
        bearer: A finished bearer token for the registry itself.
    """

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)

    @property
    def is_anonymous(self) -> bool:
        """True where there is nothing to say."""
        return not (self.username or self.password or self.identity or self.bearer)

    @property
    def basic(self) -> str | None:
        """The value of a Basic Authorization header (RFC 7617), or None without a password."""
        if not (self.username or self.password):
            return None
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    @property
    def docker_entry(self) -> dict[str, str]:
        """The same as an entry of `auths` in Docker's config.json, for programs that read it."""
        found = {"identitytoken": self.identity, "registrytoken": self.bearer}
        if basic := self.basic:
            found["auth"] = basic.partition(" ")[2]
        return {key: value for key, value in found.items() if value}


ANONYMOUS: Final = Credential()


def credential_for(name: str, settings: HostSettings, docker_config: Path | None) -> Credential:
    """The login for a registry host: the settings' own, else Docker's. Blocking.

    Raises:
        RegistryLoginFailed: Docker's file or a credential helper is broken, or a token cannot be sent.
    """
    found = _found(name, settings, docker_config)
    if not (found.bearer.isascii() and found.bearer.isprintable()):
        raise RegistryLoginFailed(
            f"the token for {name} holds a line end, or another character that no header can carry",
            hint="Write the token anew, with nothing before or behind it.",
        )
    return found


def _found(name: str, settings: HostSettings, docker_config: Path | None) -> Credential:
    if settings.token:
        return Credential(bearer=settings.token)
    if settings.username or settings.password:
        return Credential(settings.username or "", settings.password or "")
    if docker_config is None:
        return ANONYMOUS
    names = (name, *settings.aliases)  # somebody may have logged in under another of its names
    found = (_docker(one, docker_config) for one in names)
    return next((one for one in found if not one.is_anonymous), ANONYMOUS)


def _docker(name: str, path: Path) -> Credential:
    document = _read(path)
    helpers = _mapping(document.get("credHelpers"))
    for key in _keys(name):
        if helper := helpers.get(key):
            return _ask_helper(str(helper), key)
    auths = _mapping(document.get("auths"))
    entry = next((auths[key] for key in _keys(name) if key in auths), None)
    found = _stored(entry, path, name)
    if found.is_anonymous and document.get("credsStore"):
        return _ask_store(str(document["credsStore"]), name)
    return found


def _keys(name: str) -> tuple[str, ...]:
    """The spellings under which `docker login` and its kin keep a host."""
    first = (login_name(name), "index.docker.io", "registry-1.docker.io") if name == DOCKER_HUB else ()
    return (*first, name, f"https://{name}", f"https://{name}/", f"https://{name}/v1/", f"https://{name}/v2/",
            f"http://{name}")  # fmt: skip


def _read(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_CONFIG_LIMIT))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise RegistryLoginFailed(
            f"{path} cannot be read as Docker's configuration",
            hint="Correct the file, or log in again with `docker login`.",
        ) from error
    return _mapping(document)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _stored(entry: Any, path: Path, name: str) -> Credential:
    """A login that stands in the file itself."""
    fields = _mapping(entry)
    username, password = str(fields.get("username") or ""), str(fields.get("password") or "")
    if fields.get("auth"):
        username, password = _decoded(str(fields["auth"]), path, name)
    identity, bearer = str(fields.get("identitytoken") or ""), str(fields.get("registrytoken") or "")
    return Credential(username, password.rstrip("\0"), identity, bearer)


def _decoded(text: str, path: Path, name: str) -> tuple[str, str]:
    try:
        username, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise RegistryLoginFailed(f"{path}: the login of {name} is not base64 of user:password") from None
    return username, password


def _ask_store(helper: str, name: str) -> Credential:
    """Ask the store of all logins, which may know the host by any of its spellings."""
    for key in _keys(name)[:1] if name == DOCKER_HUB else (name,):
        if not (found := _ask_helper(helper, key)).is_anonymous:
            return found
    return ANONYMOUS


def _ask_helper(helper: str, key: str) -> Credential:
    """Run `docker-credential-<helper> get`; a host it does not know is no login."""
    if not _HELPER_NAME.fullmatch(helper):
        raise RegistryLoginFailed(f"Docker's configuration names a credential helper {helper[:40]!r}")
    program = f"docker-credential-{helper}"
    try:
        finished = run([program, "get"], timeout=_HELPER_SECONDS, stdin=key.encode(), check=False,
                       limit=_HELPER_LIMIT, env=_environment())  # fmt: skip
    except ProcessFailed as error:
        raise RegistryLoginFailed(f"no login for {key}: {error.message}", hint=error.hint) from error
    if finished.code != 0:
        return _refused(program, key, finished.text + finished.tail)
    return _answered(program, key, finished.stdout)


def _environment() -> dict[str, str]:
    return environment(**{k: v for k, v in os.environ.items() if _HELPER_VARIABLES.fullmatch(k)})


def _refused(program: str, key: str, said: str) -> Credential:
    if "credentials not found" in said.lower():
        return ANONYMOUS
    raise RegistryLoginFailed(
        f"{program} gives no login for {key}", hint=f"Run `echo {key} | {program} get` to see what it says."
    )


def _answered(program: str, key: str, output: bytes) -> Credential:
    try:
        document = _mapping(json.loads(output))
        username, secret = str(document["Username"]), str(document["Secret"])
    except (ValueError, KeyError, RecursionError):
        raise RegistryLoginFailed(f"{program} answers for {key}, but not with a login") from None
    return Credential(identity=secret) if username == _IDENTITY_USER else Credential(username, secret)
