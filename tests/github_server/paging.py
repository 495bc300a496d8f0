"""Lists in pages, with the Link header that clients follow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from tests.github_server.routing import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.github_server.routing import Call


T = TypeVar("T")


def page(call: Call, items: Sequence[T], shape: Callable[[T], Any], wrap: str | None = None) -> Reply:
    """One page of a list: `per_page` (30, at most 100) and `page` of the query are honoured.

    Args:
        call: The request.
        items: The whole list.
        shape: Makes one item's JSON; called for the items of the page only.
        wrap: The field that holds the list, for operations that answer with an object and `total_count`.
    """
    size = min(max(_integer(call, "per_page", 30), 1), 100)
    number = max(_integer(call, "page", 1), 1)
    part: Any = [shape(item) for item in items[(number - 1) * size : number * size]]
    body = {"total_count": len(items), wrap: part} if wrap else part
    last = max(1, -(-len(items) // size))
    return Reply(200, body, _links(call, number, last))


def _links(call: Call, number: int, last: int) -> dict[str, str]:
    wanted = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number <= 1:
        del wanted["prev"], wanted["first"]
    if number >= last:
        del wanted["next"], wanted["last"]
    link = [f'<{_url(call, target)}>; rel="{name}"' for name, target in wanted.items()]
    return {"Link": ", ".join(link)} if link else {}


def _url(call: Call, number: int) -> str:
    return f"{call.api}{call.path}?{urlencode(call.query | {'page': str(number)})}"


def _integer(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "")
    return int(text) if re.fullmatch(r"\d{1,9}", text) else default
