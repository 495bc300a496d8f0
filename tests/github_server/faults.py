"""Faults on demand: what goes wrong, for which requests, how often, and whether the effect happened."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.github_server import limits

_MESSAGES = {
    500: "Server Error",
    502: "Server Error",
    503: "Service Unavailable",
    401: "Bad credentials",
    404: "Not Found",
    409: "Conflict",
    422: "Validation Failed",
}


@dataclass(slots=True)
class Fault:
    """One fault. `status` None lets the true answer through (only late, then)."""

    method: str
    path: re.Pattern[str]
    status: int | None
    after_effect: bool
    times: int
    body: Any
    headers: dict[str, str]
    delay_seconds: float

    def answer(self) -> Any:
        if self.body is not None:
            return self.body
        return {
            "message": _MESSAGES.get(self.status or 0, "Error"),
            "documentation_url": "",
            "status": str(self.status),
        }


def secondary_limit(method: str, path: str, retry_after_seconds: int, times: int) -> Fault:
    """GitHub's answer to too many writes in a short time."""
    text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    headers = {"Retry-After": str(retry_after_seconds)}
    body = _limit(text, "#about-secondary-rate-limits")
    return _refusal(method, path, body, headers, times)


def primary_limit(method: str, path: str, reset_in_seconds: int, times: int) -> Fault:
    """GitHub's answer when the hour's requests are used up."""
    reset = int(time.time()) + reset_in_seconds
    values = {"limit": limits.LIMIT, "remaining": 0, "used": limits.LIMIT, "reset": reset}
    headers = {f"x-ratelimit-{name}": str(value) for name, value in values.items()}
    return _refusal(method, path, _limit("API rate limit exceeded for user ID 1.", ""), headers, times)


def _refusal(method: str, path: str, body: dict[str, str], headers: dict[str, str], times: int) -> Fault:
    return Fault(
        method=method,
        path=re.compile(path),
        status=403,
        after_effect=False,
        times=times,
        body=body,
        headers=headers,
        delay_seconds=0.0,
    )


def _limit(message: str, part: str) -> dict[str, str]:
    docs = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
    return {"message": message, "documentation_url": docs + part}


@dataclass(slots=True)
class Faults:
    """The faults that wait; the first that fits a request is used up by it."""

    waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self.waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, counted down; None when all is well."""
        with self._lock:
            for fault in self.waiting:
                if fault.method in {"*", method} and fault.path.search(path):
                    fault.times -= 1
                    self.waiting = [one for one in self.waiting if one.times > 0]
                    return fault
        return None
