"""The log of what was asked and answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer.

    Attributes:
        method: HTTP method.
        path: Path below the API's root (`/repos/…`), or the git path (`/acme/shop.git/…`).
        query: Query parameters.
        status: The status that was sent.
        request: The request's JSON; None where there was none, and for git.
        response: The answer's JSON; None where there was none, and for git.
        template: GitHub's path template of the operation; empty where no operation was found, and for git.
        login: Whose token it was; empty for nobody.
        fault: Whether the answer is one that a test asked for.
        credential: The token (or JWT) as it was sent; empty for none.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int
    request: Any
    response: Any
    template: str
    login: str
    fault: bool
    credential: str = ""

    @property
    def is_write(self) -> bool:
        """Whether it asked to change a project: a mutating API call (minting a token is none), or a push."""
        if self.template:
            return self.method not in {"GET", "HEAD"} and not self.template.endswith("/access_tokens")
        return self.path.endswith("/git-receive-pack")

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status}"
