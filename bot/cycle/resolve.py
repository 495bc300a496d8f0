"""Resolve: ask the registries what each use's image is now, with as few requests as a decision needs.

`bot.updates.choose` says which facts are missing; this module fetches them. Everything known by
digest is cached for ever, so a run with nothing new sends one HEAD for each distinct reference.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.cycle.bases import config_of
from bot.cycle.discover import Found
from bot.cycle.narrow import narrowed
from bot.cycle.parts import Parts
from bot.cycle.snoozes import quieted
from bot.cycle.suited import suited
from bot.cycle.together import together
from bot.errors import ImageNotFound, RegistryError
from bot.model.manifest import Index, Manifest, Platform
from bot.model.reference import Reference
from bot.model.snooze import Snooze
from bot.model.target import LINUX_AMD64
from bot.model.update import Failed, Outcome
from bot.updates.choose import candidate, decide, needs, older_digest
from bot.updates.facts import Facts, Need, TagImage
from bot.updates.names import precise_names
from bot.updates.rules import Rule, rule_for

_NAMES_KIND: Final = "names"
# Without these, `bot.updates` says what it cannot decide; the others make or break the decision.
_DISPENSABLE: Final = frozenset(
    {Need.TAGS, Need.CANDIDATE, Need.CREATED, Need.PINNED_CREATED, Need.NAMES, Need.OLDER}
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A use with its outcome."""

    found: Found
    outcome: Outcome


async def resolve(found: Sequence[Found], parts: Parts) -> tuple[Resolved, ...]:
    """Decide every use; a registry that fails makes the outcome `failed`, never `current`."""
    snoozes = parts.store.snoozes(parts.clock.now())
    resolved = await together(lambda one: _resolve_one(one, parts, snoozes), found)
    outcomes = suited([(one.found, one.outcome) for one in resolved])
    return tuple(replace(one, outcome=outcome) for one, outcome in zip(resolved, outcomes, strict=True))


async def _resolve_one(found: Found, parts: Parts, snoozes: Sequence[Snooze]) -> Resolved:
    rule = rule_for(parts.policy.rules, found.project.name, found.use)
    rule = narrowed(rule, found.project, found.use)
    rule = quieted(rule, snoozes, found.project.name, found.use)
    platforms = found.target.platforms if found.target else (LINUX_AMD64,)
    try:
        facts = await _Facts(found, rule, platforms, parts).gather()
    except RegistryError as error:
        return Resolved(found, Failed(error.message, error.hint, unanswered=True))
    return Resolved(found, decide(found.use, facts, rule, parts.clock.now(), platforms))


class _Facts:
    """Gathers the facts of one use, need by need."""

    def __init__(self, found: Found, rule: Rule, platforms: Sequence[Platform], parts: Parts) -> None:
        self._use, self._rule, self._platforms, self._parts = found.use, rule, platforms, parts
        self._registry = parts.registry
        self._ways: Mapping[Need, Callable[[Facts, Reference], Awaitable[Facts]]] = {
            Need.HEAD: self._head,
            Need.LATEST: self._latest,
            Need.PINNED: self._pinned,
            Need.CREATED: self._created,
            Need.PINNED_CREATED: self._pinned_created,
            Need.TAGS: self._tags,
            Need.CANDIDATE: self._candidate,
            Need.NAMES: self._names,
            Need.OLDER: self._older,
        }

    async def gather(self) -> Facts:
        """Fetch until nothing is missing; each need is tried once, and so is each candidate."""
        facts = Facts()
        while missing := needs(self._use, facts, self._rule, self._parts.clock.now(), self._platforms):
            for need in sorted(missing):
                before, facts = facts, await self._fetch(need, facts)
                # One candidate after the other is asked about, as long as there is a new one.
                if need is not Need.CANDIDATE or facts.candidates == before.candidates:
                    facts = replace(facts, checked=facts.checked | {need})
        return facts

    async def _fetch(self, need: Need, facts: Facts) -> Facts:
        """Fetch one need; where a decision can do without it, a registry that fails leaves it unknown."""
        if self._use.reference is None:
            return facts
        try:
            return await self._ways[need](facts, self._use.reference)
        except RegistryError:
            if need in _DISPENSABLE:
                return facts
            raise

    async def _head(self, facts: Facts, reference: Reference) -> Facts:
        tag = reference.with_digest(None)
        try:
            head = await self._registry.head(tag)
        except RegistryError as error:
            return replace(facts, error=error)
        store = self._parts.store
        known = store.sightings(tag.canonical)
        store.observe(tag.canonical, str(head.digest), self._parts.clock.now())
        return replace(facts, head=head, sightings=known)

    async def _latest(self, facts: Facts, reference: Reference) -> Facts:
        if facts.head is None:
            return facts
        return replace(facts, latest=await self._content(reference, str(facts.head.digest)))

    async def _pinned(self, facts: Facts, reference: Reference) -> Facts:
        try:
            return replace(facts, pinned=await self._registry.content(reference))
        except ImageNotFound:
            return replace(facts, pinned_gone=True)

    async def _created(self, facts: Facts, reference: Reference) -> Facts:
        if facts.head is None:
            return facts
        content = facts.latest or await self._content(reference, str(facts.head.digest))
        config = await config_of(self._registry, reference, content, self._platforms[0])
        return replace(facts, created=config.created if config else None)

    async def _pinned_created(self, facts: Facts, reference: Reference) -> Facts:
        if facts.pinned is None:
            return facts
        config = await config_of(self._registry, reference, facts.pinned, self._platforms[0])
        return replace(facts, pinned_created=config.created if config else None)

    async def _tags(self, facts: Facts, reference: Reference) -> Facts:
        return replace(facts, tags=await self._registry.tags(reference))

    async def _candidate(self, facts: Facts, reference: Reference) -> Facts:
        """Everything about another tag that the rule may choose: digest, content, date, sightings."""
        now = self._parts.clock.now()
        tag = candidate(self._use, facts, self._rule, now, self._platforms)
        if tag is None:
            return facts
        try:
            found: TagImage | RegistryError = await self._tag_image(reference.with_tag(tag), now)
        except RegistryError as error:
            found = error
        return replace(facts, candidates={**facts.candidates, tag: found})

    async def _tag_image(self, tag: Reference, now: datetime) -> TagImage:
        head = await self._registry.head(tag)
        content = await self._content(tag, str(head.digest))
        config = await config_of(self._registry, tag, content, self._platforms[0])
        known = self._parts.store.sightings(tag.canonical)
        self._parts.store.observe(tag.canonical, str(head.digest), now)
        older = await self._older_image(
            tag, [d for d, first in known if now - first >= self._rule.minimum_age]
        )
        return TagImage(str(head.digest), content, config.created if config else None, tuple(known), older)

    async def _older_image(
        self, tag: Reference, digests: Sequence[str]
    ) -> tuple[str, Index | Manifest] | None:
        """The newest of the digests with what is behind it; None where it is gone."""
        try:
            return (digests[-1], await self._content(tag, digests[-1])) if digests else None
        except RegistryError:
            return None

    async def _older(self, facts: Facts, reference: Reference) -> Facts:
        """The newest image that is old enough, of a tag that moves faster than the minimum age."""
        digest = older_digest(self._use, facts, self._rule, self._parts.clock.now())
        if digest is None:
            return facts
        return replace(facts, older=await self._content(reference, digest))

    async def _names(self, facts: Facts, reference: Reference) -> Facts:
        """Which precise tags have which digest: for people, so a failure is none; asked once for ever."""
        if facts.head is None or facts.tags is None or reference.tag is None:
            return facts
        key = f"{reference.registry}/{reference.repository}:{reference.tag}@{facts.head.digest}"
        if (known := self._parts.store.cached(_NAMES_KIND, key)) is not None:
            return replace(facts, tag_digests={**facts.tag_digests, **json.loads(known[0])})
        tags = precise_names(reference.tag, facts.tags)
        heads = await asyncio.gather(
            *(self._registry.head(reference.with_tag(tag)) for tag in tags), return_exceptions=True
        )
        found = {
            tag: str(head.digest)
            for tag, head in zip(tags, heads, strict=True)
            if not isinstance(head, BaseException)
        }
        self._parts.store.cache(_NAMES_KIND, key, json.dumps(found).encode(), self._parts.clock.now())
        return replace(facts, tag_digests={**facts.tag_digests, **found})

    async def _content(self, reference: Reference, digest: str) -> Index | Manifest:
        return await self._registry.content(reference.with_digest(digest))
