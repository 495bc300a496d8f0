"""Find every place in a Dockerfile that names an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from bot.dockerfile.directives import Directives
from bot.dockerfile.glance import Plain, naming
from bot.dockerfile.instructions import instructions
from bot.dockerfile.naming import A_STAGE, NO_INDEX, Place, skipped
from bot.dockerfile.reader import Reader
from bot.dockerfile.scope import Scope
from bot.dockerfile.values import Value
from bot.model.manifest import Platform
from bot.model.target import LINUX_AMD64
from bot.model.use import Use, UseKind

MAX_USES: Final = 10_000
_SETTLED: Final = (A_STAGE, NO_INDEX)
_OTHERS: Final = frozenset({UseKind.COPY_FROM, UseKind.MOUNT_FROM, UseKind.ONBUILD})


def read(
    file: str,
    data: bytes,
    *,
    args: Mapping[str, str] | None = None,
    platform: Platform = LINUX_AMD64,
    at_a_glance: bool = True,
) -> tuple[Use, ...]:
    """Return every place in a Dockerfile that names an image, in the order of the file.

    Stages, `scratch` and whatever cannot be known are listed too, as skipped with the reason.
    The grammar is that of BuildKit's Dockerfile frontend.

    Args:
        file: Path in the project, for the uses.
        data: The file's bytes; any bytes are read, in linear time.
        args: The build arguments of the target; one wins over the default of its ARG.
        platform: What is built for; the builder is taken to be of the same platform.
        at_a_glance: False reads every instruction by the full grammar: slower, and the same.
    """
    return read_with(file, data, outside(args or {}), platform, at_a_glance=at_a_glance)[0]


def outside(args: Mapping[str, str]) -> dict[str, Value]:
    """Build arguments that the file itself does not hold."""
    return {name: Value.outside(text, f"the build argument {name}") for name, text in args.items()}


def read_with(
    file: str, data: bytes, args: Mapping[str, Value], platform: Platform, *, at_a_glance: bool = True
) -> tuple[tuple[Use, ...], Reader]:
    """Read as `read` does, with build arguments that may know where they stand.

    Returns:
        The uses, and the reader with what it has seen.
    """
    directives = Directives.of(data)
    reader = Reader(file, Scope(args, platform, directives.escape))
    found = list(reader.syntax(data, directives))
    for one in naming(data, directives) if at_a_glance else instructions(data, directives):
        if isinstance(one, Plain):
            use = reader.plain(one)
            found += [use] if use else []
        else:
            found.extend(islice(reader.read(one), MAX_USES + 1))
        if len(found) > MAX_USES:
            place = Place(file, one.line, UseKind.FROM)
            reason = f"the file names more than {MAX_USES} images; the rest is not read"
            found[MAX_USES:] = [skipped(place, "", reason)]
            break
    return tuple(_marked_final([_known(use, reader) for use in found], reader)), reader


def _known(use: Use, reader: Reader) -> Use:
    """Take a `--from` for a stage also where the stage is declared further down."""
    if use.kind not in _OTHERS or use.skipped in _SETTLED:
        return use
    stage = reader.resolve(use.text, by_index=use.kind is not UseKind.MOUNT_FROM)
    return use if stage is None else replace(use, reference=None, skipped=A_STAGE)


def _marked_final(found: list[Use], reader: Reader) -> list[Use]:
    """Mark the FROM of the last stage, and the one that it comes to stand on."""
    froms = [at for at, use in enumerate(found) if use.kind is UseKind.FROM]
    stage = len(reader.names) - 1 if reader.names else None
    while stage is not None and stage < len(froms):
        found[froms[stage]] = _final(found[froms[stage]])
        stage = reader.bases[stage]
    return found


def _final(use: Use) -> Use:
    """By position, which is twice as fast as `replace`: every file has one."""
    return Use(
        use.file,
        use.line,
        use.kind,
        use.stage,
        use.text,
        use.reference,
        use.platform,
        use.skipped,
        use.segments,
        use.ignore,
        True,  # noqa: FBT003 - `final`
    )
