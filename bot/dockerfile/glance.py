"""What most Dockerfiles are made of, recognised at a glance; what is not plain is read in full.

One regular expression passes over the instructions that name no image, and takes apart those that name
one in the plain way: `FROM image AS name`, `COPY --from=name`, `ARG NAME=value`, each in one line, with
nothing to unquote. It must say nothing that the full grammar would not say; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from bot.dockerfile.comments import MARK, Pairs, pragmas
from bot.dockerfile.directives import GAP, Directives
from bot.dockerfile.instructions import Grammar, Instruction, instruction_of, logical

_SILENT: Final = (
    rb"(?i:WORKDIR|CMD|ENTRYPOINT|ENV|EXPOSE|LABEL|USER|VOLUME|SHELL|HEALTHCHECK|STOPSIGNAL|MAINTAINER)[\t ]"
)
# With `from` in a flag it may name an image, and `<<` begins a heredoc; either may be broken over two lines.
_MOUNT: Final = rb"--mount=(?:(?!from\b)[a-z]++(?:=[A-Za-z0-9/._${}-]*+)?+,?+)++[\t ]++"
_ARGUMENT: Final = rb"(?=[!\"$-,./0-;=-\[\]-_a-~])"
_WORD: Final = rb"[A-Za-z0-9][A-Za-z0-9._:/@-]*+"
_VARIABLE: Final = rb"[A-Za-z0-9$][A-Za-z0-9._:/@${}-]*+"
_END: Final = rb"[\t ]*+\r?(?:\n|\Z)"
_PLATFORM: Final = rb"(?:--platform=(?P<platform>" + _VARIABLE + rb")[\t ]++)?"
_NAME: Final = rb"(?:[\t ]++(?i:AS)[\t ]++(?P<name>[A-Za-z][A-Za-z0-9_.-]*+))?"
_FROM: Final = rb"(?i:FROM)[\t ]++" + _PLATFORM + rb"(?P<image>" + _VARIABLE + rb")" + _NAME + _END
_OTHER_FLAGS: Final = rb"(?:[\t ]++--(?!from\b)[a-z]++(?:=[A-Za-z0-9:._/,=-]*+)?+)*+[\t ]++(?=[!-,.-~])"
_COPY: Final = (
    rb"(?i:COPY)[\t ]++--from=(?P<source>" + _WORD + rb")" + _OTHER_FLAGS + rb"[^\n<\\`]*+(?:\n|\Z)"
)
_DEFAULT: Final = rb"(?:=(?:(?P<value>(?:" + _VARIABLE + rb")?+)|\"(?P<quoted>" + _WORD + rb")\"))?"
_ARG: Final = rb"(?i:ARG)[\t ]++(?P<arg>[A-Za-z_][A-Za-z0-9_]*+)" + _DEFAULT + _END


class Plain(NamedTuple):
    """An instruction in one line, without quotes or escapes in what matters; its words may hold variables.

    Attributes:
        keyword: `FROM`, `COPY` or `ARG`.
        line: 1-based line.
        word: The image, the source, or the default of the ARG as written; None for an ARG without one.
        start: Offset of the word.
        pragmas: What comments above it say to Refit.
        name: The stage's name in small letters, or the ARG's; None for a stage without one.
        platform: Of a FROM, as written.
    """

    keyword: str
    line: int
    word: str | None
    start: int
    pragmas: Pairs
    name: str | None = None
    platform: str | None = None


def naming(data: bytes, directives: Directives) -> Iterator[Plain | Instruction]:
    """Yield the instructions of a Dockerfile that may name an image, in order.

    Where comments speak to Refit, none is passed over: a comment belongs to the instruction that follows it.
    """
    escape, pos = directives.escape, directives.body
    marked = MARK in data
    pattern, line, counted = _glance(escape, marked=marked), 1, 0
    while found := pattern.match(data, pos):
        kind = str(found.lastgroup)
        start = found.start(kind)
        line += data.count(b"\n", counted, start)
        counted = start
        if kind == "other":
            one = _in_full(data, pos, line, escape)
            if one is None:
                return
            yield one
            pos = one.end
            continue
        if kind != "silent":
            yield _plain(found, kind, line, pragmas(data, pos, found.end()) if marked else ())
        pos = found.end()


def _in_full(data: bytes, pos: int, line: int, escape: bytes) -> Instruction | None:
    found = logical(escape).match(data, pos)
    return None if found is None else instruction_of(data, found, escape, line)


def _plain(found: re.Match[bytes], kind: str, line: int, pairs: Pairs) -> Plain:
    if kind == "FROM":
        image, name, platform = found.group("image", "name", "platform")
        return Plain(
            kind,
            line,
            image.decode(),
            found.start("image"),
            pairs,
            name.decode().lower() if name else None,
            _text(platform),
        )
    if kind == "COPY":
        return Plain(kind, line, found["source"].decode(), found.start("source"), pairs)
    name = found["arg"].decode()
    where = "value" if found["quoted"] is None else "quoted"
    return Plain(kind, line, _text(found[where]), found.start(where), pairs, name)


def _text(found: bytes | None) -> str | None:
    return None if found is None else found.decode()


@cache
def _glance(escape: bytes, *, marked: bool) -> re.Pattern[bytes]:
    every, esc = Grammar.of(escape), re.escape(escape)
    straight = rb"[^\n<]*(?:<(?!<|" + esc + rb")[^\n<]*)*"
    rest = rb"(?:" + Grammar.of(escape, straight).more + rb")?+(?>" + straight + rb")(?:\n|\Z)"
    broken = rb"(?:" + esc + rb"\r?\n[\t ]*+)?+"
    run = rb"(?i:RUN)[\t ]++" + broken + rb"(?:" + _MOUNT + broken + rb")*+"
    flagless = rb"(?:" + run + rb"|(?i:COPY|ADD)[\t ]++" + broken + rb")" + _ARGUMENT + rest
    silent = rb"(?:" + _SILENT + rb"(?:" + every.more + rb")?+[^\n]*+(?:\n|\Z)|" + flagless + rb")"
    skip = every.skip if marked else every.skip + rb"|(?>" + GAP + silent + rb")"
    plain = rb"(?P<FROM>" + _FROM + rb")|(?P<COPY>" + _COPY + rb")|(?P<ARG>" + _ARG + rb")"
    last = rb"|(?P<silent>(?>" + silent + rb"))|(?P<other>(?=[^\n]))"
    return re.compile(rb"(?:" + skip + rb")*+" + GAP + rb"(?:" + plain + last + rb")")
