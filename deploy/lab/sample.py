"""A copy of the sample as a git repository of its own, pinned to what the lab's registry has."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.process import environment, run

SOURCE: Final = Path(__file__).parents[1] / "sample"
_PIN: Final = re.compile(r"^(FROM\s+)([a-z0-9./-]+):([\w.-]+)@sha256:[0-9a-f]{64}", re.MULTILINE)
_IDENTITY: Final = {
    "GIT_AUTHOR_NAME": "Refit sample",
    "GIT_AUTHOR_EMAIL": "sample@refit.invalid",
    "GIT_AUTHOR_DATE": "2026-08-11T00:00:00Z",
    "GIT_COMMITTER_NAME": "Refit sample",
    "GIT_COMMITTER_EMAIL": "sample@refit.invalid",
    "GIT_COMMITTER_DATE": "2026-08-11T00:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


def copy(destination: Path, digests: Mapping[str, str], *, registry: str = "") -> Path:
    """Copy the sample, set its pins, and commit it once on branch `main`.

    Args:
        destination: A folder that does not exist yet, or is empty.
        digests: `library/NAME:TAG` → the digest to pin.
        registry: `HOST:PORT` to name instead of docker.io; empty leaves the names as they are.

    Returns:
        The destination.
    """
    shutil.copytree(SOURCE, destination, dirs_exist_ok=True)
    for dockerfile in destination.rglob("Dockerfile"):
        dockerfile.write_text(pin(dockerfile.read_text(), digests, registry))
    commands = ["init -q -b main", "add -A", "commit -q -m Sample"]
    for words in map(str.split, commands):
        run(["git", "-C", destination, *words], timeout=120, env=environment(**_IDENTITY))
    return destination


def pin(dockerfile: str, digests: Mapping[str, str], registry: str) -> str:
    """Replace the digest, and with `registry` the registry, of each pinned FROM that the lab knows."""

    def replace(found: re.Match[str]) -> str:
        name, tag = found[2].removeprefix("library/"), found[3]
        digest = digests.get(f"library/{name}:{tag}")
        place = f"{registry}/library/{name}" if registry else name
        return f"{found[1]}{place}:{tag}@{digest}" if digest else found[0]

    return _PIN.sub(replace, dockerfile)
