"""Find every place in a compose file that names an image.

The Compose Specification: compose-spec.io, `image`, `build` and "Interpolation".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node, SequenceNode

from bot.dockerfile.comments import Pairs, pragmas
from bot.dockerfile.expand import expand
from bot.dockerfile.naming import Place, named, skipped
from bot.dockerfile.scalars import Source, entries, pairs, plain
from bot.dockerfile.text import Text
from bot.dockerfile.uses import MAX_USES, read_with
from bot.dockerfile.values import Dialect, UnresolvedError, Value
from bot.model.target import LINUX_AMD64
from bot.model.use import Segment, Use, UseKind

MAX_BYTES: Final = 1_000_000
_STRICT: Final = Dialect(escape=b"", quotes=False, strict=True)
_LENIENT: Final = Dialect(escape=b"", quotes=False)
_IMAGE_ARG: Final = re.compile(r"(?:^|_)(?:IMAGE|BASE|FROM)(?:_|$)", re.IGNORECASE)
_TAGGED: Final = re.compile(r"[^/]:[^/]+$|@sha")
_WRITTEN: Final = "it is written over several lines or with escapes"
_NOTHING: Final = ("", "~", "null", "Null", "NULL")  # YAML 1.2, 10.3.2: how null is written
_CONTEXT: Final = "docker-image://"
_COMMENT_ABOVE: Final = 4096


def read_compose(file: str, data: bytes, beside: Mapping[str, str] | None = None) -> tuple[Use, ...]:
    """Return every place in a compose file that names an image, in the order of its services.

    Variables that neither `beside` nor a default gives come from the environment: such a use is skipped.

    Args:
        file: Path in the project, for the uses.
        data: The file's bytes; a file over 1 MB, or one that is no YAML, is one skipped use.
        beside: The variables that the `.env` beside the file sets.
    """
    try:
        compose = _Compose(file, data, beside or {})
        uses = tuple(compose.uses())
        found = tuple(dict.fromkeys(replace(use, beside=compose.taken) for use in uses))
    except _UnreadableError as error:
        return (skipped(Place(file, 1, UseKind.COMPOSE), "", str(error)),)
    if len(found) <= MAX_USES:
        return found
    reason = f"the file names more than {MAX_USES} images; the rest is not read"
    return (*found[:MAX_USES], skipped(Place(file, found[MAX_USES].line, UseKind.COMPOSE), "", reason))


class _UnreadableError(Exception):
    """The file is not read; the message says why."""


class _Compose:
    """A parsed compose file."""

    def __init__(self, file: str, data: bytes, beside: Mapping[str, str]) -> None:
        if len(data) > MAX_BYTES:
            raise _UnreadableError(f"the file is larger than {MAX_BYTES // 1_000_000} MB")
        self.file, self.data = file, data
        self.beside = {name: Value.outside(text, f"{name} in .env") for name, text in beside.items()}
        self._taken: dict[str, str] = {}
        try:
            self.source = Source(data)
            roots = list(YAML(typ="safe", pure=True).compose_all(self.source.text))
        except (YAMLError, ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
            raise _UnreadableError(f"the file is no YAML: {_first_line(error)}") from error
        self.services = [service for root in roots for service in _services(root)]

    @property
    def taken(self) -> tuple[tuple[str, str], ...]:
        """What the images read so far took from beside the file; nothing else of it is kept."""
        return tuple(sorted(self._taken.items()))

    def uses(self) -> Iterator[Use]:
        for service in self.services:
            yield from self._of_service(service)

    def _of_service(self, service: dict[str, Node]) -> Iterator[Use]:
        build = service.get("build")
        if image := service.get("image"):
            yield self._image(service, image, built=build is not None and plain(build) not in _NOTHING)
        for node in _images_of_volumes(service.get("volumes")):
            yield self._image(service, node, built=False)
        yield from self._build(entries(build))

    def _image(self, service: dict[str, Node], node: Node, *, built: bool) -> Use:
        place = self._place(node, plain(service.get("platform")))
        if built:
            return skipped(place, plain(node) or "", "the name of what this service builds")
        return self._named(place, node, 0)

    def _named(self, place: Place, node: Node, start: int) -> Use:
        text = self.source.located(node)
        if text is None:
            return skipped(place, plain(node) or "", _WRITTEN)
        try:
            word = expand(text, start, len(text.value), self.beside, _STRICT)
        except UnresolvedError as error:
            return skipped(place, text.value.decode(), str(error), text.segments(0, len(text.value)))
        self._taken.update((name, value.text) for name, value in word.used.items())
        return named(place, word)

    def _build(self, build: dict[str, Node]) -> Iterator[Use]:
        args = pairs(build.get("args"))
        for key, (node, start) in args.items():
            if _IMAGE_ARG.search(key) and _TAGGED.search((plain(node) or "")[start:]):
                yield self._named(self._place(node), node, start)
        for node, start in pairs(build.get("additional_contexts")).values():
            if (plain(node) or "").startswith(_CONTEXT, start):
                yield self._named(self._place(node), node, start + len(_CONTEXT))
        if inline := build.get("dockerfile_inline"):
            yield from self._inline(inline, args)

    def _inline(self, node: Node, args: dict[str, tuple[Node, int]]) -> Iterator[Use]:
        located = self.source.located(node)
        try:
            text = _interpolated(located) if located else None
        except UnresolvedError as error:
            yield skipped(self._place(node), "dockerfile_inline", str(error))
            return
        if text is None:
            yield skipped(self._place(node), "dockerfile_inline", _WRITTEN)
            return
        # The arguments stand in this file too: as if it followed the inline text.
        values = self._values(args, shift=len(text.value) + 1)
        for use in read_with(self.file, text.value, values, LINUX_AMD64)[0]:
            yield _moved(use, text)

    def _values(self, args: dict[str, tuple[Node, int]], shift: int) -> dict[str, Value]:
        values = {}
        for key, (node, start) in args.items():
            text = self.source.located(node)
            if text is not None:
                with suppress(UnresolvedError):
                    found = expand(text, start, len(text.value), {}, _STRICT).segments
                    values[key] = Value(tuple(_shifted(segment, shift) for segment in found))
        return values

    def _place(self, node: Node, platform: str | None = None) -> Place:
        line = node.start_mark.line + 1
        start = self.source.offset(node.start_mark.index)
        return Place(self.file, line, UseKind.COMPOSE, None, platform, self._pragmas(start))

    def _pragmas(self, start: int) -> Pairs:
        """What the comments right above a line, and after its value, say."""
        line = self.data.rfind(b"\n", 0, start) + 1
        above = line
        while above > max(0, line - _COMMENT_ABOVE):
            previous = self.data.rfind(b"\n", 0, above - 1) + 1
            if not self.data[previous:above].lstrip().startswith(b"#"):
                break
            above = previous
        end = self.data.find(b"\n", start)
        return pragmas(self.data, above, len(self.data) if end < 0 else end)


def _services(root: Node | None) -> list[dict[str, Node]]:
    top = entries(root)
    services = entries(top["services"]) if "services" in top else top
    return [parts for node in services.values() if (parts := entries(node))]


def _images_of_volumes(node: Node | None) -> Iterator[Node]:
    for volume in node.value if isinstance(node, SequenceNode) else ():
        parts = entries(volume)
        if plain(parts.get("type")) == "image" and "source" in parts:
            yield parts["source"]


def _interpolated(text: Text) -> Text:
    """An inline Dockerfile after compose put in its variables; those that are not set are empty."""
    pieces: list[Segment] = []
    for start, end in _lines_of(text.value):
        pieces.extend(expand(text, start, end, {}, _LENIENT).segments)
    return Text.of_segments(tuple(pieces))


def _lines_of(value: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    for line in value.splitlines(keepends=True):
        yield at, at + len(line)
        at += len(line)


def _moved(use: Use, text: Text) -> Use:
    """A use of an inline Dockerfile, with its places in the compose file."""
    end = len(text.value) + 1
    inner: list[Segment] = []
    for segment in use.segments:
        within = segment.editable and segment.start < end
        inner.extend(text.segments(segment.start, segment.end) if within else [_shifted(segment, -end)])
    edited = next((one.line for one in reversed(inner) if one.editable and one.text), 0)
    line = edited or text.lines[0] + use.line - 1
    return replace(use, kind=UseKind.COMPOSE, segments=tuple(inner), line=line, final=False)


def _shifted(segment: Segment, by: int) -> Segment:
    if not segment.editable:
        return segment
    return replace(segment, start=segment.start + by, end=segment.end + by)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:200]
