"""The decision: each outcome, from what a registry holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.errors import RegistryLoginFailed
from bot.model.update import Abandoned, Current, Failed, Skipped, Update, UpdateKind, Waiting
from bot.updates.facts import Need
from bot.updates.rules import Rule
from tests.unit.updates.world import AMD64, ARM64, NOW, World, days_ago, digest, use_of

NO_AGE = Rule(minimum_age=timedelta(0))
MINOR = Rule(minimum_age=timedelta(0), allow=UpdateKind.MINOR)
AGED = Rule(minimum_age=timedelta(days=3))
AGED_MINOR = replace(AGED, allow=UpdateKind.MINOR)


def moving(*, old: float = 60, new: float = 10) -> tuple[World, str, str]:
    """A tag `1.27` that moved from one image to another, made so many days ago."""
    made = World()
    before, after = made.image("old", days_ago(old)), made.image("new", days_ago(new))
    made.tags = {"1.27": after}
    return made, before, after


def test_a_moved_tag_is_a_digest_update_that_keeps_the_tag_and_its_spelling() -> None:
    registry, old, new = moving()
    outcome = registry.outcome(f"nginx:1.27@{old}")
    assert isinstance(outcome, Update)
    assert str(outcome.to) == f"nginx:1.27@{new}"
    assert (outcome.kind, outcome.created, outcome.auto_merge) == (UpdateKind.DIGEST, days_ago(10), True)


def test_an_image_that_did_not_move_is_current_and_costs_one_head_and_its_own_date() -> None:
    registry, _, new = moving()
    assert registry.outcome(f"nginx:1.27@{new}") == Current()
    assert registry.asked == [Need.HEAD, Need.CREATED]


def test_a_reference_without_digest_is_pinned_to_what_it_gives_already() -> None:
    registry, _, new = moving(new=0.5)
    outcome = registry.outcome("nginx:1.27", rule=AGED)
    assert isinstance(outcome, Update)
    assert (outcome.kind, str(outcome.to)) == (UpdateKind.PIN, f"nginx:1.27@{new}")


def test_a_pin_of_an_implied_tag_writes_the_tag_out_so_that_it_can_move_later() -> None:
    registry = World()
    registry.tags = {"latest": registry.image("new", days_ago(5))}
    outcome = registry.outcome("nginx")
    assert isinstance(outcome, Update)
    assert str(outcome.to) == f"nginx:latest@{digest('new')}"


def test_a_rule_that_allows_pins_only_leaves_a_moved_digest_and_says_so() -> None:
    registry, old, _ = moving()
    outcome = registry.outcome(f"nginx:1.27@{old}", rule=replace(NO_AGE, allow=UpdateKind.PIN))
    assert isinstance(outcome, Current)
    assert "newer digest" in outcome.note


@pytest.mark.parametrize(
    ("allow", "tag", "kind"),
    [
        ("digest", "1.27.1", "pin"),
        ("patch", "1.27.3", "patch"),
        ("minor", "1.29.0", "minor"),
        ("major", "2.0.0", "major"),
    ],
)
def test_the_highest_tag_that_the_rule_allows_is_taken_and_pinned(allow: str, tag: str, kind: str) -> None:
    registry = World()
    for one in ("1.27.1", "1.27.2", "1.27.3", "1.29.0", "2.0.0", "latest"):
        registry.tags[one] = registry.image(one, days_ago(10))
    outcome = registry.outcome("nginx:1.27.1", rule=replace(NO_AGE, allow=UpdateKind(allow)))
    assert isinstance(outcome, Update)
    assert (outcome.kind, str(outcome.to)) == (kind, f"nginx:{tag}@{digest(tag)}")


def test_what_lies_beyond_the_rule_is_named_for_the_reviewer() -> None:
    registry = World()
    for one in ("1.27", "1.28", "2.0"):
        registry.tags[one] = registry.image(one, days_ago(10))
    outcome = registry.outcome("nginx:1.27", rule=MINOR)
    assert isinstance(outcome, Update)
    assert outcome.notes == ("2.0 exists: a major update, and the rule allows minor",)


def test_r16_no_tag_is_chosen_without_the_complete_list() -> None:
    registry, old, _ = moving()
    registry.unlisted = True
    assert isinstance(registry.outcome(f"nginx:1.27@{old}", rule=MINOR), Failed)


def test_a_digest_update_needs_no_tag_list() -> None:
    registry, old, _ = moving()
    registry.unlisted = True
    assert isinstance(registry.outcome(f"nginx:1.27@{old}"), Update)


def test_a_tag_that_is_too_young_does_not_hold_back_the_digest() -> None:
    registry, old, new = moving()
    registry.tags["1.28"] = registry.image("1.28", days_ago(1))
    outcome = registry.outcome(f"nginx:1.27@{old}", rule=replace(AGED, allow=UpdateKind.MINOR))
    assert isinstance(outcome, Update)
    assert str(outcome.to) == f"nginx:1.27@{new}"


def test_a_tag_that_is_too_young_waits_where_nothing_else_moves() -> None:
    registry, _, new = moving()
    registry.tags["1.28"] = registry.image("1.28", days_ago(1))
    outcome = registry.outcome(f"nginx:1.27@{new}", rule=replace(AGED, allow=UpdateKind.MINOR))
    assert isinstance(outcome, Waiting)
    assert outcome.to is not None
    assert outcome.to.tag == "1.28"
    assert "2026-11-26" in outcome.reason


def test_a_new_tag_without_a_wanted_platform_is_not_proposed() -> None:
    registry, _, new = moving()
    registry.tags["1.28"] = registry.image("1.28", days_ago(9), arm64="1.28-arm64")
    outcome = registry.outcome(f"nginx:1.27@{new}", rule=MINOR)
    assert isinstance(outcome, Waiting)
    assert "linux/amd64" in outcome.reason


# Minimum age.


def test_the_first_run_believes_the_images_own_date_and_marks_it_unverified() -> None:
    registry, old, _ = moving(new=10)
    outcome = registry.outcome(f"nginx:1.27@{old}", rule=AGED)
    assert isinstance(outcome, Update)
    assert not outcome.age_verified


def test_our_own_clock_verifies_the_age() -> None:
    registry, old, new = moving(new=10)
    registry.seen = ((old, days_ago(30)), (new, days_ago(5)))
    outcome = registry.outcome(f"nginx:1.27@{old}", rule=AGED)
    assert isinstance(outcome, Update)
    assert (outcome.age_verified, outcome.first_seen) == (True, days_ago(5))


def test_a_fresh_push_waits_whatever_old_date_it_claims() -> None:
    registry, old, new = moving(new=50)
    registry.seen = ((old, days_ago(30)), (new, days_ago(1)))
    outcome = registry.outcome(f"nginx:1.27@{old}", rule=AGED)
    assert isinstance(outcome, Waiting)
    assert "first seen 2026-11-23" in outcome.reason
    assert "2026-11-26" in outcome.reason


def test_a_reproducible_date_says_nothing_about_the_age() -> None:
    registry, old, _ = moving(new=20_000)
    assert isinstance(registry.outcome(f"nginx:1.27@{old}", rule=AGED), Waiting)


def test_the_second_run_does_not_take_back_what_the_first_proposed() -> None:
    registry, old, new = moving(new=10)
    registry.seen = ((new, days_ago(1)),)
    assert isinstance(registry.outcome(f"nginx:1.27@{old}", rule=AGED), Update)


def test_a_waiver_proposes_at_once_and_is_never_merged_by_itself() -> None:
    registry, old, _ = moving(new=1)
    outcome = registry.outcome(f"nginx:1.27@{old}", rule=replace(AGED, waive_age_for_security=True))
    assert isinstance(outcome, Update)
    assert (outcome.waived, outcome.auto_merge) == (True, False)


def test_r24_a_tag_that_moves_daily_gets_the_newest_digest_that_is_old_enough() -> None:
    registry = World()
    daily = [registry.image(f"day{age}", days_ago(age)) for age in range(9, -1, -1)]
    registry.tags = {"1.27": daily[-1]}
    registry.seen = tuple((one, days_ago(9 - place)) for place, one in enumerate(daily[:-1]))
    outcome = registry.outcome(f"nginx:1.27@{daily[0]}", rule=AGED)
    assert isinstance(outcome, Update)
    assert outcome.to.digest == digest("day3")
    assert (outcome.age_verified, outcome.first_seen) == (True, days_ago(3))
    merged = registry.outcome(str(outcome.to), rule=AGED)
    assert isinstance(merged, Waiting)


def test_r24_an_earlier_digest_that_is_gone_or_lacks_a_platform_is_not_proposed() -> None:
    for replacement in (None, "arm64"):
        registry = World()
        old, mid, new = (registry.image(name, days_ago(age)) for name, age in (("a", 9), ("b", 5), ("c", 0)))
        registry.tags = {"1.27": new}
        registry.seen = ((old, days_ago(9)), (mid, days_ago(5)))
        del registry.images[mid]
        if replacement:
            registry.image("b", days_ago(5), arm64="b-arm64")
        assert isinstance(registry.outcome(f"nginx:1.27@{old}", rule=AGED), Waiting)


# Platforms.


def test_r26_an_index_republished_for_other_platforms_is_current() -> None:
    registry = World()
    old = registry.image("v1", days_ago(9), amd64="same", arm64="arm-1")
    registry.tags = {"1.27": registry.image("v2", days_ago(1), arm64="arm-2", amd64="same")}
    assert isinstance(registry.outcome(f"nginx:1.27@{old}"), Current)
    assert isinstance(registry.outcome(f"nginx:1.27@{old}", platforms=(AMD64, ARM64)), Update)


def test_r8_the_order_of_an_index_changes_nothing() -> None:
    for images in ({"amd64": "a2", "arm64": "b"}, {"arm64": "b", "amd64": "a2"}):
        registry = World()
        old = registry.image("v1", days_ago(9), amd64="a1", arm64="b")
        registry.tags = {"1.27": registry.image("v2", days_ago(1), **images)}
        assert isinstance(registry.outcome(f"nginx:1.27@{old}", platforms=(ARM64,)), Current)
        assert isinstance(registry.outcome(f"nginx:1.27@{old}", platforms=(AMD64,)), Update)


def test_a_use_pinned_to_one_platforms_manifest_is_current_while_the_index_has_it() -> None:
    registry = World()
    registry.tags = {"1.27": registry.image("v2", days_ago(1), amd64="same", arm64="b")}
    assert isinstance(registry.outcome(f"nginx:1.27@{digest('same')}"), Current)


def test_the_platform_of_the_use_counts_before_those_of_the_target() -> None:
    registry = World()
    old = registry.image("v1", days_ago(9), amd64="a1", arm64="b")
    registry.tags = {"1.27": registry.image("v2", days_ago(1), amd64="a2", arm64="b")}
    use = use_of(f"nginx:1.27@{old}", platform="linux/arm64")
    assert isinstance(registry.outcome("", use=use), Current)


def test_r9_five_index_versions_in_twelve_hours_are_at_most_one_update() -> None:
    registry = World()
    old = registry.image("v0", days_ago(30), amd64="a1", arm64="b1")
    versions = [
        registry.image("v1", days_ago(0.5), arm64="b2"),
        registry.image("v2", days_ago(0.4), arm64="b2", amd64="a1"),
        old,
        registry.image("v3", days_ago(0.2), arm64="b2", amd64="a2"),
        registry.image("v4", days_ago(0.1), arm64="b2", amd64="a2", s390x="s2"),
    ]
    pinned, words = f"nginx:1.27@{old}", []
    for version in versions:
        registry.tags = {"1.27": version}
        outcome = registry.outcome(pinned)
        words.append(outcome.word)
        pinned = str(outcome.to) if isinstance(outcome, Update) else pinned
    assert words == ["waiting", "current", "current", "update", "current"]


# Another tag: the best may not be ready.


def young(*days: float) -> World:
    """1.27 in use, and 1.28, 1.29, … made so many days ago."""
    registry = World(tags={})
    registry.tags["1.27"] = registry.image("1.27", days_ago(50))
    for number, age in enumerate(days, start=28):
        registry.tags[f"1.{number}"] = registry.image(f"1.{number}", days_ago(age))
    return registry


@pytest.mark.parametrize(
    ("ages", "tag"),
    [
        ((9, 1), "1.28"),
        ((9, 8, 1, 1, 1), "1.29"),
        ((9, *[1.0] * 14), "1.28"),
        ((9, 1, 9, 1), "1.30"),
    ],
)
def test_the_newest_tag_that_is_old_enough_is_taken(ages: tuple[float, ...], tag: str) -> None:
    registry = young(*ages)
    outcome = registry.outcome(f"nginx:1.27@{digest('1.27')}", rule=AGED_MINOR)
    assert isinstance(outcome, Update)
    assert outcome.to.tag == tag
    assert f"1.{27 + len(ages)}: minimum age" in outcome.reason


def test_where_every_newer_tag_is_too_young_the_best_waits() -> None:
    outcome = young(2, 1).outcome(f"nginx:1.27@{digest('1.27')}", rule=AGED_MINOR)
    assert isinstance(outcome, Waiting)
    assert outcome.to is not None
    assert outcome.to.tag == "1.29"


def test_r24_a_new_tag_that_moves_daily_is_taken_at_the_newest_digest_that_is_old_enough() -> None:
    registry = young(0.5)
    registry.image("before", days_ago(7))
    registry.candidate_seen = {"1.28": ((digest("before"), days_ago(5)), (digest("1.28"), days_ago(0.4)))}
    outcome = registry.outcome(f"nginx:1.27@{digest('1.27')}", rule=AGED_MINOR)
    assert isinstance(outcome, Update)
    assert (outcome.to.tag, outcome.to.digest) == ("1.28", digest("before"))
    assert outcome.age_verified
    assert outcome.first_seen == days_ago(5)
    assert any("a newer image of 1.28 waits" in note for note in outcome.notes)


def test_a_tag_that_lacks_a_platform_gives_way_to_the_one_before_it() -> None:
    registry = young(9)
    registry.tags["1.29"] = registry.image("1.29", days_ago(9), arm64="x")
    outcome = registry.outcome(f"nginx:1.27@{digest('1.27')}", rule=AGED_MINOR)
    assert isinstance(outcome, Update)
    assert outcome.to.tag == "1.28"
    assert "1.29 still lacks linux/amd64" in outcome.reason


def test_a_tag_that_is_listed_and_gone_is_passed_over() -> None:
    registry = young(9)
    registry.tags["1.29"] = digest("nobody")
    outcome = registry.outcome(f"nginx:1.27@{digest('1.27')}", rule=AGED_MINOR)
    assert isinstance(outcome, Update)
    assert outcome.to.tag == "1.28"


@pytest.mark.parametrize("text", ["nginx:1.27", f"nginx:1.27@{digest('1.27')}"])
def test_r26_another_name_of_the_image_in_use_is_no_update(text: str) -> None:
    registry = young()
    registry.tags["1.28"] = registry.image("again", days_ago(9), amd64="1.27-amd64", arm64="other")
    outcome = registry.outcome(text, rule=AGED_MINOR)
    assert not isinstance(outcome, Update) or outcome.to.tag == "1.27"


# Abandoned, gone, moved back.


def test_a_tag_that_stopped_while_its_siblings_move_is_abandoned_and_the_siblings_are_named() -> None:
    registry = World()
    registry.tags = {
        "1.27-alpine": registry.image("stopped", days_ago(400)),
        "1.28-alpine": registry.image("also", days_ago(200)),
        "1.29-alpine": registry.image("moving", days_ago(5)),
        "2.0-alpine": registry.image("next", days_ago(5)),
    }
    for text in ("nginx:1.27-alpine", f"nginx:1.27-alpine@{digest('stopped')}"):
        outcome = registry.outcome(text)
        assert isinstance(outcome, Abandoned)
        assert outcome.candidates == ("2.0-alpine", "1.29-alpine")
        assert "2025-10-20" in outcome.reason


def test_a_quiet_repository_is_not_abandoned() -> None:
    registry = World()
    registry.tags = {
        "1.27": registry.image("old", days_ago(400)),
        "1.28": registry.image("older", days_ago(300)),
    }
    assert isinstance(registry.outcome(f"nginx:1.27@{digest('old')}"), Current)


def test_a_rule_says_when_a_tag_counts_as_abandoned() -> None:
    registry = World()
    registry.tags = {"1.27": registry.image("old", days_ago(40)), "1.28": registry.image("new", days_ago(1))}
    text = f"nginx:1.27@{digest('old')}"
    assert isinstance(registry.outcome(text), Current)
    sooner = replace(NO_AGE, abandoned_after=timedelta(days=30))
    assert isinstance(registry.outcome(text, rule=sooner), Abandoned)


def test_a_deleted_tag_is_a_failure_that_says_gone() -> None:
    outcome = World().outcome("nginx:1.27")
    assert isinstance(outcome, Failed)
    assert outcome.error.startswith("gone: ")
    assert outcome.hint


def test_a_registry_that_does_not_answer_is_a_failure_and_never_current() -> None:
    outcome = World(error=RegistryLoginFailed("docker.io refused the login")).outcome("nginx:1.27")
    assert isinstance(outcome, Failed)
    assert (outcome.error, bool(outcome.hint)) == ("docker.io refused the login", True)


def test_a_tag_that_moved_back_is_a_warning_that_is_never_merged_by_itself() -> None:
    registry, old, _ = moving(old=10, new=60)
    outcome = registry.outcome(f"nginx:1.27@{old}")
    assert isinstance(outcome, Update)
    assert not outcome.auto_merge
    assert any("moved back" in note for note in outcome.notes)


def test_a_tag_that_moved_back_is_seen_by_our_own_clock_where_dates_say_nothing() -> None:
    registry, old, new = moving(old=20_000, new=20_000)
    registry.seen = ((new, days_ago(9)), (old, days_ago(5)))
    outcome = registry.outcome(f"nginx:1.27@{old}")
    assert isinstance(outcome, Update)
    assert not outcome.auto_merge


def test_a_pinned_image_that_is_gone_from_the_registry_is_said() -> None:
    registry, old, _ = moving()
    del registry.images[old]
    outcome = registry.outcome(f"nginx:1.27@{old}")
    assert isinstance(outcome, Update)
    assert "the pinned image is gone from the registry" in outcome.notes


# Left alone.


@pytest.mark.parametrize(
    ("text", "comments", "reason"),
    [
        (f"nginx@{digest('x')}", (), "names a digest and no tag: nothing can move"),
        ("nginx:1.27", (("ignore", "pinned by the vendor"),), "ignored by a comment: pinned by the vendor"),
        ("nginx:1.27", (("ignore", ""),), "ignored by a comment: no reason given"),
    ],
)
def test_what_is_left_alone_asks_for_nothing_and_says_why(
    text: str, comments: tuple[tuple[str, str], ...], reason: str
) -> None:
    registry = World()
    assert registry.outcome(text, use=use_of(text, *comments)) == Skipped(reason)
    assert registry.asked == []


def test_an_ignored_image_is_skipped_and_a_snoozed_one_waits_until_its_day() -> None:
    registry, old, _ = moving()
    text = f"nginx:1.27@{old}"
    assert registry.outcome(text, rule=replace(NO_AGE, ignore_reason="frozen")) == Skipped("ignored: frozen")
    snoozed = replace(NO_AGE, ignore_reason="after the release", ignore_until=date(2026, 11, 24))
    waiting = registry.outcome(text, rule=snoozed)
    assert isinstance(waiting, Waiting)
    assert waiting.reason == "snoozed until 2026-11-24: after the release"
    assert isinstance(registry.outcome(text, rule=snoozed, now=NOW + timedelta(days=1)), Update)


def test_a_comment_with_an_unknown_level_is_a_failure_that_says_how_to_write_it() -> None:
    outcome = World().outcome("", use=use_of("nginx:1.27", ("allow", "moderate")))
    assert isinstance(outcome, Failed)
    assert "'moderate'" in outcome.error
    assert "pin, digest, patch, minor, major" in outcome.hint


# What the reader is told.


def test_a_digest_gets_the_name_of_the_most_precise_tag() -> None:
    registry, old, new = moving()
    registry.tags |= {"1.27.5": new, "1.27.4": old, "1.27.5-alpine": digest("other")}
    outcome = registry.outcome(f"nginx:1.27@{old}")
    assert isinstance(outcome, Update)
    assert (outcome.old_name, outcome.name) == ("1.27.4", "1.27.5")


@pytest.mark.parametrize(
    ("tag", "note"),
    [
        ("1.0-buster", "Debian 10: support ended on 2024-06-30"),
        ("1.0-bookworm", "Debian 12: LTS until 2028-06-30"),
        ("1.0-alpine3.19", "Alpine 3.19: support ended on 2025-11-01"),
        ("1.0-trixie", ""),
        ("1.0", ""),
    ],
)
def test_a_base_near_or_past_its_end_is_said_on_every_outcome(tag: str, note: str) -> None:
    registry = World()
    old, new = registry.image("old", days_ago(30)), registry.image("new", days_ago(5))
    registry.tags = {tag: new}
    update, current = registry.outcome(f"app:{tag}@{old}"), registry.outcome(f"app:{tag}@{new}")
    assert isinstance(update, Update)
    assert isinstance(current, Current)
    assert "".join(update.notes) == current.note == note
