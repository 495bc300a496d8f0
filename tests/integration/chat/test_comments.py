"""Commands in comments on GitHub: by whom it lets write, on the commit they saw, once, with one answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cycle.monthly import run_cycle
from bot.model.checkbox import checkbox
from bot.model.update import Grouping
from bot.updates.rules import Rule
from tests.github_server.state import Issue, timestamp
from tests.integration.chat.github_room import PROJECT, GitHubRoom, github_room
from tests.integration.chat.ways import wait_until


@pytest.fixture
def room(tmp_path: Path) -> Iterator[GitHubRoom]:
    with github_room(tmp_path) as made:
        yield made


def test_a_rescan_gets_a_reaction_at_once_and_one_comment_with_the_result(room: GitHubRoom) -> None:
    comment = room.say("/refit rescan")

    assert room.signs(comment) == ["eyes"]
    (answer,) = room.answers()
    assert "no known vulnerabilities" in answer
    assert "built from" in answer
    assert "asked by alice" in answer
    assert "@alice" not in answer


def test_the_owner_of_the_token_is_heard_like_anybody_who_may_write(room: GitHubRoom) -> None:
    comment = room.say("/refit help", author="refit")

    assert room.signs(comment) == ["eyes"]
    assert "recreate" in room.answers()[-1]


def test_another_bot_is_not_heard(room: GitHubRoom) -> None:
    comment = room.say("/refit help", author="renovate[bot]")

    assert (room.signs(comment), room.answers()) == ([], [])


def test_a_project_is_known_in_whichever_case_its_name_was_written_down(room: GitHubRoom) -> None:
    comment = room.write("/refit help")

    assert room.deliver(comment, project=PROJECT.title()) == 202
    room.settle()

    assert room.signs(comment) == ["eyes"]


def test_help_lists_what_can_be_asked_for(room: GitHubRoom) -> None:
    room.say("/refit help")

    assert "recreate" in room.answers()[0]
    assert "snooze" in room.answers()[0]


def test_the_same_comment_delivered_twice_runs_once(room: GitHubRoom) -> None:
    comment = room.write("/refit rescan")
    assert room.deliver(comment, delivery="one") == 202
    assert room.deliver(comment, delivery="one") == 200
    room.settle()
    room.deliver(comment, delivery="another")
    room.settle()

    assert len(room.answers()) == 1


@pytest.mark.parametrize("author", ["mallory", "nobody-knows"])
def test_who_may_not_write_gets_a_sign_and_an_audit_line_and_no_words(room: GitHubRoom, author: str) -> None:
    comment = room.say("/refit recreate", author=author)

    assert room.signs(comment) == ["confused"]
    assert room.answers() == []
    assert room.pulls() == [(1, "open")]


def test_nothing_of_a_fork_is_built(room: GitHubRoom) -> None:
    room.server.create_repository("mallory/shop", {"Dockerfile": "FROM evil:1\n"}, fork=True)
    pull = room.server.repository(PROJECT).issues[1].pull
    assert pull is not None
    pull.fork = "mallory/shop"
    built = len(room.house.builder.built) if room.house.builder else 0

    comment = room.say("/refit rescan")

    assert room.signs(comment) == ["confused"]
    assert "fork" in room.answers()[0]
    assert room.house.builder is not None
    assert len(room.house.builder.built) == built


def test_what_is_pushed_after_the_comment_is_not_what_was_meant(room: GitHubRoom) -> None:
    def push() -> None:
        branch = room.server.repository(PROJECT).issues[1].pull
        assert branch is not None
        room.server.commit(PROJECT, {"Dockerfile": "FROM mine:1\n"}, branch=branch.head, author="mallory")

    room.between = push
    comment = room.say("/refit recreate")

    assert room.signs(comment) == ["eyes"]
    assert "somebody pushed to it since you asked" in room.answers()[-1]
    assert room.pulls() == [(1, "open")]


def test_recreate_makes_it_anew_also_where_a_person_closed_it(room: GitHubRoom) -> None:
    room.server.repository(PROJECT).issues[1].state = "closed"

    room.say("/refit recreate")

    assert room.pulls() == [(1, "closed"), (2, "open")]
    assert "/pull/2" in room.answers()[-1]


def test_rebase_proves_again_and_leaves_one_pull_request(room: GitHubRoom) -> None:
    room.server.commit(PROJECT, {"README.md": "News.\n"})

    comment = room.say("/refit rebase")

    assert room.signs(comment) == ["eyes"]
    assert room.pulls() == [(1, "open")]
    assert "Done." in room.answers()[0]


def test_a_snooze_closes_it_and_holds_the_image_back_with_the_reason(room: GitHubRoom) -> None:
    room.say("/refit snooze 14d waits for **QA**")

    (snooze,) = room.house.store.snoozes(room.house.clock.now())
    assert (snooze.project, snooze.image) == (PROJECT, "debian:bookworm-slim")
    assert (snooze.who, snooze.reason) == ("github:alice", "waits for QA")
    assert room.pulls() == [(1, "closed")]

    room.house.clock.moment = snooze.until + timedelta(days=1)
    run_cycle(room.parts())
    assert room.pulls() == [(1, "closed"), (2, "open")]


@pytest.mark.parametrize("together", [Grouping.PROJECT, Grouping.FILE])
def test_a_snooze_of_several_images_in_one_pull_request_silences_each(
    room: GitHubRoom, together: Grouping
) -> None:
    rule = Rule(minimum_age=timedelta(0), group=together)
    room.house.policy = replace(room.house.policy, rules=(rule,))
    run_cycle(room.parts())
    assert room.pulls() == [(1, "closed"), (2, "open")]

    room.say("/refit snooze 14d waits for QA", number=2)

    assert "debian:bookworm-slim is snoozed until" in room.answers()[-1]
    run_cycle(room.parts())
    assert room.pulls() == [(1, "closed"), (2, "closed")]


def test_a_typing_mistake_is_answered_with_help(room: GitHubRoom) -> None:
    comment = room.say("/refit make coffee")

    assert room.signs(comment) == ["confused"]
    assert "I do not know that command." in room.answers()[0]


def test_who_asks_too_often_is_asked_to_wait(room: GitHubRoom) -> None:
    comments = [room.say("/refit help") for _ in range(6)]

    assert room.signs(comments[-1]) == ["confused"]
    assert "Please ask again" in room.answers()[-1]


def test_a_ticked_box_of_our_issue_is_a_command_and_of_anothers_is_none(room: GitHubRoom) -> None:
    repo = room.server.repository(PROJECT)
    before = checkbox("Snooze debian", "snooze debian:bookworm-slim 14 from the dashboard")
    for number, author in ((8, "mallory"), (9, "refit")):
        repo.issues[number] = Issue(number, number, "Dashboard", before, room.server.world.account(author))
        body = {
            "action": "edited",
            "issue": {"number": number, "body": before.replace("[ ]", "[x]"), "user": {"login": author}},
            "changes": {"body": {"from": before}},
            "repository": {"full_name": PROJECT},
            "sender": {"login": "alice"},
        }
        assert room.post("issues", body) == 202
        room.settle()
        snoozes = room.house.store.snoozes(room.house.clock.now())
        assert len(snoozes) == (1 if author == "refit" else 0)


def test_boxes_that_are_ticked_at_once_are_all_done_and_each_is_answered(room: GitHubRoom) -> None:
    commands = ("snooze debian:bookworm-slim 14 from the dashboard", f"open {PROJECT}#shop", "status")
    before = "\n".join(checkbox("Do it", command) for command in commands)
    repo = room.server.repository(PROJECT)
    repo.issues[9] = Issue(9, 9, "Dashboard", before, room.server.world.account("refit"))
    body = {
        "action": "edited",
        "issue": {"number": 9, "body": before.replace("[ ]", "[x]"), "user": {"login": "refit"}},
        "changes": {"body": {"from": before}},
        "repository": {"full_name": PROJECT},
        "sender": {"login": "alice"},
    }

    assert room.post("issues", body) == 202
    room.settle()

    unknown, snoozed, opened = room.answers()
    assert "is snoozed until" in snoozed
    assert "asked by alice" in opened
    assert "stop" not in opened
    assert "I do not know that command." in unknown
    assert len(room.house.store.snoozes(room.house.clock.now())) == 1


def test_what_github_did_not_sign_is_refused(room: GitHubRoom) -> None:
    comment = room.write("/refit rescan")

    assert room.deliver(comment, secret=b"not-the-secret-at-all") == 401
    assert room.client.post("/github/webhooks", content=b"x" * 1_100_000).status_code == 413
    assert room.signs(comment) == []


def test_where_github_cannot_call_us_new_comments_are_asked_for_and_old_ones_are_history(
    room: GitHubRoom,
) -> None:
    old = room.write("/refit rescan")
    old.created_at = old.updated_at = timestamp(datetime(2026, 1, 1, tzinfo=UTC))
    room.house.clock.moment = datetime.now(UTC) - timedelta(seconds=2)
    room.polling.look()
    comment = room.write("/refit rescan")
    edited = room.write("/refit recreate")
    edited.created_at = timestamp(datetime(2026, 1, 1, tzinfo=UTC))

    room.polling.look()
    room.polling.look()
    wait_until(lambda: room.queue.depth() == 0)

    assert [room.signs(one) for one in (old, comment, edited)] == [[], ["eyes"], []]
    assert len(room.answers()) == 1


def test_a_comment_that_came_while_github_was_down_is_heard_when_it_comes_again(room: GitHubRoom) -> None:
    room.server.fail_next("GET", "/collaborators/alice/permission", 502, times=3)
    comment = room.say("/refit rescan")
    assert room.signs(comment) == []

    room.server._faults.waiting.clear()
    room.deliver(comment)
    room.settle()

    assert room.signs(comment) == ["eyes"]
    assert len(room.answers()) == 1
