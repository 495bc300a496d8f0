"""A registry as values: the decision is asked against it, need by need, as the cycle does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from bot.errors import ImageNotFound, RefitError
from bot.model.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, Head, Index, Platform
from bot.model.reference import IndexDigest, Reference
from bot.model.update import Outcome
from bot.model.use import Use, UseKind
from bot.updates.choose import candidate, decide, needs, older_digest
from bot.updates.facts import Facts, Need, TagImage
from bot.updates.names import precise_names
from bot.updates.rules import Rule

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def digest(name: str) -> str:
    return f"sha256:{sha256(name.encode()).hexdigest()}"


def index(name: str, **images: str) -> Index:
    """An index by name; each keyword is an architecture and the name of its image."""
    entries = tuple(
        Descriptor(MANIFEST_TYPES[0], digest(image), 1000, Platform("linux", architecture))
        for architecture, image in images.items()
    )
    return Index(IndexDigest(digest(name)), INDEX_TYPES[0], entries)


@dataclass
class World:
    """What a registry holds for one repository, and what we saw before.

    `tags` says which index each tag points at; `images` what each index holds; `created` its date.
    """

    tags: dict[str, str] = field(default_factory=dict)
    images: dict[str, Index] = field(default_factory=dict)
    created: dict[str, datetime] = field(default_factory=dict)
    seen: tuple[tuple[str, datetime], ...] = ()
    candidate_seen: dict[str, tuple[tuple[str, datetime], ...]] = field(default_factory=dict)
    error: RefitError | None = None
    unlisted: bool = False
    asked: list[Need] = field(default_factory=list)

    def image(self, name: str, created: datetime, **images: str) -> str:
        """Push an index, by default for amd64 alone; returns its digest."""
        made = index(name, **(images or {"amd64": f"{name}-amd64"}))
        self.images[str(made.digest)] = made
        self.created[str(made.digest)] = created
        return str(made.digest)

    def outcome(
        self,
        text: str,
        *,
        rule: Rule | None = None,
        now: datetime = NOW,
        platforms: tuple[Platform, ...] = (AMD64,),
        use: Use | None = None,
    ) -> Outcome:
        """Gather the facts that are asked for, and decide."""
        use = use or use_of(text)
        rule = rule or Rule(minimum_age=timedelta(0))
        facts = Facts()
        self.asked.clear()
        while missing := needs(use, facts, rule, now, platforms):
            for need in sorted(missing):
                assert need not in self.asked or need is Need.CANDIDATE, f"{need} is asked for twice"
                self.asked.append(need)
                before, facts = facts, self._fetch(need, facts, use, rule, now, platforms)
                if need is not Need.CANDIDATE or facts.candidates == before.candidates:
                    facts = replace(facts, checked=facts.checked | {need})
        return decide(use, facts, rule, now, platforms)

    def _fetch(  # noqa: PLR0917 - as `candidate` is asked
        self,
        need: Need,
        facts: Facts,
        use: Use,
        rule: Rule,
        now: datetime,
        platforms: tuple[Platform, ...],
    ) -> Facts:
        reference = use.reference
        assert reference is not None
        head = str(facts.head.digest) if facts.head else ""
        ways: dict[Need, Callable[[], Facts]] = {
            Need.HEAD: lambda: self._head(facts, reference),
            Need.LATEST: lambda: replace(facts, latest=self.images[head]),
            Need.PINNED: lambda: self._pinned(facts, str(reference.digest)),
            Need.CREATED: lambda: replace(facts, created=self.created.get(head)),
            Need.PINNED_CREATED: lambda: replace(
                facts, pinned_created=self.created.get(str(reference.digest))
            ),
            Need.TAGS: lambda: facts if self.unlisted else replace(facts, tags=tuple(self.tags)),
            Need.CANDIDATE: lambda: self._candidate(
                facts, candidate(use, facts, rule, now, platforms), rule, now
            ),
            Need.OLDER: lambda: replace(
                facts, older=self.images.get(older_digest(use, facts, rule, now) or "")
            ),
            Need.NAMES: lambda: self._names(facts, reference),
        }
        return ways[need]()

    def _pinned(self, facts: Facts, pinned: str) -> Facts:
        return replace(facts, pinned=self.images.get(pinned), pinned_gone=pinned not in self.images)

    def _names(self, facts: Facts, reference: Reference) -> Facts:
        names = precise_names(reference.effective_tag or "", facts.tags or ())
        return replace(facts, tag_digests={**facts.tag_digests, **{name: self.tags[name] for name in names}})

    def _head(self, facts: Facts, reference: Reference) -> Facts:
        if self.error is not None:
            return replace(facts, error=self.error)
        tag = reference.effective_tag or ""
        if tag not in self.tags:
            return replace(facts, error=ImageNotFound(f"{reference}: there is no tag {tag}"))
        head = Head(IndexDigest(self.tags[tag]), INDEX_TYPES[0], 1000)
        return replace(facts, head=head, sightings=self.seen)

    def _candidate(self, facts: Facts, tag: str | None, rule: Rule, now: datetime) -> Facts:
        if tag is None:
            return facts
        found, seen = self.tags[tag], self.candidate_seen.get(tag, ())
        if found not in self.images:
            lost = ImageNotFound(f"there is no {tag}")
            return replace(facts, candidates={**facts.candidates, tag: lost})
        old = [(one, self.images[one]) for one, first in seen if now - first >= rule.minimum_age]
        image = TagImage(found, self.images[found], self.created[found], seen, old[-1] if old else None)
        return replace(facts, candidates={**facts.candidates, tag: image})


def use_of(text: str, *comments: tuple[str, str], platform: str | None = None) -> Use:
    return Use(
        file="Dockerfile",
        line=1,
        kind=UseKind.FROM,
        stage="0",
        text=text,
        reference=Reference.parse(text),
        platform=platform,
        ignore=comments,
    )
