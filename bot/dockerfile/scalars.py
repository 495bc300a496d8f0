"""YAML scalars and the bytes that they stand on."""

from __future__ import annotations

import re
from typing import Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.dockerfile.text import Text

_PROPERTIES: Final = re.compile(r"(?:[&!][^\s]*\s+)*")
_BLOCK_HEADER: Final = re.compile(r"\|[-+0-9]*[ \t]*(?:#[^\n]*)?\r?\n")


class Source:
    """A YAML file's text, with the way from its characters to its bytes.

    Raises:
        UnicodeDecodeError: The file is not UTF-8.
    """

    def __init__(self, data: bytes) -> None:
        self.text = data.decode("utf-8")
        self.ascii = len(self.text) == len(data)

    def offset(self, index: int) -> int:
        """The byte at which a character begins."""
        return index if self.ascii else len(self.text[:index].encode())

    def located(self, node: Node) -> Text | None:
        """The scalar's text with its place in the file; None where it is written in another way."""
        if not isinstance(node, ScalarNode):
            return None
        if node.style == "|":
            return self._block(node)
        raw = self.text[node.start_mark.index : node.end_mark.index]
        start = node.start_mark.index + _after_properties(raw)
        start += node.style in {"'", '"'}
        if self.text[start : start + len(node.value)] != node.value or "\n" in node.value:
            return None
        return Text.whole(node.value.encode(), self.offset(start), node.start_mark.line + 1)

    def _block(self, node: ScalarNode) -> Text | None:
        """A literal block, one piece a line, without its indentation."""
        raw = self.text[node.start_mark.index : node.end_mark.index]
        header = _BLOCK_HEADER.match(raw, _after_properties(raw))
        if header is None:
            return None
        return self._lines(node.value, node.start_mark.index + header.end(), node.start_mark.line + 2)

    def _lines(self, value: str, at: int, line: int) -> Text | None:
        starts, offsets, lines, size = [], [], [], 0
        for number, content in enumerate(value.splitlines(keepends=True)):
            end = self.text.find("\n", at)
            end = len(self.text) if end < 0 else end
            begin = self.text[at:end].rstrip("\r").rfind(content.rstrip("\r\n"))
            if begin < 0:
                return None
            starts.append(size)
            offsets.append(self.offset(at + begin))
            lines.append(line + number)
            size += len(content.encode())
            at = end + 1
        return Text(value.encode(), tuple(starts), tuple(offsets), tuple(lines)) if starts else None


def _after_properties(raw: str) -> int:
    """The offset after the anchor and the tag of a scalar."""
    found = _PROPERTIES.match(raw)
    return found.end() if found else 0


def plain(node: Node | None) -> str | None:
    """The text of a scalar, or None for any other node."""
    return str(node.value) if isinstance(node, ScalarNode) else None


def pairs(node: Node | None) -> dict[str, tuple[Node, int]]:
    """Pairs, written as a mapping or as a list of `KEY=value`, and where in its scalar each value begins."""
    if not isinstance(node, SequenceNode):
        return {key: (value, 0) for key, value in entries(node).items()}
    found = {}
    for one in node.value:
        key, equals, _ = (plain(one) or "").partition("=")
        if equals:
            found[key] = (one, len(key.encode()) + 1)
    return found


def entries(node: Node | None) -> dict[str, Node]:
    """The entries of a mapping with those that it merges (`<<`); empty for any other node."""
    found: dict[str, Node] = {}
    todo = [node] if isinstance(node, MappingNode) else []
    seen: set[int] = set()
    while todo:
        one = todo.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        for key, value in one.value:
            if isinstance(key, ScalarNode) and key.value == "<<":
                inner = value.value if isinstance(value, SequenceNode) else [value]
                todo.extend(entry for entry in inner if isinstance(entry, MappingNode))
            elif isinstance(key, ScalarNode):
                found.setdefault(key.value, value)
    return found
