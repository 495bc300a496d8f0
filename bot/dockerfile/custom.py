"""Find images in any other file by a rule of the configuration: globs and a regular expression.

The expressions are a user's: they run on the `regex` package, which can be given a time limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import regex

from bot.dockerfile.globs import Globs
from bot.dockerfile.naming import Place, named, skipped
from bot.dockerfile.uses import MAX_USES
from bot.dockerfile.values import Expanded
from bot.errors import ConfigError
from bot.model.use import Segment, Use, UseKind

SECONDS: Final = 2.0
MAX_BYTES: Final = 10_000_000
_PARTS: Final = (("registry", ""), ("repository", "/"), ("tag", ":"), ("digest", "@"))


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that finds references.

    Attributes:
        files: Globs with the syntax of .gitignore.
        pattern: The expression: a group `image` holds a whole reference, or the groups
            `registry`, `repository`, `tag` and `digest` its parts; `^` and `$` match at lines.
    """

    files: Globs
    pattern: regex.Pattern[str]


def rule(files: Sequence[str], pattern: str) -> Rule:
    """Make a rule.

    Raises:
        ConfigError: The expression is malformed or names no image.
    """
    try:
        compiled = regex.compile(pattern, regex.MULTILINE)
    except regex.error as error:
        raise ConfigError(f"custom: the pattern {pattern!r} is no regular expression: {error}") from error
    if not {"image", "repository"} & compiled.groupindex.keys():
        hint = r"Name a group: (?P<image>…), or (?P<repository>…) with (?P<tag>…)."
        raise ConfigError(f"custom: the pattern {pattern!r} has no group `image` or `repository`", hint=hint)
    return Rule(Globs(files), compiled)


def read_custom(
    file: str, data: bytes, rules: Sequence[Rule], *, seconds: float = SECONDS
) -> tuple[Use, ...]:
    """Return what the rules find in a file, in the order of the rules.

    Args:
        file: Path in the project.
        data: The file's bytes.
        rules: The rules; those whose globs do not match the path are passed over.
        seconds: How long one expression may take on one file; one that takes longer is a skipped use.
    """
    found: list[Use] = []
    for one in rules:
        if one.files.match(file):
            found.extend(islice(_read(file, data, one, seconds), MAX_USES - len(found)))
    return tuple(found)


def _read(file: str, data: bytes, one: Rule, seconds: float) -> Iterator[Use]:
    whole = Place(file, 1, UseKind.CUSTOM)
    if len(data) > MAX_BYTES:
        yield skipped(whole, "", f"the file is larger than {MAX_BYTES // 1_000_000} MB")
        return
    text = _Characters(data)
    try:
        for match in one.pattern.finditer(text.value, timeout=seconds):
            segments = tuple(_segments(match, text))
            place = Place(file, segments[0].line if segments else 1, UseKind.CUSTOM)
            yield named(place, Expanded(segments, {}, ()))
    except TimeoutError:
        reason = f"the pattern {one.pattern.pattern!r} took longer than {seconds:g} s on this file"
        yield skipped(whole, "", reason)


def _segments(match: regex.Match[str], text: _Characters) -> Iterator[Segment]:
    groups = match.re.groupindex
    if "image" in groups and match["image"]:
        yield text.segment(*match.span("image"))
        return
    started = False
    for name, mark in _PARTS:
        if name in groups and match[name]:
            if started:
                yield Segment(mark, -1, -1, 0)
            yield text.segment(*match.span(name))
            started = True


class _Characters:
    """A file's text, with the way from its characters to its bytes, going forward only."""

    def __init__(self, data: bytes) -> None:
        self.value = data.decode("utf-8", errors="surrogateescape")
        self.at, self.byte, self.line = 0, 0, 1

    def segment(self, start: int, end: int) -> Segment:
        first, line = self._byte(start)
        text = self.value[start:end]
        shown = text.encode("utf-8", errors="replace").decode()
        return Segment(shown, first, first + len(text.encode("utf-8", errors="surrogateescape")), line)

    def _byte(self, index: int) -> tuple[int, int]:
        if index < self.at:
            self.at, self.byte, self.line = 0, 0, 1
        passed = self.value[self.at : index]
        self.byte += len(passed.encode("utf-8", errors="surrogateescape"))
        self.line += passed.count("\n")
        self.at = index
        return self.byte, self.line
