"""A rescan tells what is known now, and what is new since the last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.known import KnownTargets
from bot.cycle.quarterly import size_report
from bot.cycle.rescan import rescan
from bot.errors import (
    EngineError,
    EngineMissing,
    ForgeUnavailable,
    ImageNotFound,
    RefitError,
    ScanError,
    UsageError,
)
from bot.model.evidence import Build
from bot.model.exposure import Ignored
from bot.model.manifest import Platform
from bot.model.reference import Reference
from bot.model.target import Project, Target
from bot.model.vulnerability import Package, Scan, Severity, Vulnerability
from bot.ports import BuildRequest, ScanRequest
from bot.report.rescan import summary
from tests.fakes.builder import FakeBuilder
from tests.unit.cycle.house import House, house, moved, scan, vulnerability

NEWER = "sha256:" + "e" * 64
FOUND = vulnerability("CVE-2026-1")


def shop(folder: Path, *targets: Target, **files: str) -> House:
    """A project of one Dockerfile on debian:12, which its registry has."""
    made = house(folder, {"Dockerfile": "FROM debian:12\n", **files}, *targets)
    made.registry.push("debian:12")
    return made


def told(made: House, name: str = "debian:12") -> list[str]:
    """The lines a person gets."""
    return summary(rescan(made.parts(), name)).splitlines()


class Careless(FakeBuilder):
    """Writes a secret into the folder for temporary files, as a builder does, and looks at its context."""

    def build(self, request: BuildRequest) -> Build:
        assert request.scratch is not None
        (request.scratch / "secret").write_text("hunter2")
        self.context = sorted(path.name for path in request.context.rglob("*"))
        return super().build(request)


def newer_database(made: House) -> None:
    made.scanner.snapshot = replace(made.scanner.snapshot, digest=NEWER)


def finds(
    *vulnerabilities: Vulnerability, packages: tuple[Package, ...] = ()
) -> Callable[[ScanRequest], Scan]:
    """A scanner that finds these in every image, and these packages beside them."""

    def answer(request: ScanRequest) -> Scan:
        found = scan(request.subject, *vulnerabilities)
        return replace(found, packages=(*found.packages, *packages))

    return answer


# -- what is told -----------------------------------------------------------------------------


def test_the_first_rescan_tells_what_is_known_and_has_nothing_to_compare_with(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.scanner.otherwise = finds(FOUND, vulnerability("CVE-2026-2", Severity.CRITICAL))

    first, second, foot = told(made)

    assert first == "debian:12: 1 critical, 1 high"
    assert second == "First scan: nothing to compare with."
    assert foot.startswith("docker.io/library/debian@sha256:")
    assert "database of 2026-11-01" in foot


def test_what_the_operator_hides_is_counted_and_named_beside_what_is_known(tmp_path: Path) -> None:
    made = shop(tmp_path)
    ignored = (Ignored("CVE-2026-9", "perl-base"),)
    made.scanner.otherwise = lambda request: replace(scan(request.subject), ignored=ignored)

    assert (
        told(made)[0] == "debian:12: no known vulnerabilities; 1 hidden on request: CVE-2026-9 in perl-base"
    )


def test_with_nothing_new_it_says_so_and_scans_nothing(tmp_path: Path) -> None:
    made = shop(tmp_path)
    told(made)

    assert told(made)[1] == "Nothing changed since the last scan."
    assert len(made.scanner.scanned) == 1


def test_what_became_known_meanwhile_is_the_databases_doing(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.scanner.otherwise = finds(packages=(FOUND.package,))
    told(made)
    newer_database(made)
    made.scanner.otherwise = finds(FOUND)

    assert told(made)[1] == "New since the last scan: 1 high: CVE-2026-1 (openssl, database)"


def test_by_another_scanner_the_cause_is_in_doubt_and_that_is_said(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.scanner.otherwise = finds(packages=(FOUND.package,))
    told(made)
    newer_database(made)
    made.scanner.version, before = "trivy 0.0.1", made.scanner.version
    made.scanner.otherwise = finds(FOUND)

    lines = told(made)

    assert lines[1] == "New since the last scan: 1 high: CVE-2026-1 (openssl, database)"
    assert lines[2].startswith(f"The last scan was by {before}, this one by trivy 0.0.1: ")


def test_what_a_moved_image_fixed_is_the_images_doing(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:12\n"})
    made.registry.push("debian:12", "old")
    made.scanner.otherwise = finds(FOUND)
    told(made)
    made.registry.push("debian:12", "new")
    made.scanner.otherwise = finds()

    assert told(made)[:2] == [
        "debian:12: no known vulnerabilities",
        "Fixed since the last scan: 1 high: CVE-2026-1 (openssl, image)",
    ]


def test_packages_that_changed_with_no_vulnerability_are_counted(tmp_path: Path) -> None:
    made = shop(tmp_path)
    told(made)
    newer_database(made)
    made.scanner.otherwise = finds(packages=(Package("zlib", "2", "debian"),))

    assert told(made)[1] == "No vulnerability came or went since the last scan; 1 package changed."


def test_of_many_the_worst_are_named(tmp_path: Path) -> None:
    made = shop(tmp_path)
    told(made)
    newer_database(made)
    worst = vulnerability("CVE-2026-99", Severity.CRITICAL)
    made.scanner.otherwise = finds(*(vulnerability(f"CVE-2026-{n}") for n in range(7)), worst)

    line = told(made)[1]

    assert line.startswith("New since the last scan: 1 critical, 7 high: CVE-2026-99 ")
    assert line.endswith(", and 3 more")


def test_an_unknown_distribution_is_neither_clean_nor_compared(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.scanner.otherwise = finds(FOUND)
    told(made)
    newer_database(made)
    made.scanner.otherwise = lambda request: scan(request.subject, supported=False)

    first, second, _ = told(made)

    assert "vulnerabilities unknown" in first
    assert second.startswith("No comparison with the last scan")


def test_names_from_outside_stay_on_their_line(tmp_path: Path) -> None:
    made = shop(tmp_path)
    told(made)
    newer_database(made)
    evil = Vulnerability("CVE-1\nall clear", Package("\x1b[2Jx\u202e", "1", "npm"), Severity.LOW)
    made.scanner.otherwise = finds(evil)

    line = told(made)[1]

    assert line == "New since the last scan: 1 low: CVE-1 all clear (x, image)"


# -- what is scanned --------------------------------------------------------------------------


def test_a_target_with_no_published_image_is_built_afresh_and_cleaned_up_after(tmp_path: Path) -> None:
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile", args=(("A", "1"),)))
    made.policy = replace(made.policy, build_seconds=77)

    result = rescan(made.parts(), "backend")

    assert result.how.startswith("built from ")
    assert made.builder is not None
    (request,) = made.builder.built
    assert (request.args, request.seconds, request.fresh_stages) == ((("A", "1"),), 77, ())
    assert made.builder.removed == [request.name]


def test_the_secrets_of_a_build_are_no_part_of_what_it_may_copy(tmp_path: Path) -> None:
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile"))
    made.builder = builder = Careless()

    rescan(made.parts(), "backend")

    assert builder.context == ["Dockerfile"]


def test_what_was_built_for_a_rescan_joins_the_sizes_of_the_report(tmp_path: Path) -> None:
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile"))

    rescan(made.parts(), "backend")

    (target,) = size_report(made.parts(), None, None).targets
    assert (target.key[1], target.fresh) == ("backend", True)
    assert target.size > 0
    assert target.now.base.startswith("debian:")


def test_a_target_with_a_published_image_is_not_built(tmp_path: Path) -> None:
    image = Reference.parse("ghcr.io/acme/backend:main")
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile", image=image))
    made.registry.push("ghcr.io/acme/backend:main")

    result = rescan(made.parts(), "backend")

    assert result.how.startswith("ghcr.io/acme/backend@sha256:")
    assert made.builder is not None
    assert made.builder.built == []


def test_a_target_read_by_a_program_that_nobody_allowed_is_not_built(tmp_path: Path) -> None:
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile"))
    made.forge.files["acme/shop"]["Dockerfile"] = b"# syntax=example/frontend\nFROM debian:12\n"

    with pytest.raises(EngineError, match="names example/frontend"):
        rescan(made.parts(), "backend")

    assert made.builder is not None
    assert made.builder.built == []


def test_a_published_image_is_scanned_on_a_platform_the_target_has(tmp_path: Path) -> None:
    image, arm = Reference.parse("ghcr.io/acme/backend:main"), Platform("linux", "arm64")
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile", image=image, platforms=(arm,)))
    made.registry.push("ghcr.io/acme/backend:main", platforms=("linux/arm64",))

    rescan(made.parts(), "backend")

    assert [request.platform for request in made.scanner.scanned] == [arm]


def test_an_image_is_one_image_however_it_is_written(tmp_path: Path) -> None:
    made = shop(tmp_path)
    told(made, "debian:12")

    assert told(made, "docker.io/library/debian:12")[1] == "Nothing changed since the last scan."


def test_an_image_needs_no_forge(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.forge.errors["acme/shop"] = ForgeUnavailable("the forge does not answer")

    assert told(made, "debian:12")[0] == "debian:12: no known vulnerabilities"


def test_a_configured_target_is_found_while_another_project_is_out_of_reach(tmp_path: Path) -> None:
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile"))
    made.projects = (Project("acme/gone"), *made.projects)
    made.forge.errors["acme/gone"] = ForgeUnavailable("the forge does not answer")

    assert told(made, "backend")[0] == "backend: no known vulnerabilities"


def test_of_two_targets_of_one_name_the_project_says_which(tmp_path: Path) -> None:
    made = shop(tmp_path, Target("acme/shop", "api", "Dockerfile"))
    made.forge.files["acme/blog"] = {"Dockerfile": b"FROM debian:12\nRUN make\n"}
    made.projects = (
        *made.projects,
        Project("acme/blog", targets=(Target("acme/blog", "api", "Dockerfile"),)),
    )

    with pytest.raises(UsageError, match="several projects") as refused:
        rescan(made.parts(), "api")

    assert refused.value.hint == "Say which: acme/shop#api, acme/blog#api."
    assert told(made, "acme/blog#api")[0].startswith("acme/blog#api: ")
    assert made.builder is not None
    assert len(made.builder.built) == 1


# -- what goes wrong --------------------------------------------------------------------------


def broken(made: House) -> None:
    made.scanner.otherwise = None


REFUSED: dict[str, tuple[str, type[RefitError], str, str]] = {
    "no image at all": ("No Such", UsageError, "no target 'No Such', and it is no image", "debian:12"),
    "a typing mistake": ("backnd", UsageError, "there is no target 'backnd'", "Did you mean backend?"),
    "a target of no such project": ("acme/blog#backend", UsageError, "no target", "Did you mean backend?"),
    "an image that is gone": ("debian:99", ImageNotFound, "debian:99", "deleted"),
}


@pytest.mark.parametrize(("name", "error", "message", "hint"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_scanned_is_said_with_what_to_do(
    tmp_path: Path, name: str, error: type[RefitError], message: str, hint: str
) -> None:
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile"))

    with pytest.raises(error, match=message) as refused:
        rescan(made.parts(), name)

    assert hint in refused.value.hint


def test_an_unknown_name_is_no_image_while_a_project_could_not_be_looked_into(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.forge.errors["acme/shop"] = ForgeUnavailable("the forge does not answer")

    with pytest.raises(UsageError, match="acme/shop could not be looked into: the forge does not answer"):
        rescan(made.parts(), "zebra")


def test_without_an_engine_a_target_says_how_it_could_be_scanned(tmp_path: Path) -> None:
    made = shop(tmp_path, Target("acme/shop", "backend", "Dockerfile"))
    made.builder = None

    with pytest.raises(EngineMissing, match="must be built to be scanned: there is no engine") as refused:
        rescan(made.parts(), "backend")

    assert "image:" in refused.value.hint


def test_a_scan_that_fails_leaves_the_last_one_to_compare_with(tmp_path: Path) -> None:
    made = shop(tmp_path)
    made.scanner.otherwise = finds(packages=(FOUND.package,))
    told(made)
    newer_database(made)
    broken(made)
    with pytest.raises(ScanError):
        rescan(made.parts(), "debian:12")
    made.scanner.otherwise = finds(FOUND)

    assert told(made)[1] == "New since the last scan: 1 high: CVE-2026-1 (openssl, database)"


# -- which targets there are ------------------------------------------------------------------


def test_the_targets_of_the_newest_cycle_are_known_without_asking_a_forge(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:bookworm-slim\n", "web/Dockerfile": "FROM nginx\n"})
    moved(made)
    known = KnownTargets(made.store)
    assert known() == ()

    made.run()
    assert known() == ("shop", "web")

    del made.forge.files["acme/shop"]["web/Dockerfile"]
    made.clock.moment += timedelta(days=31)
    made.run()
    assert known() == ("shop",)


def test_a_month_of_other_jobs_hides_nothing_of_the_newest_cycle(tmp_path: Path) -> None:
    made = house(tmp_path, {"Dockerfile": "FROM debian:bookworm-slim\n"})
    moved(made)
    made.run()

    for day in range(30):
        made.clock.moment += timedelta(days=1)
        for job in ("observe", "sboms", "cleanup"):
            made.store.begin(f"{job}-{day}", made.clock.now())

    assert KnownTargets(made.store)() == ("shop",)


# -- from the SBOM ----------------------------------------------------------------------------


def test_an_image_that_has_not_changed_is_rescanned_from_its_sbom_with_what_became_known(
    tmp_path: Path,
) -> None:
    made = shop(tmp_path)
    made.scanner.otherwise = finds(packages=(FOUND.package,))
    told(made)
    pulled = len(made.scanner.scanned)
    newer_database(made)
    made.scanner.otherwise = finds(FOUND)

    first, change, foot = told(made)

    assert len(made.scanner.scanned) == pulled
    assert first == "debian:12: 1 high"
    assert change == "New since the last scan: 1 high: CVE-2026-1 (openssl, database)"
    assert "from its SBOM: the image has not changed" in foot

    assert "Nothing changed since the last scan." in told(made)
    assert len(made.scanner.scanned) == pulled


def test_an_image_that_moved_is_scanned_itself(tmp_path: Path) -> None:
    made = shop(tmp_path)
    told(made)
    newer_database(made)
    made.registry.push("debian:12", "another")
    pulled = len(made.scanner.scanned)

    assert "from its SBOM" not in told(made)[-1]
    assert len(made.scanner.scanned) == pulled + 1


def test_where_the_sbom_was_cleaned_away_the_image_itself_is_scanned(tmp_path: Path) -> None:
    made = shop(tmp_path)
    told(made)
    newer_database(made)
    for one in made.artifacts.kept():
        made.artifacts.remove(one.digest)

    assert "from its SBOM" not in told(made)[-1]
