"""Where commands that only look keep their answers: the state folder, else one for this run alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot.app import opened_store
from bot.errors import StoreError
from bot.settings import Settings


@contextmanager
def usable_state(settings: Settings, console: Console) -> Iterator[Settings]:
    """The settings, with a state folder that is gone afterwards where theirs cannot be opened; it is said.

    Only for commands that ask and publish nothing: without the records of earlier runs each image is seen
    for the first time.
    """
    try:
        with opened_store(settings):
            pass
    except (StoreError, OSError) as error:
        _say(console, str(error))
        with tempfile.TemporaryDirectory(prefix="refit-") as folder:
            yield settings.model_copy(update={"state": Path(folder), "store": None})
        return
    yield settings


def _say(console: Console, why: str) -> None:
    told = f"{why}; what is learnt in this run is forgotten at its end"
    console.print(Text.assemble(("note:  ", "bold"), told), soft_wrap=True)
