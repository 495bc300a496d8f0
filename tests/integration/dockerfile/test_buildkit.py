"""The proof of the reader: a real BuildKit, asked which images it wants for each Dockerfile of the corpus."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.builder import BuilderSettings
from bot.builder.client import Command, choose_command
from bot.dockerfile.stages import stage_names
from bot.dockerfile.uses import read
from bot.model.reference import DOCKER_HUB, Reference
from bot.model.use import Use, UseKind
from bot.process import run
from deploy.lab.engine import Engine
from tests import newer
from tests.integration.dockerfile.everywhere import Everywhere, everywhere
from tests.unit.dockerfile.corpus import DOCKERFILES, Case

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1200)]

Image = tuple[str, str, str]
PINNED = "@"
HUB = "registry-1.docker.io"
# Images that no build asks for: of triggers, and of the frontend, for which this engine's own stands in here.
UNASKED = (UseKind.ONBUILD, UseKind.SYNTAX)
REFUSED = re.compile(
    r"failed to create LLB definition|failed to read dockerfile|Dockerfile cannot be empty"
    r"|dockerfile parse error|failed to parse stage name|circular dependency detected|invalid stage index"
    r"|no build stage in current context|unterminated heredoc|failed to process|failed to parse platform"
    r"|should not be blank|file with no instructions|empty platform value"
)
UNREACHED = re.compile(r'Head "?https?://([^/"]+)/v2/(.+?)/manifests/([^/":]+(?::[0-9a-f]{64})?)"?:')
# How many of the corpus each has to take: the BuildKit of 2020 refuses what was added to the language since.
COMPARED = {"built in": 250, "buildx": 350}
# Names of cases with it: none of them may be among the refused of the newer one.
ADDED = re.compile(r"heredoc|is cut off|text is replaced|checksum|link")


@dataclass(frozen=True, slots=True)
class Answer:
    """What BuildKit asked for, and whether it took the file at all."""

    asked: set[Image]
    refused: bool
    said: str


@dataclass(frozen=True, slots=True)
class BuildKit:
    """A private engine for which every registry has every image."""

    kind: str
    settings: BuilderSettings
    docker: Command
    registries: Everywhere
    folder: Path

    def build(self, data: bytes, args: dict[str, str]) -> Answer:
        """Let it build a Dockerfile, and see what it asks for."""
        (self.folder / "Dockerfile").write_bytes(data)
        self.registries.asked.clear()
        words = [word for pair in args.items() for word in ("--build-arg", "=".join(pair))]
        command = [str(self.docker.path), *self.docker.build, "--no-cache", *words, str(self.folder)]
        ended = run(command, timeout=120, env=self.settings.environment(), check=False)
        # A registry on loopback is reached without the proxy, so not at all: the error names the image.
        asked = {*self.registries.asked, *UNREACHED.findall(ended.tail)}
        return Answer({_named(*one) for one in asked}, bool(REFUSED.search(ended.tail)), ended.tail[-300:])


@pytest.fixture(scope="module", params=["built in", "buildx"])
def buildkit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildKit]:
    folder, context = tmp_path_factory.mktemp("buildkit"), tmp_path_factory.mktemp("context")
    with everywhere(folder) as (registries, env), ENGINES[request.param](folder / "engine", env) as settings:
        yield BuildKit(request.param, settings, choose_command(settings), registries, context)


@contextmanager
def debian_12(folder: Path, env: Mapping[str, str]) -> Iterator[BuilderSettings]:
    """This machine's Docker, with the BuildKit of 2020 inside."""
    folder.mkdir()
    engine = Engine(folder, mirror="", env=tuple(env.items()))
    engine.start()
    try:
        yield BuilderSettings(engine.host, docker=Path("/usr/bin/docker"))
    finally:
        engine.stop()


@contextmanager
def debian_13(folder: Path, env: Mapping[str, str]) -> Iterator[BuilderSettings]:
    """The newer one, with the BuildKit of 2024: heredocs, `${X#…}`, `COPY --link`, `ADD --checksum`."""
    with newer.running(newer.ensure(), folder, mirror="", env=env) as running:
        yield running.settings


ENGINES = {"built in": debian_12, "buildx": debian_13}


def test_buildkit_asks_for_the_images_that_are_read_and_for_no_others(buildkit: BuildKit) -> None:
    wrong, refused = [], list[str]()
    for number, case in enumerate(DOCKERFILES):
        data = prepared(case, buildkit.registries.image(str(number)))
        answer, uses = buildkit.build(data, case.args), read("Dockerfile", data, args=case.args)
        known = {image for use in uses for image in _images(use, also_skipped=True)}
        # After a tag, its image is asked for by digest.
        unread = {one for one in answer.asked - known if one[2] != PINNED or not _tagged(one, known)}
        unasked = set[Image]()
        if answer.refused:
            refused.append(case.name)
        else:
            unasked = {image for use in uses for image in _images(use)} - answer.asked
        if unread or unasked:
            wrong.append(f"{case.name}: not read {unread}, not asked for {unasked}; {answer.said}")

    assert not wrong, "\n".join(wrong)
    assert len(DOCKERFILES) - len(refused) >= COMPARED[buildkit.kind], refused
    added = [name for name in refused if ADDED.search(name) and "never" not in name]
    assert buildkit.kind == "built in" or not added


@pytest.mark.parametrize(
    "text", ["# syntax=docker/dockerfile:1\n", "# escape=`\n#SYNTAX = example/frontend:2  \n"]
)
def test_buildkit_asks_for_the_frontend_that_is_read(buildkit: BuildKit, text: str) -> None:
    data = f"{text}FROM debian:12\n".encode()
    buildkit.registries.image(text)

    asked = buildkit.build(data, {}).asked

    assert {image for image in asked if image[2] != PINNED} == {
        _image(use.reference)
        for use in read("Dockerfile", data)
        if use.kind is UseKind.SYNTAX and use.reference
    }


def prepared(case: Case, digest: str) -> bytes:
    """The case with a digest that can be had, no frontend of its own, and every stage wanted in the end."""
    data = re.sub(rb"sha256:[0-9a-fA-F]{64}", digest.encode(), case.data)
    data = re.sub(rb"(?im)^([\t ]*(?:#|//)[\t ]*)syntax([\t ]*=)", rb"\1frontend\2", data)
    stages = range(len(stage_names(data)))
    wanted = "".join(f"COPY --from={stage} / /{stage}\n" for stage in stages)
    return data + f"\nFROM scratch\n{wanted}".encode()


def _images(use: Use, *, also_skipped: bool = False) -> set[Image]:
    """The image of a use; of a skipped one where its text names one, as it would be built."""
    if use.kind in UNASKED:
        return set()
    if use.reference:
        return {_image(use.reference)}
    try:
        return {_image(Reference.parse(use.text))} if also_skipped else set()
    except ValueError:
        return set()


def _image(reference: Reference) -> Image:
    host = HUB if reference.registry == DOCKER_HUB else reference.registry
    return host, reference.repository, PINNED if reference.digest else reference.effective_tag or ""


def _tagged(image: Image, known: set[Image]) -> bool:
    return any(one[:2] == image[:2] for one in known)


def _named(host: str, repository: str, reference: str) -> Image:
    return host, repository, PINNED if reference.startswith("sha256:") else reference
