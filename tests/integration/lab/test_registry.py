"""The lab's registry: tags that really move."""

from __future__ import annotations

import json

import pytest

from deploy.lab import Lab, LabError
from deploy.lab.registry import Registry

pytestmark = pytest.mark.lab

MOVING = ["library/debian:bookworm-slim", "library/nginx:1.27-alpine"]
BUILDERS = ["library/rust:1.90-bookworm", "library/node:18"]


@pytest.mark.parametrize("name", MOVING)
def test_a_tag_moves_from_the_stale_to_the_fresh_image_and_the_old_digest_stays_pullable(
    lab: Lab, name: str
) -> None:
    source, _, tag = name.rpartition(":")
    repository = f"moving/{source.rpartition('/')[2]}"
    lab.copy(source, lab.stale[name], repository, tag)
    lab.copy(source, lab.fresh[name], repository, "next")
    assert lab.digest(repository, tag) == lab.stale[name]

    lab.move(repository, tag, lab.fresh[name])

    assert lab.digest(repository, tag) == lab.fresh[name] != lab.stale[name]
    assert lab.digest(repository, lab.stale[name]) == lab.stale[name]


@pytest.mark.parametrize("name", MOVING + BUILDERS)
def test_every_base_of_the_sample_answers_under_its_own_name(lab: Lab, name: str) -> None:
    repository, _, tag = name.rpartition(":")
    assert lab.digest(repository, tag) in {lab.stale[name], lab.fresh[name]}


def test_a_dated_tag_names_the_same_digest_so_that_an_update_can_be_told_by_its_date(lab: Lab) -> None:
    tags = Registry(lab.registry).tags("library/debian")
    dated = {lab.digest("library/debian", tag) for tag in tags if tag.startswith("bookworm-20")}
    assert dated == {lab.stale["library/debian:bookworm-slim"], lab.fresh["library/debian:bookworm-slim"]}


def test_a_made_up_image_has_the_platforms_asked_for(lab: Lab) -> None:
    digest = lab.push_image(
        "made-up/app", "1", layers=[{"etc/hello": b"hello"}], architectures=["amd64", "arm64"]
    )
    index = json.loads(Registry(lab.registry).manifest("made-up/app", digest)[0])
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["amd64", "arm64"]


def test_moving_a_tag_to_a_digest_that_is_not_there_says_so(lab: Lab) -> None:
    with pytest.raises(LabError, match="no library/debian@sha256:0000"):
        lab.move("library/debian", "bookworm-slim", "sha256:" + 64 * "0")
