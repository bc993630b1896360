"""The versions of history's schema, and the migration from each of them to the newest.

A new version is one more module in ``versions/`` and a new :data:`HEAD`. A version never imports ``schema.py``, which
has the newest state only: it states every table and value itself.
"""

from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect, text

HEAD = "0014"
"""The newest version."""


def version(connection: Connection) -> str | None:
    """The schema's version in this database, ``None`` where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def create(connection: Connection, newest: MetaData) -> None:
    """Create the newest tables in an empty database at once: a tenth of the time of running every version.

    A test holds that both ways lead to the same tables.
    """
    newest.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the database to a version, inside the connection's transaction: all of the way, or not at all."""
    from alembic import command  # noqa: PLC0415  costs 0.1 s, and nearly every start finds the newest version in place
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    command.upgrade(config, to)
