"""History that is locked, full, read-only, damaged or gone raises an error with a sentence, and works again later."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from intempt_core.errors import HistoryUnavailable
from intempt_core.history import AttemptStart, BatchState, History, RequestState, TargetSnapshot
from intempt_core.history.migrations import HEAD, version
from intempt_core.history.schema import metadata
from intempt_core.targets.target import parse_track_url
from tests.core.history.factories import ME, batch_of, event, intent, request

ROOT = Path(__file__).parents[3]


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    opened = History.open(database_url, busy_seconds=0.1)
    yield opened
    opened.close()


def says(error: pytest.ExceptionInfo[HistoryUnavailable], words: str) -> None:
    """The sentence has these words, and the error has neither SQL nor a cause."""
    assert words in str(error.value)
    assert "SELECT" not in str(error.value)
    assert "INSERT" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None


def run(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.sqlite_only("it looks at SQLite's file")
def test_a_lock_that_another_program_holds_stops_writing_not_reading(history: History, file: Path) -> None:
    batch = batch_of(history, [1])
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(HistoryUnavailable) as error:
        history.control.set_state(batch, BatchState.PAUSED)
    says(error, "is locked by another program")
    assert history.queries.batch(batch).state is BatchState.SENDING
    other.execute("ROLLBACK")
    other.close()
    history.control.set_state(batch, BatchState.PAUSED)


@pytest.mark.sqlite_only("SQLite can be told how many pages its file may have")
def test_a_full_disk_stops_writing_and_loses_nothing(history: History) -> None:
    batch = batch_of(history, [1])
    with history.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    limit = [pages + 20]

    def full(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={limit[0]}").close()

    sqlalchemy_event.listen(history.database.engine, "connect", full)
    history.database.engine.dispose()
    with pytest.raises(HistoryUnavailable) as error:
        history.recorder.record(intent(), (request(1, n, [event(n)], os.urandom(1000)) for n in range(1000)))
    says(error, "the disk is full")
    assert [one.id for one in history.queries.batches().items] == [batch]
    limit[0] = 100_000
    history.database.engine.dispose()
    assert history.queries.batch(batch_of(history, [1])).total == 1


_OPEN_READ_ONLY = """
import os, sys
from intempt_core.errors import HistoryUnavailable
from intempt_core.history import History, BatchState
able, there, batch, absent = sys.argv[1:]
History.open("sqlite:///" + able).close()  # imports what it needs while it may
if os.geteuid() == 0:  # nothing is read-only to root
    os.setgid(65534)
    os.setuid(65534)
for file in (there, absent):
    try:
        history = History.open("sqlite:///" + file, busy_seconds=0.1)
        history.control.set_state(batch, BatchState.PAUSED)
    except HistoryUnavailable as error:
        print(error)
"""


def test_a_read_only_folder_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:  # not below pytest's own folder: no other user may enter that
        folder = Path(name)
        there, absent = folder / "there.sqlite3", folder / "absent.sqlite3"
        history = History.open(f"sqlite:///{there}")
        batch = batch_of(history, [1])
        history.close()
        there.chmod(0o444)
        folder.chmod(0o555)
        out, err = run(_OPEN_READ_ONLY, tmp_path / "able", there, batch, absent).communicate(timeout=60)
        folder.chmod(0o755)
    assert err == ""
    first, second = out.splitlines()
    assert first.startswith(f"History ({there}) ")
    assert "read-only" in first or "cannot be opened" in first
    assert second.startswith(f"History ({absent}) cannot be opened.")


@pytest.mark.sqlite_only("it looks at SQLite's file")
def test_a_deleted_file_is_an_error_until_it_is_back(history: History, file: Path) -> None:
    batch = batch_of(history, [1])
    aside = file.with_name("aside")
    file.rename(aside)
    with pytest.raises(HistoryUnavailable) as error:
        batch_of(history, [1])
    says(error, "is gone")
    with pytest.raises(HistoryUnavailable):
        history.queries.batch(batch)
    aside.rename(file)
    assert history.queries.batch(batch).total == 1


@pytest.mark.sqlite_only("it looks at SQLite's file")
def test_another_file_in_its_place_is_opened(history: History, file: Path) -> None:
    batch_of(history, [1])
    for old in file.parent.glob("history.sqlite3*"):
        old.rename(old.with_name("old" + old.name))
    file.touch()
    assert history.queries.batches().total == 0
    assert history.queries.batch(batch_of(history, [2])).total == 2


@pytest.mark.sqlite_only("it looks at SQLite's file")
def test_who_writes_without_waiting_writes_into_the_file_that_is_there_now(history: History, file: Path) -> None:
    """Dispatch keeps a connection: of a file that was replaced it must not be used again."""

    def start_one(batch: str) -> None:
        (work,) = history.queue.take(batch, 1, 1)
        assert history.queue.apply_transitions([AttemptStart(work.id)], owner=ME, nowait=True) == frozenset()
        with closing(sqlite3.connect(file)) as other:
            assert other.execute("SELECT state FROM requests").fetchall() == [(RequestState.IN_FLIGHT.value,)]

    start_one(batch_of(history, [1]))
    for old in file.parent.glob("history.sqlite3*"):
        old.rename(old.with_name("old" + old.name))
    file.touch()
    start_one(batch_of(history, [2]))


@pytest.mark.sqlite_only("only SQLite knows writing without waiting")
def test_who_writes_without_waiting_can_write_after_a_lock_and_after_a_failure(history: History, file: Path) -> None:
    batch = batch_of(history, [1])
    (work,) = history.queue.take(batch, 1, 1)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(HistoryUnavailable):
        history.queue.apply_transitions([AttemptStart(work.id)], owner=ME, nowait=True)
    other.execute("ROLLBACK")
    other.close()

    def fail() -> None:
        with history.database.writing(nowait=True) as connection:
            connection.exec_driver_sql("UPDATE requests SET tries = 7")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert history.queue.take(batch, 1, 1) == [work], "nothing of it is kept"
    assert history.queue.apply_transitions([AttemptStart(work.id)], owner=ME, nowait=True) == frozenset()


@pytest.mark.sqlite_only("it looks at SQLite's file")
def test_a_file_that_is_no_database_is_an_error_with_a_sentence(file: Path) -> None:
    file.write_bytes(b"row,line,eventId\r\n" * 1000)
    with pytest.raises(HistoryUnavailable) as error:
        History.open(f"sqlite:///{file}")
    says(error, "is not a database")


@pytest.mark.sqlite_only("it looks at SQLite's file")
def test_a_damaged_database_is_an_error_with_a_sentence(history: History, file: Path) -> None:
    batch = batch_of(history, [50] * 50)
    history.close()
    sqlite3.connect(file).execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    with file.open("r+b") as raw:
        raw.seek(8192)
        raw.write(b"\xff" * (file.stat().st_size - 8192))
    with pytest.raises(HistoryUnavailable) as error:
        list(history.outcomes.rows(batch))
    says(error, "is damaged")


def test_a_newer_consoles_history_is_not_touched(history: History, database_url: str) -> None:
    with history.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(HistoryUnavailable, match="written by a newer console"):
        History.open(database_url)


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x", "sqlite+nosuch:///x"])
def test_a_url_that_names_no_database_is_an_error_with_a_sentence(url: str) -> None:
    with pytest.raises(HistoryUnavailable, match="No history can be opened with this URL"):
        History.open(url)


@pytest.mark.sqlite_only("it looks at SQLite's file")
def test_a_folder_that_cannot_be_made_is_an_error_with_a_sentence(file: Path) -> None:
    file.write_text("a file where a folder should be")
    with pytest.raises(HistoryUnavailable, match="cannot be made"):
        History.open(f"sqlite:///{file}/folder/history.sqlite3")


@pytest.mark.sqlite_only("it looks at SQLite's file")
def test_a_failed_migration_leaves_the_database_as_it_was(file: Path) -> None:
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE events (x)")  # in the way of the first version's last table but one
    other.commit()
    with pytest.raises(HistoryUnavailable):
        History.open(f"sqlite:///{file}")
    assert [name for (name,) in other.execute("SELECT name FROM sqlite_master")] == ["events"]
    other.execute("DROP TABLE events")
    other.close()
    History.open(f"sqlite:///{file}").close()


def test_threads_that_find_no_free_connection_get_an_error(history: History) -> None:
    history.database.engine.pool._timeout = 0.01  # type: ignore[attr-defined]  # not half a minute
    held = [history.database.engine.connect() for _ in range(15)]
    with pytest.raises(HistoryUnavailable) as error:
        history.queries.batches()
    says(error, "is busy")
    for connection in held:
        connection.close()
    assert history.queries.batches().total == 0


def test_mistakes_of_the_program_are_not_reported_as_trouble_of_the_machine(history: History) -> None:
    with pytest.raises(IntegrityError), history.database.writing() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


# ── several processes and threads ────────────────────────────────────────────────────────────────────────────────────

_RECORD_BATCHES = """
import sys
from intempt_core.history import History
from tests.core.history.factories import batch_of
history = History.open(sys.argv[1])
for _ in range(3):
    batch_of(history, [10] * 10)
history.close()
"""


@pytest.mark.long
def test_processes_open_and_write_one_history_at_once(empty_database_url: str) -> None:
    started = [run(_RECORD_BATCHES, empty_database_url) for _ in range(2)]
    assert [process.communicate(timeout=60)[1] for process in started] == ["", ""]
    history = History.open(empty_database_url)
    assert [one.total for one in history.queries.batches().items] == [100] * 6
    history.close()


def test_threads_share_one_history(history: History) -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(batch_of(history, [3]) for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == history.queries.batches().total == 20


_START_REQUESTS = """
import sys
from intempt_core.history import AttemptEnd, AttemptStart, History
from tests.core.history.factories import ME, attempt
history = History.open(sys.argv[1])
before = None
for work in history.queue.take(sys.argv[2], 1, 1000):
    ended = [] if before is None else [AttemptEnd(before, attempt())]
    assert not history.queue.apply_transitions([*ended, AttemptStart(work.id)], owner=ME)
    print(work.id, flush=True)
    before = work.id
"""


def test_what_was_written_before_a_kill_is_there_after_it(history: History, database_url: str) -> None:
    batch = batch_of(history, [1] * 1000)
    process = run(_START_REQUESTS, database_url, batch)
    assert process.stdout is not None
    left = [int(process.stdout.readline()) for _ in range(25)]
    process.kill()
    left += [int(line) for line in process.stdout.read().splitlines()]
    process.communicate()
    assert history.queue.in_flight_to_unknown(batch, owner=ME) == 1
    found = history.queries.batch(batch).requests
    assert found[RequestState.UNKNOWN] == 1
    assert found[RequestState.ACCEPTED] >= len(left) - 1
    assert sum(found.values()) == 1000


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_key_is_ever_in_the_database(history: History) -> None:
    url = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
    target = parse_track_url(url, {"INTEMPT_API_KEY": "canaryprefix.canarysecret"})
    batch = batch_of(history, [1], target=TargetSnapshot.from_target(target))
    assert history.queries.batch(batch).target.credential_reference == "$INTEMPT_API_KEY"
    with history.database.reading() as connection:
        for table in metadata.sorted_tables:
            assert "canary" not in repr(connection.execute(select(table)).all())
    if history.database.file is not None:
        for part in history.database.file.parent.glob("history.sqlite3*"):
            assert b"canary" not in part.read_bytes()


def test_every_database_has_a_version(history: History) -> None:
    with history.database.reading() as connection:
        assert version(connection) == HEAD


@pytest.mark.sqlite_only("on a server several transactions write at once")
def test_a_thread_that_never_gets_its_turn_gets_an_error(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intempt_core.history.dialects.lock_timeout.WRITE_TURN_SECONDS", 0.0)
    batch = batch_of(history, [1])
    with history.database.writing(), pytest.raises(HistoryUnavailable) as error:
        history.control.set_state(batch, BatchState.PAUSED)
    says(error, "another part of this program is writing for too long")
    history.control.set_state(batch, BatchState.PAUSED)
