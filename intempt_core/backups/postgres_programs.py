"""``pg_dump`` and ``pg_restore``: found, and called so that no password is among their arguments."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

from intempt_core.errors import BackupError
from intempt_core.settings import hide_password

DEBIAN_PROGRAMS = Path("/usr/lib/postgresql")
"""Where Debian has the programs of each version."""

ENGINE_SCHEMA = "dbos"
"""What the durable engine keeps: which groups of lanes were being sent. History is the truth; it is made again."""

_DUMP = ("--format=custom", "--compress=1", "--no-owner", "--no-privileges", f"--exclude-schema={ENGINE_SCHEMA}")
_RESTORE = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")


def dump_database(url: str, file: Path, snapshot: str) -> None:
    """Dump a database as one of its transactions sees it, which has exported ``snapshot``.

    Raises :class:`BackupError`.
    """
    _run_program("pg_dump", url, [*_DUMP, f"--snapshot={snapshot}", f"--file={file}"])


def restore_dump(url: str, file: Path) -> None:
    """Restore a dump into an empty database, in one transaction. Raises :class:`BackupError`."""
    _run_program("pg_restore", url, [*_RESTORE, str(file)])


def _run_program(name: str, url: str, arguments: Sequence[str]) -> None:
    address = make_url(url).set(drivername="postgresql")
    password = address.password
    bare = address._replace(password=None).render_as_string(hide_password=False)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password is not None else {})}
    command = [_find_program(name), f"--dbname={bare}", *arguments]
    ran = subprocess.run(  # noqa: S603  its arguments are ours
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ran.returncode:
        if "already exists" in ran.stderr:
            raise BackupError(
                f"The database {hide_password(url)} is not empty, and nothing was changed in it. Create an empty one"
                " and set CONSOLE_DATABASE_URL to it."
            )
        said = " ".join(ran.stderr.split()[:60]) or f"exit code {ran.returncode}"
        raise BackupError(f"{name} failed at {hide_password(url)}: {_mask(said, password)}")


def _mask(said: str, password: object) -> str:
    return said if not password else said.replace(str(password), "***")


def _find_program(name: str) -> str:
    """The program of the newest version, which reads servers of every earlier one. Raises :class:`BackupError`."""
    newest = sorted(DEBIAN_PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = str(newest[-1]) if newest else shutil.which(name)
    if found is None:
        raise BackupError(
            f"The program {name} is not on this machine. Install PostgreSQL's client (in Debian postgresql-client), of"
            " the server's version or a newer one."
        )
    return found
