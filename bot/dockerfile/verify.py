"""Prove an edit by reading the file again, before anything is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot.dockerfile.compose import read_compose
from bot.dockerfile.uses import read
from bot.errors import EditError
from bot.model.manifest import Platform
from bot.model.reference import Reference
from bot.model.target import LINUX_AMD64
from bot.model.use import Use, UseKind

Reader = Callable[[bytes], tuple[Use, ...]]
_HINT: Final = "This is a mistake in Refit: nothing was changed; please report the file."


def sharing(uses: Sequence[Use], use: Use) -> tuple[Use, ...]:
    """The other uses that share text with this one: an edit of it may change them too."""
    own = spans(use)
    return tuple(other for other in uses if other != use and spans(other) & own)


def verify(  # noqa: PLR0913, PLR0917 - what is compared, and how it is read
    file: str,
    before: bytes,
    after: bytes,
    use: Use,
    to: Reference,
    args: Mapping[str, str] | None = None,
    *,
    platform: Platform = LINUX_AMD64,
) -> tuple[Use, ...]:
    """Prove that an edit made `use` name `to`, and changed no other use.

    Args:
        file: Path in the project.
        before: The file as it was.
        after: The file as edited.
        use: The use as read from `before`.
        to: What it must name now.
        args: The build arguments that `use` was read with.
        platform: The platform that `use` was read for.

    Returns:
        The other uses, as read before, that named the same image by the same text and moved with it.

    Raises:
        EditError: The new file does not read as it should.
    """
    if use.kind is UseKind.COMPOSE:
        return verify_all(lambda data: read_compose(file, data, dict(use.beside)), before, after, [(use, to)])
    return verify_all(
        lambda data: read(file, data, args=args, platform=platform, at_a_glance=False),
        before,
        after,
        [(use, to)],
    )


def verify_all(
    reader: Reader, before: bytes, after: bytes, changes: Sequence[tuple[Use, Reference]]
) -> tuple[Use, ...]:
    """Prove several changes of one file, with the reader that the uses came from.

    Returns:
        The uses that were not in `changes` and moved with one that was, text and all.

    Raises:
        EditError: Another use changed, appeared or went away, or one names something else now.
    """
    old, new = reader(before), reader(after)
    if len(old) != len(new):
        raise EditError(f"the edit would make {len(new)} images of {len(old)}", hint=_HINT)
    missing = {use.id for use, _ in changes} - {use.id for use in old}
    if missing:
        raise EditError(f"the file no longer holds the use {min(missing)}", hint="Read the file again.")
    pairs = zip(old, new, strict=True)
    return tuple(use for use, now in pairs if _moved_along(use, now, changes))


def _moved_along(old: Use, new: Use, changes: Sequence[tuple[Use, Reference]]) -> bool:
    """Check one use, and tell whether it moved because it shares the text of one that was changed."""
    own = next((to for use, to in changes if use.id == old.id), None)
    if own is None and new.text == old.text and _place(old) == _place(new):
        return False
    expected = own or next((to for use, to in changes if _spelled_alike(old, use)), None)
    if expected is None or _place(old) != _place(new) or new.text != str(expected):
        asked = expected and new.text != str(expected)
        instead = f" instead of {str(expected)!r}" if asked else ", or how it is read, which nobody asked for"
        raise EditError(
            f"{old.file}:{old.line}: the edit would change {old.text!r} to {new.text!r}{instead}",
            hint="Uses that share an ARG must change together: update all of them or none.",
        )
    return own is None


def _place(use: Use) -> tuple[object, ...]:
    return use.kind, use.stage, use.platform, use.skipped, use.ignore, use.final


def _spelled_alike(one: Use, other: Use) -> bool:
    return one.text == other.text and bool(spans(one) & spans(other))


def spans(use: Use) -> set[tuple[int, int]]:
    """The bytes of the file that a use is made of, as (start, end) of each run."""
    return {(segment.start, segment.end) for segment in use.segments if segment.editable and segment.text}
