"""The state folder: private to its owner, and an error of ours where it cannot be used."""

from __future__ import annotations

from pathlib import Path

from bot.errors import StoreError


def private(folder: Path) -> Path:
    """Make the folder, where it is not there, for its owner alone.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise unusable(folder, error) from error
    return folder


def unusable(folder: Path, error: OSError) -> StoreError:
    """The error for a folder that the system refuses."""
    return StoreError(
        f"the state folder {folder} cannot be used: {error.strerror}",
        hint="Set $REFIT_STATE_DIR, or `state:` in the configuration, to a folder that you may write.",
    )
