"""The tables of the sandbox's database."""

import sqlite3

VERSION = 1
"""``PRAGMA user_version`` of a database with these tables."""

TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS projects (
    id INTEGER PRIMARY KEY, org TEXT NOT NULL, project TEXT NOT NULL, UNIQUE (org, project)
);
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, org TEXT NOT NULL, project TEXT NOT NULL,
    source TEXT NOT NULL, client TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS arrivals (
    id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, project INTEGER NOT NULL, source TEXT NOT NULL,
    client TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, arrival INTEGER NOT NULL, project INTEGER NOT NULL, name TEXT,
    event_id TEXT, profile_id TEXT, user_id TEXT, another_user_id TEXT, account_id TEXT, product_id TEXT, time INTEGER,
    line INTEGER NOT NULL, codes TEXT NOT NULL, because TEXT NOT NULL, repeat_of INTEGER, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS unprocessed ON events (seq) WHERE because <> '' OR repeat_of IS NOT NULL;
CREATE TABLE IF NOT EXISTS firsts (
    project INTEGER NOT NULL, event_id TEXT NOT NULL, product_id TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (project, event_id, product_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mentions (
    project INTEGER NOT NULL, node TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (project, node, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    project INTEGER NOT NULL, node TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (project, node, other)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consents (
    id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, org TEXT NOT NULL, project TEXT NOT NULL, body TEXT NOT NULL
);
PRAGMA user_version = 1;
COMMIT;
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Make a fresh connection ours: write-ahead log, and the tables where they are missing.

    Raises :class:`sqlite3.Error`, among it :class:`sqlite3.DatabaseError` for a file that a later version made.
    """
    connection.execute(
        "PRAGMA synchronous = NORMAL"
    )  # survives a killed process; a power cut may cost the last commits
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -32000")  # 32 MB: event ids come in no order
    connection.execute("PRAGMA wal_autocheckpoint = 8000")  # 32 MB, for the same reason
    ((version,),) = connection.execute("PRAGMA user_version")
    if version == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(TABLES)
    elif version != VERSION:
        raise sqlite3.DatabaseError(f"it was made by another version of the sandbox ({version}, not {VERSION})")
