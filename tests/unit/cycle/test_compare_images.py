"""Comparing images of any kind, and repeating a pull request's proof."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.cycle.compare_images import Archive, InEngine, Published, Source, compare_images
from bot.cycle.repeat import repeat
from bot.errors import BuildFailed, EngineError, EngineMissing, UsageError
from bot.model.evidence import BuildNetwork, HealthState
from bot.model.reference import Reference
from bot.model.target import Target
from bot.ports import BuildRequest
from tests.unit.cycle.house import IMAGE, House, house, moved

HEALTHY = "FROM {image}\nRUN make\nHEALTHCHECK CMD true\nCMD sleep 9\n"


def source(folder: Path, name: str, *lines: str) -> Source:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join((f"FROM {IMAGE}", *lines, "")))
    return Source(name, folder / name, folder)


def test_two_dockerfiles_are_built_together_measured_and_cleared_away(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    assert shop.builder is not None
    shop.builder.network = BuildNetwork(closed=False, reason="no nft")
    before = source(tmp_path / "src", "a.Dockerfile", "RUN make one", "RUN make two")
    after = source(tmp_path / "src", "b.Dockerfile", "RUN make one")

    result = compare_images(shop.parts(), before, after)

    assert (result.before.layers, result.after.layers) == (3, 2)
    assert result.before.build_seconds == pytest.approx(0.2)
    assert (result.before.size or 0) > (result.after.size or 0) > 0
    assert list(shop.work.iterdir()) == []
    assert result.notes == ("builds could reach private addresses (no nft); `refit doctor` says what to do",)


def test_a_published_image_needs_no_engine(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    old, new = moved(shop)
    shop.builder = None
    name = Reference.parse(IMAGE)

    result = compare_images(
        shop.parts(), Published("old", name.with_digest(old)), Published("new", name.with_digest(new))
    )

    assert (result.before.build_seconds, result.after.build_seconds) == (None, None)
    assert result.comparison is not None
    assert all(request.remote for request in shop.scanner.scanned)


def test_an_archive_is_scanned_from_its_file(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    assert shop.builder is not None
    one, other = (source(tmp_path / name, "Dockerfile", f"RUN make {name}") for name in ("one", "other"))
    saved = shop.builder.build(BuildRequest(one.context, one.dockerfile, "saved"))
    shop.builder.build(BuildRequest(other.context, other.dockerfile, "held"))
    archive = Archive("saved.tar", tmp_path / "saved.tar", saved)

    result = compare_images(shop.parts(), archive, InEngine("engine:held", "held"))

    read = {request.subject: request.archive for request in shop.scanner.scanned}
    assert read.pop(saved.image) == tmp_path / "saved.tar"
    assert list(read.values()) == [None]
    assert result.before.size == saved.size


def test_without_an_engine_a_dockerfile_says_what_can_be_compared(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    shop.builder = None
    made = source(tmp_path / "src", "Dockerfile")
    with pytest.raises(
        EngineMissing, match="Dockerfile needs a container engine: there is no engine"
    ) as told:
        compare_images(shop.parts(), made, made)
    assert "references and archives" in told.value.hint


def test_a_dockerfile_that_does_not_build_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    fails = source(tmp_path / "src", "Dockerfile", "RUN exit 3")
    with pytest.raises(BuildFailed, match="exit code 3"):
        compare_images(shop.parts(), fails, fails)
    assert list(shop.work.iterdir()) == []


def test_a_dockerfile_read_by_a_program_that_nobody_allowed_is_not_built(tmp_path: Path) -> None:
    shop = house(tmp_path, {})
    made = source(tmp_path / "src", "Dockerfile")
    (tmp_path / "src" / "Dockerfile").write_text(f"# syntax=example/frontend\nFROM {IMAGE}\n")

    with pytest.raises(EngineError, match="Dockerfile is not built: its `# syntax=` names example/frontend"):
        compare_images(shop.parts(), made, made)

    assert shop.builder is not None
    assert shop.builder.built == []
    shop.policy = replace(shop.policy, frontends=("example/frontend",))
    assert compare_images(shop.parts(), made, made).after.build is not None


def project(folder: Path) -> tuple[House, Target, str, str]:
    target = Target("acme/shop", "backend", "Dockerfile")
    shop = house(folder, {}, target)
    old, new = moved(shop)
    text = HEALTHY.format(image=f"{IMAGE}@{old}")
    shop.forge.files["acme/shop"]["Dockerfile"] = text.encode()
    return shop, target, old, new


def test_a_proof_is_repeated_from_commit_target_and_digests(tmp_path: Path) -> None:
    shop, target, old, new = project(tmp_path)
    commit = shop.forge.checkout(shop.projects[0]).commit

    first = repeat(shop.parts(), target, commit, old, new)
    again = repeat(shop.parts(), target, commit, old, new)

    assert first.caused
    assert first.after.health is not None
    assert first.after.health.state is HealthState.HEALTHY
    assert shop.builder is not None
    assert len(shop.builder.built) == 4, "a repetition measures anew"
    assert first.comparison == again.comparison
    assert not shop.forge.wanted


def test_a_digest_the_dockerfile_does_not_name_is_refused_with_what_it_names(tmp_path: Path) -> None:
    shop, target, old, new = project(tmp_path)
    commit = shop.forge.checkout(shop.projects[0]).commit
    with pytest.raises(UsageError, match="names no image with sha256:0000") as told:
        repeat(shop.parts(), target, commit, "sha256:" + "0" * 64, new)
    assert old in told.value.hint
