"""What counts as news: what a reader would call something else than before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.evidence import Verdict, VerdictState
from bot.model.notice import NoticeKind
from bot.report import notices
from tests.unit.report.cases import result
from tests.unit.report.samples import proved


def blocked(*reasons: str) -> str:
    """The state of the notice about an update that is blocked for these reasons."""
    one = replace(proved(), verdict=Verdict(VerdictState.BLOCK, reasons))
    (notice,) = [found for found in notices.of_cycle(result(one)) if found.kind is NoticeKind.BLOCKED]
    return notice.state


SAME = {
    "size": ("121.3 MB is over the budget of 120.0 MB", "121.4 MB is over the budget of 120.0 MB"),
    "growth": (
        "5.3 % larger than before; the tolerance is 5 %",
        "12 % larger than before; the tolerance is 5 %",
    ),
    "time": (
        "healthy before, unhealthy after (gave up at 10:31:02)",
        "healthy before, unhealthy after (gave up at 9:00:59)",
    ),
}
ANOTHER = {
    "count": ("introduces 1 high (CVE-2026-1)", "introduces 2 high (CVE-2026-1)"),
    "identity": ("introduces 1 high (CVE-2026-1)", "introduces 1 high (CVE-2026-2)"),
    "reason": ("121.3 MB is over the budget of 120.0 MB", "it does not build on the new base"),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME.keys())
def test_a_number_that_was_measured_anew_is_no_news(first: str, second: str) -> None:
    assert blocked(first) == blocked(second)


@pytest.mark.parametrize(("first", "second"), ANOTHER.values(), ids=ANOTHER.keys())
def test_another_thing_is_news(first: str, second: str) -> None:
    assert blocked(first) != blocked(second)


def test_work_that_fails_again_after_another_time_is_no_news() -> None:
    states = {notices.failure("sboms", f"no answer within {seconds} s", "").state for seconds in (30, 31)}
    assert len(states) == 1
