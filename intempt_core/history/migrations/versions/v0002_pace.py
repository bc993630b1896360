"""Throughput: outcomes of a batch second by second, and its slowest responses, computed from the stored attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make both tables and fill them."""
    op.create_table(
        "seconds",
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("second", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", "second", "outcome"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slowest",
        sa.Column("attempt", KEY, autoincrement=False, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("elapsed_ms", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("attempt"),
    )
    op.create_index("slowest_of_batch", "slowest", ["batch", "elapsed_ms"])
    op.execute(
        "INSERT INTO seconds (batch, second, outcome, attempts, events)"
        " SELECT r.batch, CAST(a.started_at + a.elapsed_ms AS BIGINT) / 1000, a.outcome, count(*), sum(r.events)"
        " FROM attempts a JOIN requests r ON r.id = a.request GROUP BY 1, 2, 3"
    )
    op.execute(
        "INSERT INTO slowest (attempt, batch, elapsed_ms) SELECT id, batch, elapsed_ms FROM ("
        "SELECT a.id, r.batch, a.elapsed_ms,"
        " row_number() OVER (PARTITION BY r.batch ORDER BY a.elapsed_ms DESC, a.id) AS place"
        " FROM attempts a JOIN requests r ON r.id = a.request WHERE a.status IS NOT NULL) AS ranked WHERE place <= 10"
    )
