"""A repository's tags, page by page to the end (distribution specification, "Listing Tags")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid
from bot.model.reference import Reference
from bot.registry import protocol
from bot.registry.endpoints import Endpoint
from bot.registry.exchange import Exchange, Question
from bot.registry.headers import next_link
from bot.registry.wire import Answer

PAGE_SIZE: Final = 1000  # Amazon's registry refuses more
PAGE_LIMIT: Final = 64 * 1024**2
MOST_TAGS: Final = 2_000_000

Check = Callable[[Answer, Endpoint, str], None]


async def list_tags(
    exchange: Exchange, endpoint: Endpoint, reference: Reference, check: Check
) -> tuple[str, ...]:
    """Every tag, in the registry's order, without repetitions.

    Raises:
        RegistryAnswerInvalid: The list has no end, leads elsewhere, or is no list.
    """
    repository, where = endpoint.repository(reference), f"the tags of {reference.repository}"
    path = f"/v2/{repository}/tags/list"
    target: str | None = f"{path}?n={PAGE_SIZE}"
    tags: dict[str, None] = {}
    asked: set[str] = set()
    while target is not None:
        if target in asked:
            raise RegistryAnswerInvalid(f"{where}: {endpoint.name} leads in a circle, page after page")
        asked.add(target)
        answer = await exchange.ask(endpoint, Question("GET", target, repository, PAGE_LIMIT))
        check(answer, endpoint, f"repository {repository}")
        page = protocol.tags_of(answer.body, where)
        before = len(tags)
        tags.update(dict.fromkeys(page))
        if len(tags) > MOST_TAGS:
            raise RegistryAnswerInvalid(f"{where}: {endpoint.name} lists more than {MOST_TAGS} tags")
        target = (
            _next(answer, page, path, where) if len(tags) > before or not page else _linked(answer, where)
        )
    return tuple(tags)


def _next(answer: Answer, page: tuple[str, ...], path: str, where: str) -> str | None:
    """Where the list goes on: by its Link, else after its last tag where the page is exactly full."""
    if (linked := _linked(answer, where)) is not None:
        return linked
    return f"{path}?n={PAGE_SIZE}&last={quote(page[-1])}" if len(page) == PAGE_SIZE else None


def _linked(answer: Answer, where: str) -> str | None:
    """The path of the `next` link.

    Raises:
        RegistryAnswerInvalid: It leads to another host: our credential would go there.
    """
    if (link := next_link(answer.headers.get("Link", ""))) is None:
        return None
    try:
        url = answer.url.join(link)
    except (httpx.InvalidURL, ValueError) as error:
        raise RegistryAnswerInvalid(f"{where}: the next page is at {link[:100]!r}: no address") from error
    if (url.scheme, url.netloc) != (answer.url.scheme, answer.url.netloc):
        raise RegistryAnswerInvalid(f"{where}: the next page is said to be at {url.host}, another host")
    return url.raw_path.decode("ascii")
