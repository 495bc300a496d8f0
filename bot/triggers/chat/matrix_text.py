"""An answer as Matrix shows it, and what was said in a message there. Pure.

Messages: https://spec.matrix.org/v1.16/client-server-api/#mroommessage-msgtypes (its tags
are all that is used here);
likewise threads (#threading), edits (#event-replacements) and mentions (#user-and-room-mentions).
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bot.model.answer import Answer, Button
from bot.report.quote import visible
from bot.triggers.chat.grammar import CHAT

_LINE: Final = 600
_LINES: Final = 60
_ROWS: Final = 100
_NEAR: Final = 0.8
_LATEST_MS: Final = 2**53  # what the protocol's numbers go up to
_USER: Final = re.compile(r"@[^:\s]{1,255}:[A-Za-z0-9.:\[\]-]{1,255}")

Json = dict[str, Any]


def content(answer: Answer) -> Json:
    """The content of a message. Nobody is called but who asked, whatever the words hold."""
    made: Json = {
        "msgtype": "m.notice",  # other bots do not answer notices
        "body": "\n".join(_plain(answer)),
        "format": "org.matrix.custom.html",
        "formatted_body": "".join(_html(answer)),
    }
    called = [answer.mention] if _USER.fullmatch(answer.mention) else []
    return made | {"m.mentions": {"user_ids": called} if called else {}}


def in_thread(made: Json, root: str) -> Json:
    """The content, as a message of a thread."""
    relation = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True}
    return made | {"m.relates_to": relation | {"m.in_reply_to": {"event_id": root}}}


def instead(made: Json, message: str) -> Json:
    """The content, as what a message of ours is replaced by."""
    old = made | {"body": f"* {made['body']}", "m.mentions": {}}
    return old | {"m.new_content": made, "m.relates_to": {"rel_type": "m.replace", "event_id": message}}


def command_in(said: Mapping[str, Any], user: str, name: str) -> str | None:
    """The words for us in a message: after `!`, or after our name; None where it is not for us.

    Args:
        said: The message's content.
        user: Our Matrix id.
        name: Our display name.
    """
    text = _without_reply(str(said.get("body", ""))).strip()
    if said.get("msgtype") != "m.text" or _replaces(said):
        return None
    if text.startswith("!"):
        words = text[1:].split()
        return text[1:] if words and _is_ours(words[0].lower()) else None
    mentions = said.get("m.mentions")
    ids = mentions.get("user_ids") if isinstance(mentions, Mapping) else None
    called = isinstance(ids, list) and user in ids
    for own in (user, name, user.partition(":")[0].removeprefix("@")):
        if own and text.lower().startswith(own.lower()):
            rest = text[len(own) :]
            if not rest or rest[0] in ":, ":
                return rest.lstrip(":, ")
    return text.replace(user, " ").replace(name or user, " ").strip(" :,") if called else None


def sent_at(event: Mapping[str, Any]) -> float:
    """When a message was sent, in seconds since 1970; long ago where its homeserver says no such time."""
    stamp = event.get("origin_server_ts")
    return stamp / 1000 if isinstance(stamp, int) and 0 <= stamp <= _LATEST_MS else 0.0


def _is_ours(word: str) -> bool:
    """A word of the grammar, or one that is nearly so: other bots have commands with a `!` of their own."""
    known = [str(one) for one in CHAT]
    return word == "refit" or bool(difflib.get_close_matches(word, known, n=1, cutoff=_NEAR))


def thread_of(said: Mapping[str, Any], event: str) -> str:
    """The root of the thread that a message stands in, else the message itself."""
    relation = said.get("m.relates_to")
    if isinstance(relation, Mapping) and relation.get("rel_type") == "m.thread":
        return str(relation.get("event_id", event))
    return event


def _without_reply(body: str) -> str:
    """A reply repeats what it answers in lines that begin with `>`; they are not this person's words."""
    lines = body.splitlines()
    if not lines or not lines[0].startswith("> <"):
        return body
    quoted = next((number for number, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[quoted:])


def _replaces(said: Mapping[str, Any]) -> bool:
    relation = said.get("m.relates_to")
    return isinstance(relation, Mapping) and relation.get("rel_type") == "m.replace"


def _plain(answer: Answer) -> Iterator[str]:
    yield visible(answer.headline, limit=_LINE)
    for line in answer.lines[:_LINES]:
        yield f"- {visible(line, limit=_LINE)}"
    for row in answer.table[:_ROWS]:
        yield " | ".join(visible(cell) for cell in row)
    if answer.foot:
        yield visible(answer.foot, limit=_LINE)
    for button in answer.buttons:
        yield f"{button.label}: {button.url or f'!{visible(button.command)}'}"


def _html(answer: Answer) -> Iterator[str]:
    yield f"<strong>{_text(answer.headline)}</strong>"
    if answer.lines:
        yield f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in answer.lines[:_LINES])}</ul>"
    if answer.table:
        header, *rows = answer.table[:_ROWS]
        yield f"<table><thead>{_row(header, 'th')}</thead><tbody>"
        yield f"{''.join(_row(row, 'td') for row in rows)}</tbody></table>"
    foot = [_text(answer.foot)] if answer.foot else []
    small = [*([f"asked by {_text(answer.mention)}"] if answer.mention else []), *foot]
    if small:
        yield f"<p><em>{' · '.join(small)}</em></p>"
    if answer.buttons:
        yield f"<p>{' · '.join(_button(one) for one in answer.buttons)}</p>"


def _button(button: Button) -> str:
    label = _text(button.label)
    if button.url.startswith("https://"):
        return f'<a href="{html.escape(button.url)}">{label}</a>'
    return f"{label}: <code>!{_text(button.command)}</code>"


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{_text(cell)}</{tag}>' for cell in cells)}</tr>"


def _text(text: str) -> str:
    return html.escape(visible(text, limit=_LINE))
