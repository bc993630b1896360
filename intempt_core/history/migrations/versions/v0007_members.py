"""A row of the input may be several events: events and excluded rows say which they are, from 1; 0 is the only one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column to both; in that of excluded rows it is part of the key, for which SQLite makes a new table."""
    op.add_column("events", _member())
    if op.get_bind().dialect.name != "sqlite":
        op.add_column("excluded_rows", _member())
        key = sa.inspect(op.get_bind()).get_pk_constraint("excluded_rows")["name"]  # the table had another name
        op.drop_constraint(str(key), "excluded_rows", type_="primary")
        op.create_primary_key("excluded_rows_pkey", "excluded_rows", ["batch", "row", "member"])
        return
    op.rename_table("excluded_rows", "former_excluded_rows")
    op.create_table(
        "excluded_rows",
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger()),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("member", sa.Integer(), autoincrement=False, nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["batch"], ["batches.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", "row", "member"),
    )
    fields = "batch", "row", "line", "codes", "event_id", "name"
    former = sa.table("former_excluded_rows", *map(sa.column, fields))
    now = sa.table("excluded_rows", *map(sa.column, fields))
    op.execute(sa.insert(now).from_select(fields, sa.select(former)))
    op.drop_table("former_excluded_rows")


def _member() -> sa.Column[int]:
    return sa.Column("member", sa.Integer(), nullable=False, server_default="0")
