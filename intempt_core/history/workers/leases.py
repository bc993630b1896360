"""Leases: which processes are alive that send from a database of many machines.

A lease says until when its process counts as alive. The process renews it three times in that time; one that cannot is
dead for all others, and finds out when it comes back. A lease that ends later than one may was written by a person: it
is worth nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, FromClause, delete, insert, literal_column, select, update

from intempt_core.history.database import Database
from intempt_core.history.migrations import HEAD, version
from intempt_core.history.schema import workers
from intempt_core.history.workers.connections import ConnectionCutter

LEASE_SECONDS = 15.0
"""How long a process counts as alive after it has renewed its lease."""

RENEW_SECONDS = 5.0
"""How often a process renews its lease."""

NOW_MS: ColumnElement[int] = literal_column("(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
"""The database's clock in epoch ms, also in the middle of a transaction."""

_LEASE_MS = int(LEASE_SECONDS * 1000)
_EXPIRY = NOW_MS + _LEASE_MS
_CLOCK_TOLERANCE_MS = 1_000


def is_alive(table: FromClause) -> ColumnElement[bool]:
    """The condition on a table of leases, or an alias of it, that their processes count as alive."""
    expires_at = table.c.expires_at
    return (expires_at > NOW_MS) & (expires_at <= _EXPIRY + _CLOCK_TOLERANCE_MS)


class WorkerKind(StrEnum):
    """What a process with a lease is."""

    WORKER = "worker"
    CONSOLE = "console"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class WorkerLease:
    """A process that counts as alive.

    Attributes:
        name: its name in history, which owns batches and groups of lanes.
        kind: what it is.
        host: the machine on which it runs.
        pid: its number there.
        url: where it is reached, if it is a console.
        version: the version of the console.
        engine: the version of the work that it takes from the engine's queue; empty where it takes none.
        started_at: when it began, in epoch ms.
        draining: whether it takes nothing new, because it ends.
    """

    name: str
    kind: WorkerKind
    host: str
    pid: int
    url: str = ""
    version: str = ""
    engine: str = ""
    started_at: int = 0
    draining: bool = False

    @property
    def title(self) -> str:
        """What people know it by."""
        return f"{self.kind.value} {self.host}, process {self.pid}"


class WorkerLeases:
    """The leases of all processes that send."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cutter = ConnectionCutter(database.engine) if self.are_used else None

    def cut_connections(self) -> None:
        """Cut this process's connections to the database: calls that wait without end fail, and are made again."""
        if self._cutter is not None:
            self._cutter.cut()

    @property
    def are_used(self) -> bool:
        """Whether processes are known by leases here: in a database that machines share, not in a file."""
        return self._database.file is None

    def begin(self, lease: WorkerLease) -> None:
        """Begin a lease, in the place of one of the same name that has ended."""
        row = {
            "name": lease.name,
            "kind": lease.kind.value,
            "host": lease.host,
            "pid": lease.pid,
            "url": lease.url,
            "version": lease.version,
            "engine": lease.engine,
            "draining": lease.draining,
        }
        with self._database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.name == lease.name))
            connection.execute(insert(workers).values(**row, started_at=NOW_MS, expires_at=_EXPIRY))

    def renew(self, name: str, *, draining: bool = False) -> bool:
        """Renew a lease; ``False`` where there is none any more: what its process owned may be another's by now."""
        mine = update(workers).where(workers.c.name == name)
        with self._database.writing() as connection:
            return connection.execute(mine.values(expires_at=_EXPIRY, draining=draining)).rowcount == 1

    def describe_newer_schema(self) -> str:
        """Why this version must not write any more, in sentences: a newer one has migrated the database. Else empty."""
        with self._database.reading() as connection:
            found = version(connection)
        if found is None or found <= HEAD:
            return ""
        return (
            f"A newer version has brought the database to schema {found}, and this one knows {HEAD}: it sends nothing"
            " more. Start the newer version here too."
        )

    def end(self, name: str) -> None:
        """End a lease: its process sends nothing any more."""
        with self._database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.name == name))

    def list_alive(self, kinds: Iterable[WorkerKind] = WorkerKind) -> list[WorkerLease]:
        """The processes of some kinds that are alive, those that began first first; none in a file."""
        if not self.are_used:
            return []
        columns = [workers.c[name] for name in WorkerLease.__dataclass_fields__]
        asked = select(*columns).where(is_alive(workers), workers.c.kind.in_([kind.value for kind in kinds]))
        with self._database.reading() as connection:
            rows = connection.execute(asked.order_by(workers.c.started_at, workers.c.name)).all()
        return [WorkerLease(row[0], WorkerKind(row[1]), *row[2:]) for row in rows]

    def is_alive(self, name: str) -> bool:
        """Whether the process of that name is alive; an empty name never is."""
        if not name:
            return False
        asked = select(workers.c.name).where(workers.c.name == name, is_alive(workers))
        with self._database.reading() as connection:
            return connection.execute(asked).first() is not None
