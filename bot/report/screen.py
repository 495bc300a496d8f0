"""Drawing for terminals with rich: an off-screen console, and text that is never read as markup."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from bot.model.use import Use
from bot.report import wording
from bot.report.quote import visible


@dataclass(frozen=True, slots=True)
class Screen:
    """Lines of a given width; `color` is True on a terminal."""

    width: int
    color: bool
    file: io.StringIO = field(default_factory=io.StringIO)

    @property
    def console(self) -> Console:
        """A console that draws here."""
        return Console(
            file=self.file,
            width=self.width,
            force_terminal=self.color,
            color_system="standard" if self.color else None,
            highlight=False,
            legacy_windows=False,
        )

    def text(self) -> str:
        """What was drawn, without the blanks that fill lines to the right; the last line ended."""
        return "".join(f"{line.rstrip()}\n" for line in self.file.getvalue().splitlines())


def line(text: str, style: str = "") -> Text:
    """Text in a style; brackets in it are brackets, never markup."""
    return Text(text, style=style)


def short(use: Use) -> str:
    """The image as written, its digest shortened to what people quote."""
    name, _, digest = use.text.partition("@")
    shortened = f"@{wording.short_digest(digest)}" if digest else ""
    return visible(name, limit=80) + visible(shortened)


def folded(word: str, width: int) -> list[str]:
    """A word in lines of at most `width` cells, broken at a slash or a digest where one is."""
    lines = [""]
    for part in re.split(r"(?<=/)|(?=@)", word):
        if cell_len(lines[-1] + part) <= width:
            lines[-1] += part
        else:
            lines += [part] if cell_len(part) <= width else chop_cells(part, width)
    return [one for one in lines if one]
