"""The size report counts what the default branch holds, and says so where data is thin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.model.measurement import Measurement
from bot.report.size import markdown as size_markdown
from bot.report.size import quarter as quarters
from bot.report.size.advice import MOST, Advice, advice
from bot.report.size.quarter import Quarter
from bot.report.size.summing import Frame
from bot.report.size.summing import report as summed
from bot.report.size.values import SizeReport, Surroundings
from bot.report.size.wording import summary
from tests.unit.report import samples
from tests.unit.report.cases import measurement
from tests.unit.report.gfm import to_html
from tests.unit.report.page import Page, dangers

Q3 = Quarter(2026, 3)
OCTOBER = datetime(2026, 10, 2, 5, tzinfo=UTC)
NEW_BASE = f"debian:bookworm-slim@{samples.NEW}"

YEAR = (
    measurement("2026-03", 170_000_000),
    measurement("2026-06", 175_000_000),
    measurement("2026-07", 178_000_000, build_seconds=50.0),
    measurement("2026-09", 181_200_000, build_seconds=40.0, critical=3, high=11),
)


def report(*points: Measurement, quarter: Quarter = Q3, now: datetime = OCTOBER, **values: Any) -> SizeReport:
    frame = Frame(quarter, zone=UTC, now=now, baselines=[samples.BASELINE], **values)
    return summed(points, frame)


def words(item: Advice) -> str:
    return f"{item.before} {item.subject} {item.after}"


@pytest.mark.parametrize(
    ("moment", "zone", "quarter"),
    [
        ("2026-01-01T00:00:00+00:00", "UTC", "2026Q1"),
        ("2026-06-30T23:59:59+00:00", "UTC", "2026Q2"),
        ("2026-07-01T00:00:00+00:00", "UTC", "2026Q3"),
        ("2026-12-31T23:30:00+00:00", "Europe/Berlin", "2027Q1"),
        ("2026-10-01T03:30:00+00:00", "America/New_York", "2026Q3"),
    ],
)
def test_the_quarter_follows_the_calendar_of_the_zone(moment: str, zone: str, quarter: str) -> None:
    assert str(quarters.quarter_of(datetime.fromisoformat(moment), ZoneInfo(zone))) == quarter


def test_a_quarter_borders_on_its_neighbours() -> None:
    assert Quarter(2026, 1).previous == Quarter(2025, 4)
    assert Quarter(2026, 4).next == Quarter(2027, 1)
    assert Q3.end(UTC) == datetime(2026, 10, 1, tzinfo=UTC)
    assert quarters.parse_quarter(" 2026q3") == Q3


@pytest.mark.parametrize(
    "text", ["2026", "2026Q5", "2026Q0", "Q3", "26Q3", "2026-Q3", "2026Q33", "\u0968\u0966\u0968\u096cQ3", ""]
)
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2026Q3"):
        quarters.parse_quarter(text)


def test_the_change_is_from_the_last_size_before_the_quarter_to_the_last_in_it() -> None:
    (target,) = report(*YEAR).targets
    assert target.start == YEAR[1]
    assert (target.start.size, target.size, target.change) == (175_000_000, 181_200_000, 6_200_000)
    assert target.baseline == 178_000_000
    assert (target.builds.first, target.builds.last) == (50.0, 40.0)


def test_a_proposal_that_nobody_merged_is_not_the_size_now() -> None:
    proposal = measurement("2026-09", 120_000_000, base=NEW_BASE, applied=False)
    (target,) = report(*YEAR, proposal).targets
    assert target.size == 181_200_000
    assert target.proposed == proposal


def test_a_measurement_after_the_quarter_does_not_count() -> None:
    (target,) = report(*YEAR, measurement("2026-10", 999_000_000)).targets
    assert target.size == 181_200_000


@pytest.mark.parametrize(
    ("points", "quarter", "sentence"),
    [
        (YEAR, Q3, "2026Q3: 1 image, 181.2 MB together; +6.2 MB (+3.5 %) over the quarter."),
        (YEAR[2:], Q3, "2026Q3: 1 image, 181.2 MB together. First quarter: no trend yet."),
        ((), Q3, "2026Q3: nothing was measured, so there is nothing to compare."),
        (
            YEAR,
            Quarter(2026, 4),
            "2026Q4 so far: 1 image, 181.2 MB together; ±0.0 MB (±0.0 %) over the quarter.",
        ),
    ],
    ids=["trend", "first quarter", "nothing", "so far"],
)
def test_the_summary_is_honest(points: tuple[Measurement, ...], quarter: Quarter, sentence: str) -> None:
    assert summary(report(*points, quarter=quarter)) == sentence


def test_a_new_target_beside_old_ones_has_no_trend_of_its_own() -> None:
    made = report(*YEAR, measurement("2026-08", 60_000_000, target="frontend"))
    assert "1 new, with no trend yet." in summary(made)
    assert "| frontend | 60.0 MB | new |" in size_markdown.markdown(made)


def test_a_target_not_measured_this_quarter_shows_when_it_was() -> None:
    text = size_markdown.markdown(report(*YEAR[:2]))
    assert "175.0 MB (on 2026-06-02)" in text
    assert "Measure `backend` again (last on 2026-06-02)" in text


def test_what_to_do_next_is_ranked_by_risk_and_megabytes_and_bounded() -> None:
    proposal = measurement("2026-09", 181_000_000, base=NEW_BASE, applied=False)
    many = [measurement("2026-09", 200_000_000 + i, target=f"t{i}") for i in range(9)]
    budgets = {("acme/shop", f"t{i}"): 100_000_000 for i in range(9)}
    items = advice(report(*YEAR, proposal, *many, budgets=budgets))
    assert len(items) == MOST
    assert words(items[0]) == "merge the open update of backend (fixes 3 critical and 9 high, \u22120.2 MB)"
    assert words(items[1]) == "bring t8 under its budget (100.0 MB over)"


def test_a_quiet_quarter_asks_for_nothing() -> None:
    quiet = measurement("2026-07", 178_000_000), measurement("2026-06", 178_000_000)
    assert "Nothing: no budget is exceeded" in size_markdown.markdown(report(*quiet))


def test_the_chart_holds_every_point_and_the_budget() -> None:
    text = size_markdown.markdown(report(*YEAR, budgets={("acme/shop", "backend"): 200_000_000}))
    assert 'x-axis ["2026-03", "2026-06", "2026-07", "2026-09"]' in text
    assert "line [170.0, 175.0, 178.0, 181.2]" in text
    assert "line [200.0, 200.0, 200.0, 200.0]" in text


def test_hostile_names_break_neither_table_nor_chart() -> None:
    name = 'x"|\n```\n# @octocat fixes #1 <img> [skip ci]'
    points = [measurement(month, 100_000_000, target=name) for month in ("2026-06", "2026-08")]
    text = size_markdown.markdown(report(*points, around=Surroundings(waiting=(name,), abandoned=(name,))))
    page = Page(to_html(text))
    assert "img" not in page.elements
    assert "h1" not in page.elements
    assert page.elements.count("pre") == 1
    assert not dangers(page.text)


def test_a_thousand_targets_still_fit_an_issue() -> None:
    points = [measurement("2026-08", 10_000_000 + i, target=f"service-{i:04}") for i in range(1000)]
    text = size_markdown.markdown(report(*points), marker=samples.MARKER)
    assert len(text) <= 65_536
    assert "and 800 smaller ones, not shown" in text
    assert text.endswith(f"{samples.MARKER}\n")
