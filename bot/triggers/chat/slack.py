"""Slack's Web API: threads are opened, answered and edited there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.errors import ChatError
from bot.model.answer import Answer
from bot.triggers.chat.slack_blocks import payload

_TIMEOUT: Final = 10
_SHOWN: Final = 200
_WAITS: Final = 3
_HINT: Final = "Check the bot's token and scopes (chat:write), and that it is a member of the channel."


class SlackChat:
    """The `Chat` port on Slack. A thread and a message are `channel/ts`.

    Args:
        client: Slack's client, with the bot's token.
        groups: Ids of user groups whose members are answered; needs the scope usergroups:read.
    """

    def __init__(self, client: WebClient, groups: Sequence[str] = ()) -> None:
        self._client, self._groups = client, groups
        self._lock = threading.Lock()
        self._members: frozenset[str] = frozenset()

    def open(self, place: str, answer: Answer) -> str:
        """See `Chat.open`."""
        return self._post(place, "", answer)

    def say(self, thread: str, answer: Answer, once: str = "") -> str:
        """See `Chat.say`; Slack knows no message by a name of ours."""
        del once
        channel, _, ts = thread.partition("/")
        return self._post(channel, ts, answer)

    def edit(self, thread: str, message: str, answer: Answer) -> None:
        """See `Chat.edit`."""
        channel, _, ts = message.partition("/")
        self._call("chat.update", channel=channel or thread.partition("/")[0], ts=ts, **payload(answer))

    def check(self) -> None:
        """Ask Slack whether it takes our token, and who is in the groups.

        Raises:
            ChatError: It does not, or cannot be reached.
        """
        self._call("auth.test")
        members = [self._call("usergroups.users.list", usergroup=one)["users"] for one in self._groups]
        with self._lock:
            self._members = frozenset(user for users in members for user in users)

    def members(self) -> frozenset[str]:
        """Who is in the groups, as of the last `check`."""
        with self._lock:
            return self._members

    def _post(self, channel: str, ts: str, answer: Answer) -> str:
        thread = {"thread_ts": ts} if ts else {}
        quiet = {"unfurl_links": False, "unfurl_media": False}
        posted = self._call("chat.postMessage", channel=channel, **payload(answer), **thread, **quiet)
        return f"{channel}/{posted.get('ts', '')}"

    def _call(self, method: str, **fields: object) -> dict[str, Any]:
        try:
            answer = self._client.api_call(method, json=fields)
        except (SlackClientError, OSError, ValueError) as error:
            raise ChatError(f"Slack did not take {method}: {reason(error)}", hint=_HINT) from error
        data = answer.data
        return data if isinstance(data, dict) else {}


def reason(error: Exception) -> str:
    """Slack's own word for it (`channel_not_found`), else what the connection said."""
    answer = getattr(error, "response", None)
    word = answer.get("error") if answer is not None and isinstance(answer.data, dict) else None
    return str(word or error)[:_SHOWN]


def client(token: str, url: str) -> WebClient:
    """A Slack Web API client; `url` is Slack's own but for tests."""
    made = WebClient(token=token, base_url=url, timeout=_TIMEOUT)
    # Slack takes about one message a second in a channel: an answer waits as it says, and is not lost.
    made.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=_WAITS))
    return made
