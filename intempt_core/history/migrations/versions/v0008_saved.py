"""What people save: journeys, and targets without their keys."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add both tables."""
    for table in ("journeys", "targets"):
        op.create_table(
            table,
            sa.Column("key", sa.Text(), nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("document", sa.Text(), nullable=False),
            sa.Column("changed_at", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("key"),
        )
