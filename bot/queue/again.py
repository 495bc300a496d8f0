"""Which jobs of the shared queue are done again, and when."""

from __future__ import annotations

from typing import Final

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from bot.errors import StoreError

_LONGEST_WAIT: Final = 60


class HandedBack(Exception):
    """A job was cut off because its process is to stop."""


class Again(BaseRetryStrategy):
    """What was handed back is free at once; what failed for lack of a store, after a while.

    Args:
        attempts: How often it is done again.
    """

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Procrastinate's question."""
        if isinstance(exception, HandedBack):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, StoreError) and job.attempts < self._attempts:
            return RetryDecision(retry_in={"seconds": min(_LONGEST_WAIT, 2 ** min(job.attempts, 6))})
        return None
