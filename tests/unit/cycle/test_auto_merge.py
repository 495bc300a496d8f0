"""What may be merged with nobody looking: only by rule, and only what leaves no question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.cycle.auto_merge import allowed
from bot.model.evidence import Level, Verdict, VerdictState
from bot.model.run import Proved
from bot.updates.rules import Rule
from tests.unit.report import samples

BY_RULE = (Rule(auto_merge=True),)


def clear() -> Proved:
    """An update that leaves no question."""
    proved = samples.proved()
    evidence = proved.evidence[0]
    assert evidence.comparison is not None
    plain = replace(evidence, comparison=replace(evidence.comparison, introduced=()))
    update = replace(proved.planned.update, age_verified=True, waived=False, auto_merge=True)
    return replace(
        proved,
        planned=replace(proved.planned, update=update),
        evidence=(plain,),
        verdict=Verdict(VerdictState.PASS, ()),
    )


def but(**changes: object) -> Callable[[Proved], Proved]:
    """The same with something about its update changed."""

    def change(proved: Proved) -> Proved:
        update = replace(proved.planned.update, **changes)  # type: ignore[arg-type]  # a table of fields
        return replace(proved, planned=replace(proved.planned, update=update))

    return change


def trades(proved: Proved) -> Proved:
    return replace(proved, evidence=samples.proved().evidence)


def warned(proved: Proved) -> Proved:
    return replace(proved, verdict=Verdict(VerdictState.WARN, ("larger",)))


def not_built(proved: Proved) -> Proved:
    return replace(proved, evidence=(replace(proved.evidence[0], level=Level.BASE),))


def not_compared(proved: Proved) -> Proved:
    return replace(proved, evidence=(replace(proved.evidence[0], comparison=None),))


def unmeasured(proved: Proved) -> Proved:
    return replace(proved, evidence=())


def test_what_leaves_no_question_is_merged_by_rule_and_only_then() -> None:
    assert allowed([clear()], BY_RULE)
    assert not allowed([clear()], ())
    assert not allowed([clear()], (Rule(images=("nginx",), auto_merge=True),))
    assert not allowed([], BY_RULE)


@pytest.mark.parametrize(
    "question",
    [
        but(waived=True),
        but(age_verified=False),
        but(auto_merge=False),
        *(trades, warned, not_built, not_compared, unmeasured),
    ],
)
def test_one_question_in_a_group_leaves_it_to_people(question: Callable[[Proved], Proved]) -> None:
    assert not allowed([clear(), question(clear())], BY_RULE)
