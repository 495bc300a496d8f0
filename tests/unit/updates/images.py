"""Small builders for the decision tables: images by one letter, moments by days before today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from bot.model.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, Head, Index, Manifest, Platform
from bot.model.reference import ConfigDigest, IndexDigest, ManifestDigest, Reference
from bot.model.use import Use, UseKind
from bot.updates.choose import candidate, needs
from bot.updates.facts import Facts, Need
from bot.updates.rules import Rule

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")


def digest(name: str) -> str:
    """The digest of what a name stands for."""
    return "sha256:" + sha256(name.encode()).hexdigest()


def ago(days: float) -> datetime:
    """So many days before now."""
    return NOW - timedelta(days=days)


def use_of(text: str, **changes: object) -> Use:
    """A FROM of `text`; `@a` stands for the digest named `a`."""
    name, at, pinned = text.partition("@")
    full = name + (f"@{digest(pinned)}" if at else "")
    use = Use("Dockerfile", 1, UseKind.FROM, "0", full, Reference.parse(full), final=True)
    return replace(use, **changes)  # type: ignore[arg-type] # the caller names fields of Use


def head_of(name: str) -> Head:
    return Head(IndexDigest(digest(name)), INDEX_TYPES[0], 1000)


def index_of(name: str, *, amd64: str | None = None, arm64: str | None = None) -> Index:
    """An index whose platforms have the manifests of these names; entries of attestations are added."""
    entries = [
        Descriptor(MANIFEST_TYPES[0], digest(image), 500, platform)
        for platform, image in ((AMD64, amd64), (ARM64, arm64))
        if image is not None
    ]
    attestation = Descriptor(MANIFEST_TYPES[0], digest(f"{name} sbom"), 500, Platform("unknown", "unknown"))
    return Index(IndexDigest(digest(name)), INDEX_TYPES[0], (*entries, attestation))


def manifest_of(name: str) -> Manifest:
    config = Descriptor("application/vnd.oci.image.config.v1+json", str(ConfigDigest(digest(f"{name} config"))), 9)
    return Manifest(ManifestDigest(digest(name)), MANIFEST_TYPES[0], config, ())


def seen(*sightings: tuple[str, float]) -> tuple[tuple[str, datetime], ...]:
    """First-seen times: image and days ago."""
    return tuple((digest(name), ago(days)) for name, days in sightings)


def asked(
    use: Use, world: Facts, rule: Rule, platforms: Sequence[Platform] = (AMD64,)
) -> tuple[list[frozenset[Need]], Facts]:
    """Fetch from `world` what is needed, round by round, as the cycle does; return rounds and facts.

    Fails where the rounds do not come to an end.
    """
    facts, rounds = Facts(), []
    while missing := needs(use, facts, rule, NOW, platforms):
        rounds.append(missing)
        assert len(rounds) <= len(Need), "the same is asked again and again"
        for need in sorted(missing):
            facts = replace(_fetched(need, use, facts, world, rule), checked=facts.checked | {need})
    return rounds, facts


def _fetched(need: Need, use: Use, facts: Facts, world: Facts, rule: Rule) -> Facts:
    fields = {
        Need.HEAD: ("head", "error", "sightings"),
        Need.LATEST: ("latest",),
        Need.PINNED: ("pinned", "pinned_gone"),
        Need.CREATED: ("created",),
        Need.PINNED_CREATED: ("pinned_created",),
        Need.TAGS: ("tags",),
        Need.NAMES: ("tag_digests",),
        Need.CANDIDATE_HEAD: ("candidate", "candidate_created", "candidate_sightings"),
        Need.OLDER: ("older",),
    }[need]
    facts = replace(facts, **{name: getattr(world, name) for name in fields})
    tag = candidate(use, facts, rule, NOW) if need is Need.CANDIDATE_HEAD else None
    if tag in world.tag_digests:
        return replace(facts, tag_digests={tag: world.tag_digests[tag]})
    return facts
