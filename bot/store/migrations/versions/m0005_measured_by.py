"""Which evidence measured a point, so that growth over months can be traced to layers and paths."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; older points do not know their evidence."""
    with op.batch_alter_table("measurements") as table:
        table.add_column(sa.Column("evidence", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("side", sa.Text(), nullable=False, server_default="after"))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("measurements") as table:
        table.drop_column("evidence")
        table.drop_column("side")
