"""How each chat is heard, put together: its desk, and what connects it to us or is called by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slack_sdk import WebClient
from starlette.routing import Route

from bot.model.answer import Answer
from bot.ports import Chat, Clock, Queue, Store
from bot.settings.talks import MatrixSection, SlackSection
from bot.triggers.chat.access import Access, RateLimit
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.desk import Desk
from bot.triggers.chat.grammar import Word
from bot.triggers.chat.hearers import MatrixHearer, SlackHearer
from bot.triggers.chat.names import MATRIX
from bot.triggers.chat.slack import SlackChat, client
from bot.triggers.chat.slack_app import NAME as SLACK
from bot.triggers.chat.slack_app import SlackEvents, slack_app, socket_mode
from bot.triggers.chat.switch import OneChat
from bot.web.slack import slack_routes

if TYPE_CHECKING:
    from bot.triggers.chat.matrix import MatrixChat


@dataclass(frozen=True, kw_only=True)
class Behind:
    """What stands behind every chat.

    Attributes:
        queues: The queue of each word.
        targets: Names of all targets, for "did you mean".
        tell: Answers what is known already.
        answers: Says answers, now or later.
        store: Ledger and audit log.
        clock: Wall time.
    """

    queues: Callable[[Word], Queue]
    targets: Callable[[], Sequence[str]]
    tell: Mapping[Word, Callable[[], Answer]]
    answers: Answers
    store: Store
    clock: Clock

    def limit(self, a_minute: int) -> RateLimit:
        """How often one person is heard."""
        return RateLimit(a_minute, self.store, self.clock)

    def desk(self, name: str, chat: Chat, allowed: Access, a_minute: int) -> Desk:
        """The desk of one chat."""
        return Desk(
            chat=OneChat(name, chat),
            access=allowed,
            limit=self.limit(a_minute),
            queues=self.queues,
            store=self.store,
            clock=self.clock,
            targets=self.targets,
            tell=self.tell,
            answers=self.answers,
        )


def hear_slack(section: SlackSection, chat: SlackChat, behind: Behind) -> tuple[SlackHearer, list[Route]]:
    """Slack in Socket Mode, by signed HTTP, or both; gives what connects, and where Slack calls.

    Raises:
        ConfigError: A secret is missing.
    """
    secret = section.signing_secret.read("slack.signing_secret") if section.signing_secret else ""
    allowed = Access(frozenset(section.users), frozenset(section.channels), chat.members)
    events = SlackEvents(behind.desk(SLACK, chat, allowed, section.commands_per_minute))
    app = slack_app(slack_client(section), events, signing_secret=secret)
    socket = None
    if section.app_token is not None:
        socket = socket_mode(app, section.app_token.read("slack.app_token"), section.url)
    return SlackHearer(chat, socket), slack_routes(app) if secret else []


def hear_matrix(section: MatrixSection, chat: MatrixChat, behind: Behind) -> MatrixHearer:
    """Matrix, which we ask."""
    allowed = Access(frozenset(section.users), frozenset(section.rooms))
    desk = behind.desk(MATRIX, chat, allowed, section.commands_per_minute)
    return MatrixHearer(chat, desk.converse, behind.store, behind.clock)


def slack_chat(section: SlackSection) -> SlackChat:
    """Slack as a chat to answer in."""
    return SlackChat(slack_client(section), section.groups)


def slack_client(section: SlackSection) -> WebClient:
    """Slack's Web API, with the bot's token."""
    return client(section.bot_token.read("slack.bot_token"), section.url)


def matrix_chat(section: MatrixSection) -> MatrixChat:
    """Matrix as a chat to answer in."""
    # Its library costs 18 MB, which a bot without Matrix need not pay.
    from bot.triggers.chat.matrix import MatrixChat  # noqa: PLC0415 - only where Matrix is configured

    token = section.access_token.read("matrix.access_token")
    return MatrixChat(section.homeserver, section.user, token, section.rooms)
