"""The tables of a PostgreSQL database that receives a history: locked, looked whether they are empty, filled, compared.

Indexes and foreign keys are dropped before the rows come and made again after them, which takes a fraction of the time
of keeping them up row by row. PostgreSQL does so inside the transaction: what fails leaves everything as it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects import postgresql

from intempt_core.errors import HistoryUnavailable, NotAllowed
from intempt_core.history.transfer.copy_lines import list_columns

LOCK_SECONDS = 5
"""How long other processes that use the database are waited for."""

INDEX_MEMORY = "256MB"
"""Memory for making an index."""

_BEGIN = f"""\
SET LOCAL lock_timeout = '{LOCK_SECONDS}s';
SET LOCAL statement_timeout = 0;
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL maintenance_work_mem = '{INDEX_MEMORY}';
SET LOCAL enable_sort = off
"""

_FIND_INDEXES = """\
SELECT 'DROP INDEX ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
FROM pg_index WHERE indrelid = ANY (%s::regclass[]) AND NOT indisprimary
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
ORDER BY indexrelid"""

_FIND_FOREIGN_KEYS = """\
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
    format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = ANY (%s::regclass[]) AND contype = 'f'
ORDER BY oid"""


class TargetTables:
    """The tables that receive a history, in one transaction of a connection, which the caller ends."""

    def __init__(self, connection: psycopg.Connection[Any], tables: Sequence[Table]) -> None:
        self._connection, self._tables = connection, tables
        self._names = [table.name for table in tables]
        self._restoring: list[str] = []

    def lock(self) -> None:
        """Keep every other process from the tables. Raises :class:`NotAllowed` where one uses them, or one has rows."""
        self._connection.execute(_BEGIN)
        try:
            self._connection.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(
                    sql.SQL(", ").join(map(sql.Identifier, self._names))
                )
            )
        except psycopg.errors.LockNotAvailable:
            raise NotAllowed(
                "The database that is moved to is in use. Stop the consoles, workers and commands that use it."
            ) from None
        filled = [name for name in self._names if self._has_rows(name)]
        if filled:
            raise NotAllowed(
                f"The database that is moved to holds something already, in {', '.join(filled)}. A history is moved"
                " into an empty database, and never added to another one: name another database."
            )

    def drop_indexes(self) -> None:
        """Drop indexes and foreign keys, and remember how to make them again."""
        found = [
            *self._connection.execute(_FIND_FOREIGN_KEYS, [self._names]),
            *self._connection.execute(_FIND_INDEXES, [self._names]),
        ]
        for drop, _ in found:
            self._connection.execute(drop)
        self._restoring = [make for _, make in reversed(found)]  # indexes before the foreign keys that may use them

    def restore_indexes(self) -> Iterator[tuple[int, int]]:
        """Make indexes and foreign keys again, one at each step: how many are made, of how many."""
        for number, make in enumerate(self._restoring):
            yield number, len(self._restoring)
            try:
                self._connection.execute(make)
            except psycopg.IntegrityError as error:
                raise HistoryUnavailable(
                    f"The rows of the file do not belong together: {error.diag.message_primary}"
                    f" ({error.diag.message_detail}) Nothing was moved."
                ) from None

    def fill(self, table: Table, blocks: Iterable[tuple[int, bytes]]) -> Iterator[int]:
        """Write blocks of lines into a table; after each of them, how many rows were given until now."""
        rows = 0
        with self._translating(table), self._connection.cursor() as cursor:
            with cursor.copy(f"COPY {_name(table)} ({list_columns(table)}) FROM STDIN") as copy:
                for count, lines in blocks:
                    copy.write(lines)
                    rows += count
                    yield rows
            if cursor.rowcount != rows:
                raise HistoryUnavailable(
                    f"The database that is moved to took {cursor.rowcount:,} of {rows:,} rows of {table.name}."
                    " Nothing was moved."
                )

    def read_back(self, table: Table) -> Iterator[bytes]:
        """Every row of a table as its line, in the order of its key, some lines at a time."""
        query = f"COPY (SELECT {list_columns(table)} FROM {_name(table)} ORDER BY {_list_key(table)}) TO STDOUT"  # noqa: S608  of our own schema
        with self._translating(table), self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for lines in copy:
                yield bytes(lines)

    def set_sequences(self) -> None:
        """Let the ids that come next follow the largest ones."""
        for table in self._tables:
            for column in table.primary_key.columns:
                (sequence,) = self._query("SELECT pg_get_serial_sequence(%s, %s)", [table.name, column.name])
                if sequence is not None:
                    self._connection.execute(
                        sql.SQL("SELECT setval({}, coalesce(max({}), 1), max({}) IS NOT NULL) FROM {}").format(
                            sequence, *[sql.Identifier(column.name)] * 2, sql.Identifier(table.name)
                        )
                    )

    def analyze(self) -> None:
        """Let the database know what the tables hold, so that its first queries are planned well."""
        for name in self._names:
            self._connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))

    def _has_rows(self, name: str) -> bool:
        return bool(self._query(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(name)))[0])

    def _query(self, query: sql.SQL | sql.Composed | LiteralString, values: Sequence[object] = ()) -> tuple[Any, ...]:
        """The only row of a query. Any: what the database gives."""
        row = self._connection.execute(query, values or None).fetchone()
        assert row is not None  # noqa: S101  such a query has exactly one row
        return tuple(row)

    @contextmanager
    def _translating(self, table: Table) -> Iterator[None]:
        try:
            yield
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            where = f" ({error.diag.context})" if error.diag.context else ""
            raise HistoryUnavailable(
                f"PostgreSQL does not take a row of {table.name}: {error.diag.message_primary or error}{where}. Nothing"
                " was moved."
            ) from None


def _name(table: Table) -> str:
    return f'"{table.name}"'


def _list_key(table: Table) -> str:
    """The columns of a table's key, texts in the order of their bytes, as SQLite has them."""
    return ", ".join(
        f'"{column.name}"' + (' COLLATE "C"' if _needs_collation(column) else "")
        for column in table.primary_key.columns
    )


def _needs_collation(column: Column[Any]) -> bool:
    kind = column.type.dialect_impl(postgresql.dialect())  # type: ignore[no-untyped-call]
    return isinstance(kind, Text) and kind.collation != "C"
