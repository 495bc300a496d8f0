"""Uses that share bytes, as several do with one `ARG`: they change together or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bot.dockerfile.edit import Edit, Spans, edits_of, would_read
from bot.dockerfile.verify import spans
from bot.errors import EditError
from bot.model.reference import Reference
from bot.model.use import Use

MAX_SHARING: Final = 100
Change = tuple[Use, Reference]


def sharing_bytes(uses: Iterable[Use]) -> list[list[Use]]:
    """Sets of uses of one file that share bytes, directly or by a third one; never a set of one."""
    held: dict[tuple[int, int], list[Use]] = {}
    for use in uses:
        own, *others = {id(held[span]): held[span] for span in spans(use) if span in held}.values() or [[]]
        own.append(use)
        for other in others:
            own += other
            held.update((span, own) for one in other for span in spans(one))
        held.update((span, own) for span in spans(use))
    return [one for one in {id(one): one for one in held.values()}.values() if len(one) > 1]


def unsuited(sharers: Sequence[Use], changes: Mapping[str, Reference], use: Use) -> str:
    """Say what a change of one use does to others that share bytes with it; empty where it suits them all.

    Args:
        sharers: The uses that share bytes with it, itself included.
        changes: What each use is to become, by its id; those that are to stay are not in it.
        use: The use in question.
    """
    if len(sharers) > MAX_SHARING:
        return f"more than {MAX_SHARING} uses share an ARG with it"
    counts = Counter(span for one in sharers for span in spans(one))
    shared = {span for span, count in counts.items() if count > 1}
    try:
        edits = _edits(use, changes, shared)
        for other in sharers:
            asked = str(changes.get(other.id, other.text))
            if would_read(other, edits | _edits(other, changes, shared)) != asked:
                fate = f"is to become {asked}" if other.id in changes else "stays as it is"
                return f"it shares an ARG with {other.text}, which {fate}"
    except EditError as error:
        return error.message
    return ""


def _edits(use: Use, changes: Mapping[str, Reference], shared: Spans) -> set[Edit]:
    to = changes.get(use.id)
    return set(edits_of(b"", use, to, shared=shared)) if to else set()
