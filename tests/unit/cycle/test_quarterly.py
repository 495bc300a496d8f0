"""The size report is one issue for each project and quarter, from the store's measurements."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.cycle.image_findings import remember
from bot.cycle.inventory import subject_of
from bot.cycle.quarterly import Reports, publish_reports, size_report
from bot.model.finding import Finding, RuleSeverity
from bot.model.measurement import Measurement
from bot.model.run import Issue, PublicationState
from bot.model.target import Target
from tests.unit.cycle.house import POINT, House, house


def measured(folder: Path, *points: Measurement) -> House:
    made = house(folder, {"Dockerfile": "FROM scratch\n"})
    for point in points:
        made.store.save_measurement(point)
    return made


def test_the_last_complete_quarter_is_reported_on(tmp_path: Path) -> None:
    grown = replace(POINT, at=datetime(2026, 9, 1, tzinfo=UTC), cycle="monthly-2026-09", size=120_000_000)
    made = measured(tmp_path, POINT, grown)

    (published,) = publish_reports(made.parts(), None).published

    wanted = made.forge.wanted[published.url]
    assert isinstance(wanted, Issue)
    assert wanted.title == "Size report 2026Q3"
    assert "120.0 MB" in wanted.body


def test_run_twice_there_is_still_one_issue_and_nothing_is_written(tmp_path: Path) -> None:
    made = measured(tmp_path, POINT)
    first = publish_reports(made.parts(), None).published
    writes = made.forge.writes

    second = publish_reports(made.parts(), None).published

    assert [one.url for one in second] == [one.url for one in first]
    assert made.forge.writes == writes


def test_the_report_before_is_closed_with_a_link(tmp_path: Path) -> None:
    earlier = replace(POINT, at=datetime(2026, 5, 1, tzinfo=UTC), cycle="monthly-2026-05")
    made = measured(tmp_path, earlier, POINT)
    (old,) = publish_reports(made.parts(), "2026Q2").published

    (new,) = publish_reports(made.parts(), "2026Q3").published

    assert made.forge.comments == [f"The next size report: {new.url}"]
    found = made.forge.find_issue(made.projects[0], old.slot)
    assert found is not None
    assert found.state is PublicationState.CLOSED


def test_where_nothing_is_older_the_quarter_so_far_is_shown_and_says_so(tmp_path: Path) -> None:
    made = measured(tmp_path, replace(POINT, at=datetime(2026, 11, 1, tzinfo=UTC)))

    report = size_report(made.parts(), None, None)

    assert str(report.quarter) == "2026Q4"
    assert report.so_far
    assert report.first


def test_a_project_with_no_measurements_gets_no_issue(tmp_path: Path) -> None:
    assert publish_reports(measured(tmp_path).parts(), None) == Reports()


def test_an_issue_that_a_person_closed_stays_closed(tmp_path: Path) -> None:
    made = measured(tmp_path, POINT)
    (issue,) = publish_reports(made.parts(), None).published
    made.forge.becomes(issue, PublicationState.CLOSED)
    writes = made.forge.writes

    publish_reports(made.parts(), None)

    assert made.forge.writes == writes


def test_what_stands_open_and_what_was_decided_is_told_with_the_sizes(tmp_path: Path) -> None:
    dockerfile = "FROM debian:12\n# refit: ignore waits for the new cluster\nFROM postgres:16\n"
    made = house(tmp_path, {"Dockerfile": dockerfile})
    made.store.save_measurement(POINT)
    made.run()

    around = size_report(made.parts(), None, "2026Q3").around

    assert around.ignored == ("postgres:16 in Dockerfile: ignored by a comment: waits for the new cluster",)
    assert around.targets is not None


def test_the_audits_findings_are_in_the_report(tmp_path: Path) -> None:
    made = measured(tmp_path, POINT)
    made.forge.files["acme/shop"]["Dockerfile"] = (
        b"FROM debian:12\nENV API_TOKEN=s3cr3t-value-9f8e7d\nUSER root\n"
    )

    (published,) = publish_reports(made.parts(), "2026Q3").published

    wanted = made.forge.wanted[published.url]
    assert isinstance(wanted, Issue)
    assert "### What the guide's audit finds" in wanted.body
    assert "| RF110 | Dockerfile:" in wanted.body


def test_what_the_last_look_into_an_image_found_is_told_with_its_day(tmp_path: Path) -> None:
    target = Target("acme/shop", "backend", "Dockerfile")
    made = measured(tmp_path, POINT)
    made.projects = (replace(made.projects[0], targets=(target,)),)
    message = "3 source maps, 2.0 MB: /app/\udcff.js.map"
    finding = Finding("RF301", RuleSeverity.WARNING, "backend (built from 0123)", 0, message, saves=2_000_000)
    remember(target, [replace(finding, rule="RF302")], made.parts())
    remember(target, [finding], made.parts())

    for project, subject in ((made.projects[0], "backend"), (None, "acme/shop/backend")):
        (found,) = [one for one in size_report(made.parts(), project, None).around.audit if one.rule > "RF3"]
        assert found == replace(finding, subject=f"{subject}, image of 2026-11-24")


def test_what_another_version_kept_of_an_image_does_not_stop_the_report(tmp_path: Path) -> None:
    target = Target("acme/shop", "backend", "Dockerfile")
    made = measured(tmp_path, POINT)
    made.projects = (replace(made.projects[0], targets=(target,)),)
    made.store.cache("image-findings", subject_of(target), b'[{"of": "another shape"}]', made.clock.now())

    assert not [one for one in size_report(made.parts(), None, None).around.audit if one.rule > "RF3"]
