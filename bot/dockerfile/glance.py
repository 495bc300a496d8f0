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

from bot.dockerfile.comments import MARK
from bot.dockerfile.directives import Directives
from bot.dockerfile.instructions import GAP, Grammar, Instruction, instruction_of, instructions, logical

_SILENT: Final = (
    rb"(?i:WORKDIR|CMD|ENTRYPOINT|ENV|EXPOSE|LABEL|USER|VOLUME|SHELL|HEALTHCHECK|STOPSIGNAL|MAINTAINER)[\t ]"
)
# With `from` in a flag it may name an image, and `<<` begins a heredoc; either may be broken over two lines.
_MOUNTS: Final = rb"(?:--mount=(?:(?!from\b)[a-z]++(?:=[A-Za-z0-9/._-]*+)?+,?+)++[\t ]++)*+"
_FLAGLESS: Final = rb"(?:(?i:RUN)[\t ]++" + _MOUNTS + rb"|(?i:COPY|ADD)[\t ]++)(?=[!-,./0-;=-\[\]-_a-~])"
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
        name: The stage's name in small letters, or the ARG's; None for a stage without one.
        platform: Of a FROM, as written.
    """

    keyword: str
    line: int
    word: str | None
    start: int
    name: str | None = None
    platform: str | None = None


def naming(data: bytes, directives: Directives) -> Iterator[Plain | Instruction]:
    """Yield the instructions of a Dockerfile that may name an image, in order.

    Where comments speak to Refit, all of them are read in full: a comment belongs to what follows it.
    """
    if MARK in data:
        yield from instructions(data, directives)
        return
    escape, pos = directives.escape, directives.body
    pattern, line, counted = _glance(escape), 1, 0
    while found := pattern.match(data, pos):
        kind = str(found.lastgroup)
        start = found.start(kind)
        line += data.count(b"\n", counted, start)
        counted = start
        if kind != "other":
            yield _plain(found, kind, line)
            pos = found.end()
            continue
        full = logical(escape).match(data, start)
        if full is None:
            return
        one = instruction_of(data, full, escape, line)
        if one.keyword:
            yield one
        pos = one.end


def _plain(found: re.Match[bytes], kind: str, line: int) -> Plain:
    if kind == "FROM":
        image, name, platform = found.group("image", "name", "platform")
        return Plain(
            kind,
            line,
            image.decode(),
            found.start("image"),
            name.decode().lower() if name else None,
            _text(platform),
        )
    if kind == "COPY":
        return Plain(kind, line, found["source"].decode(), found.start("source"))
    name = found["arg"].decode()
    where = "value" if found["quoted"] is None else "quoted"
    return Plain(kind, line, _text(found[where]), found.start(where), name)


def _text(found: bytes | None) -> str | None:
    return None if found is None else found.decode()


@cache
def _glance(escape: bytes) -> re.Pattern[bytes]:
    esc = re.escape(escape)
    straight = rb"[^\n<]*(?:<(?!<|" + esc + rb")[^\n<]*)*"
    silent = _SILENT + rb"(?:" + Grammar.of(escape).more + rb")?+[^\n]*+(?:\n|\Z)"
    flagless = (
        _FLAGLESS + rb"(?:" + Grammar.of(escape, straight).more + rb")?+(?>" + straight + rb")(?:\n|\Z)"
    )
    skip = Grammar.of(escape).skip + rb"|(?>" + GAP + rb"(?:" + silent + rb"|" + flagless + rb"))"
    plain = rb"(?P<FROM>" + _FROM + rb")|(?P<COPY>" + _COPY + rb")|(?P<ARG>" + _ARG + rb")"
    return re.compile(rb"(?:" + skip + rb")*+" + GAP + rb"(?:" + plain + rb"|(?P<other>(?=[^\n])))")
