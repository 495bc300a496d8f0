"""Bringing the tables of a store up to date, by Alembic."""

from __future__ import annotations

import threading
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from bot.errors import StoreError
from bot.store.base import for_writing
from bot.store.revision import MIGRATIONS, NEWEST, revision

# Alembic keeps what it works on in globals of its modules.
_one_at_a_time: Final = threading.Lock()


def upgrade(engine: Engine) -> None:
    """Bring the tables up to date, all or nothing; whoever opens the store meanwhile waits.

    Raises:
        StoreError: They were written by a newer Refit.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _one_at_a_time, for_writing(engine).begin() as connection:
        current = revision(connection)
        if current == NEWEST:
            return
        _refuse_newer(ScriptDirectory.from_config(config), current)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _refuse_newer(scripts: ScriptDirectory, current: str | None) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"the store is of revision {current}, which this Refit does not know",
            hint="It was written by a newer Refit: install that version, or use another state folder.",
        )
