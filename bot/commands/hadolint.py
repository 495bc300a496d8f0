"""hadolint beside our own rules, where it is installed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bot import process
from bot.errors import ProcessFailed
from bot.model.finding import Finding, RuleSeverity

_SECONDS: Final = 60.0
_LIMIT: Final = 16 * 1024 * 1024
_SEVERITIES: Final = {"error": RuleSeverity.ERROR, "warning": RuleSeverity.WARNING}
# What a rule of ours judges better, for it knows stages, variables and the base: the last user, tags,
# package caches, HEALTHCHECK, secrets. Where ours is silent, that is for a reason.
_OURS: Final = frozenset(
    {"DL3002", "DL3006", "DL3007", "DL3009", "DL3019", "DL3032", "DL3040", "DL3042", "DL3057", "DL3064"}
)


def found() -> Path | None:
    """The program: on PATH, else beside the interpreter, where a wheel puts it; None where it is absent."""
    beside = Path(sys.executable).parent / "hadolint"
    on_path = shutil.which("hadolint")
    return Path(on_path) if on_path else beside if beside.is_file() else None


def run(program: Path, file: str, data: bytes, config: Path | None) -> tuple[Finding, ...]:
    """What hadolint says about a Dockerfile, less what a rule of ours judges better.

    Args:
        program: hadolint.
        file: The Dockerfile's path in the project.
        data: Its bytes.
        config: The project's own configuration of hadolint, or None.

    Raises:
        ProcessFailed: It failed, or its answer cannot be read.
    """
    argv: list[str | Path] = [program, "--no-fail", "--no-color", "--format", "json"]
    argv += ["--config", config] if config else []
    answer = process.run([*argv, "-"], timeout=_SECONDS, stdin=data, limit=_LIMIT)
    lines = data.decode(errors="replace").split("\n")
    try:
        rows = [one for one in json.loads(answer.text) if one["code"] not in _OURS]
        return tuple(_finding(file, lines, one) for one in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise ProcessFailed(f"hadolint's answer about {file} cannot be read: {error}") from error


def _finding(file: str, lines: Sequence[str], one: dict[str, Any]) -> Finding:
    line = int(one["line"])
    context = lines[line - 1] if 0 < line <= len(lines) else ""
    severity = _SEVERITIES.get(str(one["level"]), RuleSeverity.NOTE)
    return Finding(str(one["code"]), severity, file, line, str(one["message"]), "", context)
