"""The tables of the sandbox's database, and the migrations of earlier versions."""

import sqlite3

SANDBOX_SCHEMA_VERSION = 4
"""``PRAGMA user_version`` of a database with these tables."""

SANDBOX_TABLES = """
CREATE TABLE IF NOT EXISTS projects (
    id INTEGER PRIMARY KEY, org TEXT NOT NULL, project TEXT NOT NULL, UNIQUE (org, project)
);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, org TEXT NOT NULL, project TEXT NOT NULL,
    source TEXT NOT NULL, client TEXT NOT NULL, body BLOB NOT NULL, size INTEGER NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, address TEXT NOT NULL, headers TEXT NOT NULL, status INTEGER, message TEXT NOT NULL,
    fault TEXT NOT NULL, stored INTEGER NOT NULL, deduplicates INTEGER NOT NULL, authorized INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS not_stored ON requests (id) WHERE NOT stored;
CREATE INDEX IF NOT EXISTS request_rings ON requests (authorized, id);
CREATE TABLE IF NOT EXISTS projection (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL);
INSERT OR IGNORE INTO projection (one, upto) VALUES (1, 0);
CREATE TABLE IF NOT EXISTS arrivals (
    id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, project INTEGER NOT NULL, source TEXT NOT NULL,
    client TEXT NOT NULL, address TEXT NOT NULL DEFAULT '', first INTEGER, events INTEGER
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
"""
"""``requests`` holds the last requests as they came, as two rings: those with the key, and all others;
``projection`` up to which of them the other tables are filled; an arrival's events are ``events`` in number, from the
seq ``first``.
"""

MIGRATE_FROM_3 = """
ALTER TABLE requests ADD COLUMN authorized INTEGER NOT NULL DEFAULT 1;
UPDATE requests SET authorized = 0 WHERE NOT stored AND fault = '' AND status IN (401, 403, 404, 405);
"""
"""Of earlier requests the status says whether they had the key."""

MIGRATE_FROM_2 = """
ALTER TABLE requests RENAME COLUMN told TO message;
ALTER TABLE requests RENAME COLUMN taken TO stored;
ALTER TABLE digested RENAME TO projection;
DROP INDEX untaken;
"""
"""Names only; the index gets its new one with the tables."""

MIGRATE_FROM_1 = """
INSERT INTO requests (id, received_at, org, project, source, client, body, size, method, path, address, headers, status,
                      message, fault, stored, deduplicates)
SELECT id, received_at, org, project, source, client, body, length(body), 'POST', '', '', '[]', 201, '', '', 1, 1
FROM inbox;
DELETE FROM sqlite_sequence WHERE name = 'requests';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'requests', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'inbox'), 0);
UPDATE projection SET upto = coalesce((SELECT min(id) - 1 FROM inbox),
                                    (SELECT seq FROM sqlite_sequence WHERE name = 'requests'));
DROP TABLE inbox;
ALTER TABLE arrivals ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE arrivals ADD COLUMN first INTEGER;
ALTER TABLE arrivals ADD COLUMN events INTEGER;
"""
"""Version 1 deleted a request as soon as its events were in their table."""


def prepare_sandbox_database(connection: sqlite3.Connection) -> None:
    """Prepare a new connection: pragmas, and the tables where they are missing or of an earlier version.

    Raises :class:`sqlite3.Error`, among it :class:`sqlite3.DatabaseError` for a file that a later version made.
    """
    connection.execute(
        "PRAGMA synchronous = NORMAL"
    )  # survives a killed process; a power cut may cost the last commits
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -32000")  # 32 MB: event ids come in no order
    connection.execute("PRAGMA wal_autocheckpoint = 64000")  # 256 MB: store.py checkpoints when nothing is waiting
    connection.execute("PRAGMA journal_size_limit = 64000000")  # of the log, after a flood
    version = _read_version(connection)
    if version > SANDBOX_SCHEMA_VERSION:
        raise sqlite3.DatabaseError(
            f"it was made by another version of the sandbox ({version}, not {SANDBOX_SCHEMA_VERSION})"
        )
    if version < SANDBOX_SCHEMA_VERSION:
        connection.execute("PRAGMA journal_mode = WAL")
        _create_or_migrate(connection)


def _read_version(connection: sqlite3.Connection) -> int:
    ((version,),) = connection.execute("PRAGMA user_version")
    return int(version)


def _create_or_migrate(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _read_version(connection)  # another process may have been faster
        if version < SANDBOX_SCHEMA_VERSION:
            steps = (
                (MIGRATE_FROM_2 if version == 2 else "")
                + (MIGRATE_FROM_3 if version in (2, 3) else "")
                + SANDBOX_TABLES
                + (MIGRATE_FROM_1 if version == 1 else "")
                + f"PRAGMA user_version = {SANDBOX_SCHEMA_VERSION};"
            )
            for statement in steps.split(";")[:-1]:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
