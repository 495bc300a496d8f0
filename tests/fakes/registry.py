"""A registry in memory: the `Registry` port for tests that need no HTTP."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.errors import ImageNotFound, RegistryError
from bot.model.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    Descriptor,
    Head,
    ImageConfig,
    Index,
    Manifest,
    Platform,
)
from bot.model.reference import ConfigDigest, IndexDigest, ManifestDigest, Reference

CREATED = datetime(2026, 11, 1, tzinfo=UTC)
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(*words: object) -> str:
    """A digest that belongs to some words, the same in every run."""
    return "sha256:" + hashlib.sha256(repr(words).encode()).hexdigest()


class FakeRegistry:
    """Every registry there is, in memory. `push` images, `fail` names; then use it as the port.

    Attributes:
        asked: Every request in order, `HEAD docker.io/library/debian:bookworm-slim`; repeated HEADs of one
            reference are one request, as the port promises.
        left: What `quota()` answers.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.left: dict[str, str] = {}
        self._points: dict[str, dict[str, str]] = {}
        self._contents: dict[str, Index | Manifest] = {}
        self._configs: dict[str, ImageConfig] = {}
        self._failures: dict[str, RegistryError] = {}
        self._heads: dict[str, Head] = {}

    def push(
        self,
        name: str,
        version: str = "1",
        *,
        platforms: Sequence[str] = ("linux/amd64",),
        created: datetime | None = CREATED,
        layers: Sequence[str] = ("base",),
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Push an image index and point the tag of `name` at it; the same words give the same digest.

        Args:
            name: An image reference with a tag, as a Dockerfile writes it.
            version: What makes this build different from others of the same name.
            platforms: One image for each.
            created: When its configs say it was made.
            layers: Names of its layers; the same name is the same layer.
            labels: Labels of its configs.

        Returns:
            The index digest.
        """
        pairs = tuple((labels or {}).items())
        entries = tuple(
            self._image(version, Platform.parse(text), created, tuple(layers), pairs) for text in platforms
        )
        digest = IndexDigest(digest_of("index", version, entries))
        self.add(name, Index(digest, INDEX_TYPES[0], entries))
        return str(digest)

    def add(self, name: str, content: Index | Manifest, config: ImageConfig | None = None) -> Reference:
        """Put a ready index or manifest behind a name, and the config of a manifest beside it."""
        reference = Reference.parse(name)
        repository = self._points.setdefault(f"{reference.registry}/{reference.repository}", {})
        repository[reference.tag or "latest"] = str(content.digest)
        self._contents[str(content.digest)] = content
        if config is not None:
            self._configs[str(config.digest)] = config
        self._heads.clear()
        return reference

    def delete(self, digest: str) -> None:
        """The registry cleans up: a digest is gone, its tags as well."""
        del self._contents[digest]
        for tags in self._points.values():
            for tag in [tag for tag, found in tags.items() if found == digest]:
                del tags[tag]

    def fail(self, name: str, error: RegistryError) -> None:
        """From now on every question about the repository of `name` fails."""
        reference = Reference.parse(name)
        self._failures[f"{reference.registry}/{reference.repository}"] = error

    async def head(self, reference: Reference) -> Head:
        """What a tag or digest points at now."""
        key = reference.canonical
        if key not in self._heads:
            content = self._content("HEAD", reference)
            self._heads[key] = Head(content.digest, content.media_type, 500)
        return self._heads[key]

    async def content(self, reference: Reference) -> Index | Manifest:
        """The index or manifest of a reference."""
        return self._content("GET", reference)

    async def config(self, reference: Reference, manifest: Manifest) -> ImageConfig:
        """The image config of a manifest."""
        self._ask("GET", reference)
        try:
            return self._configs[manifest.config.digest]
        except KeyError:
            raise ImageNotFound(f"{reference.registry} has no {manifest.config.digest}") from None

    async def tags(self, reference: Reference) -> tuple[str, ...]:
        """Every tag of the repository."""
        return tuple(self._ask("GET", reference))

    def requests(self) -> Mapping[str, int]:
        """How many questions there were, by method."""
        return Counter(line.partition(" ")[0] for line in self.asked)

    def answers(self) -> Mapping[tuple[str, int], int]:
        """Everything was answered."""
        return {("docker.io", 200): len(self.asked)}

    def quota(self) -> Mapping[str, str]:
        """What is left."""
        return self.left

    def _ask(self, method: str, reference: Reference) -> dict[str, str]:
        self.asked.append(f"{method} {reference.canonical}")
        name = f"{reference.registry}/{reference.repository}"
        if (error := self._failures.get(name)) is not None:
            raise error
        if name not in self._points:
            raise ImageNotFound(f"{reference.registry} has no {reference.repository}")
        return self._points[name]

    def _content(self, method: str, reference: Reference) -> Index | Manifest:
        tags = self._ask(method, reference)
        digest = reference.digest or tags.get(reference.effective_tag or "")
        if digest is None or digest not in self._contents:
            raise ImageNotFound(f"{reference.registry} has no {reference}")
        return self._contents[digest]

    def _image(
        self,
        version: str,
        platform: Platform,
        created: datetime | None,
        layers: tuple[str, ...],
        labels: tuple[tuple[str, str], ...],
    ) -> Descriptor:
        words = (version, platform, created, layers, labels)
        config = ConfigDigest(digest_of("config", *words))
        diff_ids = tuple(digest_of("layer", name) for name in layers)
        self._configs[str(config)] = ImageConfig(config, platform, created, diff_ids, labels)
        blobs = tuple(Descriptor(_LAYER_TYPE, digest_of("blob", name), 10_000_000) for name in layers)
        digest = ManifestDigest(digest_of("manifest", *words))
        pointer = Descriptor(_CONFIG_TYPE, str(config), 1_000)
        self._contents[str(digest)] = Manifest(digest, MANIFEST_TYPES[0], pointer, blobs)
        return Descriptor(MANIFEST_TYPES[0], str(digest), 500, platform)
