"""Slack: slash commands by signed HTTP, answered in a thread. slack-bolt checks signatures and ages.

Only listed users and channels are answered; everybody else gets a polite no and a line in the
audit log. The HTTP answer comes at once; the work is queued, its result is posted in the thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt import Ack, App, BoltRequest, Respond
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.errors import ChatError, RefitError
from bot.ports import Queue, Task
from bot.triggers.chat.deliveries import Deliveries
from bot.triggers.chat.grammar import HELP, Command, NotUnderstood, parse

log: Final = logging.getLogger(__name__)
_TIMEOUT: Final = 10
_SHOWN: Final = 200
_LONGEST: Final = 3900  # Slack advises at most 4,000 characters
_NO: Final = "Sorry, I am not allowed to take commands from you here."


@dataclass(frozen=True, slots=True)
class SlackAccess:
    """Who is answered: user ids and channel ids."""

    users: frozenset[str]
    channels: frozenset[str]

    def allows(self, user: str, channel: str) -> bool:
        """True only where both are listed."""
        return user in self.users and channel in self.channels


class SlackChat:
    """The `Chat` port on Slack's Web API. A thread is `channel/ts`; text is plain, never markup."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def open(self, channel: str, text: str, *, asked_by: str) -> str:
        """Open a thread that names who asked; returns it as `channel/ts`."""
        return self._post(channel, "", f"{escape(text)}, asked by <@{escape(asked_by)}>")

    def say(self, thread: str, text: str) -> str:
        """Post to a thread; returns the message as `channel/ts`."""
        channel, _, ts = thread.partition("/")
        return self._post(channel, ts, escape(text))

    def edit(self, thread: str, message: str, text: str) -> None:
        """Replace the text of a message of ours."""
        channel, _, ts = message.partition("/")
        self._call("chat.update", channel=channel or thread.partition("/")[0], ts=ts, text=escape(text))

    def check(self) -> None:
        """Ask Slack whether it takes our token.

        Raises:
            ChatError: It does not, or cannot be reached.
        """
        self._call("auth.test")

    def _post(self, channel: str, ts: str, mrkdwn: str) -> str:
        thread = {"thread_ts": ts} if ts else {}
        quiet = {"unfurl_links": False, "unfurl_media": False}
        answer = self._call("chat.postMessage", channel=channel, text=mrkdwn, **thread, **quiet)
        return f"{channel}/{answer.get('ts', '')}"

    def _call(self, method: str, **fields: object) -> dict[str, Any]:
        try:
            answer = self._client.api_call(method, json=fields)
        except (SlackClientError, OSError, ValueError) as error:
            raise ChatError(f"Slack did not take {method}: {_reason(error)}", hint=_HINT) from error
        data = answer.data
        return data if isinstance(data, dict) else {}


_HINT: Final = "Check the bot's token and scopes (chat:write), and that it is a member of the channel."


def _reason(error: Exception) -> str:
    """Slack's own word for it (`channel_not_found`), else what the connection said."""
    answer = getattr(error, "response", None)
    word = answer.get("error") if answer is not None and isinstance(answer.data, dict) else None
    return str(word or error)[:_SHOWN]


def escape(text: str) -> str:
    """Plain text for Slack: no mention, no link (https://docs.slack.dev/messaging/formatting-message-text)."""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def client(token: str, url: str) -> WebClient:
    """A Slack Web API client; `url` is Slack's own but for tests."""
    return WebClient(token=token, base_url=url, timeout=_TIMEOUT)


@dataclass(frozen=True, slots=True)
class SlackCommands:
    """What `/refit` does.

    Attributes:
        chat: Where threads are opened.
        access: Who is answered.
        queue: Takes rescans.
        deliveries: Which commands were seen.
        targets: Names of all targets, for "did you mean".
        status: The last cycles, in words.
        audit: Writes who asked, what became of it, and the details to the audit log.
    """

    chat: SlackChat
    access: SlackAccess
    queue: Queue
    deliveries: Deliveries
    targets: Callable[[], Sequence[str]]
    status: Callable[[], str]
    audit: Callable[[str, str, str], None]

    def refit(self, ack: Ack, respond: Respond, command: dict[str, str], request: BoltRequest) -> None:
        """Answer one command; what was delivered before is only confirmed."""
        if not self.deliveries.first(_delivery(command, request)):
            ack()
            return
        try:
            self._answer(ack, respond, command)
        except RefitError as error:
            log.error("/refit: %s", error.message)  # noqa: TRY400 - expected: no traceback
            ack(escape(f"That failed: {error.message}\n{error.hint}"))

    def _answer(self, ack: Ack, respond: Respond, command: Mapping[str, str]) -> None:
        """Nothing is done that the audit log does not hold."""
        user, channel, text = command["user_id"], command["channel_id"], command.get("text", "")
        if not self.access.allows(user, channel):
            self.audit(f"slack:{user}", "refused", f"{channel}: {text[:_SHOWN]}")
            ack(_NO)
            return
        self.audit(f"slack:{user}", "command", f"{channel}: {text[:_SHOWN]}")
        match parse(text, self.targets()):
            case NotUnderstood(answer=answer):
                ack(escape(answer))
            case Command(word="rescan", argument=subject):
                ack(escape(f"Scanning {subject}; the result comes in the thread."))
                self._rescan(subject, user, channel, respond)
            case Command(word="status"):
                ack(escape(self.status()))
            case _:
                ack(escape(HELP))

    def _rescan(self, subject: str, user: str, channel: str, respond: Respond) -> None:
        """Open the thread before the work begins: a person sees where the result will be."""
        try:
            thread = self.chat.open(channel, f"Rescan of {subject}", asked_by=user)
            task = Task("rescan", {"subject": subject, "thread": thread})
            if not self.queue.submit(task, f"rescan {subject}"):
                self.chat.say(thread, "That is being scanned already; its own thread has the result.")
        except ChatError as error:
            log.error("rescan of %s: %s %s", subject, error.message, error.hint)  # noqa: TRY400 - expected
            _tell(respond, f"I cannot open a thread here: {error.message}\n{error.hint}")


def _tell(respond: Respond, text: str) -> None:
    """Answer after the answer, to the person alone: for what goes wrong once the command was taken."""
    try:
        respond(escape(text))
    except (SlackClientError, OSError, ValueError) as error:
        log.error("the answer was not delivered: %s", _reason(error))  # noqa: TRY400 - expected


def _delivery(command: Mapping[str, str], request: BoltRequest) -> str:
    """What one delivery shares with its repetition, and with nothing else: the id of what triggered it."""
    signature = next(iter(request.headers.get("x-slack-signature", ())), "")
    return command.get("trigger_id") or signature


def slack_app(web: WebClient, commands: SlackCommands, *, signing_secret: str) -> App:
    """The Bolt application that answers `/refit`."""

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Bolt would ask Slack at the first command otherwise, while a person waits.
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=web.token)

    # A client with a token would be warned about: the answer of `authorize` brings it.
    app = App(client=WebClient(base_url=web.base_url), signing_secret=signing_secret, authorize=authorize)
    app.command("/refit")(commands.refit)
    return app
