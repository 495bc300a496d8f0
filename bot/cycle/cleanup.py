"""Clean-up: what has had its time goes, what is in use stays. Nightly, by `refit serve`."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from bot.cycle.parts import Parts
from bot.errors import StoreError
from bot.model.retention import Cleaned, Expiring
from bot.model.run import Problem

# What was heard already: the kind of the ledger's entries, and how long the same may come again.
DELIVERY: Final = "delivery"
_DELIVERIES_KEPT: Final = timedelta(days=7)
# Of each target, or base image, and platform: what runs, and what a pull request proposes.
_IN_USE: Final = 2


def clean(parts: Parts) -> Cleaned:
    """Remove measurements, evidence, scans and artifacts that are older than the policy keeps them.

    The SBOMs of what a target runs on and is to run on stay, however old; so does the point that a baseline
    stands on. A failure of one kind stops no other. `refit serve` calls this once a night.

    Args:
        parts: The collaborators; store, artifacts, clock and policy are used.
    """
    now, retention = parts.clock.now(), parts.policy.retention
    expired: dict[Expiring, int] = {}
    problems: list[Problem] = []
    for kind in Expiring:
        try:
            expired[kind] = parts.store.expire(kind, now - getattr(retention, kind.value))
        except StoreError as error:
            problems.append(Problem(f"clean-up of {kind.value}", error.message, error.hint))
    removed: list[int] = []
    try:
        parts.store.forget(DELIVERY, before=now - _DELIVERIES_KEPT)
        removed = _remove_artifacts(parts, now - retention.artifacts)
    except StoreError as error:
        problems.append(Problem("clean-up of artifacts", error.message, error.hint))
    return Cleaned(expired, len(removed), sum(removed), tuple(problems))


def _remove_artifacts(parts: Parts, before: datetime) -> list[int]:
    """Remove old artifacts that nothing in use needs; gives the bytes of each."""
    used = _in_use(parts)
    old = [one for one in parts.artifacts.kept() if one.written < before and one.digest not in used]
    for one in old:
        parts.artifacts.remove(one.digest)
    return [one.size for one in old]


def _in_use(parts: Parts) -> set[str]:
    newest: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for sbom in parts.store.sboms():
        image = "" if sbom.subject else sbom.base.partition("@")[0]
        newest[sbom.subject, sbom.platform, image].append(sbom.digest)
    return {digest for digests in newest.values() for digest in digests[:_IN_USE]}
