"""The change of an update: new bytes for each file, proved to touch nothing else before anybody sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.dockerfile.compose import read_compose
from bot.dockerfile.edit import apply_all
from bot.dockerfile.files import is_compose, is_dockerfile
from bot.dockerfile.uses import read
from bot.dockerfile.verify import verify_all
from bot.model.reference import Reference
from bot.model.run import Planned
from bot.model.target import LINUX_AMD64
from bot.model.use import Use
from bot.ports import Checkout


def changed_file(data: bytes, planned: Planned) -> bytes:
    """The file with one update applied, read again to see that only its uses changed.

    Raises:
        EditError: Something else would change.
    """
    return _changed(data, planned, [(use, planned.update.to) for use in planned.uses])


def changed_files(group: Sequence[Planned], checkout: Checkout) -> Mapping[str, bytes]:
    """New bytes of every file that a group of updates changes; a use that targets share is changed once.

    Raises:
        EditError: Something else would change.
        ForgeError: A file cannot be read.
    """
    files: dict[str, dict[str, tuple[Use, Reference]]] = {}
    first: dict[str, Planned] = {}
    for planned in group:
        first.setdefault(planned.use.file, planned)
        files.setdefault(planned.use.file, {}).update(
            {use.id: (use, planned.update.to) for use in planned.uses}
        )
    return {
        file: _changed(checkout.read(file), first[file], list(changes.values()))
        for file, changes in files.items()
    }


def _changed(data: bytes, planned: Planned, changes: Sequence[tuple[Use, Reference]]) -> bytes:
    changed = apply_all(data, changes)
    verify_all(lambda content: _read(content, planned), data, changed, changes)
    return changed


def _read(content: bytes, planned: Planned) -> tuple[Use, ...]:
    """Read a file again, the way its uses were read."""
    file, target = planned.use.file, planned.target
    if target is None and is_compose(file) and not is_dockerfile(file):
        return read_compose(file, content)
    args = dict(target.args) if target else {}
    return read(file, content, args=args, platform=target.platforms[0] if target else LINUX_AMD64)
