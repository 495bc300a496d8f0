"""An answer as Slack shows it: Block Kit, within its limits. Pure.

Texts go into plain and rich-text elements, which Slack shows as they are: no mention, link or
formatting in them is read. Only the fallback text, which notifications show, needs escaping.
Limits: https://docs.slack.dev/reference/block-kit/blocks and …/block-kit/composition-objects
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from bot.model.answer import Answer, Button
from bot.report.quote import visible

ACTION: Final = "refit"
_FALLBACK: Final = 3900  # Slack advises at most 4,000 characters
_TEXT: Final = 2800  # 3,000 in a text, with room for what says that it was cut
_LINE: Final = 600
_CELL: Final = 100
_ROWS: Final = 100
_COLUMNS: Final = 20
_BUTTONS: Final = 5
_LABEL: Final = 75
_VALUE: Final = 2000
_QUESTION: Final = 300
_USER: Final = re.compile(r"[A-Z0-9]{2,40}")

Json = dict[str, Any]


def payload(answer: Answer) -> Json:
    """The fields of a message: its blocks, and the text of its notification."""
    return {"text": escape(_plain(answer)), "blocks": list(_blocks(answer))}


def escape(text: str) -> str:
    """Plain text for Slack: no mention, no link (https://docs.slack.dev/messaging/formatting-message-text)."""
    short = text if len(text) <= _FALLBACK else f"{text[:_FALLBACK]}…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(answer: Answer) -> str:
    return "\n".join(visible(line, limit=_LINE) for line in (answer.headline, *answer.lines))


def _blocks(answer: Answer) -> Iterator[Json]:
    yield _text(answer.headline, answer.lines)
    if answer.table:
        yield _table(answer.table)
    if answer.foot or _USER.fullmatch(answer.mention):
        yield {"type": "context", "elements": list(_foot(answer))}
    if answer.buttons:
        buttons = [_button(one, number) for number, one in enumerate(answer.buttons[:_BUTTONS])]
        yield {"type": "actions", "elements": buttons}


def _text(headline: str, lines: Sequence[str]) -> Json:
    """The headline in bold, the lines below it, as long as a text may be."""
    parts: list[Json] = [
        {"type": "text", "text": visible(headline, limit=_LINE) or "…", "style": {"bold": True}}
    ]
    left = _TEXT - _LINE
    for number, line in enumerate(lines):
        shown = visible(line, limit=_LINE)
        if len(shown) + 1 > left:
            parts.append({"type": "text", "text": f"\n… and {len(lines) - number} more lines"})
            break
        left -= len(shown) + 1
        parts.append({"type": "text", "text": f"\n{shown}"})
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}


def _table(rows: Sequence[Sequence[str]]) -> Json:
    cells = [
        [{"type": "raw_text", "text": visible(cell, limit=_CELL) or "\u2013"} for cell in row[:_COLUMNS]]
        for row in rows[:_ROWS]
    ]
    numbers = [{"align": "right"} for _ in rows[0][1:_COLUMNS]]
    return {"type": "table", "column_settings": [{"align": "left"}, *numbers], "rows": cells}


def _foot(answer: Answer) -> Iterator[Json]:
    if _USER.fullmatch(answer.mention):
        yield {"type": "mrkdwn", "text": f"asked by <@{answer.mention}>"}
    if answer.foot:
        yield {"type": "plain_text", "text": visible(answer.foot, limit=_LINE) or "…", "emoji": False}


def _button(button: Button, number: int) -> Json:
    made: Json = {
        "type": "button",
        "action_id": f"{ACTION}-{number}",
        "text": {"type": "plain_text", "text": button.label[:_LABEL], "emoji": False},
    }
    made |= {"url": button.url} if button.url else {"value": button.command[:_VALUE]}
    return made | ({"confirm": _confirm(button)} if button.question else {})


def _confirm(button: Button) -> Json:
    def plain(text: str) -> Json:
        return {"type": "plain_text", "text": text, "emoji": False}

    return {
        "title": plain(button.label[:_LABEL]),
        "text": plain(visible(button.question, limit=_QUESTION)),
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
