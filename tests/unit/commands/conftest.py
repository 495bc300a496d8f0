"""The command line in this process: what it returns, and what it writes where."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot import cli


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as the one JSON document that it must be."""
        read: dict[str, Any] = json.loads(self.out)
        return read


Refit = Callable[..., Answer]


@pytest.fixture
def refit(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Refit:
    """Call `refit WORDS` in an empty folder, with state of its own and no configuration from outside."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("REFIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("REFIT_CONFIG", raising=False)

    def call(*words: str | Path) -> Answer:
        capsys.readouterr()
        code = cli.call([str(word) for word in words])
        written = capsys.readouterr()
        return Answer(code, written.out, written.err)

    return call


@pytest.fixture
def write() -> Callable[[str, str], Path]:
    """Write a file below the folder that the call stands in."""

    def made(path: str, text: str) -> Path:
        file = Path(os.curdir) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return made
