"""Issues of targets: opened for what no pull request solves, kept up to date, closed when solved."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.bases import base_image
from bot.cycle.inventory import last_key
from bot.errors import ForgeRefused, RegistryUnreachable
from bot.model.artifact import Sbom
from bot.model.reference import Reference
from bot.model.run import Issue, Publication, PublicationState
from bot.model.target import LINUX_AMD64
from bot.model.update import Blocked
from bot.model.vulnerability import Severity
from tests.unit.cycle.house import (
    ABANDONED,
    IMAGE,
    NOW,
    PROJECT,
    House,
    abandoned,
    house,
    outdated,
    scan,
    vulnerability,
)


def the_issue(made: House) -> tuple[Issue, Publication]:
    ((listed),) = made.forge.issues.values()
    wanted = made.forge.wanted[listed[-1].url]
    assert isinstance(wanted, Issue)
    return wanted, listed[-1]


def test_an_abandoned_tag_becomes_one_issue_and_a_second_run_asks_nothing(tmp_path: Path) -> None:
    made = abandoned(tmp_path)

    result = made.run().result
    writes = made.forge.writes
    made.run()

    wanted, published = the_issue(made)
    assert "nginx:1.27-alpine no longer moves" in wanted.title
    assert [one.url for one in result.issues] == [published.url]
    assert made.forge.writes == writes


def test_the_issue_is_closed_when_the_line_names_another_tag(tmp_path: Path) -> None:
    made = abandoned(tmp_path)
    made.run()
    made.forge.files[PROJECT] = {"web/Dockerfile": b"FROM nginx:1.29-alpine\n"}

    made.run()

    assert the_issue(made)[1].state is PublicationState.CLOSED
    assert made.forge.comments == ["Solved: there is nothing left to report on this target."]


def test_the_issue_is_closed_when_the_target_is_gone(tmp_path: Path) -> None:
    made = abandoned(tmp_path)
    made.run()
    made.forge.files[PROJECT] = {"README.md": b""}

    made.run()

    assert the_issue(made)[1].state is PublicationState.CLOSED


def test_the_same_trouble_after_it_was_solved_opens_an_issue_again(tmp_path: Path) -> None:
    made = abandoned(tmp_path)
    files = dict(made.forge.files[PROJECT])
    made.run()
    made.forge.files[PROJECT] = {"web/Dockerfile": b"FROM nginx:1.29-alpine\n"}
    made.run()
    made.forge.files[PROJECT] = files

    made.run()

    assert the_issue(made)[1].state is PublicationState.OPEN


def test_one_that_a_person_closed_stays_closed_until_there_is_something_new(tmp_path: Path) -> None:
    made = abandoned(tmp_path)
    made.run()
    made.forge.becomes(the_issue(made)[1], PublicationState.CLOSED)

    writes = made.forge.writes
    made.run()

    assert the_issue(made)[1].state is PublicationState.CLOSED
    assert made.forge.writes == writes
    made.registry.push("nginx:1.31-alpine", "newer", created=NOW - timedelta(days=1), layers=("newer",))
    made.forge.files[PROJECT]["web/Dockerfile"] += b"FROM nginx:1.25-alpine\n"
    made.registry.push("nginx:1.25-alpine", "older", created=NOW - timedelta(days=500), layers=("older",))
    made.run()
    assert the_issue(made)[1].state is PublicationState.OPEN, "another tag stands still by now"


def test_nothing_is_solved_where_the_registry_gave_no_answer(tmp_path: Path) -> None:
    made = abandoned(tmp_path)
    made.run()
    made.registry.fail(ABANDONED, RegistryUnreachable("docker.io does not answer"))

    made.run()

    assert the_issue(made)[1].state is PublicationState.OPEN


def test_a_blocked_update_becomes_the_issue_of_its_target_where_the_configuration_says_so(
    tmp_path: Path,
) -> None:
    made = outdated(tmp_path)
    made.policy = replace(made.policy, blocked=Blocked.ISSUE)
    made.builder = None
    pinned = made.forge.files[PROJECT]["Dockerfile"].decode().split()[1]
    old = held(made, pinned).partition("@")[2]
    made.scanner.otherwise = lambda request: scan(
        request.subject, *([] if old in request.subject else [vulnerability("CVE-2026-9")])
    )

    (update,) = made.run().result.updates

    wanted, published = the_issue(made)
    assert update.publication == published
    assert "is blocked" in wanted.title
    assert "CVE-2026-9" in wanted.body


def test_vulnerabilities_without_an_update_are_told_from_the_last_scan_of_the_sbom(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    digest = made.registry.push(IMAGE, "new", created=NOW - timedelta(days=10), layers=("new",))
    made.forge.files[PROJECT] = {"Dockerfile": f"FROM {IMAGE}@{digest}\n".encode()}
    remember(made, f"{IMAGE}@{digest}", "CVE-2026-7")

    made.run()

    assert the_issue(made)[0].title == "shop: 1 high without an update"
    assert "CVE-2026-7" in the_issue(made)[0].body
    made.policy = replace(made.policy, issue_severity=Severity.CRITICAL)
    made.run()
    assert the_issue(made)[1].state is PublicationState.CLOSED


def remember(made: House, base: str, *found: str) -> None:
    """The SBOM of a build on a base, with what its last scan found."""
    made.store.save_sbom(Sbom(f"{PROJECT}#shop", "linux/amd64", held(made, base), "sha256:s", NOW))
    made.store.save_scan(last_key("sha256:s"), scan("shop", *(vulnerability(one) for one in found)), NOW)


def held(made: House, base: str) -> str:
    """The platform's own image behind a reference."""
    return asyncio.run(base_image(made.registry, Reference.parse(base), LINUX_AMD64)).reference


def test_a_project_with_its_issues_switched_off_costs_a_note_and_no_failure(tmp_path: Path) -> None:
    made = abandoned(tmp_path)
    made.forge.issues_off = ForgeRefused("cannot publish an issue in acme/shop: Issues are disabled (410)")

    result = made.run().result

    assert result.problems == ()
    assert "Issues are disabled" in result.notes[0]


@pytest.mark.parametrize("dry", [True, False])
def test_issues_can_be_switched_off_and_a_dry_run_only_shows_them(tmp_path: Path, *, dry: bool) -> None:
    made = abandoned(tmp_path)
    made.policy = replace(made.policy, target_issues=dry)

    drafts = made.run(dry_run=dry).drafts

    assert made.forge.issues == {}
    assert [draft.issue is not None for draft in drafts] == ([True] if dry else [])
