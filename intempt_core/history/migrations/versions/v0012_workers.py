"""Workers on many machines: their leases, the groups of lanes that they own, and the limits that they share."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the tables; batches of earlier versions have no groups, and one owner each."""
    op.add_column("batches", sa.Column("groups", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("batches", sa.Column("overtaken", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("attempts", sa.Column("overtaken", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("draining", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "lane_groups",
        sa.Column("batch", sa.BigInteger(), sa.ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    is_owned = sa.text("owner != ''")
    op.create_index("lane_groups_by_owner", "lane_groups", ["owner"], sqlite_where=is_owned, postgresql_where=is_owned)
    op.create_table(
        "unable_workers",
        sa.Column("batch", sa.BigInteger(), sa.ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("worker", sa.Text(), sa.ForeignKey("workers.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_table(
        "target_turns",
        sa.Column("target", sa.Text(), primary_key=True),
        sa.Column("free_from", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "target_places",
        sa.Column("target", sa.Text(), primary_key=True),
        sa.Column("worker", sa.Text(), sa.ForeignKey("workers.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
    )
