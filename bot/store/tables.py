"""The tables, as the migrations make them. Values that only Refit reads back are JSON in a column."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from bot.model.artifact import Sbom
from bot.model.driving import Driving
from bot.model.measurement import Baseline, Measurement
from bot.model.run import Cycle, Publication
from bot.model.snooze import Snooze

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the store.

    Attributes:
        name: Its name.
        key: The columns of its primary key.
        columns: All its columns, but for the large ones and a number that the database gives.
        large: Columns that may hold megabytes each, and that most who look at a row do not want.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    large: tuple[str, ...] = ()


def _of(kind: type[DataclassInstance]) -> tuple[str, ...]:
    """A column for each field of a value."""
    return tuple(field.name for field in fields(kind))


CYCLES: Final = Table("cycles", ("id",), _of(Cycle), ("plan", "result", "outcome"))
DRIVING: Final = Table("driving", ("cycle",), _of(Driving))
EVIDENCES: Final = Table("evidence", ("key",), ("key", "body", "created"))
SCANS: Final = Table("scans", ("key",), ("key", "body", "created"))
SBOMS: Final = Table("sboms", ("subject", "platform", "base"), _of(Sbom))
# What an audience was told last of an SBOM of a target; of both empty: what anybody was.
TOLD: Final = Table(
    "told", ("digest", "audience", "subject"), ("digest", "audience", "subject", "body", "at")
)
PUBLICATIONS: Final = Table("publications", ("slot",), _of(Publication))
BASELINES: Final = Table("baselines", ("project", "target", "platform"), _of(Baseline))
MEASUREMENTS: Final = Table(
    "measurements", ("project", "target", "platform", "cycle", "base"), _of(Measurement)
)
PUBLISHED: Final = Table(
    "published", ("project", "target", "platform"), ("project", "target", "platform", "body", "at")
)
SIGHTINGS: Final = Table("sightings", ("reference", "digest"), ("reference", "digest", "first_seen"))
# Answers worth keeping: immutable content by digest, tag lists by time.
CACHE: Final = Table("cache", ("kind", "key"), ("kind", "key", "value", "stored"))
# The database numbers its rows.
AUDIT: Final = Table("audit", ("id",), ("at", "who", "what", "detail"))
SNOOZES: Final = Table("snoozes", ("project", "image"), _of(Snooze))
# What was heard and told already: deliveries by id, notifications by destination.
LEDGER: Final = Table("ledger", ("kind", "key"), ("kind", "key", "value", "at"))
RECEIPTS: Final = Table("receipts", ("key",), ("key", "body", "at"))
# Who holds the lease of a store that many machines share, and its last sign of life.
LEASES: Final = Table("leases", ("name",), ("name", "holder", "beat"))

TABLES: Final = (
    AUDIT,
    BASELINES,
    CACHE,
    CYCLES,
    DRIVING,
    EVIDENCES,
    LEASES,
    LEDGER,
    MEASUREMENTS,
    PUBLICATIONS,
    PUBLISHED,
    RECEIPTS,
    SBOMS,
    SCANS,
    SIGHTINGS,
    SNOOZES,
    TOLD,
)
