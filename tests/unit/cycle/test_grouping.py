"""What shares one pull request, and uses that share an `ARG`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.bases import platform_image
from bot.model.evidence import Build
from bot.model.reference import Reference
from bot.model.run import PublicationState, PullRequest
from bot.model.target import LINUX_AMD64
from bot.model.update import Grouping, UpdateKind, Waiting, outcome_reason
from bot.model.vulnerability import Cause
from bot.ports import BuildRequest
from bot.updates.rules import Rule
from tests.fakes.builder import FakeBuilder
from tests.unit.cycle.house import NO_AGE, NOW, House, house, scan, vulnerability

DAY = timedelta(days=1)


def rule(group: Grouping = Grouping.IMAGE, allow: UpdateKind = UpdateKind.DIGEST) -> Rule:
    return Rule(minimum_age=timedelta(0), group=group, allow=allow)


def shop(folder: Path, files: Mapping[str, str], *images: str, rules: tuple[Rule, ...] = (NO_AGE,)) -> House:
    """Files with `{old}` for the digest of the first of two images pushed under each name."""
    made = house(folder, {}, rules=rules)
    old = {}
    for image in images:
        old[image] = made.registry.push(image, "old", created=NOW - 60 * DAY, layers=("old", image))
        made.registry.push(image, "new", created=NOW - 10 * DAY, layers=("new", image))
    pinned = {image: f"{image}@{digest}" for image, digest in old.items()}
    texts = {
        path: text.format_map({k.partition(":")[0]: v for k, v in pinned.items()})
        for path, text in files.items()
    }
    made.forge.files["acme/shop"] = {path: text.encode() for path, text in texts.items()}
    return made


def wanted(made: House) -> list[PullRequest]:
    return [one for one in made.forge.wanted.values() if isinstance(one, PullRequest)]


TWO_FILES = {"Dockerfile": "FROM {debian}\nCOPY --from={nginx} /a /b\n", "web/Dockerfile": "FROM {nginx}\n"}


@pytest.mark.parametrize(
    ("group", "files"),
    [
        (Grouping.IMAGE, [["Dockerfile"], ["Dockerfile", "web/Dockerfile"]]),
        (Grouping.FILE, [["Dockerfile"], ["web/Dockerfile"]]),
        (Grouping.PROJECT, [["Dockerfile", "web/Dockerfile"]]),
    ],
)
def test_pull_requests_are_divided_as_the_rule_says(
    tmp_path: Path, group: Grouping, files: list[list[str]]
) -> None:
    made = shop(tmp_path, TWO_FILES, "debian:12", "nginx:1.27", rules=(rule(group),))

    result = made.run().result

    assert sorted(sorted(one.files) for one in wanted(made)) == files
    assert len(result.updates) == 3
    assert not result.problems


def test_a_pull_request_of_a_whole_project_stays_the_same_one_when_another_image_moves(
    tmp_path: Path,
) -> None:
    made = shop(tmp_path, TWO_FILES, "debian:12", "nginx:1.27", rules=(rule(Grouping.PROJECT),))
    first = made.run().result.updates[0].publication
    made.registry.push("nginx:1.27", "newest", created=NOW - 5 * DAY, layers=("newest",))

    second = made.run().result.updates[0].publication

    assert first is not None
    assert second is not None
    assert (second.url, second.digest == first.digest) == (first.url, False)
    assert "3 images" not in wanted(made)[-1].title
    assert "2 images" in wanted(made)[-1].title


def test_a_closed_pull_request_of_a_project_is_silent_until_something_moves(tmp_path: Path) -> None:
    made = shop(tmp_path, TWO_FILES, "debian:12", "nginx:1.27", rules=(rule(Grouping.PROJECT),))
    publication = made.run().result.updates[0].publication
    assert publication is not None
    made.forge.becomes(publication, PublicationState.CLOSED)

    assert made.run().result.updates == ()

    made.registry.push("nginx:1.27", "newest", created=NOW - 5 * DAY, layers=("newest",))
    assert len(made.run().result.updates) == 3


VERSION = "ARG V=20\nFROM node:$V AS build\nFROM node:$V-slim\n"


def versions(folder: Path, *tags: str) -> House:
    made = shop(folder, {"Dockerfile": VERSION}, rules=(rule(allow=UpdateKind.MAJOR),))
    for tag in tags:
        made.registry.push(f"node:{tag}", tag, created=NOW - 10 * DAY, layers=(tag,))
    return made


def test_one_whose_images_wait_is_not_superseded_by_that_of_another_file(tmp_path: Path) -> None:
    files = {"Dockerfile": TWO_FILES["Dockerfile"], "cache/Dockerfile": "FROM {redis}\n"}
    made = shop(tmp_path, files, "debian:12", "nginx:1.27", "redis:7", rules=(rule(Grouping.FILE),))
    made.run()
    silent = Rule(images=("debian", "nginx"), ignore_reason="frozen")
    made.policy = replace(made.policy, rules=(silent, *made.policy.rules))

    made.run()

    assert made.forge.comments == []
    assert [listed[-1].state for listed in made.forge.published.values()] == [PublicationState.OPEN] * 2


def test_an_arg_that_two_images_share_is_changed_once_for_both(tmp_path: Path) -> None:
    made = versions(tmp_path, "20", "20-slim", "22", "22-slim")

    result = made.run().result

    (request,) = wanted(made)
    lines = request.files["Dockerfile"].decode().splitlines()
    assert [lines[0], *(line.partition("@")[0] for line in lines[1:])] == [
        "ARG V=22",
        "FROM node:$V",
        "FROM node:$V-slim",
    ]
    assert all("@sha256:" in line for line in lines[1:])
    assert len(result.updates) == 2
    assert not result.problems


class Remembers(FakeBuilder):
    """A builder that remembers which images it made on old bases."""

    def __init__(self) -> None:
        super().__init__()
        self.old: set[str] = set()

    def build(self, request: BuildRequest) -> Build:
        made = super().build(request)
        if request.name.endswith("-before"):
            self.old.add(made.image)
        return made


def test_what_an_image_brings_that_moves_along_is_a_bases_doing_for_both(tmp_path: Path) -> None:
    made = versions(tmp_path, "20", "20-slim", "22", "22-slim")
    made.builder = builder = Remembers()
    slim = platform_image(made.parts(), Reference.parse("node:20-slim"), LINUX_AMD64).reference
    found = vulnerability("CVE-2026-1")
    made.scanner.otherwise = lambda request: scan(
        request.subject, *([found] if request.subject in {slim, *builder.old} else [])
    )

    updates = made.run().result.updates

    comparisons = [one.evidence[0].comparison for one in updates]
    assert [[fix.cause for fix in one.fixed] for one in comparisons if one] == [[Cause.BASE], [Cause.BASE]]
    assert {frozenset(request.fresh_stages) for request in builder.built} == {frozenset({"build", "1"})}


def test_a_proof_counts_only_for_all_images_that_move_together(tmp_path: Path) -> None:
    made = versions(tmp_path, "20", "20-slim", "22", "22-slim")
    assert made.builder is not None
    made.run()
    first = len(made.builder.built)
    made.registry.push("node:22-slim", "newer", created=NOW - 5 * DAY, layers=("newer",))

    made.run()

    assert len(made.builder.built) == 2 * first


def test_an_arg_that_does_not_suit_both_images_stays(tmp_path: Path) -> None:
    made = versions(tmp_path, "20", "20-slim", "22")

    result = made.run().result

    held = [one.outcome for one in result.decided if isinstance(one.outcome, Waiting)]
    assert [str(one.to).partition("@")[0] for one in held] == ["node:22"]
    assert "shares an ARG with node:20-slim" in (outcome_reason(held[0]) or "")
    assert not result.problems
    assert all("ARG V=20" in one.files["Dockerfile"].decode() for one in wanted(made))


def test_one_that_may_not_move_keeps_the_other_where_it_is(tmp_path: Path) -> None:
    made = versions(tmp_path, "20", "20-slim", "22", "22-slim")
    text = VERSION.replace(
        "FROM node:$V-slim", "# refit: ignore until the plug-in is ready\nFROM node:$V-slim"
    )
    made.forge.files["acme/shop"] = {"Dockerfile": text.encode()}

    result = made.run().result

    assert not wanted(made)
    assert {type(one.outcome).__name__ for one in result.decided} == {"Waiting", "Skipped"}
