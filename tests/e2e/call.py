"""One call of the real `refit` process in a folder, with a small environment of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from bot import process
from tests.e2e.world import ROOT, Ended


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """What finds programs and this checkout, and what the test adds."""
    return process.environment(PYTHONPATH=str(ROOT), **env)


def refit_process(*words: str, folder: Path, env: Mapping[str, str]) -> Ended:
    """Run `refit WORDS` in a folder to its end."""
    command = [sys.executable, "-m", "bot.cli", *words]
    finished = process.run(command, timeout=600, cwd=folder, env=environment(env), check=False)
    return Ended(finished.code, finished.text, finished.stderr.decode(errors="replace"))
