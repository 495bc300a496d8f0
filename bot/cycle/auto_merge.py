"""May this be merged with nobody looking? Only by rule, and only what leaves no question. Pure.

The forge merges then, after every required check; where none is required it does not, and a person does.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.cycle.narrow import narrowed
from bot.model.evidence import Evidence, Level, VerdictState
from bot.model.run import Proved
from bot.updates.rules import Rule, rule_for


def allowed(proved: Sequence[Proved], rules: Sequence[Rule]) -> bool:
    """Tell whether a group may be merged by itself: all of it must be."""
    return bool(proved) and all(_one(each, rules) for each in proved)


def _one(proved: Proved, rules: Sequence[Rule]) -> bool:
    """No waiver, no unverified age, no verdict but pass, nothing introduced, and built before and after."""
    planned, update = proved.planned, proved.planned.update
    rule = rule_for(rules, planned.project.name, planned.use)
    by_rule = narrowed(rule, planned.project, planned.use).auto_merge
    plain = update.auto_merge and update.age_verified and not update.waived
    passed = proved.verdict.state is VerdictState.PASS
    return by_rule and plain and passed and bool(proved.evidence) and all(map(_clear, proved.evidence))


def _clear(evidence: Evidence) -> bool:
    """Something was introduced: a trade, which a person decides on; only the bases compared: too little."""
    comparison = evidence.comparison
    return evidence.level is not Level.BASE and comparison is not None and not comparison.introduced
