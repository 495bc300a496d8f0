"""SBOMs at hand, the age of scans, and hidden findings with their reason."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SCANS = sa.table(
    "scans", sa.column("key"), sa.column("body"), sa.column("created", sa.DateTime(timezone=True))
)
_EVIDENCE = sa.table("evidence", sa.column("key"), sa.column("body"))


def upgrade() -> None:
    """Make the table, and rewrite what was stored: a scan is as old as the database it used."""
    op.create_table(
        "sboms",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "platform", "base"),
    )
    with op.batch_alter_table("scans") as table:
        table.add_column(sa.Column("created", sa.DateTime(timezone=True), nullable=True))
    for key, scan in _stored(_SCANS):
        _rewrite(_SCANS, key, body=_explained(scan), created=_age(scan))
    for key, evidence in _stored(_EVIDENCE):
        sides = {name: _side(evidence.get(name)) for name in ("before", "after")}
        _rewrite(_EVIDENCE, key, body=evidence | sides)
    with op.batch_alter_table("scans") as table:
        table.alter_column("created", existing_type=sa.DateTime(timezone=True), nullable=False)


def downgrade() -> None:
    """Drop them; hidden findings lose their reason."""
    op.drop_table("sboms")
    op.execute(sa.delete(_SCANS))
    op.execute(sa.delete(_EVIDENCE))
    with op.batch_alter_table("scans") as table:
        table.drop_column("created")


def _stored(table: sa.TableClause) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row's key and value; one at a time, for evidence is large."""
    connection = op.get_bind()
    for key in connection.scalars(sa.select(table.c.key)).all():
        yield key, json.loads(str(connection.scalar(sa.select(table.c.body).where(table.c.key == key))))


def _rewrite(table: sa.TableClause, key: str, *, body: dict[str, Any], **values: datetime) -> None:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    op.get_bind().execute(sa.update(table).where(table.c.key == key).values(body=text, **values))


def _side(side: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if side is None else side | {"scan": _explained(side["scan"])}


def _explained(scan: dict[str, Any]) -> dict[str, Any]:
    """A hidden finding was one line, `id package`."""
    pairs = (line.partition(" ") for line in scan.get("ignored", ()))
    return scan | {"ignored": [{"id": name, "package": package} for name, _, package in pairs]}


def _age(scan: dict[str, Any]) -> datetime:
    moment = datetime.fromisoformat(str(scan["database"]["updated_at"]))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
