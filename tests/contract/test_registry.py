"""What every registry owes, on the fake and on the real registry of the distribution project."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.errors import ImageNotFound
from bot.model.manifest import INDEX_TYPES, Head, Index, Manifest, Platform
from bot.model.reference import ConfigDigest, IndexDigest, ManifestDigest, Reference
from bot.ports import Registry
from bot.registry import RegistryClient, RegistrySettings
from tests.fakes.registry import FakeRegistry
from tests.integration.registry.distribution import distribution, push
from tests.integration.registry.images import image

NOWHERE = "sha256:" + "0" * 64
AMD64 = Platform("linux", "amd64")


@dataclass(frozen=True)
class World:
    """A registry, an image with the tags `1` and `2` that it has, and the digest of its tag `1`."""

    registry: Registry
    known: Reference
    digest: str


def _fake() -> World:
    registry = FakeRegistry()
    digest = registry.push("registry.example/app:1", "1", labels={"version": "1"})
    registry.push("registry.example/app:2", "2", labels={"version": "2"})
    return World(registry, Reference.parse("registry.example/app:1"), digest)


def _real(address: str) -> World:
    one, two = image("1"), image("2")
    push(address, "app", "1", one)
    push(address, "app", "2", two)
    registry = RegistryClient(RegistrySettings(), cache=None, clock=SystemClock())
    return World(registry, Reference.parse(f"{address}/app:1"), one.index.digest)


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "fake":
        yield _fake()
        return
    with distribution(tmp_path) as address:
        yield _real(address)


def test_a_head_tells_the_kind_and_the_digest_of_what_a_tag_points_at(world: World) -> None:
    head = asyncio.run(world.registry.head(world.known))
    assert (head.digest, head.media_type) == (IndexDigest(world.digest), INDEX_TYPES[0])
    assert head.size > 0


def test_a_head_by_digest_answers_with_that_digest(world: World) -> None:
    pinned = world.known.with_digest(world.digest)
    assert asyncio.run(world.registry.head(pinned)).digest == IndexDigest(world.digest)


def test_a_reference_is_asked_once_however_many_ask_and_in_however_many_loops(world: World) -> None:
    async def together() -> list[Head]:
        return await asyncio.gather(*(world.registry.head(world.known) for _ in range(10)))

    assert len(set(asyncio.run(together()))) == 1
    asyncio.run(world.registry.head(world.known))
    assert world.registry.requests() == {"HEAD": 1}


def test_an_index_leads_to_a_manifest_and_its_config(world: World) -> None:
    async def work() -> tuple[Index, Manifest, dict[str, str], ConfigDigest, Platform]:
        index = await world.registry.content(world.known)
        assert isinstance(index, Index)
        entry = index.for_platform(AMD64)
        assert entry is not None
        manifest = await world.registry.content(world.known.with_digest(entry.digest))
        assert isinstance(manifest, Manifest)
        config = await world.registry.config(world.known, manifest)
        return index, manifest, dict(config.labels), config.digest, config.platform

    index, manifest, labels, config, platform = asyncio.run(work())
    assert index.digest == IndexDigest(world.digest)
    assert manifest.digest == ManifestDigest(index.images[0].digest)
    assert (labels, platform) == ({"version": "1"}, AMD64)
    assert config == ConfigDigest(manifest.config.digest)


def test_every_tag_is_listed(world: World) -> None:
    assert sorted(asyncio.run(world.registry.tags(world.known))) == ["1", "2"]


@pytest.mark.parametrize("what", ["tag", "digest", "repository"])
def test_what_is_not_there_is_not_found_and_named(world: World, what: str) -> None:
    missing = {
        "tag": world.known.with_tag("9"),
        "digest": world.known.with_digest(NOWHERE),
        "repository": Reference.parse(f"{world.known.registry}/nothing:1"),
    }[what]
    with pytest.raises(ImageNotFound, match=missing.registry) as caught:
        asyncio.run(world.registry.head(missing))
    assert caught.value.hint
    with pytest.raises(ImageNotFound):
        asyncio.run(world.registry.content(missing))


def test_the_tags_of_a_repository_that_is_not_there_are_not_found(world: World) -> None:
    with pytest.raises(ImageNotFound):
        asyncio.run(world.registry.tags(Reference.parse(f"{world.known.registry}/nothing:1")))


def test_a_registry_that_says_nothing_of_a_quota_has_none(world: World) -> None:
    asyncio.run(world.registry.head(world.known))
    assert world.registry.quota() == {}
