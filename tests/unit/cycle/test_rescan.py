"""A rescan tells what is known now, and what is new since the last one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.cycle.observe import observe
from bot.cycle.rescan import rescan, summary
from bot.errors import RegistryUnreachable, UsageError
from tests.unit.cycle.house import NOW, house, moved, scan, vulnerability


def test_the_first_rescan_has_nothing_to_compare_with(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n"})
    made.registry.push("debian:12")

    text = summary(rescan(made.parts(), "debian:12"))

    assert "debian:12: no known vulnerabilities" in text
    assert "First scan" in text


def test_what_became_known_meanwhile_is_the_databases_doing(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n"})
    made.registry.push("debian:12")
    known = vulnerability("CVE-2026-1")
    made.scanner.otherwise = lambda request: replace(scan(request.subject), packages=(known.package,))
    rescan(made.parts(), "debian:12")
    made.scanner.snapshot = replace(made.scanner.snapshot, digest="sha256:" + "e" * 64)
    made.scanner.otherwise = lambda request: scan(request.subject, known)

    text = summary(rescan(made.parts(), "debian:12"))

    assert "New since the last scan: 1: CVE-2026-1 (openssl, database)" in text


def test_a_target_is_built_afresh_and_scanned(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n"})

    result = rescan(made.parts(), "shop")

    assert result.how.startswith("built from ")
    assert made.builder is not None
    assert len(made.builder.built) == 1
    assert made.builder.removed


def test_an_unknown_distribution_is_not_called_clean(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    made.registry.push("debian:12")
    made.scanner.otherwise = lambda request: scan(request.subject, supported=False)

    assert "vulnerabilities unknown" in summary(rescan(made.parts(), "debian:12"))


def test_what_is_neither_target_nor_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no target 'No Such'"):
        rescan(house(tmp_path, {}).parts(), "No Such")


def test_observing_asks_one_head_for_each_reference_and_remembers_when_a_digest_came(tmp_path: Path) -> None:
    made = house(tmp_path, {"a/Dockerfile": "FROM debian:12\n", "b/Dockerfile": "FROM debian:12\n"})
    digest = made.registry.push("debian:12")

    seen = observe(made.parts())

    assert (seen.asked, seen.new) == (1, 1)
    assert made.registry.asked == ["HEAD docker.io/library/debian:12"]
    assert made.store.sightings("docker.io/library/debian:12") == ((digest, NOW),)
    assert observe(made.parts()).new == 0


def test_a_registry_out_of_reach_is_a_problem_of_the_observation(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n", "b/Dockerfile": "FROM ghcr.io/acme/x:1\n"})
    moved(made, "debian:12")
    made.registry.fail("ghcr.io/acme/x:1", RegistryUnreachable("ghcr.io does not answer"))

    seen = observe(made.parts())

    assert [problem.error for problem in seen.problems] == ["ghcr.io does not answer"]
    assert seen.new == 1
