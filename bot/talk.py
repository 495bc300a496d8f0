"""Everything people talk to and are told by, put together: chats, comments on GitHub, notifications."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from bot.app import access
from bot.cycle.parts import Parts
from bot.errors import RefitError
from bot.forge.discussion import GitHubDiscussion
from bot.model.answer import Answer
from bot.notify import send, usable_urls
from bot.ports import Chat, Clock, Discussion, Queue, Store, Task
from bot.settings import ForgeKind, Settings
from bot.settings.talks import CommentsSection, MatrixSection, SlackSection
from bot.triggers.chat.access import Access, RateLimit
from bot.triggers.chat.desk import Desk
from bot.triggers.chat.github import NAME as GITHUB
from bot.triggers.chat.github import GitHubChat
from bot.triggers.chat.grammar import Word
from bot.triggers.chat.hearers import Hearer, MatrixHearer, SlackHearer, connected
from bot.triggers.chat.names import MATRIX
from bot.triggers.chat.slack import SlackChat, client
from bot.triggers.chat.slack_app import NAME as SLACK
from bot.triggers.chat.slack_app import SlackEvents, slack_app, socket_mode
from bot.triggers.chat.switch import OneChat, Switch
from bot.triggers.comments import Comments
from bot.triggers.notify import News, Notifier
from bot.triggers.polling import Polling
from bot.triggers.webhook import usable_secrets
from bot.web.github import Webhooks, github_routes
from bot.web.slack import slack_routes

if TYPE_CHECKING:
    from bot.triggers.chat.matrix import MatrixChat

log: Final = logging.getLogger(__name__)
_SOON_SECONDS: Final = 0.5
_AGAIN_SECONDS: Final = 30.0
_FRESH_SECONDS: Final = 300.0


class Talk:
    """The chats of a configuration.

    Args:
        settings: The configuration.
        store: Ledger and audit log.
        clock: Wall and monotonic time.

    Raises:
        ConfigError: A secret is missing.
    """

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self._settings, self._store, self._clock = settings, store, clock
        urls = _destinations(settings)
        self._checked = _checking(urls)
        self._discussion = _discussion(settings)
        self._slack = _slack(settings.slack) if settings.slack else None
        self._matrix = _matrix(settings.matrix) if settings.matrix else None
        self.chat = Switch(self._chats())
        self.news = News(_notifier(settings, urls, store, clock))
        self._comments: Comments | None = None
        self._polling: Polling | None = None
        self.routes: list[Route] = []
        self._hearers: dict[str, Hearer] = {}
        self._heard = frozenset[str]()
        self._stopping = threading.Event()

    def listen(
        self,
        queues: Callable[[Word], Queue],
        targets: Callable[[], Sequence[str]],
        tell: Mapping[Word, Callable[[], Answer]],
    ) -> None:
        """Say where what people ask for goes.

        Args:
            queues: The queue of each word.
            targets: Names of all targets, for "did you mean".
            tell: Answers what is known already.
        """

        def desk(name: str, chat: Chat, allowed: Access, a_minute: int) -> Desk:
            return Desk(
                chat=OneChat(name, chat),
                access=allowed,
                limit=RateLimit(a_minute, self._store, self._clock),
                queues=queues,
                store=self._store,
                clock=self._clock,
                targets=targets,
                tell=tell,
            )

        slack, matrix = self._settings.slack, self._settings.matrix
        if slack is not None and self._slack is not None:
            allowed = Access(frozenset(slack.users), frozenset(slack.channels), self._slack.members)
            self._hear_slack(slack, self._slack, desk(SLACK, self._slack, allowed, slack.commands_per_minute))
        if matrix is not None and self._matrix is not None:
            allowed = Access(frozenset(matrix.users), frozenset(matrix.rooms))
            its_desk = desk(MATRIX, self._matrix, allowed, matrix.commands_per_minute)
            hearer = MatrixHearer(self._matrix, its_desk.converse, self._store, self._clock)
            self._hearers[MATRIX] = hearer

        if self._discussion is not None and self._settings.comments is not None:
            self._hear_comments(self._settings.comments, self._discussion, queues, targets)

    def comment(self, parts: Parts, task: Task) -> None:
        """Take a command that was given on GitHub."""
        if self._comments is not None:
            self._comments(parts, task)

    def start(self) -> None:
        """Connect to every chat, and stay connected; a chat that is down keeps nothing else from working.

        Raises:
            ConfigError: A destination of notifications is none.
        """
        self._checked.result()
        if self._polling is not None:
            threading.Thread(target=self._poll, name="refit-comments", daemon=True).start()
        if self._hearers:
            threading.Thread(target=self._stay, name="refit-chat", daemon=True).start()

    def stop(self) -> None:
        """Hear nothing more; answers can still be given."""
        self._stopping.set()
        for hearer in self._hearers.values():
            hearer.close()

    def close(self) -> None:
        """Close what answers need; nothing may run any more."""
        if self._matrix is not None:
            self._matrix.disconnect()

    def parts(self) -> Mapping[str, Callable[[], bool]]:
        """Each chat that is heard by its name, and whether it took our token once."""
        return {name: partial(self._is_heard, name) for name in self._hearers}

    def _is_heard(self, name: str) -> bool:
        return name in self._heard

    def may(self, project: str, who: str) -> str:
        """Why a person may not change what GitHub shows of a project; empty where they may.

        A project on the local forge has no accounts: there, whoever is answered may.
        """
        mine = next((one for one in self._settings.projects if one.name == project), None)
        if mine is not None and mine.forge is ForgeKind.LOCAL:
            return ""
        login = self._login(who)
        if not login or self._discussion is None:
            return "I do not know your GitHub account; the operator can add it under `accounts`."
        if self._discussion.may_write(project, login):
            return ""
        return f"on GitHub, {login} may not write there."

    def _login(self, who: str) -> str:
        """The GitHub account of a person of a chat, from the configuration."""
        chat, _, name = who.partition(":")
        if chat == GITHUB:
            return name
        section = {SLACK: self._settings.slack, MATRIX: self._settings.matrix}.get(chat)
        return section.accounts.get(name, "") if section else ""

    def _hear_slack(self, section: SlackSection, chat: SlackChat, desk: Desk) -> None:
        secret = section.signing_secret.read("slack.signing_secret") if section.signing_secret else ""
        web = client(section.bot_token.read("slack.bot_token"), section.url)
        app = slack_app(web, SlackEvents(desk), signing_secret=secret)
        if secret:
            self.routes += slack_routes(app)
        socket = None
        if section.app_token is not None:
            socket = socket_mode(app, section.app_token.read("slack.app_token"), section.url)
        self._hearers[SLACK] = SlackHearer(chat, socket)

    def _hear_comments(
        self,
        section: CommentsSection,
        discussion: Discussion,
        queues: Callable[[Word], Queue],
        targets: Callable[[], Sequence[str]],
    ) -> None:
        limit = RateLimit(section.commands_per_minute, self._store, self._clock)
        self._comments = Comments(discussion, limit, queues, targets)
        quick = queues(Word.HELP)
        if section.secrets:
            secrets = usable_secrets([one.read("comments.secrets") for one in section.secrets])
            self.routes += github_routes(Webhooks(secrets, quick, self._store, self._clock))
        if section.poll is not None:
            local = {one.name for one in self._settings.projects if one.forge is ForgeKind.LOCAL}
            self._polling = Polling(
                discussion, quick, self._store, self._clock, lambda name: name not in local
            )

    def _chats(self) -> dict[str, Chat]:
        chats: dict[str, Chat] = {SLACK: self._slack} if self._slack else {}
        chats |= {MATRIX: self._matrix} if self._matrix else {}
        return chats | ({GITHUB: GitHubChat(self._discussion)} if self._discussion else {})

    def _poll(self) -> None:
        section = self._settings.comments
        seconds = section.poll.total_seconds() if section and section.poll else _AGAIN_SECONDS
        while self._polling is not None and not self._stopping.is_set():
            try:
                self._polling.look()
            except RefitError as error:
                log.warning("comments were not looked for: %s", error.message)
            self._stopping.wait(seconds)

    def _stay(self) -> None:
        """Connect, soon again where one is down, and look from time to time whether it still stands."""
        again = _SOON_SECONDS
        while not self._stopping.is_set():
            here = {name for name, hearer in self._hearers.items() if connected(hearer)}
            self._heard |= here
            again = _SOON_SECONDS if len(here) == len(self._hearers) else min(2 * again, _AGAIN_SECONDS)
            self._stopping.wait(_FRESH_SECONDS if len(here) == len(self._hearers) else again)


def _slack(section: SlackSection) -> SlackChat:
    return SlackChat(client(section.bot_token.read("slack.bot_token"), section.url), section.groups)


def _matrix(section: MatrixSection) -> MatrixChat:
    # Its library costs 18 MB, which a bot without Matrix need not pay.
    from bot.triggers.chat.matrix import MatrixChat  # noqa: PLC0415 - only where Matrix is configured

    token = section.access_token.read("matrix.access_token")
    return MatrixChat(section.homeserver, section.user, token, section.rooms)


def _destinations(settings: Settings) -> tuple[str, ...]:
    section = settings.notifications
    return tuple(one.read("notifications.to") for one in section.to) if section else ()


def _checking(urls: Sequence[str]) -> Future[object]:
    """Apprise takes a second to look at them, which everything else need not wait for."""
    pool = ThreadPoolExecutor(1, "refit-notify")
    checked: Future[object] = pool.submit(usable_urls, urls)
    pool.shutdown(wait=False)
    return checked


def _notifier(settings: Settings, urls: Sequence[str], store: Store, clock: Clock) -> Notifier | None:
    section = settings.notifications
    return Notifier(urls, section.about, store, clock, send) if section else None


def _discussion(settings: Settings) -> Discussion | None:
    """What is asked on GitHub; with connections of its own, for a cycle uses the forge's."""
    on_github = any(one.forge is ForgeKind.GITHUB for one in settings.projects)
    return GitHubDiscussion(access(settings)) if on_github else None
