"""What a reader sees of a pull request before unfolding anything."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.report.gfm import to_html
from tests.unit.report.page import Page


def visible_text(page: Path) -> str:
    """The text of a pull request of the local forge, as a browser shows it, on one line."""
    seen = re.sub(r"<details>.*?</details>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(Text(to_html(seen)).all.split())


class Text(Page):
    """All text in reading order, code included."""

    def __init__(self, page: str) -> None:
        self.all = ""
        super().__init__(page)

    def handle_data(self, data: str) -> None:
        self.all += data
