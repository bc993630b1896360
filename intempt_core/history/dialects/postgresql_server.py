"""Connections to a PostgreSQL server: how they are made, what its errors mean, and what is not taken for a server."""

import re
import selectors
from typing import Any

from sqlalchemy import URL, Connection, Engine, event, exc, text

from intempt_core.history.dialects.lock_timeout import WRITE_OPTION, LockTimeout

CONNECT_SECONDS = 5
"""How long a server that does not respond is waited for."""

STALLED_SECONDS = 15
"""After how long a connection over which nothing comes through any more is given up."""

IDLE_IN_TRANSACTION_SECONDS = 10
"""After how long the server ends a transaction whose process does nothing: a frozen one would hold up all others."""

OLDEST_VERSION = 130_000
"""The oldest server that is used, as PostgreSQL numbers its versions: the oldest that its makers still care for."""

CONFLICT_STATES = frozenset(("40001", "40P01"))
"""The codes of transactions that met in a way that lets only one go on: the other one is repeated."""

_ERROR_MESSAGES = {
    "3D000": "does not exist. Make it (createdb), or correct CONSOLE_DATABASE_URL.",
    "28": "does not take this user or its password. Correct CONSOLE_DATABASE_URL.",
    "42501": "does not give this user the right that is needed. Let its owner GRANT CREATE, USAGE ON SCHEMA public, or"
    " make this user the owner of the database.",
    "25006": "is read-only: it is a copy of another server, or set so. Give the address of the server that is written.",
    "53100": "cannot grow: the disk of its server is full. Free some space there; work goes on when there is some.",
    "53200": "cannot be used: its server is out of memory. Work goes on when there is some.",
    "53300": "takes no more connections. Raise max_connections of its server, or stop what holds them.",
    "55P03": "is locked by another program. Work goes on when it is released.",
    "08": "cannot be reached: the connection broke. Work goes on when it is back.",
    "57P": "is being stopped or started. Work goes on when it is back.",
    "25P03": "ended a transaction, because this process did not go on with it for too long. It is tried again.",
    "40": "was written by another process at the same moment. It is tried again.",
    "58": "cannot be read or written: its server reports an error of the disk.",
    "XX001": "is damaged: its server says so. Restore a copy of it.",
    "XX002": "is damaged: its server says so. Restore a copy of it.",
}
"""What a code means that begins so."""

_CONNECT_MESSAGES = (
    (r"password authentication failed|no password supplied|no pg_hba.conf entry|role .* does not exist", "28"),
    (r"database .* does not exist", "3D000"),
    (r"too many clients|remaining connection slots|too many connections", "53300"),
    (r"is starting up|is shutting down|not yet accepting connections|in recovery mode", "57P"),
)
"""What a server says to one who connects, and the code that it means: the driver gives none there."""

_OWN_MISTAKES = ("22", "23", "42", "0A")
"""Codes of mistakes of this program; rights that are lacking are none."""


def find_state(error: BaseException | None) -> str | None:
    """PostgreSQL's code of an error; empty where the server did not respond, ``None`` where it is no error of that."""
    if error is None or type(error).__module__.partition(".")[0] != "psycopg":
        return None
    # What the driver itself says of a statement has no code; a server that cannot be reached is an OperationalError.
    unknown = "" if any(kind.__name__ == "OperationalError" for kind in type(error).__mro__) else "42000"
    return str(getattr(error, "sqlstate", None) or unknown)


def is_own_mistake(state: str) -> bool:
    """Whether a code says that this program asked for something wrong."""
    return state.startswith(_OWN_MISTAKES) and state not in _ERROR_MESSAGES


def describe_state(state: str, error: BaseException) -> str:
    """What an error means, as the rest of a sentence that begins with the database."""
    for code, message in _ERROR_MESSAGES.items():
        if state.startswith(code):
            return message
    said = re.split(r" Is the server running| This probably means", " ".join(str(error).split()))[0].rstrip(".")
    if not state:
        for words, code in _CONNECT_MESSAGES:
            if re.search(words, said):
                return _ERROR_MESSAGES[code]
        return f"cannot be reached: {said}. Work goes on when it is back."
    return f"cannot be used: {said}."


def describe_address(url: URL) -> str:
    """What a database is called in sentences, without its user and password."""
    host = url.host or url.query.get("host") or "this machine"
    return f"History (database {url.database} on {host}{f':{url.port}' if url.port else ''})"


def make_connect_arguments(url: URL) -> dict[str, Any]:
    """The arguments of new connections, without those that the address has itself. Any: SQLAlchemy's."""
    usual = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "event-console",
        "keepalives_idle": STALLED_SECONDS // 3,
        "keepalives_interval": STALLED_SECONDS // 3,
        "keepalives_count": 2,
        "tcp_user_timeout": STALLED_SECONDS * 1000,
    }
    return {name: value for name, value in usual.items() if name not in url.query}


def configure_postgresql(engine: Engine, lock_timeout: LockTimeout) -> None:
    """Let connections give up locks and end transactions that hang, and look whether one is alive before it is used."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:  # Any: psycopg's connection, and the pool's record
        connection.autocommit = True
        connection.execute(
            f"SELECT set_config('lock_timeout', '{int(1000 * lock_timeout.turn_seconds)}', false),"
            f" set_config('idle_in_transaction_session_timeout', '{IDLE_IN_TRANSACTION_SECONDS * 1000}', false)"
        )
        connection.autocommit = False

    @event.listens_for(engine, "checkout")
    def checkout(connection: Any, _record: Any, _proxy: Any) -> None:
        if connection.closed or _is_readable(connection.fileno()):
            raise exc.DisconnectionError  # the pool makes another one

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if lock_timeout.shortened and connection.get_execution_options().get(WRITE_OPTION):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(1000 * lock_timeout.turn_seconds)}")


def find_unfit(engine: Engine) -> str:
    """Why a server cannot hold history, as the rest of a sentence; empty where it can.

    A pooler gives a transaction any of its connections: what a session sets, or listens to, is then another's. Two
    connections that are open at once and have one process of the server betray it.
    """
    with engine.connect() as one, engine.connect() as other:
        asked = text("SELECT pg_backend_pid(), current_setting('server_version_num')::int, getdatabaseencoding()")
        process, version, encoding = one.execute(asked).one()
        one.rollback()
        also_process = other.execute(asked).one()[0]
        other.rollback()
    if version < OLDEST_VERSION:
        return f"is on PostgreSQL {version // 10_000}; it takes {OLDEST_VERSION // 10_000} or newer."
    if encoding != "UTF8":
        return f"is encoded as {encoding}: not every text fits in. Make one with ENCODING 'UTF8' TEMPLATE template0."
    if process == also_process:
        return (
            "is reached through a pooler that shares a connection between transactions, which forbids what sessions"
            " need (settings, LISTEN). Give the address of PostgreSQL itself, or let the pooler work by session."
        )
    return ""


def ask_time(engine: Engine) -> float:
    """The server's time, in epoch seconds."""
    with engine.connect() as connection:
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def _is_readable(descriptor: int) -> bool:
    """Whether a connection that should be silent has something to say: that the server ended it."""
    with selectors.DefaultSelector() as watched:
        watched.register(descriptor, selectors.EVENT_READ)
        return bool(watched.select(0))
