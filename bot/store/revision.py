"""Which revision the tables are to be of: asked at every start, without the library that changes them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# A migration's file is named after its revision: `m0007_artifacts.py` brings the tables to 0007.
NEWEST: Final = max(file.stem[1:5] for file in (MIGRATIONS / "versions").glob("m*.py"))
