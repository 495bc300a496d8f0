"""What Slack sends, by signed HTTP or Socket Mode: slash commands, mentions and pressed buttons.

slack-bolt checks signatures and ages. Each is answered at once; the work is queued.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from slack_bolt import Ack, App, BoltRequest, Respond
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.errors import ChatError
from bot.model.answer import Answer
from bot.triggers.chat.desk import Desk, Message, failed
from bot.triggers.chat.slack import reason
from bot.triggers.chat.slack_blocks import ACTION, payload

log: Final = logging.getLogger(__name__)
NAME: Final = "slack"
_MENTION: Final = re.compile(r"^\s*(?:<@[^<>]*>\s*)+")


class SlackEvents:
    """Hands what Slack sends to the desk, and its answers back.

    Args:
        desk: Decides.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def command(self, ack: Ack, respond: Respond, command: dict[str, str], request: BoltRequest) -> None:
        """A slash command: answered to the person alone, its work in a thread of its own."""
        # What one delivery shares with its repetition, and with nothing else.
        delivery = command.get("trigger_id") or next(iter(request.headers.get("x-slack-signature", ())), "")
        message = Message(
            NAME, command["user_id"], command["channel_id"], command.get("text", ""), f"command {delivery}"
        )
        heard = self._desk.hear(message)
        ack(**payload(heard.answer)) if heard.answer else ack()
        if heard.command is None:
            return
        try:
            self._desk.begin(message, heard.command)
        except ChatError as error:
            log.error("%s: %s %s", message.text, error.message, error.hint)  # noqa: TRY400 - expected
            _tell(respond, failed(error))

    def mention(self, event: Mapping[str, Any]) -> None:
        """A mention: answered in its thread, once; one that is edited comes again, as another event."""
        if event.get("bot_id"):
            return
        channel = str(event.get("channel", ""))
        ts = str(event.get("ts", ""))
        thread = f"{NAME}:{channel}/{event.get('thread_ts') or ts}"
        text = _MENTION.sub("", str(event.get("text", "")))
        said = Message(NAME, str(event.get("user", "")), channel, text, f"message {channel} {ts}", thread)
        self._desk.converse(said)

    def pressed(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """A button: says its command in the thread of its message; one that opens a page says nothing."""
        ack()
        said = str(body["actions"][0].get("value", ""))
        if not said:
            return
        shown, channel = body.get("message", {}), str(body.get("channel", {}).get("id", ""))
        thread = f"{NAME}:{channel}/{shown.get('thread_ts') or shown.get('ts', '')}"
        delivery = f"button {body.get('trigger_id', '')}"
        self._desk.converse(Message(NAME, str(body["user"]["id"]), channel, said, delivery, thread))


def slack_app(web: WebClient, events: SlackEvents, *, signing_secret: str) -> App:
    """The Bolt application that hears `/refit`, mentions and buttons."""

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Bolt would ask Slack at the first command otherwise, while a person waits.
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=web.token)

    # A client with a token would be warned about: the answer of `authorize` brings it.
    bare = WebClient(base_url=web.base_url)
    app = App(name="refit", client=bare, signing_secret=signing_secret, authorize=authorize)
    app.command("/refit")(events.command)
    app.event("app_mention")(events.mention)
    app.action(re.compile(f"^{ACTION}-"))(events.pressed)
    return app


def socket_mode(app: App, app_token: str, url: str) -> SocketModeHandler:
    """The connection that we open to Slack, so that Slack need not reach us; `connect` begins it."""
    return SocketModeHandler(app, app_token, web_client=WebClient(token=app_token, base_url=url))


def _tell(respond: Respond, answer: Answer) -> None:
    """Answer after the answer, to the person alone: for what goes wrong once the command was taken."""
    try:
        respond(**payload(answer))
    except (SlackClientError, OSError, ValueError) as error:
        log.error("the answer was not delivered: %s", reason(error))  # noqa: TRY400 - expected
