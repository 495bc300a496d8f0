"""What a registry says is left of its limit on requests, and what may still be sent within it. No I/O.

Registries count different things (Docker Hub: a GET of a manifest, and no HEAD), and change their limits, so
nothing is assumed: what is left is read from each answer, and what a HEAD costs is learned by watching it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_NUMBER: Final = re.compile(r"\s*(\d{1,12})\s*(?:[;,].*)?", re.DOTALL)
_PARAMETER: Final = re.compile(r"\b(limit|remaining|reset|q|w|r|t)\s*=\s*\"?(\d{1,12})")
_EPOCH: Final = 10**8  # a reset beyond this is a moment, not a number of seconds
# Stays for this machine's own pulls, since builds come after the look: a tenth of the limit, at most 20.
_KEPT, _MOST_KEPT = 0.1, 20


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of how much, and the seconds until it is whole again; None where that is not said."""

    left: int
    limit: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return str(self.left) if self.limit is None else f"{self.left}/{self.limit}"


def quota(headers: Mapping[str, str], now: float) -> Quota | None:
    """What an answer's headers say is left, or None where they say nothing (or nothing readable).

    Understands `RateLimit-Limit`, `-Remaining` and `-Reset` with and without `X-`, Docker Hub's
    `100;w=21600`, and both shapes of the one `RateLimit` header (IETF draft-ietf-httpapi-ratelimit-headers).

    Args:
        headers: Of the answer; names in any case.
        now: Seconds since the epoch, for resets that are moments.
    """
    given = _parameters(headers.get("RateLimit-Policy")) | _parameters(headers.get("RateLimit"))
    limit, left, reset = (_named(headers, name) for name in ("Limit", "Remaining", "Reset"))
    remaining = _number(left) if left else given.get("remaining", given.get("r"))
    if remaining is None:
        return None
    whole = _number(limit) if limit else given.get("limit", given.get("q"))
    window = _parameters(left).get("w") or _parameters(limit).get("w") or given.get("w")
    seconds = _number(reset) if reset else given.get("reset", given.get("t", window))
    return Quota(remaining, whole, _from_now(seconds, now))


def _named(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(f"RateLimit-{name}") or headers.get(f"X-RateLimit-{name}")


def _number(text: str) -> int | None:
    found = _NUMBER.fullmatch(text)
    return int(found[1]) if found else None


def _parameters(text: str | None) -> dict[str, int]:
    return {name: int(value) for name, value in _PARAMETER.findall(text[:1000])} if text else {}


def _from_now(seconds: int | None, now: float) -> float | None:
    if seconds is None:
        return None
    return max(0.0, seconds - now) if seconds > _EPOCH else float(seconds)


@dataclass(slots=True)
class Budget:
    """One host's quota over time; it outlives event loops.

    Attributes:
        quota: The newest word of the host.
        until: Monotonic second up to which it is believed.
        head_costs: Whether a HEAD is counted; None until that was seen: then one is sent at a time.
        flying: GETs in flight.
        got: GETs that were answered since the last word.
    """

    quota: Quota | None = None
    until: float = math.inf
    head_costs: bool | None = None
    flying: int = 0
    got: int = 0

    def told(self, method: str, said: Quota | None, now: float) -> None:
        """Note what an answer to a request of this method said."""
        self.got += method != "HEAD"
        if said is None:
            return
        alone = not (self.got or self.flying)  # a GET would explain a difference as well
        if self.quota is not None and alone and said.left <= self.quota.left:
            self.head_costs = said.left < self.quota.left
        self.quota, self.got = said, 0
        self.until = now + said.seconds if said.seconds is not None else math.inf

    def room(self, method: str, now: float) -> int | None:
        """How many such requests may be in flight at once to stay inside; None where nothing limits them."""
        if self.quota is None or now >= self.until:
            return None
        if method == "HEAD" and not self.head_costs:
            return 1 if self.head_costs is None else None
        return max(0, self.quota.left - self.kept)

    @property
    def kept(self) -> int:
        """What is left alone, of the limit."""
        limit = self.quota.limit if self.quota else None
        return min(_MOST_KEPT, math.ceil(limit * _KEPT)) if limit else 0

    def exhausted(self, host: str, now: float) -> str:
        """Why nothing more is sent, in words."""
        when = f", for another {_time(self.until - now)}" if self.until < math.inf else ""
        return f"{host} has {self.quota} requests left{when}: kept for pulls, so this one was not sent"


def _time(seconds: float) -> str:
    """A time to wait, as people say it: `40 s`, `12 min`, `6 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"
