"""A batch may have a name of its own, is found by a part of its names, and may be left as it is by a person."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

MAX_LENGTH = 512
BATCHES = sa.table(
    "batches",
    sa.column("number", sa.BigInteger()),
    sa.column("label", sa.Text()),
    sa.column("search_text", sa.Text()),
)


def upgrade() -> None:
    """Add the columns and indexes, and fill the text that is searched."""
    op.add_column("batches", sa.Column("name", sa.Text(), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("dismissed_at", sa.BigInteger()))
    connection = op.get_bind()
    labels = connection.execute(sa.select(BATCHES.c.number, BATCHES.c.label)).all()
    if labels:
        filled = sa.update(BATCHES).where(BATCHES.c.number == sa.bindparam("which"))
        texts = [{"which": number, "text": f"\n{label}".casefold()[:MAX_LENGTH]} for number, label in labels]
        connection.execute(filled.values(search_text=sa.bindparam("text")), texts)
    op.create_index("batches_by_search_text", "batches", ["search_text"])
    unresolved = sa.text("state IN ('unknown', 'not sent')")
    op.create_index(
        "requests_unresolved",
        "requests",
        ["batch", "state", "events"],
        sqlite_where=unresolved,
        postgresql_where=unresolved,
    )
    if connection.dialect.name == "postgresql":  # the order of the bytes, so that a prefix is a range of the index
        for table, column in (("events", "event_id"), ("event_keys", "value")):
            op.alter_column(table, column, type_=sa.Text(collation="C"), existing_type=sa.Text())
