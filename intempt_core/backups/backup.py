"""A backup: the database and the data folder's files, in one folder, made while consoles and workers go on."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from intempt_core import __version__
from intempt_core.backups.data_files import copy_file, iterate_data_files
from intempt_core.backups.manifest import (
    DATABASE_FILES,
    FILES_FOLDER,
    FORM,
    POSTGRESQL,
    SQLITE,
    BackupManifest,
    compute_digest,
)
from intempt_core.backups.postgres_programs import dump_database
from intempt_core.contract import now_ms
from intempt_core.errors import BackupError
from intempt_core.history import History, HistorySnapshot, copy_sqlite_file, hold_snapshot
from intempt_core.settings import Settings

_FOLDER_MODE, _UMASK = 0o700, 0o077


def make_backup(
    settings: Settings,
    folder: Path,
    *,
    clock: Callable[[], int] = now_ms,
    on_step: Callable[[str], None] = lambda _: None,
) -> BackupManifest:
    """Make a backup in a folder that is not there yet, which only this user may enter; it is whole, or not there.

    ``on_step`` is called with what is copied next. Raises :class:`BackupError`, and :class:`HistoryUnavailable` where
    the database cannot be read.
    """
    if folder.exists():
        raise BackupError(f"{folder} is there already. A backup is made in a new folder.")
    if folder.resolve().is_relative_to(settings.data.resolve()):
        raise BackupError(
            f"{folder} is inside the data folder {settings.data}, and would be lost with it. Name another."
        )
    if not settings.database_url and not settings.history_file.is_file():
        raise BackupError(
            f"There is nothing to back up: {settings.data} has no history. CONSOLE_DATA says where it is."
        )
    unfinished = folder.with_name(folder.name + ".unfinished")
    before = os.umask(_UMASK)
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(_FOLDER_MODE)
        manifest = _fill_folder(settings, unfinished, clock, on_step)
        manifest.write(unfinished)
        unfinished.rename(folder)
    except OSError as error:
        raise BackupError(f"The backup cannot be written to {folder}: {error.strerror}.") from None
    finally:
        os.umask(before)
        shutil.rmtree(unfinished, ignore_errors=True)
    return manifest


def _fill_folder(
    settings: Settings, folder: Path, clock: Callable[[], int], on_step: Callable[[str], None]
) -> BackupManifest:
    kind = POSTGRESQL if settings.database_url else SQLITE
    on_step("the database")
    made_at = clock()
    copy = _dump_postgresql if settings.database_url else _copy_sqlite
    snapshot = copy(settings, folder / DATABASE_FILES[kind])
    if settings.sandbox_file.is_file():
        on_step("the sandbox")
        (folder / FILES_FOLDER).mkdir(exist_ok=True)
        _copy_database(settings.sandbox_file, folder / FILES_FOLDER / settings.sandbox_file.name)
    on_step("files")
    for inside in iterate_data_files(settings.data):
        copy_file(settings.data / inside, folder / FILES_FOLDER / inside)
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): compute_digest(path) for path in written}
    return BackupManifest(FORM, made_at, __version__, snapshot.schema, kind, snapshot.rows, files)


def _copy_sqlite(settings: Settings, file: Path) -> HistorySnapshot:
    _copy_database(settings.history_file, file)
    url = f"sqlite:///{quote(str(file))}"
    with closing(History.open(url)) as history, hold_snapshot(history.database) as snapshot:
        pass  # opened, an older one is migrated, so that it is counted as it will be
    for beside in file.parent.glob(f"{file.stem}.*"):
        if beside != file:
            beside.unlink()
    return snapshot


def _copy_database(source: Path, copy: Path) -> None:
    try:
        copy_sqlite_file(source, copy)
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied to {copy.parent}: {error}.") from None


def _dump_postgresql(settings: Settings, file: Path) -> HistorySnapshot:
    with (
        closing(History.open(settings.database_url)) as history,
        hold_snapshot(history.database) as snapshot,
    ):
        dump_database(settings.database_url, file, snapshot.exported)
        return snapshot
