"""The daily rescan of SBOMs: what became known, and what would fix it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cycle.compare import compare
from bot.errors import ScanError
from bot.model.exposure import Ignored
from bot.model.sboms import Audience, Remedy
from bot.model.vulnerability import Package, Severity, Vulnerability
from bot.report.notices import of_sboms
from bot.report.sboms import news, summary
from bot.updates.rules import Rule
from tests.fakes.forge import FakeForge
from tests.unit.cycle.house import moved, scan
from tests.unit.cycle.sbom_world import DOCKERFILE, OPENSSL, OWN, World, vulnerability

CURL = Package("curl", "7.88", "debian", "", "curl", OWN)
LODASH = Package("lodash", "4.17.15", "npm", "app/package-lock.json", "lodash", OWN)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.house.run()
    return made


def test_the_first_round_tells_nothing_as_new_and_the_second_what_became_known(world: World) -> None:
    assert world.next_day(vulnerability(OPENSSL)).vulnerability.id == "CVE-2026-1"


def test_what_became_known_is_told_once(world: World) -> None:
    world.next_day(vulnerability(OPENSSL))
    world.database()
    assert world.rescan().new == ()


def test_what_was_scanned_and_never_told_is_news_until_it_is_told(world: World) -> None:
    world.rescan()
    world.image.append(vulnerability(OPENSSL))
    world.database()
    for _ in range(2):  # it dies before it has told anybody
        assert len(world.scanned().new) == 1
    world.database()
    assert len(world.rescan().new) == 1
    assert world.rescan().new == ()


def test_what_a_person_was_told_is_still_news_to_the_service(world: World) -> None:
    world.rescan()
    world.image.append(vulnerability(OPENSSL))
    world.database()
    assert len(world.rescan(Audience.PERSON).new) == 1
    assert world.rescan(Audience.PERSON).new == ()
    assert len(world.rescan(Audience.SERVICE).new) == 1


def test_what_became_known_between_the_proof_and_the_first_rescan_is_told(world: World) -> None:
    world.image.append(vulnerability(OPENSSL))
    world.database()
    assert len(world.rescan().new) == 1


def test_a_target_that_could_not_be_read_that_day_is_told_later(tmp_path: Path) -> None:
    """Two projects share the SBOM of one base: that one of them was told says nothing of the other."""
    world = World(tmp_path)
    dockerfile = world.house.forge.files["acme/shop"]
    world.house.forge.files["acme/blog"] = dockerfile
    world.house.projects = (*world.house.projects, replace(world.house.projects[0], name="acme/blog"))
    world.rescan()
    del world.house.forge.files["acme/blog"]
    world.image.append(vulnerability(OPENSSL))
    world.database()
    assert [one.name for one, _ in world.rescan().new] == ["acme/shop#shop"]
    world.house.forge.files["acme/blog"] = dockerfile
    assert [one.name for one, _ in world.rescan().new] == ["acme/blog#blog"]


def test_a_day_on_which_the_scanner_knew_nothing_costs_no_news(world: World) -> None:
    world.rescan()
    world.image.append(vulnerability(OPENSSL))
    world.database()
    world.house.scanner.otherwise = lambda request: scan(request.subject, supported=False)
    assert world.rescan().rescanned[0].scan.supported is False
    world.house.scanner.otherwise = world.answer
    world.database()
    assert len(world.rescan().new) == 1


def test_no_image_is_built_or_pulled_for_a_target_whose_build_is_at_hand(world: World) -> None:
    world.rescan()
    world.house.scanner.scanned.clear()
    world.house.builder = None
    world.database()
    (one,) = world.rescan().rescanned
    assert world.house.scanner.scanned == []
    assert (one.sbom.subject, one.exact) == ("acme/shop#shop", True)


def test_a_build_whose_builder_moved_stands_on_the_base_of_its_final_stage(tmp_path: Path) -> None:
    world = World(tmp_path)
    builder, _ = moved(world.house, "rust:1")
    text = (
        f"FROM rust:1@{builder} AS build\n" + DOCKERFILE.format(world.old) + "COPY --from=build /app /app\n"
    )
    world.house.forge = FakeForge({"acme/shop": {"Dockerfile": text.encode()}})
    left_alone = Rule(images=("debian",), ignore_reason="the base stays")
    world.house.policy = replace(world.house.policy, rules=(left_alone, *world.house.policy.rules))
    world.house.run()
    (one,) = world.rescan().rescanned
    assert (one.sbom.subject, one.exact) == ("acme/shop#shop", True)


def test_where_no_build_is_at_hand_the_sbom_of_the_base_serves(tmp_path: Path) -> None:
    world = World(tmp_path)
    (one,) = world.rescan().rescanned
    assert one.sbom.subject == ""
    assert "no build of it is at hand" in summary(world.rescan())


def test_todays_base_fixes_what_it_no_longer_has(world: World) -> None:
    world.fixed_today = True
    assert world.next_day(vulnerability(OPENSSL, "3.0.18")).remedy is Remedy.BASE


def test_a_fix_that_the_base_lacks_is_waited_for_since_the_day_it_was_first_listed(world: World) -> None:
    known = world.next_day(vulnerability(OPENSSL, "3.0.18"))
    assert (known.remedy, known.fixed_since) == (Remedy.WAITING, datetime(2026, 11, 3, tzinfo=UTC))
    world.database()
    assert world.rescan().rescanned[0].known[0].fixed_since == known.fixed_since


def test_it_is_said_in_one_line_that_a_base_is_waited_for(world: World) -> None:
    """No database says when a fix came out: the date is that of the first in which we saw it, and says so."""
    world.next_day(vulnerability(OPENSSL, "3.0.18"))
    world.image.append(vulnerability(OPENSSL, "3.0.19", "CVE-2026-2"))
    world.database()
    said = "waiting for base; fixed in Debian since 2026-11-04 at the latest (3.0.19)"
    assert news(world.rescan()) == f"acme/shop#shop: high CVE-2026-2 in libssl3 3.0.17: {said}"


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        (vulnerability(CURL, "7.88-2"), Remedy.REBUILD),
        (vulnerability(LODASH, "4.17.21"), Remedy.LOCK_FILE),
        (vulnerability(OPENSSL), Remedy.NONE),
        (vulnerability(LODASH), Remedy.NONE),
    ],
    ids=[
        "a package of the Dockerfile's own",
        "a language package",
        "no fix",
        "no fix for a language package",
    ],
)
def test_what_the_base_cannot_fix_says_what_can(world: World, found: Vulnerability, remedy: Remedy) -> None:
    assert world.next_day(found).remedy is remedy


def test_a_withdrawn_vulnerability_is_told(world: World) -> None:
    world.image.append(vulnerability(OPENSSL))
    world.rescan()
    world.database()
    world.rescan()
    world.image.clear()
    world.database()
    assert [one.id for one in world.rescan().rescanned[0].withdrawn] == ["CVE-2026-1"]


def test_what_is_new_on_the_day_of_another_scanner_is_told_with_that_as_a_possible_cause(
    world: World,
) -> None:
    """It may have been published that very day, and is marked as told from then on."""
    world.rescan()
    world.image.append(replace(vulnerability(OPENSSL), severity=Severity.CRITICAL))
    world.house.scanner.version = "trivy 0.0.1"
    world.database()
    result = world.rescan()

    assert [known.vulnerability.id for _, known in result.new] == ["CVE-2026-1"]
    assert news(result).endswith("no fix yet (cause: scanner or database)")
    assert "now by trivy 0.0.1: the cause may be the scanner or the database" in summary(result)
    (notice,) = of_sboms(result)
    assert notice.lines[-1].startswith("Cause: scanner or database (told last from trivy ")
    world.database()
    assert world.rescan().new == ()
    assert "told last from" not in summary(world.rescan())


def test_what_the_operator_hides_or_shows_again_has_not_become_known_by_that(world: World) -> None:
    """And what did become known that day is told, although the scanner was told otherwise."""
    hidden = Ignored("CVE-2026-1", "libssl3")
    world.house.scanner.otherwise = lambda request: replace(world.answer(request), ignored=(hidden,))
    world.database()
    world.rescan()
    world.image += [vulnerability(OPENSSL), vulnerability(OPENSSL, name="CVE-2026-2")]
    world.house.scanner.version += ", ignoring by 1f0c2a9b"
    world.house.scanner.otherwise = world.answer
    world.database()
    assert [known.vulnerability.id for _, known in world.rescan().new] == ["CVE-2026-2"]

    world.image.pop(0)
    world.house.scanner.otherwise = lambda request: replace(world.answer(request), ignored=(hidden,))
    world.database()
    result = world.rescan()
    assert result.rescanned[0].withdrawn == ()
    assert "  1 hidden on request: CVE-2026-1 in libssl3\n" in summary(result)


def test_a_project_that_cannot_be_read_stops_no_other(world: World) -> None:
    world.house.projects = (*world.house.projects, replace(world.house.projects[0], name="acme/gone"))
    result = world.rescan()
    assert [one.subject for one in result.problems] == ["acme/gone"]
    assert [one.name for one in result.rescanned] == ["acme/shop#shop"]


def test_an_old_database_stops_the_rescan_and_nothing_seems_clean(world: World) -> None:
    world.house.scanner.broken = ScanError("the vulnerability database is 9 days old")
    result = world.rescan()
    assert (result.rescanned, len(result.problems)) == ((), 1)


def test_the_scan_of_an_sbom_is_never_subtracted_from_that_of_an_image() -> None:
    image = scan("debian")
    with pytest.raises(ValueError, match="SBOM"):
        compare(image, replace(image, from_sbom=True))
