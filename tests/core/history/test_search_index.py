"""The search index is filled behind the inserts; at any moment it and what is unkeyed are all events, each once."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy import select, update

from intempt_core.contract.outcome import Outcome
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchFilter,
    BatchState,
    History,
    RequestHalf,
    RequestIntent,
    persons,
)
from intempt_core.history.recorder import SHARED_CHUNK_EVENTS
from intempt_core.history.records import KEY_COLUMNS
from intempt_core.history.schema import batches, event_keys, events, unkeyed_requests
from intempt_core.history.upkeep import search_index
from tests.core.history.factories import ME, SHOP, Clock, Databases, attempt, batch_of, event, intent, request, unkey
from tests.examples import scale_examples


def check_index(history: History) -> set[int]:
    """Each event has its keys or its request is unkeyed, never both, and nothing else is there; the unkeyed ones."""
    with history.database.reading() as connection:
        unkeyed = set(connection.execute(select(unkeyed_requests.c.request)).scalars())
        expected = {
            (kind, value, row.batch, row.request, row.position)
            for row in connection.execute(select(events))
            for kind, value in enumerate((getattr(row, column) for column in KEY_COLUMNS), 1)
            if value is not None and row.request not in unkeyed
        }
        assert {tuple(row) for row in connection.execute(select(event_keys))} == expected
    return unkeyed


def batch_in_pieces(history: History, size: int = 3 * SHARED_CHUNK_EVENTS) -> str:
    requests = (request(1, n, [event(n * 100 + i) for i in range(100)], b"{}") for n in range(size // 100))
    return history.recorder.record(intent(owner=ME, events=size), requests)


def test_a_small_batch_has_its_keys_at_once(history: History) -> None:
    batch_of(history, [2, 1])
    assert check_index(history) == set()


def test_a_large_batch_has_them_soon_after_its_last_piece(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index.SearchIndex.fill, "__defaults__", (700,))
    batch = batch_in_pieces(history)
    assert history.queries.batches(BatchFilter(text="p250")).items[0].id == batch
    history.search_index.wait(20)
    assert check_index(history) == set()
    assert history.queries.batches(BatchFilter(text="p250")).items[0].id == batch


def test_while_a_batch_is_recorded_nothing_is_filled(history: History) -> None:
    seen: list[int] = []

    def slow() -> Iterator[RequestIntent]:
        for position in range(30):
            yield request(1, position, [event(position * 100 + i) for i in range(100)], b"{}")
            history.search_index.start()
            history.search_index.wait(20)
            seen.append(len(check_index(history)))

    history.recorder.record(intent(owner=ME, events=3000), slow())
    assert seen == sorted(seen)
    assert seen[-1] >= 10
    history.search_index.wait(20)
    assert check_index(history) == set()


def test_a_slice_is_about_as_large_as_it_is_told(history: History) -> None:
    batch_of(history, [4] * 5)
    unkey(history, range(1, 6))
    assert history.search_index.fill(7) == 8
    assert check_index(history) == {3, 4, 5}
    assert (history.search_index.fill(100), history.search_index.fill(100)) == (12, 0)
    assert check_index(history) == set()


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.sets(st.integers(1, 4)), st.data())
@how(max_examples=scale_examples(25), deadline=None)
def test_halves_and_deleted_batches_leave_no_key_and_no_event_behind(
    fresh_databases: Databases, sizes: list[int], unkeyed: set[int], data: st.DataObject
) -> None:
    clock = Clock()
    with fresh_databases() as url, closing(History.open(url, clock=clock)) as history:
        batch = batch_of(history, sizes)
        unkey(history, unkeyed & set(range(1, len(sizes) + 1)))
        for work in history.queue.take(batch, 1, 10):
            history.queue.apply_transitions([AttemptStart(work.id)], owner=ME)
            if work.events > 1 and data.draw(st.booleans()):
                cut = data.draw(st.integers(1, work.events - 1))
                halves = [RequestHalf(b"{}", cut), RequestHalf(b"{}", work.events - cut)]
                history.queue.split(work.id, attempt(Outcome.REJECTED, status=413, too_large=True), halves, owner=ME)
            else:
                history.queue.apply_transitions([AttemptEnd(work.id, attempt(Outcome.ACCEPTED))], owner=ME)
            check_index(history)
        found = history.persons.person_history(SHOP.key, "userId", "u1").events
        assert sorted(one.event_id for one in found) == sorted(f"e{row}" for row in range(1, sum(sizes) + 1))
        history.control.set_state(batch, BatchState.CANCELLED)
        clock.now += 1
        assert history.retention.delete_before(clock.now).batches == 1
        assert check_index(history) == set()


def test_the_last_events_of_an_id_are_the_same_however_many_have_keys(history: History) -> None:
    batch = batch_of(history, [1] * 6)
    for work in history.queue.take(batch, 1, 4):
        history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, attempt())], owner=ME)

    def last() -> list[str]:
        with history.database.reading() as connection:
            found = list(persons._read_named_events(connection, SHOP.key, ("userId", "u1"), 3))
            return sorted(str(one.event_id) for one in found)

    assert last() == ["e2", "e3", "e4"]
    for unkeyed in ({4}, {1, 5}, {2, 3}, {6}):
        unkey(history, unkeyed)
        assert last() == ["e2", "e3", "e4"]


@pytest.mark.sqlite_only("on a server nobody waits for those who write")
def test_it_waits_for_those_who_write_but_not_forever(
    history: History, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_of(history, [1])
    unkey(history, [1])
    ending = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=5)) as other:
            while not ending.wait(0.01):
                other.execute("UPDATE batches SET changed_at = changed_at + 1")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.05)
        history.search_index.start()
        history.search_index.wait(1)
        assert check_index(history) == {1}
        history.search_index.stop()
        monkeypatch.setattr(search_index, "LONGEST_TURN_SECONDS", 0.3)
        history.search_index.start()
        history.search_index.wait(20)
        assert check_index(history) == set()
    finally:
        ending.set()
        writer.join()


def test_what_a_recording_that_ended_early_has_left_is_filled_by_the_next_who_starts_it(
    database_url: str, history: History
) -> None:
    batch_in_pieces(history)
    history.search_index.wait(20)
    unkey(history, [1, 2, 3])
    with history.database.writing() as connection:
        connection.execute(update(batches).values(recorder="gone"))
    history.search_index.start()
    history.search_index.wait(20)
    assert check_index(history) == {1, 2, 3}
    with history.database.writing() as connection:
        connection.execute(update(batches).values(recorder=""))
    again = History.open(database_url)
    again.search_index.start()
    again.search_index.wait(20)
    again.close()
    assert check_index(history) == set()


@pytest.mark.sqlite_only("another program locks SQLite's file")
@pytest.mark.long
def test_locked_it_gives_up_and_a_later_start_goes_on(file: Path) -> None:
    history = History.open(f"sqlite:///{file}", busy_seconds=0.05)
    batch_of(history, [1])
    unkey(history, [1])
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        history.search_index.start()
        history.search_index.wait(20)
        other.execute("ROLLBACK")
    assert check_index(history) == {1}
    history.search_index.start()
    history.search_index.wait(20)
    assert check_index(history) == set()
    history.close()
