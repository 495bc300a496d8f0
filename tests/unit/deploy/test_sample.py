"""The sample that `make run` works on: after the guide, pinned, and pinned anew for the lab."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.dockerfile.uses import read
from bot.settings import load
from deploy import run
from deploy.lab.sample import SOURCE, copy, pin

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize("target", ["backend", "frontend"])
def test_every_image_of_the_sample_is_pinned_by_digest(target: str) -> None:
    data = (SOURCE / target / "Dockerfile").read_bytes()

    uses = [use for use in read("Dockerfile", data) if use.skipped is None]

    assert len(uses) == 2
    assert all(use.reference is not None and use.reference.digest for use in uses)


def test_every_pin_of_the_sample_has_its_public_source_named() -> None:
    told = (SOURCE / "README.md").read_text(encoding="utf-8")
    dockerfiles = [file.read_text(encoding="utf-8") for file in SOURCE.rglob("Dockerfile")]

    images = {
        found[1] for text in dockerfiles for found in re.finditer(r"^FROM (\S+)@sha256", text, re.MULTILINE)
    }

    assert images
    assert [image for image in images if f"`{image}`" not in told] == []


def test_the_lab_sets_the_pins_and_nothing_else() -> None:
    before = f"FROM debian:12@sha256:{'b' * 64} AS x\nCOPY . .\n"

    assert pin(before, {"library/debian:12": DIGEST}, "") == f"FROM debian:12@{DIGEST} AS x\nCOPY . .\n"
    assert pin(before, {"library/debian:12": DIGEST}, "127.0.0.1:5000").startswith(
        f"FROM 127.0.0.1:5000/library/debian:12@{DIGEST} AS x\n"
    )
    assert pin(before, {}, "") == before


def test_the_copy_is_a_git_repository_of_one_commit_the_same_every_time(tmp_path: Path) -> None:
    one, two = (copy(tmp_path / name, {}) for name in ("one", "two"))

    heads = [(path / ".git/refs/heads/main").read_text() for path in (one, two)]
    assert heads[0] == heads[1]


def test_the_configuration_it_writes_is_valid(tmp_path: Path) -> None:
    world = run.World(docker_host="unix:///x.sock", mirror="http://127.0.0.1:5000", trivy_cache=tmp_path)

    settings = load(run.configure(world, tmp_path / "sample", tmp_path))

    assert [target.name for target in settings.projects[0].targets] == ["backend", "frontend"]
    assert settings.registries[0].mirrors == ("http://127.0.0.1:5000",)
    assert json.loads((tmp_path / "refit.yaml").read_text())["scanner"]["offline"] is True
