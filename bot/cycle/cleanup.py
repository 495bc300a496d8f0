"""Clean-up: what has had its time goes, what is in use stays. Nightly, by `refit serve`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.cycle.known import known_subjects
from bot.cycle.parts import Parts
from bot.errors import StoreError
from bot.model.artifact import Kept, Sbom
from bot.model.retention import Cleaned, Expiring
from bot.model.run import Problem

# What was heard already: the kind of the ledger's entries, and how long the same may come again.
DELIVERY: Final = "delivery"
# Who asked when, for the rate limit.
ASKED: Final = "asked"
# What was not taken yet, by a destination of notifications and by a chat; what is tried stays new.
OWED_NOTICE: Final = "owed-notice"
OWED_ANSWER: Final = "owed-answer"
# What people asked for and what has not ended.
PENDING: Final = "pending"
_DELIVERIES_KEPT: Final = timedelta(days=7)
_HALF_WRITTEN_KEPT: Final = timedelta(days=1)
# Of each target and platform: what runs, and what a pull request proposes.
_IN_USE: Final = 2


def clean(parts: Parts) -> Cleaned:
    """Remove measurements, evidence, scans, SBOMs and artifacts that are older than the policy keeps them.

    The SBOMs of what a target under care runs on and is to run on stay, however old, and those that a rescan
    used lately; so does the point that a baseline stands on. SBOMs go before their documents, so that,
    whenever the process dies, none is left whose document is gone. A failure of one kind stops no other.
    `refit serve` calls this once a night.

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
    sboms: list[Sbom] = []
    removed: list[int] = []
    try:
        for noted in (DELIVERY, ASKED, OWED_NOTICE, OWED_ANSWER, PENDING):
            parts.store.forget(noted, before=now - _DELIVERIES_KEPT)
        at_hand = parts.store.sboms()  # read first: the document of an SBOM is there before it is
        kept = tuple(parts.artifacts.kept())
        sboms = _remove_sboms(parts, at_hand, {one.digest for one in kept}, now - retention.sboms)
        removed = _remove_artifacts(parts, kept, now - retention.artifacts)
        parts.artifacts.tidy(now - _HALF_WRITTEN_KEPT)
    except StoreError as error:
        problems.append(Problem("clean-up of artifacts", error.message, error.hint))
    return Cleaned(expired, len(sboms), len(removed), sum(removed), tuple(problems))


def _remove_sboms(
    parts: Parts, at_hand: Sequence[Sbom], kept: Container[str], before: datetime
) -> list[Sbom]:
    """Remove SBOMs that nothing needs any more, or whose document is gone."""
    needed = _needed(at_hand, known_subjects(parts.store))
    lost = [one for one in at_hand if one.digest not in kept]
    # A place where none is kept at all is not mounted, rather than one that lost everything.
    if len(lost) == len(at_hand) or not parts.policy.one_place:
        lost = []
    old = [one for one in at_hand if (one.used or one.at) < before and one not in needed]
    removed = list(dict.fromkeys([*lost, *old]))
    for one in removed:
        parts.store.remove_sbom(one)
    return removed


def _needed(sboms: Iterable[Sbom], under_care: Container[str]) -> set[Sbom]:
    """The newest of each target under care, for each platform; `sboms` are newest first."""
    newest: defaultdict[tuple[str, str], list[Sbom]] = defaultdict(list)
    for one in sboms:
        if one.subject in under_care:
            newest[one.subject, one.platform].append(one)
    return {one for those in newest.values() for one in those[:_IN_USE]}


def _remove_artifacts(parts: Parts, kept: Iterable[Kept], before: datetime) -> list[int]:
    """Remove old artifacts that no SBOM at hand is; gives the bytes of each."""
    used = {one.digest for one in parts.store.sboms()}
    old = [one for one in kept if one.written < before and one.digest not in used]
    for one in old:
        parts.artifacts.remove(one.digest)
    return [one.size for one in old]
