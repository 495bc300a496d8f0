"""More of what was measured: where the bytes are, what is wasted, what was pulled, how long it took."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WHOLE = ("base_size", "own_size", "package_size", "wasted", "pull_bytes")
_PARTS = ("efficiency", "pull_seconds", "cache_hit_rate", "health_seconds")


def upgrade() -> None:
    """Add the columns; older points do not know them."""
    with op.batch_alter_table("measurements") as table:
        for name in _WHOLE:
            table.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
        for name in _PARTS:
            table.add_column(sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("measurements") as table:
        for name in (*_WHOLE, *_PARTS):
            table.drop_column(name)
