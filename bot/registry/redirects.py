"""Where a registry's redirects lead, and what goes along. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid, RegistryLoginFailed
from bot.registry.guard import foreign_zones
from bot.registry.wire import Answer, Outgoing, Tls

MOST: Final = 5
_STATUSES: Final = (301, 302, 303, 307, 308)


def redirects(answer: Answer) -> bool:
    """Tell whether an answer only says where to ask."""
    return answer.status in _STATUSES and "Location" in answer.headers


def followed(request: Outgoing, answer: Answer, name: str) -> Outgoing:
    """The request for where a redirect of the registry `name` leads; another host gets no credential.

    Raises:
        RegistryAnswerInvalid: It leads nowhere, or from https to http.
    """
    url = _address(request, answer.headers["Location"], name)
    if url.scheme == "http" and request.url.scheme == "https":
        raise RegistryAnswerInvalid(f"{name} redirects from https to plain http at {url.host}; not followed")
    if _origin(url) == _origin(request.url):
        return replace(request, url=url)
    headers = {key: value for key, value in request.headers.items() if key != "Authorization"}
    tls = request.tls if url.host == request.url.host else Tls()
    return replace(request, url=url, headers=headers, zones=foreign_zones(answer.zone), tls=tls)


def _address(request: Outgoing, location: str, name: str) -> httpx.URL:
    try:
        url = request.url.join(location)
    except (httpx.InvalidURL, ValueError):
        url = None
    if url is None or url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise RegistryAnswerInvalid(f"{name} redirects to {location[:100]!r}: no address")
    return url


def own(request: Outgoing, answer: Answer, name: str) -> Answer:
    """The answer, unless another host asks for a login: ours is for the registry alone.

    Raises:
        RegistryLoginFailed: The place where a redirect led wants a login of its own.
    """
    if answer.status == 401 and _origin(answer.url) != _origin(request.url):
        raise RegistryLoginFailed(
            f"{name} redirects to {answer.url.host}, which wants a login; none was sent there"
        )
    return answer


def _origin(url: httpx.URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc
