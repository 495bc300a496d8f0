"""Which program reads a Dockerfile: BuildKit fetches the image that `# syntax=` names, and runs it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bot.dockerfile.directives import BOM
from bot.dockerfile.uses import read
from bot.model.reference import Reference
from bot.model.use import UseKind

OWN: Final = ("docker/dockerfile", "docker/dockerfile-upstream")
_SHOWN: Final = 80


def foreign_frontend(data: bytes, allowed: Iterable[str] = ()) -> str:
    """Return the frontend that a file asks for, if it is neither Docker's own nor an allowed one.

    Args:
        data: The file's bytes.
        allowed: Names of images, without their tags.
    """
    known = {_place(Reference.parse(name)) for name in (*OWN, *allowed)}
    for use in read("Dockerfile", data):
        if use.kind is UseKind.SYNTAX and (use.reference is None or _place(use.reference) not in known):
            return use.text
    return _in_json(data)


def _place(reference: Reference) -> tuple[str, str]:
    return reference.registry, reference.repository


def _in_json(data: bytes) -> str:
    """What stands in a file that is JSON: BuildKit takes `{"syntax": "…"}` for a directive too."""
    text = data.removeprefix(BOM)
    text = text.partition(b"\n")[2] if text.startswith(b"#!") else text
    text = text.strip()
    return text[:_SHOWN].decode(errors="replace") if text.startswith(b"{") else ""
