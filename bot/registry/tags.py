"""A repository's tags, page by page to the end (distribution specification, "Listing Tags")."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid
from bot.model.reference import Reference
from bot.registry.endpoints import Endpoint
from bot.registry.exchange import Exchange
from bot.registry.fields import header, read_object
from bot.registry.headers import next_link
from bot.registry.sending import Question
from bot.registry.statuses import check
from bot.registry.wire import Answer

PAGE_SIZE: Final = 1000  # Amazon's registry refuses more
PAGE_LIMIT: Final = 64 * 1024**2
MOST_TAGS: Final = 2_000_000
_MOST_IDLE: Final = 3  # pages in a row without a new tag: the list leads nowhere
_NOT_MODIFIED: Final = 304
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class TagList:
    """Every tag of a repository, and the ETag by which `host` knows the list again; it has one page then."""

    tags: tuple[str, ...]
    host: str
    etag: str = ""


@dataclass(slots=True)
class _Reading:
    """A list on the way to its end."""

    where: str
    path: str
    tags: dict[str, None] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    idle: int = 0
    etag: str = ""

    def add(self, answer: Answer, name: str) -> str | None:
        """Take a page, and tell where the next one is."""
        page, before = tags_of(answer.body, self.where), len(self.tags)
        self.tags.update(dict.fromkeys(page))
        if len(self.tags) > MOST_TAGS:
            raise RegistryAnswerInvalid(f"{self.where}: {name} lists more than {MOST_TAGS} tags")
        self.idle = self.idle + 1 if len(self.tags) == before else 0
        self.etag = header(answer.headers.get("ETag")) if not self.asked else ""
        following = _linked(answer, self.where)
        if following is None and len(page) == PAGE_SIZE and not self.idle:
            following = f"{self.path}?n={PAGE_SIZE}&last={quote(page[-1])}"
        if following is not None and (following in self.asked or self.idle > _MOST_IDLE):
            raise RegistryAnswerInvalid(f"{self.where}: {name} leads in a circle, page after page")
        return following


async def list_tags(
    exchange: Exchange, endpoint: Endpoint, reference: Reference, known: TagList | None = None
) -> TagList:
    """Every tag, in the registry's order, without repetitions; `known` where its ETag still holds.

    Raises:
        RegistryAnswerInvalid: The list has no end, leads elsewhere, or is no list.
    """
    repository = endpoint.repository(reference)
    path = f"/v2/{repository}/tags/list"
    reading = _Reading(f"the tags of {reference.repository}", path)
    target: str | None = f"{path}?n={PAGE_SIZE}"
    unless = known.etag if known is not None and known.host == endpoint.host else ""
    while target is not None:
        answer = await exchange.ask(endpoint, Question("GET", target, repository, PAGE_LIMIT, unless=unless))
        if answer.status == _NOT_MODIFIED and known is not None and unless:
            return known
        check(answer, endpoint, f"repository {repository}")
        following = reading.add(answer, endpoint.name)
        reading.asked.add(target)
        target, unless = following, ""
    return TagList(tuple(reading.tags), endpoint.host, reading.etag)


def tags_of(body: bytes, where: str) -> tuple[str, ...]:
    """The tags of one page; junk that can be no tag is left out (Nexus sends nulls, Artifactory digests).

    Raises:
        RegistryAnswerInvalid: The page is no tag list.
    """
    tags = read_object(body, where).get("tags")
    if tags is None:
        return ()
    if not isinstance(tags, list):
        raise RegistryAnswerInvalid(f"{where}: the tag list is no list")
    return tuple(tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag))


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
