"""Slack: slash commands by signed HTTP, answered in a thread. slack-bolt checks signatures and ages.

Only listed users and channels are answered; everybody else gets a polite no and a line in the
audit log. The HTTP answer comes at once; the work is queued, its result is posted in the thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.errors import ChatError
from bot.ports import Queue, Task
from bot.triggers.chat.grammar import HELP, Command, NotUnderstood, parse

log: Final = logging.getLogger(__name__)
_TIMEOUT: Final = 10


@dataclass(frozen=True, slots=True)
class SlackAccess:
    """Who is answered: user ids and channel ids."""

    users: frozenset[str]
    channels: frozenset[str]

    def allows(self, user: str, channel: str) -> bool:
        """True only where both are listed."""
        return user in self.users and channel in self.channels


class SlackChat:
    """The `Chat` port on Slack's Web API. A thread is `channel/ts`."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def say(self, thread: str, text: str) -> str:
        """Post plain text to a thread; returns `channel/ts`, the message."""
        return self.post(thread, escape(text))

    def post(self, thread: str, mrkdwn: str) -> str:
        """Post Slack's own markup, as it is, to a thread (`channel/` opens one); returns `channel/ts`."""
        channel, _, ts = thread.partition("/")
        answer = self._call("chat.postMessage", channel=channel, thread_ts=ts or None, text=mrkdwn)
        return f"{channel}/{answer['ts']}"

    def edit(self, thread: str, message: str, text: str) -> None:
        """Replace the text of a message of ours."""
        channel, _, ts = message.partition("/")
        self._call("chat.update", channel=channel or thread.partition("/")[0], ts=ts, text=escape(text))

    def _call(self, method: str, **fields: str | None) -> dict[str, Any]:
        try:
            answer = self._client.api_call(method, json={k: v for k, v in fields.items() if v is not None})
        except (SlackApiError, OSError) as error:
            raise ChatError(f"Slack did not take {method}: {error}") from error
        data = answer.data
        return data if isinstance(data, dict) else {}


def escape(text: str) -> str:
    """Plain text for Slack: no mention, no link (https://docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def client(token: str, url: str) -> WebClient:
    """A Slack Web API client; `url` is Slack's own but for tests."""
    return WebClient(token=token, base_url=url, timeout=_TIMEOUT)


def slack_app(  # noqa: PLR0913 - collaborators, by keyword
    web: WebClient,
    *,
    signing_secret: str,
    access: SlackAccess,
    queue: Queue,
    targets: Callable[[], Sequence[str]],
    status: Callable[[], str],
    audit: Callable[[str, str, str], None],
) -> App:
    """The Bolt application that answers `/refit`."""
    app = App(client=web, signing_secret=signing_secret, process_before_response=True)
    chat = SlackChat(web)

    @app.command("/refit")
    def refit(ack: Ack, command: dict[str, str]) -> None:
        user, channel, text = command["user_id"], command["channel_id"], command.get("text", "")
        if not access.allows(user, channel):
            audit(f"slack:{user}", "refused", f"{channel}: {text[:200]}")
            ack("Sorry, I am not allowed to take commands from you here.")
            return
        audit(f"slack:{user}", "command", text[:200])
        ack(escape(_answer(parse(text, targets()), command, queue, chat, status)))

    return app


def _answer(
    understood: Command | NotUnderstood,
    command: dict[str, str],
    queue: Queue,
    chat: SlackChat,
    status: Callable[[], str],
) -> str:
    match understood:
        case NotUnderstood(answer=answer):
            return answer
        case Command(word="rescan", argument=subject):
            return _rescan(subject, command, queue, chat)
        case Command(word="status"):
            return status()
        case _:
            return HELP


def _rescan(subject: str, command: dict[str, str], queue: Queue, chat: SlackChat) -> str:
    """Open the thread first: a person sees at once that it was understood, and where the result will be."""
    try:
        opening = f"Rescan of {escape(subject)}, asked by <@{command['user_id']}>…"
        thread = chat.post(f"{command['channel_id']}/", opening)
    except ChatError as error:
        return f"I cannot post to this channel: {error}. Is the bot a member of it?"
    taken = queue.submit(Task("rescan", {"subject": subject, "thread": thread}), f"rescan {subject}")
    if not taken:
        return f"{subject} is being scanned already; its thread has the result."
    return f"Scanning {subject}; the result comes in the thread."
