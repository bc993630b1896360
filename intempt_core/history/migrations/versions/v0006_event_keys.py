"""The index of events by the ids of persons and by products becomes a table, which is filled behind the inserts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = {1: "profile_id", 2: "user_id", 3: "another_user_id", 4: "account_id", 5: "product_id"}


def upgrade() -> None:
    """Make the tables, fill them in order from the indexes, and drop those."""
    op.create_table(
        "event_keys",
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "batch", "request", "position"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unkeyed_requests",
        sa.Column("request", KEY, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("request"),
    )
    fields = "kind", "value", "batch", "request", "position"
    keys = sa.table("event_keys", *map(sa.column, fields))
    for kind, column in KINDS.items():
        events = sa.table("events", *map(sa.column, (column, *fields[2:])))
        place = events.c[column], events.c.batch, events.c.request, events.c.position
        found = sa.select(sa.literal_column(str(kind)), *place).where(events.c[column].is_not(None)).order_by(*place)
        op.execute(sa.insert(keys).from_select(fields, found))
        op.drop_index(f"events_by_{column}", "events")
