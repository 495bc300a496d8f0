"""A case: one use with the facts, the rule and the moment it is judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.model.manifest import Head, Index, Manifest, Platform, believable
from bot.model.reference import Reference
from bot.model.update import Outcome
from bot.model.use import Use
from bot.updates.facts import Facts, Need
from bot.updates.platforms import same_images
from bot.updates.rules import Rule


@dataclass(frozen=True, slots=True)
class Missing:
    """A judgement that cannot go on without these facts.

    Attributes:
        needs: The facts.
        tag: The tag that `Need.CANDIDATE` is about.
    """

    needs: frozenset[Need]
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One use to judge.

    Attributes:
        use: The use.
        reference: Its reference.
        head: What the reference's tag points at now.
        facts: What is known.
        rule: What is allowed.
        now: The moment of the decision, in UTC.
        platforms: What the image must run on.
    """

    use: Use
    reference: Reference
    head: Head
    facts: Facts
    rule: Rule
    now: datetime
    platforms: tuple[Platform, ...]

    @property
    def digest(self) -> str:
        """What the tag points at now."""
        return str(self.head.digest)

    @property
    def tag(self) -> str:
        """The tag that a pull would use."""
        return self.reference.effective_tag or "latest"

    @property
    def created(self) -> datetime | None:
        """When the tag's image was made, where what it says can be believed."""
        return believable(self.facts.created)

    @property
    def pinned_created(self) -> datetime | None:
        """When the pinned image was made, where what it says can be believed."""
        return believable(self.facts.pinned_created)

    def missing(self, *needs: Need) -> Missing | None:
        """Those needs that were neither met nor tried, or None when the judgement can go on."""
        open_needs = frozenset(need for need in needs if not self.facts.has(need))
        return Missing(open_needs) if open_needs else None

    def missing_image(self, tag: str) -> Missing | None:
        """The need of the image behind another tag, unless it is known or was tried."""
        if tag in self.facts.candidates or Need.CANDIDATE in self.facts.checked:
            return None
        return Missing(frozenset({Need.CANDIDATE}), tag)

    def in_use(self, content: Index | Manifest) -> bool:
        """True where all wanted platforms have the image that they get already."""
        now = self.facts.pinned if self.reference.digest else self.facts.latest
        return now is not None and same_images(now, content, self.platforms)

    def lacking(self, content: Index | Manifest | None) -> tuple[Platform, ...]:
        """The wanted platforms that an index has no image for; a lone manifest does not say."""
        if not isinstance(content, Index):
            return ()
        return tuple(one for one in self.platforms if content.for_platform(one) is None)


Judgement = Outcome | Missing
Step = Callable[[Case], Judgement | None]
