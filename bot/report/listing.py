"""The table of `refit discover`, in parts: however many uses there are, it is never held as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import Final

from rich.cells import cell_len
from rich.style import Style

from bot.model.use import Use
from bot.report import wording
from bot.report.quote import visible
from bot.report.screen import folded, short

_HEADER: Final = ("PLACE", "KIND", "IMAGE", "NOTE")
_ROWS: Final = 500  # of a part; its columns are as wide as it needs, and never narrower than those before
_GAP: Final = "  "
_NARROWEST: Final = 10
_DIM: Final = Style(dim=True)

Row = tuple[str, str, str, str]


def uses_table(uses: Iterable[Use], *, width: int = 100, color: bool = False) -> Iterator[str]:
    """Yield the table in parts, each of whole lines, and in the end the counts."""
    rows, widths, files, total = iter(uses), [0, 0, 0, 0], 0, 0
    file: str | None = None
    while part := list(islice(rows, _ROWS)):
        cells = [_row(use) for use in part]
        widths = _widths([_HEADER, *cells] if not total else cells, widths, width)
        lines = [_painted(line, dim=range(4) if color else ()) for line in _folded(_HEADER, widths)]
        lines = [] if total else lines
        lines += [_painted(one, dim=(3,) if color else ()) for row in cells for one in _folded(row, widths)]
        yield "".join(f"{line.rstrip()}\n" for line in lines)
        total += len(part)
        for use in part:
            files, file = files + (use.file != file), use.file
    summary = f"{wording.count(total, 'use')} in {wording.count(files, 'file')}"
    yield f"{Style(bold=True).render(summary) if color else summary}\n"


def _row(use: Use) -> Row:
    note = use.skipped or (f"stage {use.stage}" if use.stage else "")
    return f"{visible(use.file)}:{use.line}", use.kind.value, short(use), visible(note)


def _widths(rows: Sequence[Row], before: Sequence[int], width: int) -> list[int]:
    """Places and images get a share at most, and the note what is left."""
    longest = [max(*(cell_len(row[at]) for row in rows), before[at]) for at in range(4)]
    place, kind, image = min(longest[0], width // 4), longest[1], min(longest[2], width // 3)
    left = width - place - kind - image - 3 * len(_GAP)
    return [place, kind, image, min(longest[3], max(_NARROWEST, left))]


def _folded(row: Row, widths: Sequence[int]) -> Iterator[Sequence[str]]:
    """The lines of a row, each of cells filled up to their width."""
    cells = [_fold(text, width) for text, width in zip(row, widths, strict=True)]
    for line in zip_longest(*cells, fillvalue=""):
        yield [text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True)]


def _fold(text: str, width: int) -> list[str]:
    """Break at a blank where there is one, else in a word."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(longer) <= width:
            lines[-1] = longer
        else:
            pieces = folded(word, width)
            lines += pieces if lines[-1] else []
            lines[-1:] = lines[-1:] if lines[-1] else pieces
    return lines


def _painted(cells: Sequence[str], dim: Sequence[int]) -> str:
    return _GAP.join(
        _DIM.render(text) if at in dim and text.strip() else text for at, text in enumerate(cells)
    )
