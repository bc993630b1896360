"""History's file: probed for writing, checked for damage, copied before a migration, and missed where it is gone."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from intempt_core.errors import HistoryUnavailable
from intempt_core.history import History
from intempt_core.history.migrations import HEAD, upgrade
from intempt_core.history.upkeep.backups import BACKUPS_KEPT, list_backups
from intempt_core.history.upkeep.write_probe import WriteProbe
from tests.core.history.factories import batch_of

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.sqlite_only("probes, checks, copies and the memory are of SQLite's file")


def open_history(file: Path) -> History:
    return History.open(f"sqlite:///{file}", busy_seconds=0.1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB in memory; needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill a file system to the last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as opened:
        for size in (65_536, 4096, 1):
            try:
                while True:
                    opened.write(b"x" * size)
            except OSError:
                continue
    return ballast


# ── the probe ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_is_told_while_it_is_full_and_no_longer(small_disk: Path) -> None:
    history, now = open_history(small_disk / "history.sqlite3"), [0.0]
    batch_of(history, [1] * 100)
    probe = WriteProbe(history.database, lambda: now[0])
    assert probe.check() == ""
    ballast = fill(small_disk)
    assert probe.check() == ""  # it was written a moment ago, and is not probed again so soon
    now[0] += 3
    assert "the disk is full" in probe.check()
    assert "the disk is full" in probe.check()
    ballast.unlink()
    now[0] += 3
    assert probe.check() == ""
    assert list(small_disk.glob("*.probe")) == []
    history.close()


def test_trouble_of_a_write_is_remembered_until_one_succeeds(history: History, file: Path) -> None:
    history.close()
    history = open_history(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        assert history.probe.check() == ""
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryUnavailable):
            batch_of(history, [1])
        assert "is locked by another program" in history.probe.check()
        other.execute("ROLLBACK")
        assert "is locked by another program" in history.probe.check()  # nothing was written since
        batch_of(history, [1])
        assert history.probe.check() == ""
    history.close()


def test_another_programs_lock_is_waited_for_a_second(history: History, file: Path) -> None:
    history.close()
    history = open_history(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        assert "is locked by another program" in history.probe.check()
        assert 0.9 < time.monotonic() - began < 20
        other.execute("ROLLBACK")
    history.close()


def test_a_long_write_of_this_process_is_no_trouble(history: History) -> None:
    with history.database.writing():
        found: list[str] = []
        thread = threading.Thread(target=lambda: found.append(history.probe.check()))
        thread.start()
        thread.join(10)
    assert found == [""]


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def damage(file: Path) -> None:
    """Overwrite pages in the middle of a database, as a bad disk does; what is read at a start stays whole."""
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'excluded_rows'").fetchone()
        (size,) = opened.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as raw:
        raw.seek((root - 1) * size)
        raw.write(b"\xff" * size)


def test_a_check_finds_damage_and_says_what_to_do(history: History, file: Path) -> None:
    batch_of(history, [1] * 50)
    history.integrity.start()
    history.integrity.wait()
    assert history.notices == []
    history.close()
    damage(file)
    history = open_history(file)
    assert history.notices == []
    history.integrity.start()
    history.integrity.wait()
    (notice,) = history.notices
    assert f"History ({file}) is damaged" in notice
    assert "put a copy in its place" in notice
    history.close()


def test_damage_that_a_query_meets_is_remembered(history: History, file: Path) -> None:
    batch_of(history, [1] * 50)
    history.close()
    damage(file)
    history = open_history(file)
    with pytest.raises(HistoryUnavailable, match="is damaged"), history.database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM excluded_rows").all()
    assert "is damaged" in history.notices[0]
    history.close()


def test_a_check_ends_with_its_history(history: History) -> None:
    batch_of(history, [100] * 200)
    history.integrity.start()
    began = time.process_time()
    history.close()
    assert time.process_time() - began < 2


# ── backups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_version(file: Path, number: str) -> None:
    """Make a database of an earlier version."""
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        upgrade(connection, number)
    engine.dispose()


def test_an_existing_file_is_copied_before_it_is_migrated(file: Path) -> None:
    of_version(file, "0003")
    open_history(file).close()
    (backup,) = list_backups(file)
    assert backup.name.endswith("-v0003.sqlite3")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(backup)) as opened:
        assert opened.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(sqlite3.connect(file)) as opened:
        assert opened.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    open_history(file).close()
    assert list_backups(file) == [backup]  # nothing was migrated


def test_only_the_last_few_copies_are_kept(file: Path) -> None:
    made: set[Path] = set()
    for _ in range(BACKUPS_KEPT + 2):
        file.unlink(missing_ok=True)
        of_version(file, "0003")
        open_history(file).close()
        made.update(list_backups(file))
    assert list_backups(file) == sorted(made, reverse=True)[:BACKUPS_KEPT]
    assert len(made) == BACKUPS_KEPT + 2


def test_a_new_file_is_not_copied(file: Path) -> None:
    open_history(file).close()
    assert list_backups(file) == []


def test_where_no_copy_can_be_made_nothing_is_migrated(small_disk: Path) -> None:
    file = small_disk / "history.sqlite3"
    of_version(file, "0003")
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("CREATE TABLE ballast AS SELECT zeroblob(2000000) AS bytes")
        opened.commit()
    with pytest.raises(HistoryUnavailable, match=r"the disk is full.* copied before it is brought from version 0003"):
        open_history(file)
    assert [path.name for path in small_disk.glob("*backup*")] == []
    with closing(sqlite3.connect(file)) as opened:
        assert opened.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]


# ── a file that is gone ──────────────────────────────────────────────────────────────────────────────────────────────


def take_away(file: Path) -> None:
    """Remove a database, with what SQLite keeps beside it."""
    for part in ("", "-wal", "-shm"):
        file.with_name(file.name + part).unlink(missing_ok=True)


@pytest.mark.parametrize("how", ["gone", "empty", "without tables"])
def test_a_history_that_is_empty_where_there_was_one_is_told_for_a_day(history: History, file: Path, how: str) -> None:
    batch_of(history, [1])
    batch_of(history, [1])
    history.close()
    take_away(file)
    if how == "empty":
        file.touch()
    if how == "without tables":
        with closing(sqlite3.connect(file)) as opened:
            opened.execute("PRAGMA user_version = 1")
    history = open_history(file)
    (notice,) = history.notices
    assert f"{file} was gone or empty then" in notice
    assert "its newest batch had the number 2" in notice
    assert "put a copy back in its place" in notice
    history.close()
    again = open_history(file)
    assert again.notices == [notice]
    again.database.clock = lambda: int(time.time() * 1000) + 86_400_001
    assert again.notices == []
    again.close()


def test_a_file_that_is_emptied_while_it_is_used_is_told_too(history: History, file: Path) -> None:
    batch_of(history, [1])
    take_away(file)
    file.touch()
    assert history.queries.batches().total == 0
    assert "was gone or empty then" in history.notices[0]


def test_what_is_only_there_where_a_history_was_is_evidence(file: Path, tmp_path: Path) -> None:
    engine = tmp_path / "engine.sqlite3"
    History.open(f"sqlite:///{file}", traces=[engine]).close()
    engine.write_bytes(b"something")
    history = History.open(f"sqlite:///{file}", traces=[engine])
    assert history.notices == []
    history.close()
    take_away(file)
    history = History.open(f"sqlite:///{file}", traces=[engine])
    assert "was gone or empty then, where there was one before." in history.notices[0]
    history.close()


def test_a_first_start_and_a_deleted_batch_are_no_loss(history: History, file: Path) -> None:
    assert history.notices == []
    batch_of(history, [1])
    with history.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM batches")
    history.close()
    history = open_history(file)
    assert history.notices == []
    history.close()


_RECORD_AND_DIE = """
import os, sys
from intempt_core.history import History
from tests.core.history.factories import batch_of
batch_of(History.open("sqlite:///" + sys.argv[1]), [1])
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_had_recorded_is_missed_as_well(file: Path) -> None:
    subprocess.run([sys.executable, "-c", _RECORD_AND_DIE, str(file)], cwd=ROOT, check=False, timeout=60)
    take_away(file)
    history = open_history(file)
    assert "its newest batch had the number 1" in history.notices[0]
    history.close()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"newest": "x"}', b'{"other": 1}', os.urandom(50)])
def test_a_memory_that_cannot_be_read_is_none(file: Path, content: bytes) -> None:
    file.with_suffix(".known.json").write_bytes(content)
    history = open_history(file)
    assert history.notices == []
    history.close()
