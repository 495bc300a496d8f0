"""The change of an update: new bytes for each file, proved to touch nothing else before anybody sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from bot.dockerfile.compose import read_compose
from bot.dockerfile.edit import apply_all
from bot.dockerfile.files import is_compose, is_dockerfile
from bot.dockerfile.uses import read
from bot.dockerfile.verify import verify_all
from bot.model.run import Planned
from bot.model.target import LINUX_AMD64
from bot.model.use import Use
from bot.ports import Checkout


def changed_file(data: bytes, planned: Planned) -> bytes:
    """The file with one update applied, read again to see that only its uses changed.

    Raises:
        EditError: Something else would change.
    """
    return _changed(data, [planned])


def changed_files(group: Sequence[Planned], checkout: Checkout) -> Mapping[str, bytes]:
    """New bytes of every file that a group of updates changes; a use that targets share is changed once.

    Raises:
        EditError: Something else would change.
        ForgeError: A file cannot be read.
    """
    files: dict[str, list[Planned]] = {}
    for planned in group:
        files.setdefault(planned.use.file, []).append(planned)
    return {file: _changed(checkout.read(file), members) for file, members in files.items()}


def _changed(data: bytes, members: Sequence[Planned]) -> bytes:
    """One file with the updates of all members, read again as each of their targets reads it."""
    changes = {change[0].id: change for planned in members for change in planned.changes}
    changed = apply_all(data, list(changes.values()))
    readings: dict[object, list[Planned]] = {}
    for planned in members:
        readings.setdefault(_reading(planned), []).append(planned)
    for own in readings.values():
        reader = partial(uses_of, planned=own[0])
        ids = {use.id for planned in own for use in planned.uses} | {use.id for use in reader(data)}
        verify_all(reader, data, changed, [change for key, change in changes.items() if key in ids])
    return changed


def _reading(planned: Planned) -> object:
    """What a file is read with; equal where two readings are the same."""
    target = planned.target
    return (target.args, target.platforms[0]) if target else planned.use.beside


def uses_of(content: bytes, planned: Planned) -> tuple[Use, ...]:
    """The uses of other bytes of an update's file, read the way its own were, and by the full grammar."""
    file, target = planned.use.file, planned.target
    if target is None and is_compose(file) and not is_dockerfile(file):
        return read_compose(file, content, dict(planned.use.beside))
    args = dict(target.args) if target else {}
    platform = target.platforms[0] if target else LINUX_AMD64
    return read(file, content, args=args, platform=platform, at_a_glance=False)
