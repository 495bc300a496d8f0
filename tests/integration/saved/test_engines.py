"""What real engines save: Docker 20.10, and 26.1 that writes an OCI layout and Docker's own documents."""

from __future__ import annotations

import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app import machine_platform
from bot.audit.image.read import read
from bot.builder import BuilderSettings, DockerBuilder, measure_saved
from bot.model.evidence import Build
from bot.ports import BuildRequest
from bot.saved import for_scanner, open_saved
from deploy.lab import Lab
from tests.newer import NewerEngine

pytestmark = pytest.mark.lab

DOCKERFILE = 'FROM scratch\nCOPY kept replaced /app/\nCOPY other /app/replaced\nCMD ["/app/kept"]\n'


@dataclass(frozen=True)
class Made:
    """An image in an engine, how it was measured there, and whether the engine saves OCI layouts."""

    builder: DockerBuilder
    build: Build
    layout: bool


@pytest.fixture(params=["20.10", "26.1"])
def made(request: pytest.FixtureRequest, lab: Lab, tmp_path: Path) -> Iterator[Made]:
    """A small image with a file that a later layer replaces, built by an engine of either age."""
    settings = BuilderSettings(lab.docker_host)
    if request.param == "26.1":
        newer: NewerEngine = request.getfixturevalue("newer_engine")
        settings = newer.settings
    context, builder, name = tmp_path / "context", DockerBuilder(settings), f"refit-{uuid.uuid4().hex[:12]}"
    context.mkdir()
    for number, file in enumerate(("kept", "replaced", "other"), start=1):
        (context / file).write_bytes(bytes([number]) * 100_000 * number)
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(DOCKERFILE)
    build = builder.build(BuildRequest(context=context, dockerfile=dockerfile, name=name, scratch=tmp_path))
    yield Made(builder, build, request.param == "26.1")
    builder.remove(name)


def test_an_image_is_the_same_in_its_engine_and_in_what_the_engine_saves(made: Made, tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    made.builder.save(made.build.image, file)
    with tarfile.open(file) as tar:
        assert ("oci-layout" in tar.getnames()) is made.layout

    with open_saved(file, machine_platform()) as saved:
        found = measure_saved(saved, tmp_path)

    assert found == made.builder.measure(made.build.image)
    assert [layer.files for layer in found.layers] == [
        {"app/kept": 100_000, "app/replaced": 200_000},
        {"app/replaced": 300_000},
    ]
    assert for_scanner(file, tmp_path) == file


def test_the_audit_sees_in_it_what_is_live_and_what_is_shipped_all_the_same(
    made: Made, tmp_path: Path
) -> None:
    file = tmp_path / "image.tar"
    made.builder.save(made.build.image, file)

    image = read(file, "shop", machine_platform(), base_layers=1)

    assert {entry.path: entry.size for entry in image.files()} == {
        "app/kept": 100_000,
        "app/replaced": 300_000,
    }
