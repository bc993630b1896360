"""The words of version 3: states and outcomes, columns and notes are renamed; what they mean stays.

``leaving`` becomes ``in flight``, ``refused`` becomes ``rejected``, ``unsent`` becomes ``not sent``. A table's or a
column's new name costs nothing, and of the rows only those are written that hold an old word.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

STATES = {"leaving": "in flight", "refused": "rejected", "unsent": "not sent"}
FIX_KEYS = {"way": "kind", "words": "message"}
COLUMNS = (
    ("batches", "left_behind", "excluded_rows"),
    ("attempts", "answer", "response_body"),
    ("attempts", "answer_length", "response_length"),
    ("attempts", "answer_cut", "response_truncated"),
)


def upgrade() -> None:
    """Rename all of it."""
    op.rename_table("left_behind", "excluded_rows")
    for table, old, new in COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    op.drop_index("requests_leaving", "requests")
    for table, column in (("requests", "state"), ("attempts", "outcome"), ("seconds", "outcome")):
        values: sa.ColumnClause[str] = sa.column(column, sa.Text())
        op.execute(
            sa.update(sa.table(table, values))
            .where(values.in_(list(STATES)))
            .values({column: sa.case(STATES, value=values, else_=values)})
        )
    in_flight = sa.text("state = 'in flight'")
    op.create_index("requests_in_flight", "requests", ["batch"], sqlite_where=in_flight, postgresql_where=in_flight)
    _rename_notes()


def _rename_notes() -> None:
    """The fixes of a file that a batch was made from, in its notes."""
    connection = op.get_bind()
    batches = sa.table("batches", sa.column("number", sa.BigInteger()), sa.column("notes", sa.JSON()))
    with_fixes = sa.cast(batches.c.notes, sa.Text()).contains('"mends"')
    for number, notes in connection.execute(sa.select(batches).where(with_fixes)).all():
        if "mends" in notes:
            fixes = [_rename_keys(fix) for fix in notes["mends"]]
            renamed = {"fixes" if key == "mends" else key: fixes if key == "mends" else notes[key] for key in notes}
            connection.execute(sa.update(batches).where(batches.c.number == number).values(notes=renamed))


def _rename_keys(fix: Mapping[str, object]) -> dict[str, object]:
    return {FIX_KEYS.get(key, key): value for key, value in fix.items()}
