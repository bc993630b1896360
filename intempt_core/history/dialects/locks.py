"""Locks between transactions of several processes that write at once, as PostgreSQL lets them.

With SQLite one transaction writes at a time and none of this is needed. The locks are PostgreSQL's advisory ones: they
end with the transaction, and who waits for one gets it in the order of asking.
"""

from sqlalchemy import Connection, Table

BATCH_LOCK, TARGET_LOCK, SEARCH_INDEX_LOCK = 1501, 1502, 1503
"""The first of the two numbers of a lock, by what it is about."""

_LOCK_TARGET_OF_BATCH_SQL = (
    f"SELECT pg_advisory_xact_lock({TARGET_LOCK}, hashtext(target_key)) FROM batches WHERE id = %s"  # noqa: S608
)
_LOCK_TARGET_SQL = f"SELECT pg_advisory_xact_lock({TARGET_LOCK}, hashtext(%s))"
_LOCK_BATCH_SQL = f"SELECT pg_advisory_xact_lock({BATCH_LOCK}, (number %% 2147483647)::int) FROM batches WHERE id = %s"  # noqa: S608
_TRY_INDEX_SQL = f"SELECT pg_try_advisory_xact_lock({SEARCH_INDEX_LOCK}, 0)"


def lock_target(connection: Connection, key: str) -> None:
    """Let no other transaction record a batch to this target until this one ends.

    So each transaction that records sees what the ones before it have recorded, and the batches of a target are
    numbered in the order in which they can be seen.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK_TARGET_SQL, (key,))


def lock_target_of_batch(connection: Connection, batch: str) -> None:
    """Let no other transaction record a batch to the target of this one until this transaction ends.

    Where both are needed this one is taken before the lock of the batch's state, as a recording takes them.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK_TARGET_OF_BATCH_SQL, (batch,))


def lock_batch_state(connection: Connection, batch: str) -> None:
    """Let no request of a batch change until this transaction ends, and wait for those that change now."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK_BATCH_SQL, (batch,))


def lock_table(connection: Connection, table: Table) -> None:
    """Let no other transaction write a small table until this one ends; others may read it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE')


def try_lock_search_index(connection: Connection) -> bool:
    """Whether no other transaction fills the search index; none does until this one ends."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.exec_driver_sql(_TRY_INDEX_SQL).scalar())
