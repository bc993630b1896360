"""What the webhooks of targets are to be told, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table; batches of earlier versions announce nothing."""
    op.add_column("batches", sa.Column("announces", sa.Boolean(), nullable=False, server_default=sa.false()))
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", key, primary_key=True),
        sa.Column("batch", sa.BigInteger(), sa.ForeignKey("batches.number", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
    )
    op.create_index("webhook_deliveries_of_batch", "webhook_deliveries", ["batch"])
    waiting = sa.text("status = 'waiting'")
    op.create_index(
        "webhook_deliveries_waiting",
        "webhook_deliveries",
        ["next_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
