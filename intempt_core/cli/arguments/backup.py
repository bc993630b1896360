"""``backup`` and ``restore``: what they take."""

import argparse
from pathlib import Path

from intempt_core.cli.arguments.command import Command

_BACKUP_EPILOG = """\
examples:
  backup backups/monday

The console, workers and commands may go on meanwhile. FOLDER must not be there yet; it gets the database (of PostgreSQL
by pg_dump), the sandbox, and every other file of the data folder that is not made again. secrets.toml and keys are not
in it.

exit codes: 0 the backup is whole · 1 there is none, and why · 130 interrupted: there is none
"""

_RESTORE_EPILOG = """\
examples:
  restore backups/monday

CONSOLE_DATA has to be an empty folder, and CONSOLE_DATABASE_URL, where it is set, an empty database. Every file is
compared with what the backup says first, every count afterwards. Batches that were being sent are paused: what was
queued may have been sent since the backup was made, so a person decides about each.

exit codes: 0 all of it is restored · 1 not, and why · 130 interrupted: begin again with an empty folder and database
"""


def _add_backup_arguments(backup: argparse.ArgumentParser) -> None:
    backup.add_argument("folder", type=Path, metavar="FOLDER", help="the folder to make")


def _add_restore_arguments(restore: argparse.ArgumentParser) -> None:
    restore.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of a backup")


BACKUP = Command(
    "backup",
    "copy everything that the console keeps into a folder",
    _BACKUP_EPILOG,
    _add_backup_arguments,
    run="back_up",
    loads_much=True,
)
RESTORE = Command(
    "restore",
    "restore a backup into an empty data folder or database",
    _RESTORE_EPILOG,
    _add_restore_arguments,
    run="restore",
    loads_much=True,
)
