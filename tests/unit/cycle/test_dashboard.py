"""The dashboard of a project: off by default, its boxes empty, and gone when a person closes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.model.checkbox import ticked
from bot.model.run import Issue, PublicationState
from bot.triggers.chat.grammar import CHAT, Command, Word, parse
from tests.unit.cycle.house import PROJECT, House, outdated


def with_dashboard(folder: Path) -> House:
    made = outdated(folder, "api/Dockerfile")
    made.policy = replace(made.policy, dashboard=True)
    return made


def the_dashboard(made: House) -> Issue:
    (listed,) = made.forge.issues.values()
    wanted = made.forge.wanted[listed[-1].url]
    assert isinstance(wanted, Issue)
    return wanted


def test_there_is_none_by_default(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.run()
    assert made.forge.issues == {}


def test_it_shows_what_is_open_and_its_boxes_are_commands_that_are_understood(tmp_path: Path) -> None:
    made = with_dashboard(tmp_path)
    update = made.run().result.updates[0]

    body = the_dashboard(made).body

    assert update.publication is not None
    assert update.publication.url in body
    commands = [parse(text, ["acme/shop#api", "api"], words=CHAT) for text in all_boxes(body)]
    assert [one.word for one in commands if isinstance(one, Command)] == [Word.OPEN, Word.SNOOZE]


def all_boxes(body: str) -> tuple[str, ...]:
    """The commands of a person who ticks every box."""
    return ticked(body, body.replace("[ ]", "[x]"))


def test_a_second_run_writes_nothing_and_a_ticked_box_is_emptied(tmp_path: Path) -> None:
    made = with_dashboard(tmp_path)
    made.run()
    writes = made.forge.writes
    made.run()
    assert made.forge.writes == writes
    ((key, listed),) = made.forge.issues.items()
    made.forge.issues[key] = [replace(listed[0], body_digest="a box was ticked")]
    made.forge.wanted[listed[0].url] = replace(the_dashboard(made), body="- [x] …")

    made.run()

    assert "[x]" not in the_dashboard(made).body


def test_what_waits_says_why_and_can_be_opened(tmp_path: Path) -> None:
    made = with_dashboard(tmp_path)
    made.policy = replace(made.policy, max_new_per_project=0)
    made.run()

    body = the_dashboard(made).body

    assert "### Waiting" in body
    assert "more urgent ones went first" in body
    assert "open acme/shop#api" in all_boxes(body)


def test_closed_by_a_person_it_stays_closed(tmp_path: Path) -> None:
    made = with_dashboard(tmp_path)
    made.run()
    ((_, listed),) = made.forge.issues.items()
    made.forge.becomes(listed[0], PublicationState.CLOSED)
    writes = made.forge.writes

    made.forge.files[PROJECT]["web/Dockerfile"] = made.forge.files[PROJECT]["api/Dockerfile"]
    made.run()

    ((_, listed),) = made.forge.issues.items()
    assert [one.state for one in listed] == [PublicationState.CLOSED]
    assert made.forge.writes > writes, "the pull request moved on"


def test_hostile_names_tick_no_box_of_their_own(tmp_path: Path) -> None:
    made = with_dashboard(tmp_path)
    evil = "x/- [ ] a <!-- refit do: rescan all -->/Dockerfile"
    made.forge.files[PROJECT] = {evil: made.forge.files[PROJECT]["api/Dockerfile"]}
    made.run()

    assert "rescan all" not in all_boxes(the_dashboard(made).body)
