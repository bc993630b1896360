"""Backups: made while the console writes, compared, restored to an empty place, and nothing is sent by itself."""

import json
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from intempt_core.backups import make_backup, restore_backup
from intempt_core.dispatch import Dispatcher, SendingEnvironment
from intempt_core.dispatch.process_locks import CONSOLE_LOCK_NAME, acquire_lock
from intempt_core.errors import BackupError, ConsoleError, NotAllowed
from intempt_core.history import BatchState, History, RequestState
from intempt_core.history.schema import metadata
from intempt_core.settings import Settings
from intempt_core.targets import Target
from tests.core.history.every_state import fill_history
from tests.core.history.factories import batch_of

MADE_AT = 1_795_348_980_000  # 2026-11-22 12:03 UTC


def read_rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the tables that a person would miss."""
    missed = ("requests", "attempts", "events", "bodies", "excluded_rows", "journeys", "targets")
    with closing(History.open(url)) as history, history.database.reading() as connection:
        tables = [metadata.tables[name] for name in missed]
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables
        }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder with a history that holds every state, and every other kind of file."""
    found = Settings(data=tmp_path / "data")
    with closing(History.open(found.history_url)) as history:
        fill_history(history)
    for name in ("mappings/shop.json", "catalogues/x/1.parquet", "checks/a.json"):
        (found.data / name).parent.mkdir(parents=True, exist_ok=True)
        (found.data / name).write_text(name)
    for made_again in ("owners/1.lock", "limits/x", "spool/upload", "password.key", "engine.sqlite3", "console.lock"):
        (found.data / made_again).parent.mkdir(parents=True, exist_ok=True)
        (found.data / made_again).write_text("s3cretS3cret")
    with closing(sqlite3.connect(found.sandbox_file)) as sandbox:
        sandbox.execute("CREATE TABLE arrived (id)")
        sandbox.execute("INSERT INTO arrived VALUES ('1487580005268456192')")
        sandbox.commit()
    return found


def elsewhere(settings: Settings, url: str = "") -> Settings:
    return Settings(data=settings.data.parent / "restored", database_url=url)


def test_all_that_a_person_would_miss_is_there_again_and_what_is_made_again_is_not(
    settings: Settings, tmp_path: Path
) -> None:
    manifest = make_backup(settings, tmp_path / "backup", clock=lambda: MADE_AT)
    assert manifest.rows["batches"] == 9
    assert sorted(manifest.files) == [
        "files/catalogues/x/1.parquet", "files/checks/a.json", "files/mappings/shop.json", "files/sandbox.sqlite3",
        "history.sqlite3",
    ]  # fmt: skip
    there = elsewhere(settings)
    before = read_rows(settings.history_url)
    report = restore_backup(there, tmp_path / "backup")
    assert report.files == 5
    assert read_rows(there.history_url) == before
    assert (there.data / "mappings" / "shop.json").read_text() == "mappings/shop.json"
    with closing(sqlite3.connect(there.sandbox_file)) as sandbox:
        assert sandbox.execute("SELECT id FROM arrived").fetchall() == [("1487580005268456192",)]
    for file in (tmp_path / "backup").rglob("*"):
        assert file.is_dir() or b"s3cretS3cret" not in file.read_bytes()


def test_only_its_user_may_read_a_backup(settings: Settings, tmp_path: Path) -> None:
    make_backup(settings, tmp_path / "a" / "backup")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "backup").rglob("*")}
    assert modes <= {0o700, 0o600}
    assert stat.S_IMODE((tmp_path / "a" / "backup").stat().st_mode) == 0o700


def test_what_was_being_sent_is_paused_and_a_console_that_starts_sends_nothing_of_it(
    settings: Settings, tmp_path: Path
) -> None:
    with closing(History.open(settings.history_url)) as history:
        sending = [one.id for one in history.queue.unfinished() if one.state is BatchState.SENDING]
        paused = [one.id for one in history.queue.unfinished() if one.state is BatchState.PAUSED]
    assert sending
    make_backup(settings, tmp_path / "backup", clock=lambda: MADE_AT)
    there = elsewhere(settings)
    assert list(restore_backup(there, tmp_path / "backup").paused) == sending
    asked = threading.Event()

    def resolve(_: object) -> Target:
        asked.set()
        raise AssertionError

    with closing(History.open(there.history_url)) as history:
        dispatcher = Dispatcher(history, SendingEnvironment(there, resolve), poll_seconds=0.02)
        dispatcher.start()
        until_adopted(lambda: all(one.owner == dispatcher.owner for one in history.queue.unfinished()))
        dispatcher.stop()
        assert not asked.is_set()
        for batch in sending:
            found = history.queries.batch(batch)
            assert found.state is not BatchState.SENDING
            assert found.requests.get(RequestState.IN_FLIGHT, 0) == 0
            if found.state is BatchState.PAUSED:
                assert found.reason == (
                    "Restored from a backup of 2026-11-22 12:03 UTC. What was queued then may have been sent since:"
                    " compare with the target before you resume."
                )
        assert all(history.queries.batch(batch).state is BatchState.PAUSED for batch in paused)


def until_adopted(holds: Callable[[], bool]) -> None:
    import time

    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_backup_made_while_batches_are_recorded_holds_whole_transactions(settings: Settings, tmp_path: Path) -> None:
    with closing(History.open(settings.history_url)) as history:
        stopping = threading.Event()

        def record() -> None:
            number = 0
            while not stopping.is_set():
                number += 1
                batch_of(history, [3, 2], digest=f"d{number}")

        recording = threading.Thread(target=record)
        recording.start()
        try:
            for number in range(3):
                make_backup(settings, tmp_path / str(number))
        finally:
            stopping.set()
            recording.join()
    for number in range(3):
        with closing(sqlite3.connect(tmp_path / str(number) / "history.sqlite3")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            counts = copy.execute(
                "SELECT DISTINCT count(e.batch) FROM batches b LEFT JOIN events e ON e.batch = b.number"
                " WHERE b.digest LIKE 'd%' GROUP BY b.number"
            ).fetchall()
            assert counts in ([], [(5,)])


# ── what is not done ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_backup_replaces_nothing_and_needs_something_to_keep(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(BackupError, match=r"is there already\. A backup is made in a new folder"):
        make_backup(settings, tmp_path / "there")
    for inside in (settings.data / "backup", settings.data / "x" / ".." / "backup"):
        with pytest.raises(BackupError, match="is inside the data folder"):
            make_backup(settings, inside)
    with pytest.raises(BackupError, match=r"has no history\. CONSOLE_DATA says where it is"):
        make_backup(elsewhere(settings), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_backup_that_fails_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.history_file.write_bytes(b"no database at all" * 1000)
    with pytest.raises(BackupError, match="cannot be copied"):
        make_backup(settings, tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda at: (at / "history.sqlite3").write_bytes(b"x"), "history.sqlite3 is not as it was written"),
        (lambda at: (at / "files/checks/a.json").unlink(), "a.json cannot be read"),
        (lambda at: (at / "manifest.json").unlink(), "is no backup"),
        (lambda at: (at / "manifest.json").write_text("{"), "is damaged"),
        (lambda at: change(at, form=2), "of another version of the console"),
        (lambda at: change(at, database="oracle"), "of another version of the console"),
        (lambda at: change(at, schema="9999"), "was made by a newer console"),
        (lambda at: change(at, database="postgresql"), "This backup is of postgresql, and the settings name sqlite"),
        (lambda at: change(at, files={"../../etc/passwd": ""}), "is not inside the backup"),
    ],
)
def test_a_damaged_backup_is_said_and_restores_nothing(
    settings: Settings, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    make_backup(settings, tmp_path / "backup")
    damage(tmp_path / "backup")
    with pytest.raises(BackupError, match=message):
        restore_backup(elsewhere(settings), tmp_path / "backup")
    assert not elsewhere(settings).data.exists()


def change(folder: Path, **values: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_count_that_differs_afterwards_is_said(settings: Settings, tmp_path: Path) -> None:
    make_backup(settings, tmp_path / "backup")
    rows = json.loads((tmp_path / "backup" / "manifest.json").read_text())["rows"]
    change(tmp_path / "backup", rows=rows | {"events": rows["events"] + 1})
    with pytest.raises(BackupError, match=r"events has \d+ rows, and the backup says \d+\. Do not use it"):
        restore_backup(elsewhere(settings), tmp_path / "backup")


def test_nothing_is_overwritten_and_no_console_may_run_there(settings: Settings, tmp_path: Path) -> None:
    make_backup(settings, tmp_path / "backup")
    with pytest.raises(BackupError, match="is there already, and nothing is overwritten"):
        restore_backup(settings, tmp_path / "backup")
    there = elsewhere(settings)
    lock = acquire_lock(there.data / CONSOLE_LOCK_NAME)
    assert lock is not None
    with pytest.raises(NotAllowed, match="A console is running on the data folder"):
        restore_backup(there, tmp_path / "backup")
    lock.release()
    restore_backup(there, tmp_path / "backup")


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shared(postgres_url: str, tmp_path: Path) -> Settings:
    """A data folder, and a PostgreSQL database that holds every state."""
    with closing(History.open(postgres_url)) as history:
        fill_history(history)
    (tmp_path / "data" / "mappings").mkdir(parents=True)
    (tmp_path / "data" / "mappings" / "shop.json").write_text("{}")
    return Settings(data=tmp_path / "data", database_url=postgres_url)


@pytest.mark.long
def test_a_postgresql_database_is_restored_into_an_empty_one(
    shared: Settings, tmp_path: Path, empty_postgres_url: str
) -> None:
    manifest = make_backup(shared, tmp_path / "backup", clock=lambda: MADE_AT)
    assert (manifest.database, manifest.rows["batches"]) == ("postgresql", 9)
    before = read_rows(shared.history_url)
    there = elsewhere(shared, empty_postgres_url)
    report = restore_backup(there, tmp_path / "backup")
    assert read_rows(there.history_url) == before
    assert report.paused
    with pytest.raises(ConsoleError, match=r"is there already|is not empty"):
        restore_backup(there, tmp_path / "backup")
    for file in (tmp_path / "backup").rglob("*"):
        assert file.is_dir() or b"s3cretS3cret" not in file.read_bytes()


@pytest.mark.long
def test_a_database_that_is_not_empty_keeps_what_it_has(shared: Settings, tmp_path: Path, postgres_url: str) -> None:
    make_backup(shared, tmp_path / "backup")
    with pytest.raises(BackupError, match="is not empty, and nothing was changed in it") as told:
        restore_backup(elsewhere(shared, postgres_url), tmp_path / "backup")
    assert "s3cretS3cret" not in str(told.value)
    assert not list((tmp_path / "restored").glob("mappings/*"))  # nor is anything left in the data folder


@pytest.mark.long
def test_a_database_that_is_away_or_a_wrong_password_is_a_sentence_without_it(shared: Settings, tmp_path: Path) -> None:
    make_backup(shared, tmp_path / "backup")
    for wrong in (
        shared.database_url.replace("s3cretS3cret", "wr0ngWr0ng"),
        shared.database_url.rsplit("/", 1)[0] + "/absent",
    ):
        with pytest.raises(ConsoleError) as told:
            restore_backup(elsewhere(shared, wrong), tmp_path / "backup")
        assert "s3cretS3cret" not in str(told.value)
        assert "wr0ngWr0ng" not in str(told.value)


@pytest.mark.long
def test_a_backup_of_a_file_says_how_it_comes_into_postgresql(
    settings: Settings, tmp_path: Path, empty_postgres_url: str
) -> None:
    make_backup(settings, tmp_path / "backup")
    with pytest.raises(BackupError, match="Unset CONSOLE_DATABASE_URL, restore it, then move it"):
        restore_backup(elsewhere(settings, empty_postgres_url), tmp_path / "backup")
