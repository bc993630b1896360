"""Old batches are deleted with all their rows, nothing else is, and other work does not wait long."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from intempt_core.contract.outcome import Outcome
from intempt_core.errors import NotAllowed, NotFound
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchFilter,
    BatchState,
    DeletionPreview,
    DeletionProgress,
    ExcludedRow,
    History,
    RequestHalf,
)
from intempt_core.history.schema import metadata
from tests.core.history.factories import ME, SHOP, Clock, attempt, batch_of

DAY = 86_400_000
OF_ONE = {"batches", "requests", "bodies", "attempts", "events", "seconds", "slowest"}
"""The tables that hold one row each for a batch of one event that was sent."""


def done(history: History, *sizes: int, left: int = 0, **given: str) -> str:
    """A batch that was sent."""
    rows = [ExcludedRow(1_000_000 + number, None, ("event_name",)) for number in range(left)]
    batch = batch_of(history, sizes, excluded=rows, **given)
    for work in history.queue.take(batch, 1, 10_000):
        history.queue.apply_transitions(
            [AttemptStart(work.id), AttemptEnd(work.id, attempt(Outcome.ACCEPTED))], owner=ME
        )
    history.control.set_state(batch, BatchState.DONE)
    return batch


def rows_of(history: History) -> dict[str, int]:
    with history.database.reading() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


def test_an_old_finished_batch_is_deleted_completely(history: History, clock: Clock) -> None:
    done(history, 2, 3, left=2, digest="d")
    first = clock.now
    clock.now += DAY
    young = done(history, 1)
    before = clock.now
    assert history.retention.preview_deletion(before) == DeletionPreview(1, 2, 5, first, first, 0)
    reported: list[DeletionProgress] = []
    deleted = history.retention.delete_before(before, reported.append)
    assert (deleted.batches, deleted.events) == (1, 5)
    assert reported[-1] == DeletionProgress(1, 5)
    assert [batch.id for batch in history.queries.batches().items] == [young]
    left = rows_of(history)
    assert left.pop("event_keys") == 2  # its user and its product
    assert all(count == (name in OF_ONE) for name, count in left.items()), left
    assert history.retention.preview_deletion(before) == DeletionPreview(0, 0, 0, 0, 0, 0)
    assert history.retention.delete_before(before).batches == 0


def test_a_batch_that_is_active_or_waits_for_a_person_is_not_deleted(history: History, clock: Clock) -> None:
    kept = [batch_of(history, [1]) for _ in range(4)]
    history.control.set_state(kept[1], BatchState.PAUSED)
    history.control.set_state(kept[2], BatchState.STOPPED)
    in_flight = history.queue.take(kept[3], 1, 1)[0].id
    history.queue.apply_transitions([AttemptStart(in_flight)], owner=ME)
    history.control.set_state(kept[3], BatchState.CANCELLED)  # but its response is still to come
    clock.now += DAY
    assert history.retention.preview_deletion(clock.now) == DeletionPreview(0, 0, 0, 0, 0, 4)
    assert history.retention.delete_before(clock.now).batches == 0
    assert {batch.id for batch in history.queries.batches().items} == set(kept)
    assert not history.queue.apply_transitions([AttemptEnd(in_flight, attempt(Outcome.ACCEPTED))], owner=ME)
    assert history.retention.delete_before(clock.now).batches == 1


def test_halves_are_deleted_with_their_parents_and_count_once(history: History, clock: Clock) -> None:
    batch = batch_of(history, [4])
    (whole,) = history.queue.take(batch, 1, 1)
    history.queue.apply_transitions([AttemptStart(whole.id)], owner=ME)
    for half in history.queue.split(
        whole.id, attempt(Outcome.REJECTED, status=413), [RequestHalf(b"{}", 2)] * 2, owner=ME
    ):
        history.queue.apply_transitions(
            [AttemptStart(half.id), AttemptEnd(half.id, attempt(Outcome.ACCEPTED))], owner=ME
        )
    history.control.set_state(batch, BatchState.DONE)
    clock.now += DAY
    assert history.retention.preview_deletion(clock.now).events == 4
    assert history.retention.delete_before(clock.now).events == 4
    assert {name: count for name, count in rows_of(history).items() if count} == {
        "batches": 1
    }  # its number is not reused


def test_a_deletion_that_stops_hides_what_it_was_to_delete_and_the_next_one_deletes_it(
    history: History, clock: Clock
) -> None:
    batch = done(history, *[50] * 300, digest="d")
    request = history.queries.requests(batch).items[0].id
    clock.now += DAY
    deleted = history.retention.delete_before(clock.now, should_stop=lambda: True)
    assert 0 < deleted.events < 15_000
    assert deleted.batches == 0
    for ask in (
        history.queries.batch,
        history.queries.requests,
        history.throughput.timeline,
        lambda id_: list(history.outcomes.rows(id_)),
    ):
        with pytest.raises(NotFound):
            ask(batch)
    with pytest.raises(NotFound):
        history.queries.request(request)
    with pytest.raises((NotFound, NotAllowed)):
        history.control.set_state(batch, BatchState.SENDING)
    assert history.queries.batches(BatchFilter(text="e1")).total == 0
    assert history.queries.batches_of_file("d", SHOP.key) == []
    assert not history.events.prior_sends(SHOP.key, ["e1", "e15000"])
    assert history.persons.interactions(SHOP.key, "userId", "u1") == []
    assert history.queries.target_names() == []
    assert history.queue.unfinished() == []
    assert history.retention.delete_before(0).batches == 1
    assert rows_of(history)["events"] == 0


@pytest.mark.sqlite_only("a server gives space back by itself")
def test_space_goes_back_to_the_disk(history: History, file: Path, clock: Clock) -> None:
    done(history, *[50] * 200)
    history.search_index.wait(20)
    clock.now += DAY
    deleted = history.retention.delete_before(clock.now)
    assert deleted.freed > 1_000_000
    assert deleted.reusable == 0
    history.close()
    assert file.stat().st_size < 500_000


@pytest.mark.sqlite_only("a server gives space back by itself")
def test_a_database_that_gives_no_space_back_reports_it_as_reusable(file: Path, clock: Clock) -> None:
    with sqlite3.connect(file) as older:
        older.execute("CREATE TABLE made_by_an_older_console (a)")
    older.close()
    history = History.open(f"sqlite:///{file}", clock=clock)
    done(history, *[50] * 20)
    clock.now += DAY
    deleted = history.retention.delete_before(clock.now)
    assert deleted.freed == 0
    assert deleted.reusable > 100_000
    history.close()


def test_a_deletion_lets_other_writes_in_between(history: History, clock: Clock) -> None:
    done(history, *[50] * 400)
    clock.now += DAY
    other = batch_of(history, [1] * 100)
    waited: list[float] = []
    ended = threading.Event()

    def send() -> None:
        for work in history.queue.take(other, 1, 100):
            began = time.monotonic()
            history.queue.apply_transitions(
                [AttemptStart(work.id), AttemptEnd(work.id, attempt(Outcome.ACCEPTED))], owner=ME
            )
            waited.append(time.monotonic() - began)
            if ended.is_set():
                return

    sending = threading.Thread(target=send)
    sending.start()
    slices: list[DeletionProgress] = []
    history.retention.delete_before(clock.now, slices.append)
    ended.set()
    sending.join()
    assert len(slices) >= 4
    assert max(waited) < 5
