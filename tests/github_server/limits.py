"""The primary rate limit: counted for each token, shown in headers, never enforced but by a fault."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.github_server.state import Token

LIMIT = 5000
ANONYMOUS_LIMIT = 60
RESET_SECONDS = 3600


def quota(token: Token | None) -> tuple[int, int, int]:
    """Limit, used, and the second (Unix time) of the next reset, which is the next full hour."""
    reset = (int(time.time()) // RESET_SECONDS + 1) * RESET_SECONDS
    return (LIMIT, token.used, reset) if token else (ANONYMOUS_LIMIT, 0, reset)


def headers(token: Token | None) -> dict[str, str]:
    """The headers that every answer carries."""
    limit, used, reset = quota(token)
    values = {"limit": limit, "used": used, "remaining": limit - used, "reset": reset, "resource": "core"}
    return {f"x-ratelimit-{name}": str(value) for name, value in values.items()}
