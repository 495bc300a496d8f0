"""The cycle, step by step, with every outside thing in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.bases import platform_image
from bot.cycle.plan import make_plan
from bot.errors import BuildFailed, ForgeUnavailable, RegistryUnreachable
from bot.model.evidence import Build, BuildNetwork, Level, VerdictState
from bot.model.manifest import Index, Platform
from bot.model.measurement import Baseline
from bot.model.reference import Reference
from bot.model.run import Decided, PublicationState, PullRequest
from bot.model.target import LINUX_AMD64, Target
from bot.model.update import Abandoned, Waiting, outcome_reason
from bot.model.vulnerability import Cause, Scan, Severity
from bot.ports import BuildRequest, ScanRequest
from bot.updates.rules import Rule
from tests.fakes.builder import FakeBuilder
from tests.unit.cycle.house import (
    HEALTHY,
    IMAGE,
    NOW,
    PROJECT,
    House,
    house,
    moved,
    outdated,
    scan,
    vulnerability,
)


def why(decided: Decided) -> str:
    return outcome_reason(decided.outcome) or ""


def only_old_is_vulnerable(made: House) -> Callable[[ScanRequest], Scan]:
    """The pinned base has one vulnerability, every other image none."""
    pinned = made.forge.files["acme/shop"]["Dockerfile"].decode().split()[1]
    index = asyncio.run(made.registry.content(Reference.parse(pinned)))
    assert isinstance(index, Index)
    old = index.entries[0].digest

    def answer(request: ScanRequest) -> Scan:
        found = (vulnerability("CVE-2026-1"),) if old in request.subject else ()
        return scan(request.subject, *found)

    return answer


def test_a_moved_tag_is_proved_and_published(tmp_path: Path) -> None:
    made = outdated(tmp_path)

    (update,) = made.run().result.updates

    assert update.evidence[0].level is Level.HEALTH
    assert update.verdict.state is VerdictState.PASS
    assert update.publication is not None
    assert len(made.forge.wanted) == 1
    (check,) = made.forge.checks.values()
    assert (check.commit, check.url) == (update.publication.commit, update.publication.url)
    assert made.forge.writes == 2


def test_builds_on_an_open_network_are_a_note_of_the_run_and_of_the_pull_request(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    assert made.builder is not None
    made.builder.network = BuildNetwork(closed=False, reason="no root here")

    result = made.run().result

    told = "builds could reach private addresses (no root here); `refit doctor` says what to do"
    assert result.notes == (told,)
    (wanted,) = made.forge.wanted.values()
    assert "Builds could reach private addresses: no root here" in wanted.body


def test_a_cache_that_could_not_be_had_is_one_note_of_the_run(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    assert made.builder is not None
    made.builder.lost_caches = (("ghcr.io/acme/cache:1", "not found"),)

    notes = made.run().result.notes

    assert notes == ("built without the layer cache of `cache_from`: ghcr.io/acme/cache:1 (not found)",)


def test_builds_on_a_closed_network_need_no_note(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    assert made.builder is not None
    made.builder.network = BuildNetwork(closed=True)

    assert made.run().result.notes == ()


def test_a_second_run_writes_builds_and_scans_nothing(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.run()
    assert made.builder is not None
    before = (made.forge.writes, len(made.builder.built), len(made.scanner.scanned))

    result = made.run().result

    assert (made.forge.writes, len(made.builder.built), len(made.scanner.scanned)) == before
    assert result.updates[0].publication is not None
    assert result.cycle.attempt == 2


def test_both_sides_are_built_on_their_own_base_and_then_removed(tmp_path: Path) -> None:
    made = outdated(tmp_path)

    made.run()

    assert made.builder is not None
    assert sorted(request.name.rpartition("-")[2] for request in made.builder.built) == ["after", "before"]
    assert len({request.args for request in made.builder.built}) == 1
    assert made.builder.removed == [made.builder.built[0].name.rpartition("-")[0]]
    assert list(made.work.iterdir()) == []


def test_one_image_in_two_files_is_one_pull_request_that_changes_both(tmp_path: Path) -> None:
    made = outdated(tmp_path, "Dockerfile", "worker/Dockerfile")

    result = made.run().result

    assert len(result.updates) == 2
    (wanted,) = made.forge.wanted.values()
    assert isinstance(wanted, PullRequest)
    assert sorted(wanted.files) == ["Dockerfile", "worker/Dockerfile"]


def test_two_stages_of_one_file_change_together(tmp_path: Path) -> None:
    made = outdated(tmp_path, text="FROM {base} AS build\nFROM {base}\nHEALTHCHECK CMD true\n")

    (update,) = made.run().result.updates

    assert len(update.planned.uses) == 2
    assert update.planned.use.final


def test_a_pull_request_closed_by_a_person_is_left_alone_until_the_image_moves_again(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    publication = made.run().result.updates[0].publication
    assert publication is not None
    made.forge.becomes(publication, PublicationState.CLOSED)

    result = made.run().result

    assert result.updates == ()
    assert isinstance(result.decided[0].outcome, Waiting)
    made.registry.push(IMAGE, "newest", created=NOW - timedelta(days=5), layers=("newest",))
    assert len(made.run().result.updates) == 1


def test_a_pull_request_that_somebody_pushed_to_is_left_alone(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    publication = made.run().result.updates[0].publication
    assert publication is not None
    made.forge.push(publication)
    made.registry.push(IMAGE, "newest", created=NOW - timedelta(days=5), layers=("newest",))
    writes = made.forge.writes

    result = made.run().result

    assert "somebody pushed" in why(result.decided[0])
    assert made.forge.writes == writes + 1, "the one comment"
    assert "leaves it alone" in made.forge.said[publication.url, "taken"]
    made.run()
    assert made.forge.writes == writes + 1


def test_an_update_that_was_pushed_but_not_recorded_is_still_ours(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    publication = made.run().result.updates[0].publication
    assert publication is not None
    made.store.save_publication(replace(publication, commit="0" * 40))

    assert made.run().result.updates[0].publication is not None


def test_a_digest_that_moves_again_updates_the_open_pull_request(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    first = made.run().result.updates[0].publication
    newest = made.registry.push(IMAGE, "newest", created=NOW - timedelta(days=5), layers=("newest",))

    second = made.run().result.updates[0].publication

    assert first is not None
    assert second is not None
    assert second.url == first.url
    assert newest in second.digest


def test_what_is_still_open_a_month_later_is_proved_again_and_says_what_is_known_by_then(
    tmp_path: Path,
) -> None:
    made = outdated(tmp_path)
    first = made.run().result.updates[0].publication
    assert first is not None
    assert made.builder is not None
    built = len(made.builder.built)
    made.run()
    assert len(made.builder.built) == built

    made.clock.moment += timedelta(days=31)
    made.scanner.snapshot = replace(made.scanner.snapshot, digest="sha256:december")
    made.scanner.otherwise = lambda request: scan(request.subject, vulnerability("CVE-2026-77"))
    second = made.run().result.updates[0].publication

    assert second is not None
    assert second.url == first.url
    assert len(made.builder.built) == 2 * built
    wanted = made.forge.wanted[second.url]
    assert isinstance(wanted, PullRequest)
    assert "CVE-2026-77" in wanted.body


def test_a_merged_update_is_current(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    publication = made.run().result.updates[0].publication
    assert publication is not None
    made.forge.merge(publication)

    result = made.run().result

    assert result.updates == ()
    assert [one.outcome.word for one in result.decided] == ["current"]
    baseline = made.store.baseline("acme/shop", "shop", "linux/amd64")
    assert baseline is not None
    assert baseline.digest == publication.digest


def test_at_most_so_many_new_pull_requests_are_opened_for_a_project(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    names = ["one:1", "two:1", "three:1"]
    olds = {name: moved(made, name)[0] for name in names}
    made.forge.files["acme/shop"] = {
        f"{name[:-2]}/Dockerfile": f"FROM {name}@{old}\n".encode() for name, old in olds.items()
    }

    result = made.run().result

    assert len(made.forge.wanted) == 2
    (held,) = [one for one in result.decided if isinstance(one.outcome, Waiting)]
    assert "2 new pull requests a cycle" in why(held)
    assert made.run().result.cycle.attempt == 2
    assert len(made.forge.wanted) == 3


def test_the_most_urgent_are_opened_first(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    names = ["low:1", "high:1", "critical:1"]
    olds = {name: moved(made, name)[0] for name in names}
    made.forge.files["acme/shop"] = {
        f"{name[:-2]}/Dockerfile": f"FROM {name}@{old}\n".encode() for name, old in olds.items()
    }
    made.policy = replace(made.policy, max_new_per_project=1)
    severities = {"critical:1": Severity.CRITICAL, "high:1": Severity.HIGH, "low:1": Severity.LOW}
    made.scanner.otherwise = vulnerable_before(made, olds, severities)

    made.run()

    (opened,) = made.forge.wanted.values()
    assert "critical:1" in opened.title


def vulnerable_before(
    made: House, olds: dict[str, str], severities: dict[str, Severity]
) -> Callable[[ScanRequest], Scan]:
    """Each old image has one vulnerability of its severity, each new one none."""
    worst = {}
    for name, old in olds.items():
        index = asyncio.run(made.registry.content(Reference.parse(f"{name}@{old}")))
        assert isinstance(index, Index)
        worst[f"{name.partition(':')[0]}@{index.entries[0].digest}"] = severities[name]

    def answer(request: ScanRequest) -> Scan:
        found = [severity for key, severity in worst.items() if request.subject.endswith(key)]
        return scan(request.subject, *(vulnerability("CVE-2026-1", severity) for severity in found))

    return answer


def test_where_no_layer_is_known_to_be_the_bases_the_series_has_no_split_and_no_zero(tmp_path: Path) -> None:
    """The moved base may be a builder stage's: nothing of it ships."""
    made = outdated(tmp_path)
    made.run()
    points = made.store.measurements(NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert len(points) == 2
    assert {(point.base_size, point.own_size) for point in points} == {(None, None)}
    assert all(point.size and point.health_seconds for point in points)


def test_what_is_built_in_a_cycle_is_bounded(tmp_path: Path) -> None:
    made = outdated(tmp_path, "Dockerfile", "worker/Dockerfile")
    made.policy = replace(made.policy, max_builds=1)

    levels = sorted(update.evidence[0].level for update in made.run().result.updates)

    assert levels == [Level.BASE, Level.HEALTH]


def test_what_may_be_built_is_what_fixes_most_and_most_severe(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    made.policy = replace(made.policy, max_builds=1, max_new_per_project=9)
    found = {
        "many-low": [vulnerability(f"CVE-2026-{n}", Severity.LOW) for n in range(9)],
        "one-high": [vulnerability("CVE-2026-10")],
        "nothing": [],
    }
    files, answers = {}, {}
    for name, known in found.items():
        image = f"ghcr.io/acme/{name}:1"
        old = made.registry.push(image, f"{name}-old", created=NOW - timedelta(days=60))
        before = platform_image(made.parts(), Reference.parse(f"{image}@{old}"), LINUX_AMD64)
        made.registry.push(image, f"{name}-new", created=NOW - timedelta(days=10))
        files[f"{name}/Dockerfile"] = f"FROM {image}@{old}\nRUN make\n".encode()
        answers[before.reference] = scan("x", *known)
    made.forge.files["acme/shop"] = files
    made.scanner.answers = answers

    built = {one.planned.subject: one.evidence[0].level for one in made.run().result.updates}

    assert len(built) == 3
    assert [name for name, level in built.items() if level is not Level.BASE] == ["one-high"]


def test_another_platform_than_the_machines_is_compared_at_level_base_and_says_so(tmp_path: Path) -> None:
    made = house(
        tmp_path, {}, Target("acme/shop", "shop", "Dockerfile", platforms=(Platform.parse("linux/arm64"),))
    )
    both = ("linux/amd64", "linux/arm64")
    old = made.registry.push(IMAGE, "old", platforms=both, created=NOW - timedelta(days=60))
    made.registry.push(IMAGE, "new", platforms=both, created=NOW - timedelta(days=10))
    made.forge.files["acme/shop"] = {"Dockerfile": f"FROM {IMAGE}@{old}\n".encode()}

    (update,) = made.run().result.updates

    assert update.evidence[0].level is Level.BASE
    assert "this machine builds linux/amd64, not linux/arm64" in update.evidence[0].level_reason


def test_an_image_of_one_platform_in_the_place_of_an_index_is_not_proposed_for_the_others(
    tmp_path: Path,
) -> None:
    platforms = (LINUX_AMD64, Platform.parse("linux/arm64"))
    made = house(tmp_path, {}, Target("acme/shop", "shop", "Dockerfile", platforms=platforms))
    old = made.registry.push(IMAGE, platforms=tuple(map(str, platforms)), created=NOW - timedelta(days=60))
    made.registry.push("other:1", "new", created=NOW - timedelta(days=10))
    newer = asyncio.run(made.registry.content(Reference.parse("other:1")))
    assert isinstance(newer, Index)
    alone = asyncio.run(made.registry.content(Reference.parse(f"other@{newer.images[0].digest}")))
    made.registry.add(IMAGE, alone)
    made.forge.files["acme/shop"] = {"Dockerfile": f"FROM {IMAGE}@{old}\n".encode()}

    result = made.run().result

    assert result.updates == ()
    (decided,) = result.decided
    assert "is made for linux/amd64 alone, and not for linux/arm64" in (outcome_reason(decided.outcome) or "")


def test_the_baseline_counts_whichever_platform_of_a_target_comes_first(tmp_path: Path) -> None:
    platforms = (Platform.parse("linux/arm64"), LINUX_AMD64)
    made = house(tmp_path, {}, Target("acme/shop", "shop", "Dockerfile", platforms=platforms))
    both = tuple(map(str, platforms))
    old = made.registry.push(IMAGE, "old", platforms=both, created=NOW - timedelta(days=60))
    made.registry.push(IMAGE, "new", platforms=both, created=NOW - timedelta(days=10))
    made.forge.files["acme/shop"] = {"Dockerfile": f"FROM {IMAGE}@{old}\n".encode()}
    made.store.save_baseline(Baseline("acme/shop", "shop", "linux/amd64", 1_000_000, "x", NOW))

    (update,) = made.run().result.updates

    assert any("larger than the baseline" in reason for reason in update.verdict.reasons)


class BreaksOff(FakeBuilder):
    """A builder whose downloads break off: the first builds of one side fail."""

    def __init__(self, side: str, times: int, limit: str = "") -> None:
        super().__init__()
        self._side, self._left, self._limit = side, times, limit
        self.asked: list[str] = []

    def build(self, request: BuildRequest) -> Build:
        self.asked.append(request.name.rpartition("-")[2])
        if request.name.endswith(self._side) and self._left:
            self._left -= 1
            message = "[2/2] RUN fetch failed with exit code 6"
            raise BuildFailed(message, log="Connection reset by peer", limit=self._limit)
        return super().build(request)


@pytest.mark.parametrize("side", ["-before", "-after"])
def test_a_build_that_fails_once_by_chance_is_no_reason(tmp_path: Path, side: str) -> None:
    made = outdated(tmp_path)
    made.builder = BreaksOff(side, 1)

    (update,) = made.run().result.updates

    assert (update.verdict.state, update.verdict.reasons) == (VerdictState.PASS, ())
    assert update.evidence[0].before is not None


def test_a_build_that_fails_twice_on_the_new_base_alone_blocks(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.builder = BreaksOff("-after", 2)

    (update,) = made.run().result.updates

    assert update.verdict.state is VerdictState.BLOCK
    assert "it does not build on the new base, and did on the old one" in update.verdict.reasons[0]


def test_what_hung_is_not_waited_for_twice(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.builder = builder = BreaksOff("-after", 2, "seconds")

    (update,) = made.run().result.updates

    assert update.verdict.state is VerdictState.BLOCK
    assert sorted(builder.asked) == ["after", "before"]


def test_of_two_that_were_ended_for_memory_each_gets_the_engine_alone(tmp_path: Path) -> None:
    """Whose steps use it cannot be seen: one side's hunger would else be put down to both."""
    made = outdated(tmp_path)
    made.builder = builder = BreaksOff("", 2, "memory")

    (update,) = made.run().result.updates

    assert sorted(builder.asked[:2]) == sorted(builder.asked[2:]) == ["after", "before"]
    assert update.evidence[0].level is Level.HEALTH


def test_what_builds_on_neither_base_is_tried_again_by_the_next_cycle(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.builder = BreaksOff("", 2)  # one build of each side

    (first,) = made.run().result.updates
    (second,) = made.run().result.updates

    assert (first.evidence[0].level, first.evidence[0].failed_before_too) == (Level.BASE, True)
    assert "does not build before this update either: [2/2] RUN fetch failed" in first.verdict.reasons[0]
    assert second.evidence[0].level is Level.HEALTH


def test_a_frontend_that_nobody_allowed_does_not_run(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    file = made.forge.files["acme/shop"]["Dockerfile"]
    made.forge.files["acme/shop"]["Dockerfile"] = b"# syntax=ghcr.io/acme/frontend:1\n" + file

    evidence = made.run().result.updates[0].evidence[0]

    assert evidence.level is Level.BASE
    assert "`# syntax=` names ghcr.io/acme/frontend:1" in evidence.level_reason


def test_without_an_engine_the_level_is_base(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.builder = None

    (update,) = made.run().result.updates

    assert (update.evidence[0].level, update.evidence[0].level_reason) == (Level.BASE, "there is no engine")


def test_an_old_image_that_is_gone_leaves_the_after_only(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    old, _ = moved(made)
    made.registry.delete(old)
    made.forge.files["acme/shop"] = {"Dockerfile": HEALTHY.format(base=f"{IMAGE}@{old}").encode()}

    (update,) = made.run().result.updates

    assert update.evidence[0].before is None
    assert update.verdict.state is VerdictState.WARN
    assert "gone" in update.verdict.reasons[0]


def test_a_registry_out_of_reach_is_failed_never_current(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.forge.files[PROJECT]["other/Dockerfile"] = b"FROM ghcr.io/acme/base:1\n"
    made.registry.fail("ghcr.io/acme/base:1", RegistryUnreachable("ghcr.io does not answer"))

    result = made.run().result

    assert [one.outcome.word for one in result.decided] == ["failed"]
    assert len(result.updates) == 1


def test_a_project_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.projects = (replace(made.projects[0], name="acme/down"), *made.projects)
    made.forge.errors["acme/down"] = ForgeUnavailable("the forge answered 502")

    result = made.run().result

    assert [(problem.subject, problem.error) for problem in result.problems] == [
        ("acme/down", "the forge answered 502")
    ]
    assert len(result.updates) == 1


def test_a_dry_run_shows_what_it_would_write_and_writes_nothing(tmp_path: Path) -> None:
    made = outdated(tmp_path)

    outcome = made.run(dry_run=True)

    assert made.forge.writes == 0
    assert made.store.cycles() == ()
    (draft,) = outcome.drafts
    assert draft.pull_request is not None
    assert list(draft.pull_request.files) == ["Dockerfile"]
    assert outcome.result.dry_run


def test_only_one_target_can_be_asked_for(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    olds = {name: moved(made, f"{name}:1")[0] for name in ("one", "two")}
    made.forge.files["acme/shop"] = {
        f"{name}/Dockerfile": f"FROM {name}:1@{old}\n".encode() for name, old in olds.items()
    }

    result = made.run(only="two").result

    assert [update.planned.subject for update in result.updates] == ["two"]
    assert result.cycle.name == "monthly-2026-11-only-two"


def test_a_young_digest_waits_for_its_age(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.policy = replace(made.policy, rules=(Rule(minimum_age=timedelta(days=30)),))

    (held,) = made.run().result.decided

    assert isinstance(held.outcome, Waiting)
    made.clock.moment = NOW + timedelta(days=31)
    assert len(made.run().result.updates) == 1


def test_a_waiver_counts_only_for_what_fixes_something(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.policy = replace(
        made.policy, rules=(Rule(minimum_age=timedelta(days=30), waive_age_for_security=True),)
    )

    (held,) = made.run().result.decided
    assert "fixes none" in why(held)

    other = outdated(tmp_path / "other")
    other.policy, other.scanner.otherwise = made.policy, only_old_is_vulnerable(other)
    other.builder = None
    (update,) = other.run().result.updates
    assert update.planned.update.waived


def test_an_abandoned_tag_names_the_tags_to_choose_from(tmp_path: Path) -> None:
    made = house(tmp_path, {})
    old = made.registry.push("nginx:1.27-alpine", "old", created=NOW - timedelta(days=400))
    made.registry.push("nginx:1.29-alpine", "new", created=NOW - timedelta(days=5))
    made.forge.files["acme/shop"] = {"Dockerfile": f"FROM nginx:1.27-alpine@{old}\n".encode()}

    (decided,) = made.run().result.decided

    assert isinstance(decided.outcome, Abandoned)
    assert "1.29-alpine" in decided.outcome.candidates


def test_a_fix_shows_with_its_cause(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.builder, made.scanner.otherwise = None, only_old_is_vulnerable(made)

    (update,) = made.run().result.updates

    comparison = update.evidence[0].comparison
    assert comparison is not None
    (fixed,) = comparison.fixed
    assert (fixed.vulnerability.id, fixed.cause) == ("CVE-2026-1", Cause.BASE)


def test_a_cycle_that_was_cut_off_goes_on_with_its_plan(tmp_path: Path) -> None:
    made = outdated(tmp_path)
    made.forge.errors["acme/shop"] = ForgeUnavailable("down")
    made.run()
    del made.forge.errors["acme/shop"]
    parts = made.parts()
    cycle = made.store.begin("monthly-2026-11", NOW)
    made.store.save_plan(cycle, make_plan(parts))
    asked = len(made.registry.asked)

    result = made.run().result

    assert result.cycle.id == cycle.id
    assert len(made.registry.asked) == asked
    assert len(result.updates) == 1
