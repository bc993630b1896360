"""The way back: a backup goes into an empty database and data folder, is compared, and nothing is sent by itself.

What was queued when the backup was made may have been sent since. So batches that were being sent are *paused*, and a
person decides about each.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from intempt_core.backups.data_files import copy_file, iterate_data_files
from intempt_core.backups.manifest import (
    DATABASE_FILES,
    FILES_FOLDER,
    POSTGRESQL,
    SQLITE,
    BackupManifest,
)
from intempt_core.backups.postgres_programs import restore_dump
from intempt_core.dispatch import hold_data_folder
from intempt_core.errors import BackupError
from intempt_core.history import HEAD, BatchState, History, hold_snapshot
from intempt_core.settings import Settings

_UMASK = 0o077


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored.

    Attributes:
        manifest: What the backup holds.
        paused: The ids of batches that were being sent, and are paused now.
        files: How many files of the data folder were restored, the databases among them.
    """

    manifest: BackupManifest
    paused: tuple[str, ...]
    files: int


def restore_backup(
    settings: Settings, folder: Path, *, on_step: Callable[[str], None] = lambda _: None
) -> RestoreReport:
    """Restore a backup to where the settings say that database and data are; both have to be empty.

    ``on_step`` is called with what is done next. Raises :class:`BackupError` where the backup is damaged or something
    is there already, :class:`NotAllowed` where a process uses the data folder, and :class:`HistoryUnavailable`.
    """
    on_step("checking the backup")
    manifest = BackupManifest.read(folder)
    _check_kind(manifest, settings)
    manifest.check_files(folder)
    before = os.umask(_UMASK)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        with hold_data_folder(settings.data):
            _check_empty(settings)
            on_step("copying")
            restored = _restore_files(folder, manifest, settings)
            on_step("comparing")
            with closing(History.open(settings.history_url)) as history:  # an older one is migrated
                _compare(history, manifest)
                return RestoreReport(manifest, _pause_batches(history, manifest.made_at), len(restored))
    except OSError as error:
        raise BackupError(f"The backup cannot be restored to {settings.data}: {error.strerror}.") from None
    finally:
        os.umask(before)


def _check_kind(manifest: BackupManifest, settings: Settings) -> None:
    wanted = POSTGRESQL if settings.database_url else SQLITE
    if manifest.database != wanted:
        how = (
            "Unset CONSOLE_DATABASE_URL, restore it, then move it: event-console move."
            if manifest.database == SQLITE
            else "Set CONSOLE_DATABASE_URL to an empty database."
        )
        raise BackupError(f"This backup is of {manifest.database}, and the settings name {wanted}. {how}")
    if manifest.schema > HEAD:
        raise BackupError(
            f"This backup was made by a newer console (version {manifest.version}, tables {manifest.schema}; this one"
            f" knows {HEAD}). Restore it with that one."
        )


def _check_empty(settings: Settings) -> None:
    data = settings.data
    there = [path for path in (settings.history_file, settings.sandbox_file) if path.exists()]
    there += [data / inside for inside in iterate_data_files(data)]
    if there:
        raise BackupError(
            f"{there[0]} is there already, and nothing is overwritten. Move the data folder away, or set"
            " CONSOLE_DATA to an empty one."
        )


def _restore_files(folder: Path, manifest: BackupManifest, settings: Settings) -> list[Path]:
    """Copy the files of the data folder, and return where they are now. Of a failure nothing is left."""
    source, restored = folder / FILES_FOLDER, list[Path]()
    found = [path for path in sorted(source.rglob("*")) if path.is_file()] if source.is_dir() else []
    with ExitStack() as undo:
        undo.callback(_remove_files, restored)
        for path in found:
            restored.append(settings.data / path.relative_to(source))
            copy_file(path, restored[-1])
        database = folder / DATABASE_FILES[manifest.database]
        if settings.database_url:
            restore_dump(settings.database_url, database)
        else:
            restored.append(settings.history_file)
            copy_file(database, restored[-1])
        undo.pop_all()
    return restored


def _remove_files(files: Iterable[Path]) -> None:
    for file in files:
        with suppress(OSError):
            file.unlink()


def _compare(history: History, manifest: BackupManifest) -> None:
    with hold_snapshot(history.database) as snapshot:
        for table, count in snapshot.rows.items():
            if manifest.rows.get(table) != count:
                raise BackupError(
                    f"After restoring, {table} has {count:,} rows, and the backup says {manifest.rows.get(table)}. Do"
                    " not use it: begin again with an empty database and data folder."
                )


def _pause_batches(history: History, made_at: int) -> tuple[str, ...]:
    """Pause what was being sent, and return which batches that are."""
    moment = datetime.fromtimestamp(made_at / 1000, UTC)
    reason = (
        f"Restored from a backup of {moment:%Y-%m-%d %H:%M} UTC. What was queued then may have been sent since: compare"
        " with the target before you resume."
    )
    sending = [one.id for one in history.queue.unfinished() if one.state is BatchState.SENDING]
    for batch in sending:
        history.control.set_state(batch, BatchState.PAUSED, reason)
    return tuple(sending)
