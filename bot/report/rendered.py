"""Markdown of ours as a terminal shows it: tables drawn, folds open under a heading, markers left out."""

from __future__ import annotations

import re
from typing import Final

from rich.markdown import Markdown

from bot.report.screen import Screen

_HIDDEN: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_FOLD: Final = re.compile(r"<details(?: open)?><summary>(.*?)</summary>")
_UNFOLD: Final = re.compile(r"</details>")
_LINK: Final = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
_CODE: Final = re.compile(r"</?code>")


def rendered(markdown: str, *, width: int, color: bool = False) -> str:
    """The text as lines for a terminal of `width` columns."""
    text = _FOLD.sub(r"**▸ \1**", _UNFOLD.sub("", _HIDDEN.sub("", markdown)))
    text = _LINK.sub(r"\1", text)  # an address would hide what it is about
    screen = Screen(width, color)
    screen.console.print(Markdown(_CODE.sub("`", text), hyperlinks=False))
    return screen.text()
