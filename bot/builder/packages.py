"""The bytes of the files that OS packages own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.builder.contents import LayerContents, apply_layer

# Debian moved these below /usr and left links behind; dpkg's lists still name the old places.
_MERGED: Final = ("bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/")


def package_size(layers: Sequence[LayerContents]) -> int | None:
    """Bytes that packages of dpkg or apk own in an image; None where there is no list of their files.

    Counted from the files that are there, not from what the packages say of themselves: an image
    that threw documentation away is smaller than its packages claim.
    """
    live: dict[str, int] = {}
    lists: dict[str, bytes] = {}
    for layer in layers:
        apply_layer(live, layer)
        lists |= layer.lists
    there = {path: content for path, content in lists.items() if path in live}
    owned = {name for path, content in there.items() for name in _names(path, content)}
    if not owned:
        return None
    return sum(_size(live, name) for name in owned)


def _names(path: str, content: bytes) -> Iterator[str]:
    text = content.decode(errors="replace")
    if path.endswith("/installed"):
        yield from _apk(text)
    elif path.endswith(".md5sums"):
        yield from (line.partition("  ")[2] for line in text.splitlines())
    else:
        yield from (line.lstrip("/") for line in text.splitlines())


def _apk(text: str) -> Iterator[str]:
    """Apk's database: `F:` opens a folder, `R:` is a file in it."""
    folder = ""
    for line in text.splitlines():
        if line.startswith("F:"):
            folder = line[2:]
        elif line.startswith("R:"):
            yield f"{folder}/{line[2:]}".lstrip("/")


def _size(live: Mapping[str, int], name: str) -> int:
    if name not in live and name.startswith(_MERGED):
        name = f"usr/{name}"
    return live.get(name, 0)
