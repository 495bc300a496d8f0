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
from bot.cycle.bugs import bug
from bot.cycle.discover import Found
from bot.cycle.narrow import narrowed
from bot.cycle.parts import Parts
from bot.cycle.snoozes import quieted
from bot.cycle.suited import suited
from bot.cycle.together import together
from bot.errors import ImageNotFound, RegistryError, StoreError
from bot.model.manifest import Index, Manifest
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
    """Decide every use; a registry that fails makes the outcome `failed`, never `current`.

    Registries limit what may be asked. So every tag is looked at first, then what moved is read, and what did
    not move last: where something has to wait for the next run, it is what changes least.
    """
    snoozes = parts.store.snoozes(parts.clock.now())
    cases = [_Facts(one, parts, snoozes) for one in found]
    await together(_Facts.look, cases)
    for moved in (True, False):
        await together(_Facts.decide, [one for one in cases if one.moved is moved])
    outcomes = suited([(one.found, one.outcome) for one in cases])
    return tuple(Resolved(one, outcome) for one, outcome in zip(found, outcomes, strict=True))


def _rule(found: Found, parts: Parts, snoozes: Sequence[Snooze]) -> Rule:
    """The rule in force: the operator's, narrowed by the project, quieted by people."""
    rule = rule_for(parts.policy.rules, found.project.name, found.use)
    return quieted(narrowed(rule, found.project, found.use), snoozes, found.project.name, found.use)


class _Facts:
    """Gathers the facts of one use, need by need.

    Attributes:
        found: The use.
        outcome: What was decided, once it was.
    """

    def __init__(self, found: Found, parts: Parts, snoozes: Sequence[Snooze]) -> None:
        self.found, self._use, self._parts = found, found.use, parts
        self._rule = _rule(found, parts, snoozes)
        self._platforms = found.target.platforms if found.target else (LINUX_AMD64,)
        self._facts = Facts()
        self.outcome: Outcome = Failed(f"{found.use.text}: not decided")
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

    @property
    def moved(self) -> bool:
        """True where the tag points at something else than the use names, as far as was seen."""
        head, reference = self._facts.head, self._use.reference
        return head is not None and reference is not None and reference.digest != str(head.digest)

    async def look(self) -> None:
        """Ask what the tag points at, where a decision needs it."""
        await self._guarded(self._look)

    async def decide(self) -> None:
        """Fetch what is missing, and decide."""
        await self._guarded(self._decide)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """A failure is this use's outcome, and no other's; so is a bug, for anybody writes what is read."""
        try:
            await work()
        except RegistryError as error:
            self.outcome = Failed(error.message, error.hint, unanswered=True)
        except StoreError:  # without a store nothing can go on
            raise
        except Exception as error:  # noqa: BLE001 - see above
            found = bug(self._use.text, error)
            self.outcome = Failed(f"{found.subject}: {found.error}", found.hint)

    async def _look(self) -> None:
        if Need.HEAD in self._missing():
            self._facts = await self._fetch(Need.HEAD, self._facts)
            self._facts = replace(self._facts, checked=self._facts.checked | {Need.HEAD})

    async def _decide(self) -> None:
        await self._gather()
        now = self._parts.clock.now()
        self.outcome = decide(self._use, self._facts, self._rule, now, self._platforms)

    def _missing(self) -> frozenset[Need]:
        return needs(self._use, self._facts, self._rule, self._parts.clock.now(), self._platforms)

    async def _gather(self) -> None:
        """Fetch until nothing is missing; each need is tried once, and so is each candidate."""
        while missing := self._missing():
            for need in sorted(missing):
                before, facts = self._facts, await self._fetch(need, self._facts)
                # One candidate after the other is asked about, as long as there is a new one.
                done = need is not Need.CANDIDATE or facts.candidates == before.candidates
                self._facts = replace(facts, checked=facts.checked | {need}) if done else facts

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
        digests = await asyncio.gather(*(self._digest(reference.with_tag(tag)) for tag in tags))
        found = {tag: digest for tag, digest in zip(tags, digests, strict=True) if digest}
        self._parts.store.cache(_NAMES_KIND, key, json.dumps(found).encode(), self._parts.clock.now())
        return replace(facts, tag_digests={**facts.tag_digests, **found})

    async def _digest(self, tag: Reference) -> str:
        """What a tag points at; empty where it is gone. Other failures are none to be remembered for ever."""
        try:
            return str((await self._registry.head(tag)).digest)
        except ImageNotFound:
            return ""

    async def _content(self, reference: Reference, digest: str) -> Index | Manifest:
        return await self._registry.content(reference.with_digest(digest))
