"""Which updates are built where a cycle may not build them all: those whose new base fixes most."""

from __future__ import annotations

from collections.abc import Sequence

from bot.cycle.base_scans import base_comparison
from bot.cycle.parts import Parts
from bot.errors import RefitError
from bot.model.run import Planned
from bot.model.vulnerability import Severity

_Rank = tuple[int, ...]


def chosen_for_build(updates: Sequence[Planned], parts: Parts) -> frozenset[str] | None:
    """Places of the updates that may be built; None where all may.

    The bases are compared first, which level `base` needs anyway and is done once for each pair.
    """
    wanted = [one for one in updates if one.target is not None and one.target.build]
    if len(wanted) <= parts.policy.max_builds:
        return None
    parts.progress.step(f"choose {parts.policy.max_builds} of {len(wanted)} targets to build")
    ranked = sorted(wanted, key=lambda one: (_rank(one, parts), place(one)))
    return frozenset(place(one) for one in ranked[: parts.policy.max_builds])


def place(planned: Planned) -> str:
    """What tells one update from another."""
    return f"{planned.project.name} {planned.subject} {planned.use.id}"


def _rank(planned: Planned, parts: Parts) -> _Rank:
    """Sorts what fixes most and most severe first; what cannot be compared comes last."""
    fixed = dict.fromkeys(Severity, 0)
    for pair in planned.bases:
        try:
            comparison = base_comparison(pair, parts)
        except RefitError:
            continue  # it fails where it is proved, and is told there
        for finding in comparison.fixed if comparison else ():
            fixed[finding.vulnerability.severity] += 1
    return tuple(-count for count in fixed.values())
