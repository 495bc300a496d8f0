"""An offer: a newer base of a target, and what it would fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.model.vulnerability import Severity


@dataclass(frozen=True, slots=True)
class Offer:
    """A newer base that fixes something, by the two base images compared.

    Attributes:
        project: Where.
        target: The image it would change.
        image: What moves, without its digest: `debian:bookworm-slim`.
        to: What people call the new one: its date or tag.
        fixed: How many vulnerabilities it fixes, by severity.
        introduced: How many it brings.
        url: The open pull request that carries it already; empty where there is none.
    """

    project: str
    target: str
    image: str
    to: str
    fixed: Mapping[Severity, int]
    introduced: Mapping[Severity, int]
    url: str = ""
