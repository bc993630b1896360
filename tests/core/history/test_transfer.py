"""A history is moved from SQLite into PostgreSQL whole, or not at all, and the file stays as it is."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect, select

from intempt_core.errors import HistoryUnavailable, NotAllowed, ReadError, SettingsError
from intempt_core.history import BatchState, History, MoveProgress, MoveStage, RequestState, move_history
from intempt_core.history.database import Database
from intempt_core.history.schema import metadata
from intempt_core.history.transfer.copy_lines import spell_float
from intempt_core.history.transfer.document_source import DOCUMENT_TABLES
from intempt_core.history.transfer.moved_marker import locate_move_note
from intempt_core.history.transfer.transfer import RUNTIME_TABLES
from tests.core.history.every_state import fill_history
from tests.core.history.factories import ME, batch_of
from tests.core.history.test_versions import versions, written_by
from tests.postgres import Cluster

pytestmark = pytest.mark.long

INDEXES = """\
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated
FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a console by itself has its history."""
    return tmp_path / "history.sqlite3"


@pytest.fixture
def source(file: Path) -> Path:
    """A file with a history that holds every state."""
    with closing(History.open(f"sqlite:///{file}")) as history:
        fill_history(history)
    return file


def read_rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as this program reads it."""
    with closing(Database.open(url)) as database, database.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query at PostgreSQL itself."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def is_empty(url: str) -> bool:
    return not any(read_rows(url).values())


def stop_at(stage: MoveStage, table: str = "") -> Callable[[MoveProgress], None]:
    """What presses Ctrl+C while a move is at a stage."""

    def interrupt(progress: MoveProgress) -> None:
        if progress.stage is stage and table in ("", progress.table):
            raise KeyboardInterrupt

    return interrupt


# ── all of it ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_row_of_every_table_is_the_same_there(source: Path, empty_postgres_url: str) -> None:
    there = read_rows(f"sqlite:///{source}")
    report = move_history(source, empty_postgres_url)
    assert read_rows(empty_postgres_url) == there
    assert {table.name: table.rows for table in report.tables} == {
        name: len(rows) for name, rows in there.items() if name not in RUNTIME_TABLES
    }
    assert {name for name, rows in there.items() if not rows} == RUNTIME_TABLES | DOCUMENT_TABLES | {"lane_groups"}


def test_the_history_of_these_tests_holds_every_state(source: Path) -> None:
    with closing(sqlite3.connect(source)) as connection:
        assert {state for (state,) in connection.execute("SELECT state FROM batches")} == {*map(str, BatchState)}
        assert {state for (state,) in connection.execute("SELECT state FROM requests")} == {*map(str, RequestState)}
        waiting = set(connection.execute("SELECT state, doubt FROM requests WHERE retry_at IS NOT NULL"))
        assert waiting == {("pending", 0), ("unknown", 1)}
        assert connection.execute("SELECT count(*) FROM batches WHERE unrecorded > 0 AND recorder <> ''").fetchone()[0]


def test_a_digest_is_the_sha256_of_what_copy_gives(source: Path, empty_postgres_url: str) -> None:
    report = move_history(source, empty_postgres_url)
    digests = {table.name: table.digest for table in report.tables}
    with (
        psycopg.connect(empty_postgres_url.replace("+psycopg", "")) as connection,
        connection.cursor().copy("COPY (SELECT * FROM bodies ORDER BY request) TO STDOUT") as copy,
    ):
        assert digests["bodies"] == sha256(b"".join(map(bytes, copy))).hexdigest()


def test_the_file_is_not_changed_by_a_byte_also_where_its_journal_was_not_written_back(
    source: Path, empty_postgres_url: str
) -> None:
    with closing(History.open(f"sqlite:///{source}")) as history:
        batch_of(history, [3])
        files = [source, source.with_name(source.name + "-wal")]
        before = [file.read_bytes() for file in files]
        assert all(before)
        move_history(source, empty_postgres_url)
        assert [file.read_bytes() for file in files] == before


def test_ids_that_come_after_a_move_follow_the_largest_ones(source: Path, empty_postgres_url: str) -> None:
    move_history(source, empty_postgres_url)
    ((batches, requests, attempts),) = ask(
        empty_postgres_url,
        "SELECT (SELECT max(number) FROM batches), (SELECT max(id) FROM requests), (SELECT max(id) FROM attempts)",
    )
    for table, column, largest in (("batches", "number", batches), ("requests", "id", requests)):
        (row,) = ask(empty_postgres_url, f"SELECT nextval(pg_get_serial_sequence('{table}', '{column}'))")
        assert row == (largest + 1,)
    assert ask(empty_postgres_url, "SELECT nextval(pg_get_serial_sequence('attempts', 'id'))") == [(attempts + 1,)]


def test_indexes_and_foreign_keys_are_there_as_before_and_valid(
    source: Path, postgres_url: str, empty_postgres_url: str
) -> None:
    before = ask(postgres_url, INDEXES)
    move_history(source, postgres_url)
    assert ask(postgres_url, INDEXES) == before
    move_history(source, empty_postgres_url)
    assert ask(empty_postgres_url, INDEXES) == before


def test_an_empty_history_is_moved_too(file: Path, postgres_url: str) -> None:
    History.open(f"sqlite:///{file}").close()
    report = move_history(file, postgres_url)
    assert (report.rows, report.unfinished) == (0, 0)
    with closing(History.open(postgres_url)) as history:
        assert history.queries.batch(batch_of(history, [1])).total == 1


def test_what_was_not_over_is_counted_and_goes_on_in_the_new_database(source: Path, empty_postgres_url: str) -> None:
    report = move_history(source, empty_postgres_url)
    with closing(History.open(empty_postgres_url)) as history:
        unfinished = [one for one in history.queue.unfinished() if one.state is not BatchState.FORGOTTEN]
        assert report.unfinished == len({one.id for one in unfinished}) > 3
        sending = next(one for one in unfinished if one.state is BatchState.SENDING and not one.recorder)
        assert history.queue.claim(sending.id, "next", ME)
        assert history.queue.in_flight_to_unknown(sending.id, owner="next") == 2


@pytest.mark.parametrize("version", versions()[:-1])
def test_a_file_of_an_earlier_version_arrives_as_the_newest_and_stays_what_it_is(
    version: str, tmp_path: Path, empty_postgres_url: str
) -> None:
    old = tmp_path / "old" / "history.sqlite3"
    old.parent.mkdir()
    engine = create_engine(f"sqlite:///{old}")
    written_by(version, engine)
    engine.dispose()
    before = old.read_bytes()
    move_history(old, empty_postgres_url)
    assert old.read_bytes() == before
    assert sorted(path.name for path in old.parent.iterdir()) == ["history.moved.json", "history.sqlite3"]
    locate_move_note(old).unlink()
    assert read_rows(empty_postgres_url) == read_rows(f"sqlite:///{old}")


# ── or nothing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_database_that_holds_anything_takes_no_history(source: Path, postgres_url: str) -> None:
    with closing(History.open(postgres_url)) as history:
        batch_of(history, [1])
    before = read_rows(postgres_url)
    with pytest.raises(NotAllowed, match=r"holds something already, in batches, .* name another database"):
        move_history(source, postgres_url)
    assert read_rows(postgres_url) == before
    assert not locate_move_note(source).exists()


@pytest.mark.parametrize(
    ("stage", "table"),
    [
        (MoveStage.COUNTING, ""),
        (MoveStage.COPYING, "batches"),
        (MoveStage.COPYING, "attempts"),
        (MoveStage.INDEXING, ""),
        (MoveStage.COMPARING, "events"),
    ],
)
def test_an_interrupted_move_leaves_nothing_and_can_be_made_again(
    stage: MoveStage, table: str, source: Path, postgres_url: str
) -> None:
    before = ask(postgres_url, INDEXES)
    with pytest.raises(KeyboardInterrupt):
        move_history(source, postgres_url, on_progress=stop_at(stage, table))
    assert is_empty(postgres_url)
    assert ask(postgres_url, INDEXES) == before
    there = read_rows(f"sqlite:///{source}")
    move_history(source, postgres_url)
    assert read_rows(postgres_url) == there


def test_a_row_that_postgresql_does_not_take_is_named_and_nothing_is_moved(source: Path, postgres_url: str) -> None:
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("UPDATE batches SET label = 'a' || char(0) || 'b' WHERE number = 3")
    with pytest.raises(HistoryUnavailable, match=r"does not take a row of batches: .*line 3.*Nothing was moved"):
        move_history(source, postgres_url)
    assert is_empty(postgres_url)


def test_a_row_whose_request_is_gone_stops_the_move(source: Path, postgres_url: str) -> None:
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("UPDATE attempts SET request = 987654 WHERE id = 2")
    with pytest.raises(HistoryUnavailable, match=r"attempts.*987654.*Nothing was moved"):
        move_history(source, postgres_url)
    assert is_empty(postgres_url)


def test_what_is_not_the_same_after_it_was_copied_is_noticed(source: Path, postgres_url: str) -> None:
    ask_nothing = "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(ask_nothing.format("NEW.elapsed_ms = NEW.elapsed_ms + 1e-9; RETURN NEW;").encode())
        connection.execute("CREATE TRIGGER one BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION change()")
    with pytest.raises(HistoryUnavailable, match=r"attempts is not the same .* Nothing was moved"):
        move_history(source, postgres_url)
    assert is_empty(postgres_url)


def test_a_row_that_the_database_drops_is_noticed(source: Path, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION drop_one() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF NEW.position = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$"
        )
        connection.execute("CREATE TRIGGER one BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION drop_one()")
    with pytest.raises(HistoryUnavailable, match=r"took \d+ of \d+ rows of events. Nothing was moved"):
        move_history(source, postgres_url)
    assert is_empty(postgres_url)


def test_a_database_that_is_used_meanwhile_takes_no_history(
    source: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intempt_core.history.transfer.target_tables.LOCK_SECONDS", 0.2)
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
        other.execute("SELECT count(*) FROM requests")
        with pytest.raises(NotAllowed, match=r"in use\. Stop the consoles, workers and commands"):
            move_history(source, postgres_url)


# ── what it is moved from ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_being_written_is_not_moved(
    source: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intempt_core.history.transfer.source_file.WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(source, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryUnavailable, match="is being written by another program"):
            move_history(source, postgres_url)


def test_nothing_can_write_the_file_while_it_is_moved(source: Path, postgres_url: str) -> None:
    found: list[str] = []

    def write(progress: MoveProgress) -> None:
        with closing(sqlite3.connect(source, timeout=0)) as other:
            try:
                other.execute("UPDATE batches SET reason = 'x'")
            except sqlite3.OperationalError as error:
                found.append(error.sqlite_errorname)

    move_history(source, postgres_url, on_progress=write)
    assert set(found) == {"SQLITE_BUSY"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is no history at .*history.sqlite3"),
        (b"name,userId\n" * 100, "cannot be read: file is not a database"),
        (b"", "is an SQLite database, but no history"),
    ],
)
def test_what_is_no_history_is_said(file: Path, postgres_url: str, content: bytes | None, message: str) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ReadError, match=message):
        move_history(file, postgres_url)


def test_a_file_of_a_newer_version_is_said(source: Path, postgres_url: str) -> None:
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ReadError, match=r"newer console \(version 9999, .* Move it with the newer one"):
        move_history(source, postgres_url)


def test_only_postgresql_is_moved_to(source: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"postgresql\+psycopg://"):
        move_history(source, f"sqlite:///{tmp_path / 'other.sqlite3'}")


# ── afterwards ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_console_goes_on_with_a_file_that_was_moved_until_its_note_is_deleted(
    source: Path, empty_postgres_url: str, postgres: Cluster
) -> None:
    move_history(source, empty_postgres_url)
    with pytest.raises(
        HistoryUnavailable, match=r"was moved to postgresql.* at 20.* Set CONSOLE_DATABASE_URL"
    ) as error:
        History.open(f"sqlite:///{source}")
    assert "s3cret" not in str(error.value)
    assert "s3cret" not in locate_move_note(source).read_text()
    locate_move_note(source).unlink()
    History.open(f"sqlite:///{source}").close()


@pytest.fixture(scope="module")
def connection(postgres: Cluster) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with postgres.connect("postgres") as opened:
        yield opened


@settings(max_examples=300)
@given(
    number=st.floats(-(2.0**53), 2.0**53)
    | st.sampled_from([float("inf"), float("-inf"), float("nan"), -0.0, 1e15, 1e-5, 1e-4])
)
def test_a_number_is_spelt_as_postgresql_does(
    connection: psycopg.Connection[tuple[object, ...]], number: float
) -> None:
    assert connection.execute("SELECT (%b::float8)::text", [number]).fetchone() == (spell_float(number),)


def test_every_table_of_the_schema_has_a_key_by_which_it_is_compared() -> None:
    assert all(table.primary_key.columns for table in metadata.sorted_tables)
    assert inspect(metadata.tables["events"]).primary_key is not None
