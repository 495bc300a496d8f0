"""GitHub's own reader of workflows and expressions, from npm: it judges what we publish for Actions.

python -m tests.actions.language        # installs it where it is missing
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from filelock import FileLock

from bot import process

_HERE: Final = Path(__file__).parent / "language"
_ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 600.0
Status = Literal["success", "failure"]


def installed() -> Path:
    """The folder it runs in; where it is not filled yet, npm does it, each package by its hash."""
    folder = Path(os.environ.get("REFIT_LAB_DIR") or _ROOT / ".lab") / "actions-language"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock", timeout=_SECONDS):
        files = [file for file in _HERE.iterdir() if file.is_file()]
        if any(not (folder / file.name).exists() or _differs(file, folder / file.name) for file in files):
            for file in files:
                shutil.copyfile(file, folder / file.name)
            npm = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
            process.run(npm, timeout=_SECONDS, cwd=folder, env=dict(os.environ))
    return folder


def complaints(kind: Literal["workflow", "action"], file: Path) -> list[str]:
    """What GitHub would say against a file; nothing where it would take it."""
    told: list[str] = _ask(check={"kind": kind, "name": file.name, "text": file.read_text(encoding="utf-8")})
    return told


def values(expressions: Sequence[str], contexts: Mapping[str, Any], status: Status = "success") -> list[Any]:
    """What expressions are worth.

    Args:
        expressions: Without `${{ }}`.
        contexts: `github`, `inputs`, `steps`, … as JSON values.
        status: Of the job so far, for `success()`, `failure()` and `always()`.
    """
    found: list[Any] = _ask(evaluate=list(expressions), contexts=contexts, status=status)
    return found


def _ask(**question: object) -> Any:
    command = ["node", "--import", "./json.mjs", "language.mjs"]
    stdin = json.dumps(question).encode()
    return json.loads(process.run(command, timeout=_SECONDS, cwd=installed(), stdin=stdin).stdout)


def _differs(one: Path, other: Path) -> bool:
    return one.read_bytes() != other.read_bytes()


if __name__ == "__main__":
    installed()
