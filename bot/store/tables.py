"""The tables. Values that only Refit reads back are JSON in a column; what is queried has one of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC and given back with its zone (SQLite keeps none)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Refuse naive times on the way in: they would be read back as something else."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value}")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Give every moment in UTC: SQLite's without a zone, PostgreSQL's in that of its session."""
        return None if value is None else value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The tables of one state store."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as it is
        datetime: UtcDateTime,
        str: Text,
        bytes: LargeBinary,
        int: BigInteger,
    }


class CycleRow(Base):
    """A cycle, its stored plan and its result."""

    __tablename__ = "cycles"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    attempt: Mapped[int]
    state: Mapped[str]
    started: Mapped[datetime]
    finished: Mapped[datetime | None]
    # Each may be megabytes, and most who look at cycles want none.
    plan: Mapped[str | None] = mapped_column(deferred=True)
    result: Mapped[str | None] = mapped_column(deferred=True)
    outcome: Mapped[str | None] = mapped_column(deferred=True)


class DrivingRow(Base):
    """Who drives an unfinished cycle, and what it is at."""

    __tablename__ = "driving"
    cycle: Mapped[str] = mapped_column(primary_key=True)
    who: Mapped[str]
    since: Mapped[datetime]
    step: Mapped[str]
    detail: Mapped[str]


class EvidenceRow(Base):
    """Finished evidence by the key of what went in."""

    __tablename__ = "evidence"
    key: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    created: Mapped[datetime]


class ScanRow(Base):
    """Finished scans by key."""

    __tablename__ = "scans"
    key: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    created: Mapped[datetime]


class SbomRow(Base):
    """SBOMs at hand, kept as artifacts."""

    __tablename__ = "sboms"
    subject: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    base: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    at: Mapped[datetime]
    used: Mapped[datetime | None]


class ToldRow(Base):
    """What an audience was told last of an SBOM of a target; of both empty: what anybody was."""

    __tablename__ = "told"
    digest: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    at: Mapped[datetime]


class PublicationRow(Base):
    """What was last published in a slot."""

    __tablename__ = "publications"
    slot: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    digest: Mapped[str]
    url: Mapped[str]
    branch: Mapped[str]
    state: Mapped[str]
    commit: Mapped[str]
    body_digest: Mapped[str]


class BaselineRow(Base):
    """The size each target is compared with."""

    __tablename__ = "baselines"
    project: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    digest: Mapped[str]
    at: Mapped[datetime]


class MeasurementRow(Base):
    """Points of the time series."""

    __tablename__ = "measurements"
    project: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    cycle: Mapped[str] = mapped_column(primary_key=True)
    base: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    size: Mapped[int | None]
    pushed_size: Mapped[int | None]
    layers: Mapped[int]
    build_seconds: Mapped[float | None]
    critical: Mapped[int]
    high: Mapped[int]
    medium: Mapped[int]
    low: Mapped[int]
    applied: Mapped[bool]
    base_size: Mapped[int | None]
    own_size: Mapped[int | None]
    package_size: Mapped[int | None]
    wasted: Mapped[int | None]
    efficiency: Mapped[float | None]
    pull_seconds: Mapped[float | None]
    pull_bytes: Mapped[int | None]
    cache_hit_rate: Mapped[float | None]
    health_seconds: Mapped[float | None]
    evidence: Mapped[str] = mapped_column(server_default="")
    side: Mapped[str] = mapped_column(server_default="after")


class PublishedRow(Base):
    """What was last found behind each target's `image:`."""

    __tablename__ = "published"
    project: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    at: Mapped[datetime]


class SightingRow(Base):
    """Our own first-seen clock for digests."""

    __tablename__ = "sightings"
    reference: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    first_seen: Mapped[datetime]


class CacheRow(Base):
    """Answers worth keeping: immutable content by digest, tag lists by time."""

    __tablename__ = "cache"
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]
    stored: Mapped[datetime]


class AuditRow(Base):
    """Who asked for what, and what was done."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    who: Mapped[str]
    what: Mapped[str]
    detail: Mapped[str]


class SnoozeRow(Base):
    """Silence that a person asked for."""

    __tablename__ = "snoozes"
    project: Mapped[str] = mapped_column(primary_key=True)
    image: Mapped[str] = mapped_column(primary_key=True)
    who: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]
    until: Mapped[datetime]


class LedgerRow(Base):
    """What was heard and told already: deliveries by id, notifications by destination."""

    __tablename__ = "ledger"
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    at: Mapped[datetime]


class ReceiptRow(Base):
    """What became of a job that any machine may have done."""

    __tablename__ = "receipts"
    key: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    at: Mapped[datetime]


class LeaseRow(Base):
    """Who holds the lease of a store that many machines share, and its last sign of life."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    beat: Mapped[datetime]
