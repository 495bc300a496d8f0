"""Three years of made-up months: the numbers, the charts and the page say what happened, and no more."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from bot.report.schemas import schemas
from bot.report.size import html, shapes, svg
from bot.report.size.advice import advice
from bot.report.size.markdown import LIMIT, markdown
from bot.report.size.quarter import Quarter
from bot.report.size.summing import Frame, report
from bot.report.size.values import Grown, Growth, Link, Point, SizeReport, Surroundings
from bot.report.size.wording import summary
from tests.unit.report import cases, fleet
from tests.unit.report.fleet import MB

HOSTILE = '</style><script>alert(1)</script><img src=x onerror="alert(1)"> @octocat \u202e|'


def named(made: SizeReport) -> dict[str, int]:
    return {target.key[1]: target.size for target in made.targets}


class Elements(HTMLParser):
    """The elements of a page, the text outside its style, and its addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_last_quarter_sums_up_what_the_months_say() -> None:
    made = fleet.year_end()

    assert named(made) == {"worker": 412 * MB, "backend": 200 * MB, "api": 120 * MB, "frontend": 58_700_000}
    assert summary(made) == (
        "2026Q4: 4 images, 790.7 MB together; +3.0 MB (+0.8 %) over the quarter; 1 new, with no trend yet;"
        " 1 no longer there."
    )


@pytest.mark.parametrize("number", range(12))
def test_in_every_quarter_the_backend_gains_what_its_months_add(number: int) -> None:
    quarter = Quarter(fleet.FIRST_YEAR + number // 4, number % 4 + 1)

    (backend,) = (one for one in fleet.year_end(quarter).targets if one.key[1] == "backend")

    assert backend.size == (165 + 3 * number + 2) * MB
    assert backend.change == (None if number == 0 else 3 * MB)


def test_the_first_quarter_of_all_has_no_trend() -> None:
    made = fleet.year_end(Quarter(2024, 1))

    assert made.first
    assert "First quarter: no trend yet." in summary(made)
    assert "first quarter: no trend yet" in html.page(made)


def test_a_target_that_is_gone_is_named_and_is_in_no_sum() -> None:
    made = fleet.year_end(Quarter(2025, 4))

    assert [(one.key[1], one.size) for one in made.gone] == [("legacy", 700 * MB)]
    assert "legacy" not in named(made)
    assert max(point.size for point in made.total) < 700 * MB


def test_a_renamed_target_is_one_that_went_and_one_that_came() -> None:
    before = cases.measurement("2026-09", 100 * MB, target="old-name")
    after = cases.measurement("2026-10", 101 * MB, target="new-name")
    around = Surroundings(targets=frozenset({("acme/shop", "new-name")}))

    made = report([before, after], Frame(fleet.Q4, zone=UTC, now=fleet.NOW, around=around))

    assert [one.key[1] for one in made.gone] == ["old-name"]
    assert [(one.key[1], one.start) for one in made.targets] == [("new-name", None)]


def test_while_the_targets_are_not_known_none_counts_as_gone() -> None:
    around = replace(fleet.AROUND, targets=None)
    made = report(fleet.measurements(), Frame(fleet.Q4, zone=UTC, now=fleet.NOW, around=around))

    assert not made.gone
    assert "legacy" in named(made)


def test_a_target_that_failed_all_quarter_shows_its_last_size_and_its_error() -> None:
    text = markdown(fleet.year_end())

    assert "120.0 MB (on 2026-08-02)" in text
    assert "mailer/Dockerfile: the build failed: npm ci" in text


def test_another_zone_moves_a_measurement_at_the_edge_into_its_own_quarter() -> None:
    edge = cases.measurement("2026-09", 90 * MB, at=datetime(2026, 9, 30, 23, 30, tzinfo=UTC))
    later = cases.measurement("2026-11", 95 * MB)

    def change(zone: str) -> int | None:
        made = report([edge, later], Frame(fleet.Q4, zone=ZoneInfo(zone), now=fleet.NOW))
        return made.targets[0].change

    assert change("UTC") == 5 * MB
    assert change("Europe/Berlin") is None


def test_charts_hold_two_years_at_most_one_point_a_month() -> None:
    (backend,) = (one for one in fleet.year_end().targets if one.key[1] == "backend")

    assert [point.size // MB for point in backend.history] == list(range(177, 201))
    assert svg.chart(backend.history).count("<circle") == 24


def test_a_chart_puts_larger_sizes_higher_and_later_days_further_right() -> None:
    points = [Point(datetime(2026, month, 1, tzinfo=UTC).date(), month * MB) for month in range(1, 7)]

    places = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg.chart(points))

    across, down = [float(x) for x, _ in places], [float(y) for _, y in places]
    assert across == sorted(across)
    assert down == sorted(down, reverse=True)


def test_one_point_is_no_chart() -> None:
    point = Point(datetime(2026, 1, 1, tzinfo=UTC).date(), MB)

    assert (svg.chart([point]), svg.spark([point])) == ("", "")


def test_the_page_allows_only_its_own_style_and_fetches_nothing() -> None:
    page = html.page(fleet.year_end())

    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"content=\"default-src 'none'; style-src 'sha256-{digest}'\"" in page
    found = Elements(page)
    assert not {"script", "link", "img", "iframe", "object"} & set(found.names)
    assert "style" not in found.attributes
    assert found.links == ["https://github.com/acme/shop/pull/128"]
    assert "url(" not in style


def test_what_comes_from_outside_stays_text_on_the_page() -> None:
    points = [
        cases.measurement(month, 50 * MB + i, target=HOSTILE)
        for i, month in enumerate(("2026-08", "2026-11"))
    ]
    around = Surroundings(
        updates=(Link(HOSTILE, "javascript:alert(1)"),),
        **dict.fromkeys(("waiting", "ignored", "abandoned", "unshipped", "failed"), (HOSTILE,)),  # type: ignore[arg-type] # fields by name
    )
    growth = Growth((Grown(HOSTILE, 0, MB),), (Grown(HOSTILE, 0, MB),), (HOSTILE,))
    frame = Frame(fleet.Q4, zone=UTC, now=fleet.NOW, growth=lambda _before, _after: growth, around=around)

    found = Elements(html.page(report(points, frame)))

    assert not {"script", "img"} & set(found.names)
    assert found.names.count("style") == 1
    assert found.links == []
    assert "<script>alert(1)</script>" in found.text
    assert "\u202e" not in found.text


def test_the_document_is_what_its_schema_says() -> None:
    document = shapes.document(fleet.year_end())

    jsonschema.validate(json.loads(json.dumps(document)), schemas()["report"])
    assert [one["target"] for one in document["targets"]] == ["worker", "backend", "api", "frontend"]
    assert document["targets"][1]["change"] == 3 * MB
    assert document["todo"][0] == "Bring worker under its budget (62.0 MB over)"


def test_what_to_do_weighs_savings_and_risk_on_one_scale() -> None:
    subjects = [item.subject for item in advice(fleet.year_end())]

    assert subjects[:3] == ["worker", "worker", "worker"]
    assert len(subjects) == 5


def test_a_body_too_long_for_an_issue_is_made_again_with_fewer_rows() -> None:
    many = [cases.measurement("2026-11", MB * n, target=f"service-{'x' * 80}-{n:04}") for n in range(1, 900)]
    lists = tuple(f"image-{n} {'y' * 280}" for n in range(100))
    around = Surroundings(waiting=lists, ignored=lists, abandoned=lists, unshipped=lists)

    text = markdown(
        report(many, Frame(fleet.Q4, zone=UTC, now=fleet.NOW, around=around)), marker="<!-- end -->"
    )

    assert len(text) <= LIMIT
    assert text.endswith("<!-- end -->\n")
