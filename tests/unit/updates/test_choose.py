"""Decisions as tables: what is known, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ImageNotFound, RegistryRateLimited, RegistryUnreachable
from bot.model.manifest import Platform
from bot.model.update import Abandoned, Current, Failed, Outcome, Skipped, Update, UpdateKind, Waiting
from bot.model.use import Use
from bot.updates.choose import decide, needs
from bot.updates.facts import Facts, Need
from bot.updates.rules import Rule
from tests.unit.updates.images import (
    AMD64,
    ARM64,
    NOW,
    ago,
    asked,
    digest,
    head_of,
    index_of,
    manifest_of,
    seen,
    use_of,
)

PINNED = use_of("debian:bookworm-slim@old")
UNPINNED = use_of("debian:bookworm-slim")
MINOR = Rule(allow=UpdateKind.MINOR, minimum_age=timedelta(0))
NO_AGE = Rule(minimum_age=timedelta(0))

OLD = index_of("old", amd64="old amd64", arm64="old arm64")
NEW = index_of("new", amd64="new amd64", arm64="new arm64")
MOVED = Facts(
    head=head_of("new"),
    latest=NEW,
    pinned=OLD,
    created=ago(10),
    pinned_created=ago(40),
    tags=("bookworm-slim",),
)
STAYED = Facts(head=head_of("old"), created=ago(20))


def outcome(
    use: Use, world: Facts, rule: Rule = NO_AGE, platforms: tuple[Platform, ...] = (AMD64,)
) -> Outcome:
    """What comes out when every fact that is needed is fetched from `world`."""
    _, facts = asked(use, world, rule, platforms)
    return decide(use, facts, rule, NOW, platforms)


@dataclass(frozen=True)
class Row:
    """A situation and its outcome, in a word and a part of its reason."""

    about: str
    use: Use
    world: Facts
    word: str
    says: str = ""
    rule: Rule = field(default_factory=Rule)
    platforms: tuple[Platform, ...] = (AMD64,)


def said(found: Outcome) -> str:
    """Everything an outcome says in words."""
    match found:
        case Current():
            return found.note
        case Update():
            return " · ".join((found.reason, *found.notes))
        case Failed():
            return f"{found.error} · {found.hint}"
        case Waiting() | Abandoned() | Skipped():
            return found.reason


GONE = ImageNotFound("docker.io/library/debian: no tag bookworm-slim")
ROWS = [
    # What nothing can be decided about, or nothing should be.
    Row("a skipped use", use_of("debian", skipped="a build stage"), Facts(), "skipped", "a build stage"),
    Row("a digest alone", use_of("debian@old"), Facts(), "skipped", "names a digest and no tag"),
    Row(
        "an ignored line",
        use_of("debian:12", ignore=(("ignore", "vendor asks"),)),
        Facts(),
        "skipped",
        "vendor asks",
    ),
    Row("an ignored image", PINNED, MOVED, "skipped", "frozen", Rule(ignore_reason="frozen")),
    Row(
        "a comment with no level",
        use_of("debian:12", ignore=(("allow", "everything"),)),
        MOVED,
        "failed",
        "'everything', which is no level",
    ),
    Row("a deleted tag", PINNED, Facts(error=GONE), "failed", "gone: docker.io/library/debian"),
    Row(
        "a registry that is down",
        PINNED,
        Facts(error=RegistryUnreachable("docker.io: no answer")),
        "failed",
        "docker.io: no answer",
    ),
    Row(
        "a rate limit",
        PINNED,
        Facts(error=RegistryRateLimited("docker.io: 429")),
        "failed",
        "Log in to the registry",
    ),
    # The tag stands still.
    Row("an equal digest", PINNED, STAYED, "current"),
    Row("an old image without siblings", PINNED, replace(STAYED, created=ago(400), tags=("sid",)), "current"),
    Row("an old image, tags unknown", PINNED, replace(STAYED, created=ago(400)), "current"),
    Row("an image of no believable date", PINNED, replace(STAYED, created=ago(20000), tags=("trixie-slim",)), "current"),
    # The tag moved.
    Row("a moved tag", PINNED, MOVED, "update", "newer image", NO_AGE),
    Row("a moved tag, old enough by its own date", PINNED, MOVED, "update", "newer image"),
    Row(
        "the pinned image is gone",
        PINNED,
        replace(MOVED, pinned=None, pinned_gone=True, pinned_created=None),
        "update",
        "gone from the registry",
        NO_AGE,
    ),
    Row("pin only", PINNED, MOVED, "current", "allows pin only", Rule(allow=UpdateKind.PIN)),
    Row(
        "a snooze",
        PINNED,
        MOVED,
        "waiting",
        "snoozed until 2026-12-01: after the release",
        Rule(ignore_reason="after the release", ignore_until=date(2026, 12, 1)),
    ),
    Row(
        "a snooze on its last day",
        PINNED,
        MOVED,
        "waiting",
        "snoozed until 2026-11-24",
        Rule(ignore_reason="busy", ignore_until=date(2026, 11, 24)),
    ),
    Row(
        "a snooze that is over",
        PINNED,
        MOVED,
        "update",
        "newer image",
        Rule(ignore_reason="busy", ignore_until=date(2026, 11, 23)),
    ),
    Row(
        "a snooze with nothing to hold back",
        PINNED,
        STAYED,
        "current",
        "",
        Rule(ignore_reason="busy", ignore_until=date(2026, 12, 1)),
    ),
    # Platforms (R8, R9, R26).
    Row(
        "an index republished for another platform",
        PINNED,
        replace(MOVED, latest=index_of("new", amd64="old amd64", arm64="new arm64")),
        "current",
        "same image for linux/amd64",
    ),
    Row(
        "a platform of its own on the FROM line",
        replace(PINNED, platform="linux/arm64"),
        replace(MOVED, latest=index_of("new", amd64="old amd64", arm64="new arm64")),
        "update",
        "newer image",
    ),
    Row(
        "one of two wanted platforms moved",
        PINNED,
        replace(MOVED, latest=index_of("new", amd64="old amd64", arm64="new arm64")),
        "update",
        "newer image",
        platforms=(AMD64, ARM64),
    ),
    Row(
        "a wanted platform has not arrived",
        PINNED,
        replace(MOVED, latest=index_of("new", amd64="new amd64")),
        "waiting",
        "the index still lacks linux/arm64",
        platforms=(AMD64, ARM64),
    ),
    Row(
        "an unwanted platform has not arrived",
        PINNED,
        replace(MOVED, latest=index_of("new", amd64="new amd64")),
        "update",
        "newer image",
    ),
    Row(
        "pinned to the manifest that the index holds",
        use_of("debian:bookworm-slim@new amd64"),
        MOVED,
        "current",
        "same image for linux/amd64",
    ),
    Row(
        "pinned to one platform's manifest of two wanted",
        use_of("debian:bookworm-slim@new amd64"),
        replace(MOVED, pinned=manifest_of("new amd64")),
        "update",
        "newer image",
        platforms=(AMD64, ARM64),
    ),
    Row(
        "an index became a lone manifest, the same image",
        PINNED,
        replace(MOVED, latest=manifest_of("old amd64")),
        "current",
        "same image",
    ),
    # Minimum age.
    Row(
        "an image made yesterday, never seen before",
        PINNED,
        replace(MOVED, created=ago(1)),
        "waiting",
        "minimum age: the image was made 2026-11-23, 3 days are over on 2026-11-26",
    ),
    Row(
        "first seen yesterday",
        PINNED,
        replace(MOVED, created=ago(1), sightings=seen(("old", 30), ("new", 1))),
        "waiting",
        "minimum age: first seen 2026-11-23, 3 days are over on 2026-11-26",
    ),
    Row(
        "first seen yesterday with a date that claims more",
        PINNED,
        replace(MOVED, created=ago(30), sightings=seen(("old", 40), ("new", 1))),
        "waiting",
        "first seen 2026-11-23",
    ),
    Row(
        "first seen long enough ago",
        PINNED,
        replace(MOVED, created=ago(1), sightings=seen(("old", 30), ("new", 4))),
        "update",
        "newer image",
    ),
    Row(
        "no date and never seen",
        PINNED,
        replace(MOVED, created=None),
        "waiting",
        "first seen 2026-11-24, 3 days are over on 2026-11-27",
    ),
    Row("no date, and no minimum age", PINNED, replace(MOVED, created=None), "update", "", NO_AGE),
    Row(
        "the waiver",
        PINNED,
        replace(MOVED, created=ago(1)),
        "update",
        "waived for security: minimum age",
        Rule(waive_age_for_security=True),
    ),
    # Pin.
    Row("no digest yet", UNPINNED, replace(MOVED, created=ago(1)), "update", "freezes what bookworm-slim"),
    Row(
        "no digest yet, and the index is not complete",
        UNPINNED,
        replace(MOVED, latest=index_of("new", amd64="new amd64")),
        "waiting",
        "still lacks linux/arm64",
        platforms=(AMD64, ARM64),
    ),
    # Abandoned.
    Row(
        "a tag left behind",
        use_of("nginx:1.27-alpine@old"),
        replace(STAYED, created=ago(300), tags=("1.27-alpine", "1.29-alpine"), candidate_created=ago(3)),
        "abandoned",
        "has not moved since 2026-01-28, while 1.29-alpine does",
    ),
    Row(
        "a tag without digest left behind",
        use_of("nginx:1.27-alpine"),
        replace(STAYED, created=ago(300), tags=("1.27-alpine", "1.29-alpine"), candidate_created=ago(3)),
        "abandoned",
        "1.29-alpine",
    ),
    Row(
        "a repository where nothing moves any more",
        use_of("nginx:1.27-alpine@old"),
        replace(STAYED, created=ago(300), tags=("1.27-alpine", "1.29-alpine"), candidate_created=ago(250)),
        "current",
    ),
    Row(
        "89 days old",
        use_of("nginx:1.27-alpine@old"),
        replace(STAYED, created=ago(89), tags=("1.29-alpine",), candidate_created=ago(3)),
        "current",
    ),
    Row(
        "a longer patience",
        use_of("nginx:1.27-alpine@old"),
        replace(STAYED, created=ago(300), tags=("1.29-alpine",), candidate_created=ago(3)),
        "current",
        "",
        Rule(abandoned_after=timedelta(days=365)),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.about for row in ROWS])
def test_a_situation_has_the_outcome_of_its_row(row: Row) -> None:
    found = outcome(row.use, row.world, row.rule, row.platforms)
    assert found.word == row.word, said(found)
    assert row.says in said(found)


@pytest.mark.parametrize("row", ROWS, ids=[row.about for row in ROWS])
def test_fetching_ends_and_no_fact_is_asked_for_twice(row: Row) -> None:
    rounds, facts = asked(row.use, row.world, row.rule, row.platforms)
    wanted = [need for needed in rounds for need in needed]
    assert len(wanted) == len(set(wanted))
    assert not needs(row.use, facts, row.rule, NOW, row.platforms)


def test_an_image_that_did_not_move_costs_one_head_and_its_date() -> None:
    rounds, _ = asked(PINNED, STAYED, Rule())
    assert rounds == [{Need.HEAD}, {Need.CREATED}]


def test_a_skipped_use_asks_for_nothing() -> None:
    assert asked(use_of("debian@old"), MOVED, Rule())[0] == []
    assert asked(PINNED, MOVED, Rule(ignore_reason="frozen"))[0] == []


def test_a_failed_head_asks_for_nothing_more() -> None:
    assert asked(PINNED, Facts(error=GONE), MINOR)[0] == [{Need.HEAD}]


def test_an_update_keeps_tag_and_spelling_and_changes_the_digest() -> None:
    found = outcome(use_of("docker.io/library/debian:bookworm-slim@old"), MOVED)
    assert isinstance(found, Update)
    assert str(found.to) == f"docker.io/library/debian:bookworm-slim@{digest('new')}"
    assert (found.kind, found.created, found.auto_merge) == (UpdateKind.DIGEST, ago(10), True)


def test_a_pin_writes_out_the_tag_that_was_implied_or_it_could_never_move() -> None:
    found = outcome(use_of("debian"), replace(MOVED, tags=("latest",)))
    assert isinstance(found, Update)
    assert (found.kind, str(found.to)) == (UpdateKind.PIN, f"debian:latest@{digest('new')}")


def test_an_age_by_the_image_s_own_date_is_marked_unverified() -> None:
    by_date = outcome(PINNED, MOVED, Rule())
    by_sight = outcome(PINNED, replace(MOVED, sightings=seen(("old", 30), ("new", 4))), Rule())
    assert isinstance(by_date, Update)
    assert isinstance(by_sight, Update)
    assert (by_date.age_verified, by_date.first_seen) == (False, None)
    assert (by_sight.age_verified, by_sight.first_seen) == (True, ago(4))


def test_two_runs_on_one_day_agree_although_the_first_one_saw_the_digest() -> None:
    again = replace(MOVED, sightings=seen(("new", 0.1)))
    assert outcome(PINNED, MOVED, Rule()).word == outcome(PINNED, again, Rule()).word == "update"


def test_a_waived_update_says_so_and_is_never_merged_by_itself() -> None:
    found = outcome(PINNED, replace(MOVED, created=ago(1)), Rule(waive_age_for_security=True))
    assert isinstance(found, Update)
    assert (found.waived, found.auto_merge, found.age_verified) == (True, False, False)


def test_a_tag_that_moved_back_is_an_update_with_a_warning_that_nobody_merges_blindly() -> None:
    found = outcome(PINNED, replace(MOVED, created=ago(50)))
    assert isinstance(found, Update)
    assert not found.auto_merge
    assert "moved back to an older image: made 2026-10-05, the pinned one 2026-10-15" in said(found)


def test_a_tag_that_flips_back_is_noticed_by_the_order_it_was_seen_in_where_dates_say_nothing() -> None:
    world = replace(MOVED, created=None, pinned_created=None, sightings=seen(("new", 20), ("old", 10)))
    found = outcome(PINNED, world)
    assert isinstance(found, Update)
    assert not found.auto_merge
    assert "that we saw before the pinned one" in said(found)


FAST = replace(
    MOVED,
    created=ago(0.5),
    older=index_of("b", amd64="b amd64"),
    sightings=seen(("old", 9), ("a", 6), ("b", 4), ("c", 2), ("new", 0.5)),
)


def test_a_tag_that_moves_faster_than_the_minimum_age_gets_its_newest_digest_that_is_old_enough() -> None:
    found = outcome(PINNED, FAST, Rule())
    assert isinstance(found, Update)
    assert found.to.digest == digest("b")
    assert (found.first_seen, found.age_verified) == (ago(4), True)
    assert "a newer one waits for its minimum age: first seen" in said(found)


def test_a_fast_tag_never_goes_back_behind_the_pinned_digest() -> None:
    pinned = use_of("debian:bookworm-slim@c")
    assert outcome(pinned, replace(FAST, pinned=index_of("c", amd64="c amd64")), Rule()).word == "waiting"


@pytest.mark.parametrize(
    ("pinned_days", "word"), [(30, "update"), (9, "waiting"), (5, "waiting")], ids=["long before", "just then", "later"]
)
def test_a_pinned_digest_never_seen_moves_only_where_it_was_made_before_the_first_one_seen(
    pinned_days: float, word: str
) -> None:
    world = replace(FAST, sightings=FAST.sightings[1:], pinned_created=ago(pinned_days))
    world = replace(world, sightings=seen(("a", 9), *[("b", 4.0), ("new", 0.5)]))
    assert outcome(PINNED, world, Rule()).word == word


BRANCHES = Facts(
    head=head_of("old"),
    created=ago(20),
    tags=("1.27-alpine", "1.28-alpine", "1.29-alpine", "2.0-alpine", "1.30-alpine3.20", "latest"),
    tag_digests={"1.29-alpine": digest("1.29")},
    candidate=index_of("1.29", amd64="1.29 amd64"),
    candidate_created=ago(5),
)
NGINX = use_of("nginx:1.27-alpine@old")


def test_the_highest_allowed_tag_is_proposed_with_its_digest_and_the_higher_one_named() -> None:
    found = outcome(NGINX, BRANCHES, MINOR)
    assert isinstance(found, Update)
    assert (found.kind, str(found.to)) == (UpdateKind.MINOR, f"nginx:1.29-alpine@{digest('1.29')}")
    assert "2.0-alpine exists: a major update, and the rule allows minor" in said(found)


def test_no_tag_is_chosen_from_a_list_that_could_not_be_read() -> None:
    found = outcome(NGINX, replace(BRANCHES, tags=None), MINOR)
    assert isinstance(found, Failed)
    assert "could not be listed" in found.error


@pytest.mark.parametrize(
    ("world", "says"),
    [
        (replace(BRANCHES, candidate_created=ago(1)), "1.29-alpine: minimum age: the image was made 2026-11-23"),
        (replace(BRANCHES, candidate=index_of("1.29", arm64="x")), "1.29-alpine still lacks linux/amd64"),
    ],
    ids=["too young", "without the platform"],
)
def test_a_new_tag_waits_as_a_digest_does(world: Facts, says: str) -> None:
    found = outcome(NGINX, world, replace(MINOR, minimum_age=timedelta(days=3)))
    assert isinstance(found, Waiting)
    assert says in found.reason


def test_a_new_tag_that_waits_does_not_hold_back_a_newer_digest_of_the_old_one() -> None:
    world = replace(BRANCHES, head=head_of("new"), latest=NEW, pinned=OLD, pinned_created=ago(40))
    world = replace(world, candidate_created=ago(1))
    found = outcome(NGINX, world, replace(MINOR, minimum_age=timedelta(days=3)))
    assert isinstance(found, Update)
    assert str(found.to) == f"nginx:1.27-alpine@{digest('new')}"


def test_an_abandoned_tag_names_the_tags_to_choose_from_the_furthest_first() -> None:
    found = outcome(NGINX, replace(BRANCHES, created=ago(300)), Rule())
    assert isinstance(found, Abandoned)
    assert found.candidates == ("2.0-alpine", "1.29-alpine")


def test_the_end_of_a_base_is_said_where_it_is_near_or_past() -> None:
    assert "Debian 12: LTS until 2028-06-30" in said(outcome(PINNED, STAYED))
    assert said(outcome(use_of("debian:trixie-slim@old"), STAYED)) == ""


def test_an_update_carries_the_names_people_can_read() -> None:
    tags = ("bookworm-slim", "bookworm-20261110-slim", "bookworm-20261020-slim")
    names = {"bookworm-20261110-slim": digest("new"), "bookworm-20261020-slim": digest("old")}
    found = outcome(PINNED, replace(MOVED, tags=tags, tag_digests=names))
    assert isinstance(found, Update)
    assert (found.old_name, found.name) == ("bookworm-20261020-slim", "bookworm-20261110-slim")


def test_a_comment_s_level_is_what_the_line_gets() -> None:
    commented = replace(NGINX, ignore=(("allow", "minor"),))
    assert isinstance(outcome(NGINX, BRANCHES), Current)
    rule = replace(NO_AGE, allow=UpdateKind.MINOR)
    assert isinstance(outcome(commented, BRANCHES, rule), Update)


ARRIVALS = ("amd64", "arm64")


@given(st.permutations(("a", "b", "c", "d", "e")))
def test_an_index_that_settles_in_five_steps_gives_one_update_at_most(order: list[str]) -> None:
    """official-images#18385: five digests in twelve hours, since platforms arrive one by one."""
    steps = [
        index_of(name, amd64="new amd64" if step >= 1 else None, arm64="new arm64" if step >= 3 else None)
        for step, name in enumerate(order)
    ]
    pinned, words = PINNED, []
    for index in steps:
        world = replace(MOVED, head=replace(head_of("x"), digest=index.digest), latest=index)
        found = outcome(pinned, world, NO_AGE, (AMD64, ARM64))
        words.append(found.word)
        if isinstance(found, Update):
            pinned = replace(PINNED, reference=found.to)
            MOVED_ON[str(index.digest)] = index
    assert words[:3] == ["waiting"] * 3
    assert words.count("update") == 1


MOVED_ON: dict[str, object] = {}


@given(st.permutations(OLD.entries))
def test_the_order_of_an_index_decides_nothing(entries: list[object]) -> None:
    shuffled = replace(NEW, entries=tuple(entries))
    world = replace(MOVED, latest=shuffled)
    assert outcome(PINNED, world, NO_AGE, (AMD64, ARM64)).word == "current"
