"""One connection to GitHub's API: what is retried, how long a limit is waited for, and errors as ours.

PyGithub's own policy repeats a POST that was answered 502 and so can open a second pull request. Here only
reads are repeated after a server error; what was refused by a rate limit had no effect and is always
repeated, within a bound. After a failed write the callers look what is there before they go on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from github import Auth, Github, GithubException, GithubRetry
from github.GithubException import RateLimitExceededExceedsMaxWait, RateLimitExceededException
from requests.exceptions import RequestException
from urllib3 import BaseHTTPResponse, Retry
from urllib3.connectionpool import ConnectionPool

from bot.errors import ForgeError, ForgeRefused, ForgeUnavailable

PUBLIC_API: Final = "https://api.github.com"
_RATE_LIMITED: Final = frozenset({403, 429})
_READS: Final = frozenset({"GET", "HEAD"})

# The library writes its log to stderr by itself: raw on the terminal before our errors, which tell it, and
# past the log of a service, which hides secrets. That one still gets its lines, for they go up to the root.
_LIBRARY: Final = logging.getLogger("github")
_LIBRARY.handlers[:] = [logging.NullHandler()]
_LIBRARY.setLevel(logging.NOTSET)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where GitHub is, and how patient we are.

    Attributes:
        base_url: Root of the API: github.com's, or `https://HOST/api/v3` of an Enterprise Server.
        timeout: Seconds for one answer.
        max_rate_limit_wait: Longest wait for a primary or secondary rate limit, in seconds.
        secondary_rate_wait: Wait after a secondary limit that names no time, in seconds.
        seconds_between_writes: GitHub asks for at least 1.
        seconds_between_requests: Between any two requests.
        attempts: How often a read is tried, and a write after we looked what the last one did.
        pause: Seconds before the second attempt; each further one waits twice as long.
    """

    base_url: str = PUBLIC_API
    timeout: int = 30
    max_rate_limit_wait: float = 600.0
    secondary_rate_wait: float = 60.0
    seconds_between_writes: float = 1.0
    seconds_between_requests: float = 0.0
    attempts: int = 3
    pause: float = 1.0

    @property
    def origin(self) -> str:
        """Where people and git find projects: `https://github.com`."""
        if self.base_url.rstrip("/") == PUBLIC_API:
            return "https://github.com"
        return self.base_url.rstrip("/").removesuffix("/api/v3")

    def client(self, auth: Auth.Auth | None) -> Github:
        """A client with this policy, of nobody where there is no `auth`; not safe for two threads at once."""
        return Github(
            auth=auth,
            base_url=self.base_url.rstrip("/"),
            timeout=self.timeout,
            user_agent="refit",
            per_page=100,
            retry=self.retry(),
            seconds_between_requests=self.seconds_between_requests,
            seconds_between_writes=self.seconds_between_writes,
        )

    def retry(self) -> Retry:
        """The retry policy of one request."""
        return Patience(
            secondary_rate_wait=self.secondary_rate_wait,
            max_rate_limit_wait=self.max_rate_limit_wait,
            total=self.attempts - 1,
            allowed_methods=_READS,
            status_forcelist=list(range(500, 600)),
            backoff_factor=self.pause / 2,
            raise_on_status=False,
        )


class Patience(GithubRetry):
    """Repeats reads after server errors, and anything after a rate limit, never waiting above the bound."""

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:  # noqa: FBT001, FBT002 - urllib3's signature
        """See `urllib3.Retry.is_retry`."""
        return status_code in _RATE_LIMITED or super().is_retry(method, status_code, has_retry_after)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """See `urllib3.Retry.increment`; refuses a `Retry-After` above the bound."""
        try:
            self._check_wait(response)
            return super().increment(method, url, response, error, _pool, _stacktrace)  # type: ignore[arg-type,return-value]  # PyGithub narrows urllib3's types
        except GithubException:
            if response is not None:  # urllib3 expects no such error here, and would leave the socket open
                response.close()
            raise

    def _check_wait(self, response: BaseHTTPResponse | None) -> None:
        wait = self._asked_to_wait(response)
        if response is None or self.max_rate_limit_wait is None or wait <= self.max_rate_limit_wait:
            return
        text = {"message": "the rate limit asks for a longer wait than this run may take"}
        raise RateLimitExceededExceedsMaxWait(response.status, text, dict(response.headers), wait=wait)

    def _asked_to_wait(self, response: BaseHTTPResponse | None) -> float:
        if response is None or response.status not in _RATE_LIMITED:
            return 0.0
        return self.get_retry_after(response) or 0.0


@contextmanager
def translated(project: str, doing: str) -> Iterator[None]:
    """Turn what PyGithub and its transport raise into `ForgeError`s.

    Args:
        project: Which project; named in the message.
        doing: What was tried: `open a pull request`.
    """
    try:
        yield
    except ForgeError:
        raise
    except GithubException as error:
        raise _meaning(error, f"cannot {doing} in {project}") from error
    except RequestException as error:
        reason = type(error).__name__
        raise ForgeUnavailable(
            f"cannot {doing} in {project}: no answer from GitHub ({reason})",
            hint="Check the network and GitHub's status page; the next run goes on from here.",
        ) from error
    except RuntimeError as error:  # PyGithub's word for a redirect to another host
        raise ForgeRefused(
            f"cannot {doing} in {project}: {error}", hint="Set the forge's `url` to where GitHub is."
        ) from error


def message_of(error: GithubException) -> str:
    """What GitHub said, with the reasons of a failed validation."""
    data: Any = error.data if isinstance(error.data, dict) else {}
    details = [_detail(item) for item in data.get("errors") or []]
    said = str(data.get("message") or error.message or "no message")[:300]
    return " ".join([said, *details]).strip()


def _detail(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)[:300]
    words = item.get("message") or f"{item.get('field')}: {item.get('code')}"
    return str(words)[:300]


def _meaning(error: GithubException, what: str) -> ForgeError:
    """The error that a status stands for."""
    said = f"{what}: {message_of(error)}"
    if isinstance(error, RateLimitExceededException) or error.status == 429:
        return ForgeUnavailable(said, hint="Run again later, or raise `max_rate_limit_wait` of the forge.")
    if error.status >= 500:
        return ForgeUnavailable(
            f"{what}: GitHub answered {error.status}", hint="The next run goes on from here."
        )
    return ForgeRefused(f"{said} ({error.status})", hint=_hint(error))


def _hint(error: GithubException) -> str:
    said = message_of(error).lower()
    if error.status == 401:
        return "The token is unknown or has run out: make a new one."
    if "archived" in said:
        return "The project is archived: take it out of the configuration, or unarchive it."
    if error.status == 403:
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        needed = headers.get("x-accepted-github-permissions", "")
        wanted = needed or "contents, pull_requests and issues: write"
        return f"The token lacks a permission; it needs {wanted}."
    if error.status == 404:
        return (
            "Check the project's name, and that the token (or the App's installation) covers it; "
            "without a token only public projects can be read."
        )
    return ""
