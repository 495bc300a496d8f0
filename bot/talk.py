"""Everything people talk to and are told by, put together: chats, comments on GitHub, notifications."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

from starlette.routing import Route

from bot.app import access
from bot.cycle.parts import Parts
from bot.errors import RefitError
from bot.forge.discussion import GitHubDiscussion
from bot.hearing import Behind, hear_matrix, hear_slack, matrix_chat, slack_chat
from bot.model.answer import Answer
from bot.notify import usable_urls
from bot.ports import Chat, Clock, Discussion, Queue, Store, Task
from bot.settings import ForgeKind, Settings
from bot.settings.talks import CommentsSection
from bot.telling import destinations, notifier
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.github import NAME as GITHUB
from bot.triggers.chat.github import GitHubChat
from bot.triggers.chat.grammar import Word
from bot.triggers.chat.hearers import Hearer, connected
from bot.triggers.chat.names import MATRIX
from bot.triggers.chat.slack_app import NAME as SLACK
from bot.triggers.chat.switch import Switch
from bot.triggers.comments import Comments
from bot.triggers.notify import News
from bot.triggers.polling import Polling
from bot.triggers.webhook import usable_secrets
from bot.web.github import Webhooks, github_routes

log: Final = logging.getLogger(__name__)
_SOON_SECONDS: Final = 0.5
_AGAIN_SECONDS: Final = 30.0
_FRESH_SECONDS: Final = 300.0
_ROUND_SECONDS: Final = 5.0


class Owing(Protocol):
    """What has something to say that was not taken yet."""

    def deliver(self, *, given_up: bool = False) -> None:
        """Say what is due; with `given_up`, also what was given up."""
        ...


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
        urls = destinations(settings)
        self._checked = _checking(urls)
        self._discussion = _discussion(settings)
        self._slack = slack_chat(settings.slack) if settings.slack else None
        self._matrix = matrix_chat(settings.matrix) if settings.matrix else None
        self.answers = Answers(Switch(self._chats()), store, clock)
        teller = notifier(settings, urls, store, clock)
        self.news = News(teller)
        self._owing: tuple[Owing, ...] = (self.answers, teller) if teller else (self.answers,)
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
        behind = Behind(
            queues=queues,
            targets=targets,
            tell=tell,
            answers=self.answers,
            store=self._store,
            clock=self._clock,
        )
        settings = self._settings
        if settings.slack is not None and self._slack is not None:
            self._hearers[SLACK], routes = hear_slack(settings.slack, self._slack, behind)
            self.routes += routes
        if settings.matrix is not None and self._matrix is not None:
            self._hearers[MATRIX] = hear_matrix(settings.matrix, self._matrix, behind)
        if settings.comments is not None and self._discussion is not None:
            self._hear_comments(settings.comments, self._discussion, behind)

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
            self._begin(self._poll, "refit-comments")
        if self._hearers:
            self._begin(self._stay, "refit-chat")
        if len(self._owing) > 1 or self._hearers or self._comments:
            self._begin(self._deliver, "refit-owing")

    def stop(self) -> None:
        """Hear nothing more; answers can still be given."""
        self._stopping.set()
        for hearer in self._hearers.values():
            hearer.close()

    def close(self) -> None:
        """Close the connections; nothing can be heard or answered any more."""
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

    def _hear_comments(self, section: CommentsSection, discussion: Discussion, behind: Behind) -> None:
        limit = behind.limit(section.commands_per_minute)
        self._comments = Comments(discussion, limit, behind.queues, behind.targets, behind.answers)
        quick = behind.queues(Word.HELP)
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

    @staticmethod
    def _begin(work: Callable[[], None], name: str) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def _poll(self) -> None:
        section = self._settings.comments
        seconds = section.poll.total_seconds() if section and section.poll else _AGAIN_SECONDS
        while self._polling is not None and not self._stopping.is_set():
            try:
                self._polling.look()
            except RefitError as error:
                log.warning("comments were not looked for: %s", error.message)
            self._stopping.wait(seconds)

    def _deliver(self) -> None:
        """Say again what was not taken; whoever starts a bot may have mended what made us give up."""
        first = True
        while not self._stopping.is_set():
            for one in self._owing:
                try:
                    one.deliver(given_up=first)
                except RefitError as error:
                    log.warning("what is owed was not looked for: %s", error.message)
            first = False
            self._stopping.wait(_ROUND_SECONDS)

    def _stay(self) -> None:
        """Connect, soon again where one is down, and look from time to time whether it still stands."""
        again = _SOON_SECONDS
        while not self._stopping.is_set():
            here = {name for name, hearer in self._hearers.items() if connected(hearer)}
            self._heard |= here
            again = _SOON_SECONDS if len(here) == len(self._hearers) else min(2 * again, _AGAIN_SECONDS)
            self._stopping.wait(_FRESH_SECONDS if len(here) == len(self._hearers) else again)


def _checking(urls: Sequence[str]) -> Future[object]:
    """Apprise takes a second to look at them, which everything else need not wait for."""
    pool = ThreadPoolExecutor(1, "refit-notify")
    checked: Future[object] = pool.submit(usable_urls, urls)
    pool.shutdown(wait=False)
    return checked


def _discussion(settings: Settings) -> Discussion | None:
    """What is asked on GitHub; with connections of its own, for a cycle uses the forge's."""
    on_github = any(one.forge is ForgeKind.GITHUB for one in settings.projects)
    return GitHubDiscussion(access(settings)) if on_github else None
