"""Rules: the first match wins, and a comment at the use goes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model.update import UpdateKind
from bot.updates.rules import Rule, rule_for
from tests.unit.updates.world import use_of


@pytest.mark.parametrize(
    ("pattern", "image", "matches"),
    [
        ("*", "nginx:1.27", True),
        ("nginx", "nginx:1.27", True),
        ("nginx", "docker.io/library/nginx:1.27", True),
        ("library/nginx", "nginx", True),
        ("docker.io/library/nginx", "nginx", True),
        ("nginx", "ghcr.io/acme/nginx", False),
        ("ghcr.io/acme/*", "ghcr.io/acme/api:1", True),
        ("ghcr.io/acme/*", "ghcr.io/other/api:1", False),
        ("debian:bookworm*", "debian:bookworm-slim", True),
        ("debian:bookworm*", "debian:trixie-slim", False),
        ("nginx:latest", "nginx", True),
    ],
)
def test_a_pattern_matches_the_spellings_people_write_for_an_image(
    pattern: str,
    image: str,
    *,
    matches: bool,
) -> None:
    assert Rule(images=(pattern,)).matches("shop", use_of(image)) is matches


def test_the_first_rule_that_matches_wins() -> None:
    rules = (
        Rule(images=("nginx",), projects=("acme/*",), allow=UpdateKind.MAJOR),
        Rule(files=("deploy/*",), allow=UpdateKind.PIN),
        Rule(allow=UpdateKind.MINOR),
    )
    elsewhere = replace(use_of("nginx"), file="deploy/app/Dockerfile")
    assert rule_for(rules, "acme/shop", use_of("nginx")).allow is UpdateKind.MAJOR
    assert rule_for(rules, "other/shop", elsewhere).allow is UpdateKind.PIN
    assert rule_for(rules, "other/shop", use_of("nginx")).allow is UpdateKind.MINOR


def test_without_a_match_digests_move_after_three_days_and_ninety_days_are_abandoned() -> None:
    rule = rule_for((Rule(images=("nginx",)),), "shop", use_of("redis"))
    assert rule.allow is UpdateKind.DIGEST
    assert (rule.minimum_age, rule.abandoned_after) == (timedelta(days=3), timedelta(days=90))


def test_a_comment_at_the_use_says_how_far_it_may_go() -> None:
    rules = (Rule(allow=UpdateKind.PIN, minimum_age=timedelta(days=9)),)
    rule = rule_for(rules, "shop", use_of("nginx", ("allow", "minor")))
    assert (rule.allow, rule.minimum_age) == (UpdateKind.MINOR, timedelta(days=9))
