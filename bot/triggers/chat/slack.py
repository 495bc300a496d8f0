"""Slack's Web API: threads are opened, answered and edited there."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

from bot.errors import ChatError
from bot.model.answer import Answer
from bot.triggers.chat.slack_blocks import payload

_TIMEOUT: Final = 10
_SHOWN: Final = 200
_WAITS: Final = 3
_LONGEST_WAIT: Final = 10
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
        self._quiet_until = 0.0
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
        if (wait := self._quiet_until - time.monotonic()) > 0:
            raise ChatError(f"Slack wants no call for {wait:.0f} seconds more")
        try:
            answer = self._client.api_call(method, json=fields)
        except (SlackClientError, OSError, ValueError) as error:
            if isinstance(error, SlackApiError):
                self._quiet_until = time.monotonic() + _wanted_wait(error.response.headers)
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
    made.retry_handlers.append(_Patience(max_retry_count=_WAITS))
    return made


class _Patience(RateLimitErrorRetryHandler):
    """Waits where Slack wants that for seconds: what it wants later, nobody's thread waits for."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or _wanted_wait(response.headers) > _LONGEST_WAIT:
            return False
        return super()._can_retry(state=state, request=request, response=response, error=error)


def _wanted_wait(headers: Mapping[str, Any]) -> float:
    """Seconds of a Retry-After; 0 where there is none."""
    named = {name.lower(): value for name, value in headers.items()}.get("retry-after", "0")
    text = str(named[0] if isinstance(named, list) else named)
    return float(text) if text.isdigit() else 0.0
