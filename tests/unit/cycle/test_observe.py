"""Observing asks each registry once what every tag in care points at, and remembers when a digest came."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.cycle.observe import observe
from bot.errors import ForgeUnavailable, RegistryUnreachable
from bot.model.target import Project
from tests.unit.cycle.house import NOW, house


def test_one_head_is_asked_for_each_reference_of_all_projects(tmp_path: Path) -> None:
    made = house(tmp_path, {"a/Dockerfile": "FROM debian:12\n", "b/Dockerfile": "FROM debian:12\n"})
    made.forge.files["acme/blog"] = {"Dockerfile": b"FROM docker.io/library/debian:12\n"}
    made.projects = (*made.projects, Project("acme/blog"))
    digest = made.registry.push("debian:12")

    seen = observe(made.parts())

    assert (seen.asked, seen.new, seen.problems) == (1, 1, ())
    assert made.registry.asked == ["HEAD docker.io/library/debian:12"]
    assert made.store.sightings("docker.io/library/debian:12") == ((digest, NOW),)


def test_a_digest_keeps_the_time_it_was_first_seen(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n"})
    digest = made.registry.push("debian:12")
    observe(made.parts())
    made.clock.moment += timedelta(days=1)

    assert observe(made.parts()).new == 0
    assert made.store.sightings("docker.io/library/debian:12") == ((digest, NOW),)


def test_a_tag_that_moves_is_seen_from_that_day_on(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n"})
    old = made.registry.push("debian:12", "old")
    observe(made.parts())
    made.clock.moment += timedelta(days=1)
    new = made.registry.push("debian:12", "new")

    assert observe(made.parts()).new == 1
    assert made.store.sightings("docker.io/library/debian:12") == (
        (old, NOW),
        (new, NOW + timedelta(days=1)),
    )


def test_what_names_only_a_digest_or_another_stage_is_not_asked_for(tmp_path: Path) -> None:
    text = f"FROM debian@sha256:{'a' * 64} AS base\nFROM base\nFROM scratch\n"

    seen = observe(house(tmp_path, {"Dockerfile": text}).parts())

    assert (seen.asked, seen.problems) == (0, ())


def test_a_registry_out_of_reach_costs_its_own_references_only(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n", "b/Dockerfile": "FROM ghcr.io/acme/x:1\n"})
    made.registry.push("debian:12")
    made.registry.fail("ghcr.io/acme/x:1", RegistryUnreachable("ghcr.io does not answer"))

    seen = observe(made.parts())

    assert [(one.subject, one.error) for one in seen.problems] == [
        ("ghcr.io/acme/x:1", "ghcr.io does not answer")
    ]
    assert seen.new == 1


def test_a_project_out_of_reach_costs_itself_only(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n"})
    made.projects = (Project("acme/gone"), *made.projects)
    made.forge.errors["acme/gone"] = ForgeUnavailable("the forge does not answer", hint="Try later.")
    made.registry.push("debian:12")

    seen = observe(made.parts())

    assert [(one.subject, one.hint) for one in seen.problems] == [("acme/gone", "Try later.")]
    assert seen.new == 1
