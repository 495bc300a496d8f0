"""Uses: the places in a project's files that name an image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.model.reference import Reference


class UseKind(StrEnum):
    """How a use names its image."""

    FROM = "from"
    COPY_FROM = "copy-from"
    MOUNT_FROM = "mount-from"
    SYNTAX = "syntax"
    ONBUILD = "onbuild"
    COMPOSE = "compose"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text of a reference, and the bytes of the file it came from.

    A plain `FROM debian:12` has one segment. `FROM debian:${TAG}` has two: the literal
    `debian:` and the default of `ARG TAG=12`, each with the span of its own bytes.

    Attributes:
        text: What this run adds to the resolved reference.
        start: Offset of the first byte in the file; -1 where the text comes from outside the
            file (a build argument of the target, a platform variable) and cannot be edited.
        end: Offset after the last byte; -1 likewise. An empty segment (`start == end`) marks where an
            instruction goes on after a variable, so that text can be put in there.
        line: 1-based line of the first byte; 0 likewise.
    """

    text: str
    start: int
    end: int
    line: int

    @property
    def editable(self) -> bool:
        """True where the file itself holds this text."""
        return self.start >= 0


@dataclass(frozen=True, slots=True)
class Use:
    """One place in a file that names an image.

    Attributes:
        file: Path in the project, with `/`.
        line: 1-based line that an edit would change; of the instruction where the use is skipped.
        kind: How the image is named.
        stage: The stage it belongs to: its name, or its index as text; None outside stages.
        text: The reference as resolved, arguments put in; as written where it cannot be resolved.
        reference: The parsed reference; None exactly where `skipped` says why not.
        platform: The `--platform` of a FROM as resolved, or None.
        skipped: Why this use is left alone, in words; None otherwise.
        segments: Where the bytes of `text` stand; their texts joined are `text`.
        ignore: The rules this line opts out of by comment: (`ignore`, reason) or (`allow`, level) pairs.
        final: True for the FROM of the stage that becomes the image; where that names another stage,
            also for the FROM that it comes to stand on in the end.
        beside: The variables that its file takes from the `.env` beside it, with their values.
    """

    file: str
    line: int
    kind: UseKind
    stage: str | None
    text: str
    reference: Reference | None
    platform: str | None = None
    skipped: str | None = None
    segments: tuple[Segment, ...] = ()
    ignore: tuple[tuple[str, str], ...] = ()
    final: bool = False
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def unpinned(self) -> str:
        """What people call the image: the text without its digest."""
        return self.text.partition("@")[0]

    @property
    def id(self) -> str:
        """A name of this use that stays the same in one commit: file, line, offsets, kind.

        The last offset tells two uses of one `ARG` apart: each ends at its own instruction.
        """
        first, last = (self.segments[0].start, self.segments[-1].start) if self.segments else (-1, -1)
        return f"{self.file}:{self.line}:{first}:{last}:{self.kind.value}"
