"""Who we are: which challenge is answered, and how a token is asked for.

The token protocol is distribution's (docs/spec/auth/token.md), with OAuth 2 for identity tokens.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid, RegistryError, RegistryLoginFailed, RegistryUnreachable
from bot.ports import Clock
from bot.registry.credentials import Credential
from bot.registry.fields import moment
from bot.registry.guard import Zone, foreign_zones
from bot.registry.headers import Challenge
from bot.registry.wire import Answer, Outgoing, Tls

TOKEN_LIMIT: Final = 1024**2
_LIFE: Final = 60.0  # the specification's default where a token names no life
_MARGIN: Final = 0.2  # of its life, before a token is renewed
_CLIENT_ID: Final = "refit"

Send = Callable[[Outgoing], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class TokenKey:
    """What makes two tokens the same; the credential is part of it, and never shown."""

    realm: str
    service: str
    scope: str
    credential: Credential = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, the monotonic second at which it is renewed, and whether several scopes share it."""

    value: str = field(repr=False)
    renew: float
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """The registry on whose behalf a token is fetched.

    Attributes:
        name: Its name, for sentences.
        url: Its own address: a realm may be weaker in no way.
        zone: Where it lives.
        tls: Which certificates its token server may show, on the same host.
        seconds: Time limit of one request.
        credential: The login for it.
    """

    name: str
    url: httpx.URL
    zone: Zone
    tls: Tls
    seconds: float
    credential: Credential = field(repr=False)


def choose(challenges: tuple[Challenge, ...], name: str) -> Challenge:
    """The challenge to answer: Bearer with a realm first, else Basic.

    Raises:
        RegistryLoginFailed: The registry asks for a login that we cannot give.
    """
    bearer = next((c for c in challenges if c.scheme == "bearer" and c.parameters.get("realm")), None)
    basic = next((c for c in challenges if c.scheme == "basic"), None)
    if bearer is None and basic is None:
        schemes = ", ".join(c.scheme[:20] for c in challenges) or "no scheme at all"
        raise RegistryLoginFailed(f"{name} asks for a login by {schemes}; Refit knows Bearer and Basic")
    chosen = bearer or basic
    assert chosen is not None  # noqa: S101 - one of the two is there; tells the type checker
    return chosen


async def fetch(key: TokenKey, scopes: Sequence[str], asker: Asker, send: Send, clock: Clock) -> Token:
    """Fetch one token that is good for every one of `scopes` (the key's own scope is not looked at).

    Raises:
        RegistryLoginFailed: The token server refuses the login.
        RegistryError: It cannot be asked, or its answer is wrong.
    """
    request = _request(key, scopes, asker)
    answer = await send(request)
    if answer.status in (404, 405) and request.method == "POST":
        raise RegistryLoginFailed(f"the token server of {asker.name} takes no identity token")
    _check(answer, request.host, asker)
    return _token(answer, request.host, clock, shared=len(scopes) > 1)


def realm_url(realm: str, asker: Asker) -> httpx.URL:
    """The address of a token server.

    Raises:
        RegistryAnswerInvalid: It is none, or weaker than the registry's own connection.
    """
    try:
        url = httpx.URL(realm)
    except (httpx.InvalidURL, ValueError) as error:
        raise RegistryAnswerInvalid(
            f"{asker.name} names a token server {realm[:100]!r}: no address"
        ) from error
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise RegistryAnswerInvalid(f"{asker.name} names a token server {realm[:100]!r}: no address")
    if url.scheme == "http" and asker.url.scheme == "https":
        raise RegistryAnswerInvalid(
            f"{asker.name} sends its logins to {url.host} in plain HTTP; nothing was sent there",
            hint="Tell the registry's operator: its realm must be https.",
        )
    return url


def _request(key: TokenKey, scopes: Sequence[str], asker: Asker) -> Outgoing:
    url, credential = realm_url(key.realm, asker), key.credential
    fields = {"service": key.service} if key.service else {}
    named = [scope for scope in scopes if scope]
    tls = asker.tls if url.host == asker.url.host else Tls()
    zones = foreign_zones(asker.zone)
    if credential.identity:
        form = {"grant_type": "refresh_token", "refresh_token": credential.identity, "client_id": _CLIENT_ID}
        scope = {"scope": " ".join(named)} if named else {}
        return Outgoing("POST", url, {}, TOKEN_LIMIT, asker.seconds, zones, tls, form | fields | scope)
    headers = {"Authorization": credential.basic} if credential.basic else {}
    account = {"account": credential.username} if credential.username else {}
    query = url.copy_merge_params({**fields, **account, **({"scope": named} if named else {})})
    return Outgoing("GET", query, headers, TOKEN_LIMIT, asker.seconds, zones, tls)


def _check(answer: Answer, host: str, asker: Asker) -> None:
    if answer.status in (400, 401, 403):
        who = "our login" if not asker.credential.is_anonymous else "a request without a login"
        raise RegistryLoginFailed(
            f"the token server {host} of {asker.name} refuses {who} (HTTP {answer.status})"
        )
    if answer.status >= 500:
        raise RegistryUnreachable(
            f"the token server {host} of {asker.name} answered with a fault of its own (HTTP {answer.status})"
        )
    if answer.status != 200:
        raise RegistryError(
            f"the token server {host} of {asker.name} answered HTTP {answer.status}",
            hint="Its status page may say more; the next run tries again.",
        )


def _token(answer: Answer, host: str, clock: Clock, *, shared: bool) -> Token:
    document = _document(answer.body)
    value = document.get("token") or document.get("access_token")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise RegistryAnswerInvalid(f"the token server {host} answered, but with no token")
    life = _life(document, clock.now())
    return Token(value, clock.monotonic() + life * (1 - _MARGIN), shared)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _life(document: Mapping[str, Any], now: datetime) -> float:
    """Seconds that a token is good from now on.

    Its `issued_at` counts from the server's clock, and a token from a server's cache may be older than
    its answer; where the two clocks disagree wildly, the life alone is believed.
    """
    seconds = document.get("expires_in")
    life = float(seconds) if isinstance(seconds, int | float) and 0 < seconds < 10**7 else _LIFE
    issued = moment(document.get("issued_at"))
    age = (now.astimezone(UTC) - issued).total_seconds() if issued is not None else 0.0
    return life - age if 0 < age < life else life
