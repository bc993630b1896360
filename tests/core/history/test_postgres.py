"""History in a PostgreSQL database: what is different there from a file."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, select, text, update

from intempt_core.contract.outcome import Outcome
from intempt_core.errors import HistoryConflict, HistoryUnavailable, NotAllowed, SentBefore
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    History,
    RequestHalf,
    RequestState,
    migrations,
)
from intempt_core.history.dialects import conflicts, postgresql_server
from intempt_core.history.dialects.conflicts import CONFLICT_TRIES, retry_conflicts
from intempt_core.history.dialects.locks import lock_target
from intempt_core.history.dialects.server_clock import MEASURE_AGAIN_SECONDS, ServerClock
from intempt_core.history.schema import batches, event_keys, events, metadata, unkeyed_requests
from intempt_core.settings import Settings
from tests.core.history.factories import ME, SHOP, attempt, batch_of, event, intent, read_unkeyed, request, unkey
from tests.postgres import PASSWORD, USER, Cluster, find_free_port, make_database

long = pytest.mark.long


@pytest.fixture
def history(postgres_url: str) -> Iterator[History]:
    with closing(History.open(postgres_url)) as opened:
        yield opened


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def count_waiting(cluster: Cluster) -> int:
    """How many sessions wait for a lock."""
    ((count,),) = cluster.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return int(str(count))


# ── the database ─────────────────────────────────────────────────────────────────────────────────────────────────────


@long
def test_the_settings_database_holds_history(empty_postgres_url: str) -> None:
    settings = Settings.from_environment({"CONSOLE_DATABASE_URL": empty_postgres_url})
    with closing(History.open(settings.history_url)) as history:
        batch = batch_of(history, [2, 1], [3])
        assert history.queries.batch(batch).total == 6
        assert history.database.file is None
    with closing(History.open(settings.history_url)) as again:
        assert again.queries.batch(batch).total == 6


@long
def test_a_new_database_has_the_tables_to_which_the_migrations_lead(postgres: Cluster) -> None:
    found = []
    for build in (lambda one: migrations.create(one, metadata), migrations.upgrade):
        with make_database(postgres) as url:
            engine = create_engine(url)
            with engine.begin() as connection:
                build(connection)
                found.append(describe_tables(connection))
                assert compare_metadata(MigrationContext.configure(connection), metadata) == []
                assert migrations.version(connection) == migrations.HEAD
            engine.dispose()
    assert found[0] == found[1]


def describe_tables(connection: Connection) -> dict[str, object]:
    """Every table's columns and keys, in no order, and every index as the statement that makes it."""
    asked = inspect(connection)
    found: dict[str, object] = {}
    for table in asked.get_table_names():
        columns = sorted((c["name"], str(c["type"]), c["nullable"], c["default"]) for c in asked.get_columns(table))
        keys = sorted((tuple(k["constrained_columns"]), k["referred_table"]) for k in asked.get_foreign_keys(table))
        found[table] = (columns, asked.get_pk_constraint(table)["constrained_columns"], keys)
    indexes = connection.execute(
        text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
    )
    return found | {str(name): definition for name, definition in indexes}


@long
def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_postgres_url: str) -> None:
    engine = create_engine(empty_postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE events (x int)"))  # in the way of the first version's last table but one
    with pytest.raises(Exception, match="events"):
        History.open(empty_postgres_url)
    assert inspect(engine).get_table_names() == ["events"]
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    engine.dispose()
    History.open(empty_postgres_url).close()


# ── a server that cannot be used ─────────────────────────────────────────────────────────────────────────────────────


def open_error(url: str) -> str:
    """The sentence with which a history cannot be opened."""
    with pytest.raises(HistoryUnavailable) as raised:
        History.open(url)
    told = str(raised.value)
    assert PASSWORD not in told
    assert raised.value.__cause__ is None
    return told


def test_a_server_that_is_away_is_a_sentence_without_its_password() -> None:
    told = open_error(f"postgresql+psycopg://console:{PASSWORD}@127.0.0.1:1/shop")
    assert told.startswith("History (database shop on 127.0.0.1:1) cannot be reached: ")
    assert told.endswith("Work goes on when it is back.")


@long
def test_another_password_or_database_is_a_sentence(postgres: Cluster) -> None:
    assert "does not take this user or its password" in open_error(postgres.url("postgres", password="0therS3cret"))
    assert "does not take this user or its password" in open_error(postgres.url("postgres", user="nobody_here"))
    assert "(database nosuch on 127.0.0.1:" in open_error(postgres.url("nosuch"))
    assert "does not exist. Make it (createdb)" in open_error(postgres.url("nosuch"))


@long
def test_a_user_that_may_not_make_tables_is_told_what_to_grant(postgres: Cluster, empty_postgres_url: str) -> None:
    database = empty_postgres_url.rpartition("/")[2]
    postgres.execute("CREATE USER guest PASSWORD 'gu3st'")
    postgres.execute("REVOKE CREATE ON SCHEMA public FROM public", database)
    assert "GRANT CREATE, USAGE ON SCHEMA public" in open_error(postgres.url(database, user="guest", password="gu3st"))


@long
def test_a_database_that_cannot_hold_every_text_is_told(postgres: Cluster) -> None:
    postgres.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "is encoded as LATIN1" in open_error(postgres.url("narrow"))


@long
def test_a_read_only_server_is_read_and_not_written(postgres: Cluster, postgres_url: str) -> None:
    with closing(History.open(postgres_url)) as history:
        batch = batch_of(history, [1])
    postgres.execute(f"ALTER DATABASE {postgres_url.rpartition('/')[2]} SET default_transaction_read_only = on")
    with closing(History.open(postgres_url)) as history:
        assert history.queries.batch(batch).total == 1
        with pytest.raises(HistoryUnavailable, match="is read-only: it is a copy of another server, or set so"):
            history.control.set_state(batch, BatchState.PAUSED)
        assert "is read-only" in history.probe.check()


@pytest.fixture
def small_disk_url(postgres: Cluster) -> Iterator[str]:
    """The address of a database on a file system of 30 MB; needs the right to mount one."""
    with tempfile.TemporaryDirectory() as name:
        command = ["mount", "-t", "tmpfs", "-o", "size=30m,mode=0777", "tmpfs", name]
        if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a file system")
        try:
            if postgres.owner is not None:
                os.chown(name, postgres.owner.user, postgres.owner.group)
            Path(name).chmod(0o700)
            postgres.execute(f"CREATE TABLESPACE small LOCATION '{name}'")
            postgres.execute("CREATE DATABASE on_small_disk TABLESPACE small")
            yield postgres.url("on_small_disk")
            postgres.drop_database("on_small_disk")
            postgres.execute("DROP TABLESPACE small")
        finally:
            subprocess.run(["umount", "-l", name], check=True)


@long
def test_a_full_disk_of_the_server_is_told_and_nothing_is_lost(small_disk_url: str) -> None:
    with closing(History.open(small_disk_url)) as history:
        batch = batch_of(history, [1])
        with pytest.raises(HistoryUnavailable, match="the disk of its server is full"):
            history.recorder.record(intent(), (request(1, n, [event(n)], os.urandom(100_000)) for n in range(400)))
        assert [one.id for one in history.queries.batches().items] == [batch]
        assert history.queries.batch(batch).total == 1


@long
def test_a_server_that_is_restarted_is_waited_for_and_used_again(postgres: Cluster, history: History) -> None:
    batch = batch_of(history, [1])
    postgres.stop()
    try:
        with pytest.raises(HistoryUnavailable) as raised:
            history.queries.batch(batch)
        assert "cannot be reached" in str(raised.value) or "is being stopped or started" in str(raised.value)
        assert PASSWORD not in str(raised.value)
    finally:
        postgres.start()
    assert history.queries.batch(batch).total == 1
    history.control.set_state(batch, BatchState.PAUSED)


@long
def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used(postgres: Cluster, history: History) -> None:
    batch = batch_of(history, [1])
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'event-console'")
    until(lambda: postgres.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = 'event-console'") == [])
    history.control.set_state(batch, BatchState.PAUSED)
    assert history.queries.batch(batch).state is BatchState.PAUSED


@long
def test_a_password_that_a_server_repeats_is_hidden(history: History) -> None:
    assert history.database._hide_password(f"no such user {PASSWORD}") == "no such user ***"


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@long
def test_the_time_is_the_servers_whatever_this_machines_is(
    postgres: Cluster, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intempt_core.history.database.now_ms", lambda: 0)
    with closing(History.open(postgres_url)) as history:
        ((before,),) = postgres.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        batch = batch_of(history, [1])
        ((after,),) = postgres.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        assert int(str(before)) - 50 <= history.queries.batch(batch).created_at <= int(str(after)) + 50


def test_a_servers_clock_is_asked_again_after_a_while_and_a_slow_response_counts_less() -> None:
    now, asked = [100.0], []

    def ask() -> float:
        asked.append(now[0])
        now[0] += 10.0 if len(asked) == 1 else 0.5
        return 1_000_000.0 + asked[-1] + 0.25

    clock = ServerClock(ask, lambda: now[0])
    first = clock()
    assert first == int((1_000_000.0 + now[0]) * 1000)
    clock.measure_if_due()
    assert len(asked) == 3
    now[0] += MEASURE_AGAIN_SECONDS
    clock.measure_if_due()
    assert len(asked) == 4


# ── several that write at once ───────────────────────────────────────────────────────────────────────────────────────


@long
def test_of_two_that_record_to_one_target_the_second_waits_and_one_to_another_does_not(
    postgres: Cluster, history: History
) -> None:
    seen = history.repeats.checkpoint(SHOP.key)
    told: list[str] = []

    def record() -> None:
        try:
            history.recorder.record(intent(seen=seen, digest="d" * 64), [request(1, 1, [event(1)])])
        except SentBefore as error:
            told.append(str(error))

    with history.database.writing() as connection:
        lock_target(connection, SHOP.key)
        second = threading.Thread(target=record)
        second.start()
        until(lambda: count_waiting(postgres) == 1)
        elsewhere = intent(target=replace(SHOP, key="elsewhere"))
        history.recorder.record(elsewhere, [request(1, 1, [event(1)])])
        connection.execute(batches.insert().values(**as_recorded(history, "d" * 64)))
    second.join()
    assert len(told) == 1
    assert "the same file" in told[0]


def as_recorded(history: History, digest: str) -> dict[str, object]:
    """A batch to the shop that another process is recording."""
    with history.database.reading() as connection:
        (row,) = connection.execute(select(batches)).mappings().all()
    return {**row, "number": None, "id": "b_other", "target_key": SHOP.key, "digest": digest, "recorder": "other"} | {
        "number": 1_000
    }


def pause_and_resume(history: History, batch: str) -> None:
    history.control.set_state(batch, BatchState.PAUSED)
    history.control.resume(batch)


def take_over_and_give_back(history: History, batch: str) -> None:
    history.queue.claim(batch, "other", ME)
    history.queue.in_flight_to_unknown(batch, owner="other")
    history.queue.claim(batch, ME, "other")


def cancel(history: History, batch: str) -> None:
    history.control.set_state(batch, BatchState.CANCELLED)


DISTURBANCES = {"pause": pause_and_resume, "take over": take_over_and_give_back, "cancel": cancel}


@long
@pytest.mark.parametrize("change", DISTURBANCES)
def test_a_batch_whose_state_changes_while_many_write_stays_whole(history: History, change: str) -> None:
    lanes = 6
    batch = batch_of(history, *[[1] * 30] * lanes)
    ending = threading.Event()
    failed: list[BaseException] = []

    def send(lane: int) -> None:
        try:
            for work in history.queue.take(batch, lane, 1000):
                if history.queue.apply_transitions([AttemptStart(work.id)], owner=ME):
                    continue
                history.queue.apply_transitions([AttemptEnd(work.id, attempt(Outcome.ACCEPTED))], owner=ME)
        except BaseException as error:  # noqa: BLE001  it is raised below
            failed.append(error)

    def disturb() -> None:
        while not ending.is_set():
            with suppress(NotAllowed):
                DISTURBANCES[change](history, batch)
            time.sleep(0.005)

    threads = [threading.Thread(target=send, args=(lane,)) for lane in range(1, lanes + 1)]
    disturber = threading.Thread(target=disturb)
    for thread in (*threads, disturber):
        thread.start()
    for thread in threads:
        thread.join()
    ending.set()
    disturber.join()
    assert failed == []
    counts = history.queries.batch(batch).requests
    assert sum(counts.values()) == 30 * lanes
    assert counts.get(RequestState.IN_FLIGHT, 0) == 0
    if change == "cancel":
        assert set(counts) <= {RequestState.ACCEPTED, RequestState.CANCELLED}


@long
def test_transactions_that_meet_in_a_ring_are_a_conflict_and_both_are_written_when_repeated(history: History) -> None:
    one, other = batch_of(history, [1]), batch_of(history, [1])
    both = threading.Barrier(2, timeout=20)
    tries: list[str] = []

    @retry_conflicts
    def write(first: str, second: str) -> None:
        tries.append(first)
        with history.database.writing() as connection:
            connection.execute(update(batches).where(batches.c.id == first).values(rows=batches.c.rows + 1))
            with suppress(threading.BrokenBarrierError):
                both.wait()
            both.abort()
            connection.execute(update(batches).where(batches.c.id == second).values(rows=batches.c.rows + 1))

    before = history.queries.batch(one).rows
    threads = [threading.Thread(target=write, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 3
    assert history.queries.batch(one).rows == history.queries.batch(other).rows == before + 2


def test_a_conflict_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflicts, "CONFLICT_PAUSE_SECONDS", 0)
    tries = []

    @retry_conflicts
    def meet() -> None:
        tries.append(1)
        raise HistoryConflict("It was written by another process.")

    with pytest.raises(HistoryConflict):
        meet()
    assert len(tries) == CONFLICT_TRIES


@long
def test_a_transaction_whose_process_does_not_go_on_holds_up_nobody(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_server, "IDLE_IN_TRANSACTION_SECONDS", 0.2)
    with closing(History.open(postgres_url)) as frozen, closing(History.open(postgres_url)) as other:
        batch = batch_of(frozen, [1])

        def freeze() -> None:
            with frozen.database.writing() as connection:
                connection.execute(update(batches).values(reason="frozen"))
                other.control.set_state(batch, BatchState.PAUSED)  # waits until the server ends the other transaction
                connection.execute(update(batches).values(reason="thawed"))

        with pytest.raises(HistoryUnavailable) as raised:
            freeze()
        assert "ended a transaction" in str(raised.value) or "cannot be reached" in str(raised.value)
        assert other.queries.batch(batch).reason == ""
        assert frozen.queries.batch(batch).state is BatchState.PAUSED


@long
def test_a_lock_is_not_waited_for_while_the_process_ends(history: History) -> None:
    batch = batch_of(history, [1])
    with history.database.writing() as connection:
        connection.execute(update(batches).values(reason="held"))
        history.database.lock_timeout.shortened = True
        with pytest.raises(HistoryUnavailable, match="is locked by another program"):
            history.control.set_state(batch, BatchState.PAUSED)


# ── the search index ─────────────────────────────────────────────────────────────────────────────────────────────────


@long
def test_processes_that_fill_the_index_while_requests_are_split_leave_each_event_found_once(
    postgres_url: str,
) -> None:
    with ExitStack() as opened:
        first, *others = (opened.enter_context(closing(History.open(postgres_url))) for _ in range(3))
        batch = batch_of(first, *[[2] * 20] * 3)
        unkey(first, range(1, 61))
        ending = threading.Event()
        failed: list[BaseException] = []

        def fill(history: History) -> None:
            try:
                while not ending.is_set():
                    history.search_index.fill(5)
            except BaseException as error:  # noqa: BLE001  it is raised below
                failed.append(error)

        threads = [threading.Thread(target=fill, args=(history,)) for history in others]
        for thread in threads:
            thread.start()
        for lane in (1, 2, 3):
            for work in first.queue.take(batch, lane, 100):
                first.queue.apply_transitions([AttemptStart(work.id)], owner=ME)
                too_large = attempt(Outcome.REJECTED, status=413)
                first.queue.split(work.id, too_large, [RequestHalf(b"{}", 1)] * 2, owner=ME)
        until(lambda: read_unkeyed(first) == set() or failed)
        ending.set()
        for thread in threads:
            thread.join()
        assert failed == []
        with first.database.reading() as connection:
            keys = connection.execute(select(event_keys.c.request, event_keys.c.position, event_keys.c.kind)).all()
            places = connection.execute(select(events.c.request, events.c.position)).all()
            assert connection.execute(select(unkeyed_requests)).all() == []
        assert sorted(keys) == sorted((*place, kind) for place in places for kind in (2, 5))


# ── a pooler between the console and the server ──────────────────────────────────────────────────────────────────────


@contextmanager
def run_pooler(cluster: Cluster, database: str, mode: str) -> Iterator[str]:
    """PgBouncer before a database; gives the address at which it listens."""
    program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("There is no pgbouncer: Debian's package has that name.")
        pytest.skip("There is no pgbouncer on this machine.")
    port = find_free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users").write_text(f'"{USER}" "{PASSWORD}"\n')
        (folder / "ini").write_text(
            f"[databases]\n{database} = host=127.0.0.1 port={cluster.port} user={USER} password={PASSWORD}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
            f"auth_file = {folder / 'users'}\npool_mode = {mode}\n"
        )
        owner = cluster.owner
        with subprocess.Popen(
            [program, "-q", str(folder / "ini")],
            stderr=subprocess.DEVNULL,
            user=owner and owner.user,
            group=owner and owner.group,
        ) as process:
            try:
                url = cluster.url(database).replace(f":{cluster.port}/", f":{port}/")
                until(lambda: is_reached(url))
                yield url
            finally:
                process.terminate()


def is_reached(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@long
def test_a_pooler_that_shares_connections_between_transactions_is_told(postgres: Cluster, postgres_url: str) -> None:
    with run_pooler(postgres, postgres_url.rpartition("/")[2], "transaction") as url:
        assert "is reached through a pooler that shares a connection between transactions" in open_error(url)


@long
def test_a_pooler_that_works_by_session_is_taken(postgres: Cluster, postgres_url: str) -> None:
    with run_pooler(postgres, postgres_url.rpartition("/")[2], "session") as url, closing(History.open(url)) as history:
        assert history.queries.batch(batch_of(history, [2])).total == 2
