"""What was told of each SBOM, and when it was rescanned last."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SCANS = sa.table(
    "scans", sa.column("key"), sa.column("body"), sa.column("created", sa.DateTime(timezone=True))
)
_SCANNED = "sbom sha256:"


def upgrade() -> None:
    """Make both: what an SBOM's newest scan found was told by the Refit that stored it."""
    with op.batch_alter_table("sboms") as table:
        table.add_column(sa.Column("used", sa.DateTime(timezone=True), nullable=True))
    told = op.create_table(
        "told",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", "audience", "subject"),
    )
    digest = sa.func.replace(_SCANS.c.key, "sbom ", "")
    nobody = sa.literal("")
    scanned = sa.select(digest, nobody, nobody, _SCANS.c.body, _SCANS.c.created).where(
        _SCANS.c.key.like(f"{_SCANNED}%")
    )
    op.execute(told.insert().from_select(["digest", "audience", "subject", "body", "at"], scanned))


def downgrade() -> None:
    """Drop both."""
    op.drop_table("told")
    with op.batch_alter_table("sboms") as table:
        table.drop_column("used")
