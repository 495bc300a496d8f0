"""What Slack refuses in a message: Block Kit's rules and limits, as its documentation lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_TEXT = 3000


def complaints(message: Mapping[str, Any]) -> list[str]:
    """Why Slack would answer `invalid_blocks` or cut the text; empty for a message that it takes."""
    return list(_complaints(message))


def _complaints(message: Mapping[str, Any]) -> Iterator[str]:
    blocks = message.get("blocks", [])
    if not message.get("text"):
        yield "no text for notifications"
    if len(message.get("text", "")) > 4000:
        yield "a text over 4,000 characters"
    if len(blocks) > 50:
        yield f"{len(blocks)} blocks"
    if sum(block["type"] == "table" for block in blocks) > 1:
        yield "only_one_table_allowed"
    for block in blocks:
        yield from _BLOCKS[block["type"]](block)


def _rich_text(block: Mapping[str, Any]) -> Iterator[str]:
    parts = [part for section in block["elements"] for part in section["elements"]]
    if any(not part["text"] for part in parts):
        yield "an empty text"
    if sum(len(part["text"]) for part in parts) > _TEXT:
        yield "a rich text over 3,000 characters"


def _table(block: Mapping[str, Any]) -> Iterator[str]:
    rows = block["rows"]
    if not 1 <= len(rows) <= 100 or any(not 1 <= len(row) <= 20 for row in rows):
        yield "a table beyond 100 rows or 20 cells"
    if len({len(row) for row in rows}) != 1:
        yield "rows of different length"
    if any(cell["type"] != "raw_text" or not cell["text"] for row in rows for cell in row):
        yield "a cell without text"
    if len(block.get("column_settings", ())) > 20:
        yield "over 20 column settings"


def _context(block: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= len(block["elements"]) <= 10:
        yield "a context of no or over 10 elements"
    yield from (f"a context text of {len(one['text'])}" for one in block["elements"] if not _fits(one, 2000))


def _actions(block: Mapping[str, Any]) -> Iterator[str]:
    buttons = block["elements"]
    if not 1 <= len(buttons) <= 25 or len({one["action_id"] for one in buttons}) != len(buttons):
        yield "no, over 25 or equally named buttons"
    for one in buttons:
        if not _fits(one["text"], 75) or len(one.get("value", "")) > 2000 or len(one.get("url", "")) > 3000:
            yield f"a button too long: {one}"
        yield from _confirm(one.get("confirm"))


def _confirm(confirm: Mapping[str, Any] | None) -> Iterator[str]:
    limits = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
    if confirm is not None and not all(_fits(confirm[name], most) for name, most in limits.items()):
        yield f"a question too long: {confirm}"


def _fits(text: Mapping[str, Any], most: int) -> bool:
    return 1 <= len(text["text"]) <= most


_BLOCKS = {"rich_text": _rich_text, "table": _table, "context": _context, "actions": _actions}
