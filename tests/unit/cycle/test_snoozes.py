"""A snoozed update waits, with who asked, the reason and the end; nothing else does."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.model.snooze import Snooze
from bot.model.update import Outcome, Waiting
from bot.updates.rules import Rule
from tests.unit.cycle.house import NOW, House, outdated

SNOOZE = Snooze(
    "acme/shop", "debian:bookworm-slim", "slack:U1", "release freeze", NOW, NOW + timedelta(days=14)
)


def shop(folder: Path, *rules: Rule) -> House:
    return outdated(folder, rules=rules)


def outcomes(made: House) -> list[Outcome]:
    return [one.outcome for one in made.run(dry_run=True).result.decided]


def test_a_snoozed_update_waits_with_who_asked_the_reason_and_the_end(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.store.save_snooze(SNOOZE)

    (waiting,) = outcomes(made)

    assert isinstance(waiting, Waiting)
    assert waiting.reason.startswith("snoozed until 2026-12-08: release freeze (slack:U1)")
    assert waiting.to is not None


ELSEWHERE = {
    "another image": "debian:bullseye",
    "another name": "nginx",
}


@pytest.mark.parametrize("image", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_snooze_is_about_its_image_only(tmp_path: Path, image: str) -> None:
    made = shop(tmp_path)
    made.store.save_snooze(Snooze("acme/shop", image, "slack:U1", "no", NOW, SNOOZE.until))

    assert outcomes(made) == []


def test_a_snooze_of_another_project_silences_nothing_here(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.store.save_snooze(Snooze("acme/blog", SNOOZE.image, "slack:U1", "no", NOW, SNOOZE.until))

    assert outcomes(made) == []


def test_a_name_without_a_tag_is_about_all_its_tags_and_no_project_about_all(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.store.save_snooze(Snooze("", "debian", "slack:U1", "no", NOW, SNOOZE.until))

    assert len(outcomes(made)) == 1


def test_after_its_end_the_update_comes(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.store.save_snooze(SNOOZE)
    made.clock.moment = SNOOZE.until + timedelta(days=1)

    assert len(made.run(dry_run=True).result.updates) == 1


def test_the_longer_of_rule_and_snooze_counts(tmp_path: Path) -> None:
    rule = Rule(minimum_age=timedelta(0), ignore_reason="until the migration", ignore_until=date(2027, 2, 1))
    made = shop(tmp_path, rule)
    made.store.save_snooze(SNOOZE)

    (waiting,) = outcomes(made)

    assert isinstance(waiting, Waiting)
    assert waiting.reason.startswith("snoozed until 2027-02-01: until the migration")
