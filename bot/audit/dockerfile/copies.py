"""What a COPY takes from the build context: everything, sources, or a few files."""

from __future__ import annotations

from typing import Final

from bot.audit.dockerfile.steps import Step

_EVERYTHING: Final = frozenset({".", "*", "**"})
_SOURCE_FOLDERS: Final = frozenset(
    {"src", "app", "lib", "source", "sources", "cmd", "internal", "pkg", "crates"}
)


def copies_everything(step: Step) -> bool:
    """True where the whole build context is copied."""
    return not _EVERYTHING.isdisjoint(step.copied)


def copies_sources(step: Step) -> bool:
    """True where the whole context, or a folder that by its name holds sources, is copied."""
    return copies_everything(step) or not _SOURCE_FOLDERS.isdisjoint(step.copied)
