"""Telling a choice in words: what was taken, and why the others were not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.updates.tags import Choice

_RANKED: Final = 5
_NOT_READY: Final = "it is too young, lacks a platform, or is the image in use"
_THERE_IS_BETTER: Final = "there is a better one"


def explain(current: str, choice: Choice, ready: str | None = None) -> Iterator[str]:
    """Yield the lines of `refit check --explain`: the choice, each candidate, the rest by reason.

    Args:
        current: The tag in use.
        choice: What the rules choose by the tags alone.
        ready: The tag that is taken in the end, where the images behind the tags are known too (the best may
            be too young, or not complete); empty for none. None is for tags alone.
    """
    taken = choice.tag or "" if ready is None else ready
    yield _headline(current, choice, taken)
    for one in choice.beyond:
        yield f"  {one.tag}: not taken, a {one.kind} update goes further than the rule allows"
    better = True
    for one in choice.ranked[:_RANKED]:
        better = better and one.tag != taken
        why = "taken" if one.tag == taken else f"not taken, {_NOT_READY if better else _THERE_IS_BETTER}"
        yield f"  {one.tag}: {why} ({one.kind})"
    if len(choice.ranked) > _RANKED:
        yield f"  {len(choice.ranked) - _RANKED} or more below these, not taken"
    for row in choice.rejected:
        more = ", …" if row.count > len(row.examples) else ""
        yield f"  {row.count} not taken, {row.reason}: {', '.join(row.examples)}{more}"


def _headline(current: str, choice: Choice, taken: str) -> str:
    if choice.tag is None:
        return f"{current} stays: none of {choice.total} tags is a newer one that the rule allows"
    if not taken:
        return f"{current} stays for now: of {choice.total} tags, {choice.tag} is the best, and none is ready"
    kind = next((one.kind for one in choice.ranked if one.tag == taken), choice.kind)
    how = "chosen from" if taken == choice.tag else f"the best that is ready (better is {choice.tag}) of"
    return f"{current} → {taken} ({kind}), {how} {choice.total} tags"
