"""A machine that drives and may only read gives what one that writes gives: others write for it, and once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cycle.crew import Crew
from bot.cycle.hands import write_job
from bot.cycle.monthly import run_cycle
from bot.cycle.quarterly import publish_reports
from bot.cycle.reading_forge import ReadingForge
from bot.errors import ForgeRefused, ForgeUnavailable
from bot.model.pulls import Check
from bot.model.run import Issue, Publication, PublicationKind, PublicationState, RunResult
from bot.model.target import Project
from bot.queue.local import LocalQueue
from bot.triggers.worker import Worker
from tests.fakes.forge import FakeForge
from tests.unit.cycle.house import POINT, PROJECT, House, abandoned, changed, opens, outdated, published

SHOP = Project(PROJECT)
ISSUE = Issue("slot", "digest", "Title", "Body")


class ReadOnly(FakeForge):
    """The same projects, through a token that may only read."""

    def publish_issue(self, project: Project, wanted: Issue, existing: Publication | None) -> Publication:
        raise AssertionError(project.name, wanted.title, existing)

    def close(self, project: Project, publication: Publication, comment: str) -> Publication:
        raise AssertionError(project.name, publication.url, comment)

    def attest(self, project: Project, check: Check) -> bool:
        raise AssertionError(project.name, check.name)

    def say(self, project: Project, url: str, key: str, text: str) -> None:
        raise AssertionError(project.name, url, key, text)


def reads(made: House, queue: LocalQueue) -> tuple[ReadingForge, Crew]:
    """What a driver has: nothing but jobs leads from it to what is written."""
    eyes = ReadOnly({})
    eyes.__dict__.update(made.forge.__dict__)
    crew = Crew(made.store, queue, lambda seconds: time.sleep(seconds / 100))
    return ReadingForge(eyes, crew, str(time.monotonic_ns())), crew


@contextmanager
def publishers(made: House) -> Iterator[LocalQueue]:
    """The machines that prove and publish: here, threads."""
    queue = LocalQueue(Worker(made.opened), threads=2)
    yield queue
    assert queue.drain(20)


def drive(made: House) -> RunResult:
    """A whole cycle from a machine that may only read."""
    with publishers(made) as queue:
        forge, crew = reads(made, queue)
        return run_cycle(replace(made.parts(), forges={PROJECT: forge}, crew=crew)).result


def test_evidence_on_the_pull_request_of_somebody_else(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    pull = opens(made, {"Dockerfile": changed(made)})
    made.forge.is_app = False

    first = published(drive(made))
    writes = made.forge.writes
    again = published(drive(made))

    assert (first.kind, first.url) == (PublicationKind.EVIDENCE, pull.url)
    assert len(made.forge.checks) == 1
    assert "**PASS**" in next(iter(made.forge.said.values())), "a status has no room: it is said as well"
    assert (again, made.forge.writes) == (first, writes)


def test_a_token_that_may_write_no_statuses_costs_the_status_only(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    opens(made, {"Dockerfile": changed(made)})
    made.forge.no_checks = ForgeRefused("cannot write the check", hint="it needs statuses: write")

    result = drive(made)

    assert result.problems == ()
    assert len(made.forge.said) == 1
    assert any("statuses: write" in line for line in made.progress.lines)


def test_what_is_needed_no_more_is_closed_with_the_reason(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(drive(made))
    made.forge.files[PROJECT]["Dockerfile"] = b"FROM scratch\n"

    drive(made)

    assert "names" in made.forge.comments[0]
    assert made.forge.published[PROJECT, ours.slot][-1].state is PublicationState.CLOSED


def test_issues_and_the_dashboard(tmp_path: Path) -> None:
    made = abandoned(tmp_path)
    made.policy = replace(made.policy, dashboard=True)

    first = drive(made)
    writes = made.forge.writes
    drive(made)

    assert len(made.forge.issues) == 2
    assert len(first.issues) == 1
    assert made.forge.writes == writes
    made.forge.files[PROJECT] = {"web/Dockerfile": b"FROM nginx:1.29-alpine\n"}
    drive(made)
    assert len(made.forge.comments) == 1


def test_a_project_with_its_issues_switched_off_costs_a_note(tmp_path: Path) -> None:
    made = abandoned(tmp_path)
    made.forge.issues_off = ForgeRefused("issues are disabled here")

    result = drive(made)

    assert result.problems == ()
    assert "no issue in acme/shop" in result.notes[0]


def test_its_size_reports_are_written_by_others(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.store.save_measurement(POINT)
    with publishers(made) as queue:
        forge, _ = reads(made, queue)
        reports = publish_reports(replace(made.parts(), forges={PROJECT: forge}), None)

    assert reports.problems == ()
    assert [one.url for one in reports.published] == [one[-1].url for one in made.forge.issues.values()]


def test_what_a_forge_did_not_take_is_tried_again_by_the_next_driver(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    with publishers(made) as queue:
        made.forge.errors[PROJECT] = ForgeUnavailable("GitHub is down", hint="Later.")
        with pytest.raises(ForgeUnavailable, match="GitHub is down") as caught:
            reads(made, queue)[0].publish_issue(SHOP, ISSUE, None)
        assert caught.value.hint == "Later."
        made.forge.errors.clear()

        shown = reads(made, queue)[0].publish_issue(SHOP, ISSUE, None)

    assert made.forge.find_issue(SHOP, "slot") == shown


def test_what_is_asked_for_twice_in_one_life_is_one_job(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    with publishers(made) as queue:
        forge, _ = reads(made, queue)
        for _ in range(2):
            forge.say(SHOP, "memory://acme/shop/pull/1", "key", "text")
            made.forge.said.clear()

    assert made.forge.writes == 1


def test_nobody_can_have_the_pull_request_of_a_person_closed(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    theirs = replace(ours, url="memory://acme/shop/pull/70")
    with publishers(made) as queue:
        forge, _ = reads(made, queue)
        with pytest.raises(ForgeRefused, match="pull/70 is not ours to close"):
            forge.close(SHOP, theirs, "Bye.")
        with pytest.raises(ForgeRefused, match="is not ours to close"):
            forge.close(SHOP, replace(theirs, branch=""), "Bye.")

    assert made.forge.comments == []


def test_a_worker_with_another_configuration_says_so(tmp_path: Path) -> None:
    made = outdated(tmp_path)

    write_job(made.parts(), {"project": "acme/other", "kind": "Say", "writing": "{}", "key": "write one"})

    receipt = made.store.receipt("write one")
    assert receipt is not None
    assert "acme/other is not among this worker's projects" in receipt.error
    assert "same configuration" in receipt.hint


def test_a_pull_request_is_not_written_as_somebody_says_but_as_its_proof_does(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    wanted = made.run(dry_run=True).drafts[0].pull_request
    assert wanted is not None
    with publishers(made) as queue:
        forge, _ = reads(made, queue)
        with pytest.raises(ForgeRefused, match="not this machine's to write"):
            forge.publish(SHOP, wanted, None)

    assert made.forge.writes == 0
