"""The README is true: the help it shows is the program's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot import cli

README = Path(__file__).parents[2] / "README.md"


def test_the_help_in_the_readme_is_the_programs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")  # the width the README was written at

    cli.call(["--help"])

    shown = re.search(r"<!-- help -->\n```text\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    assert shown[1].strip() == capsys.readouterr().out.replace("Usage: root", "Usage: refit").strip()


def test_every_link_in_the_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README.read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
