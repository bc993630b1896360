"""Named documents: a table of JSON texts, each under a name that is there once."""

from enum import Enum

from sqlalchemy import Table, delete, func, insert, select, update

from intempt_core.history.database import Database
from intempt_core.history.dialects.conflicts import retry_conflicts
from intempt_core.history.dialects.locks import lock_table
from intempt_core.history.schema import make_storable


class WriteResult(Enum):
    """What came of writing a document."""

    WRITTEN = "written"
    TAKEN = "its name is another's"
    FULL = "there are as many as there may be"


class NamedDocuments:
    """The documents of one table. A name comes with a ``key``, which is the same for names that count as the same."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table

    def read_all(self) -> list[tuple[str, str]]:
        """Every name and its document, by key."""
        columns = self._table.c
        with self._database.reading() as connection:
            found = connection.execute(select(columns.name, columns.document).order_by(columns.key))
            return [(row.name, row.document) for row in found]

    def read(self, key: str) -> tuple[str, str] | None:
        """The name and the document of a key; ``None`` where there is none."""
        columns = self._table.c
        with self._database.reading() as connection:
            row = connection.execute(
                select(columns.name, columns.document).where(columns.key == _write_key(key))
            ).first()
            return None if row is None else (row.name, row.document)

    @retry_conflicts
    def write(self, key: str, name: str, document: str, *, replaces: str = "", most: int) -> WriteResult:
        """Keep a document; nothing is written where its key is another's, or where there would be more than ``most``.

        ``replaces`` is the key of the one that it takes the place of; where that is gone, it is a new one.
        """
        columns = self._table.c
        key, replaces = _write_key(key), _write_key(replaces)
        values = {"name": make_storable(name), "document": document, "changed_at": self._database.clock()}
        with self._database.writing() as connection:
            lock_table(connection, self._table)
            there = set(connection.execute(select(columns.key).where(columns.key.in_([key, replaces]))).scalars())
            if key in there and key != replaces:
                return WriteResult.TAKEN
            if replaces in there:
                connection.execute(update(self._table).where(columns.key == replaces).values(key=key, **values))
                return WriteResult.WRITTEN
            if connection.execute(select(func.count()).select_from(self._table)).scalar_one() >= most:
                return WriteResult.FULL
            connection.execute(insert(self._table).values(key=key, **values))
            return WriteResult.WRITTEN

    @retry_conflicts
    def delete(self, key: str) -> None:
        """Delete the document of a key; one that is not there is no error."""
        with self._database.writing() as connection:
            connection.execute(delete(self._table).where(self._table.c.key == _write_key(key)))


def _write_key(key: str) -> str:
    return make_storable(key)
