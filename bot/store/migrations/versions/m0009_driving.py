"""Who drives a cycle and what it is at, and the whole result of one that ended."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both; what ended before is known by its document only."""
    op.create_table(
        "driving",
        sa.Column("cycle", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cycle"),
    )
    with op.batch_alter_table("cycles") as table:
        table.add_column(sa.Column("outcome", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop both."""
    op.drop_table("driving")
    with op.batch_alter_table("cycles") as table:
        table.drop_column("outcome")
