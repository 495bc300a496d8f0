"""The App's manifest asks for what Refit uses, and for nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from bot.forge.installation import PERMISSIONS, READING

FOLDER = Path(__file__).parents[3] / "deploy" / "github-app"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


def test_the_manifest_asks_for_what_the_tokens_ask_for() -> None:
    assert MANIFEST["default_permissions"] == PERMISSIONS
    assert READING.items() <= dict.fromkeys(PERMISSIONS, "read").items()


def test_each_permission_is_explained() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, level in PERMISSIONS.items():
        assert f"| {name.replace('_', ' ')}: {level} |" in told
