"""Nothing goes twice: what two plans have in common is recorded once, whichever of them is recorded later."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from intempt_core.contract.outcome import Outcome
from intempt_core.errors import NotAllowed, NotFound, SentBefore
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchIntent,
    BatchState,
    History,
    HistoryCheckpoint,
    RequestIntent,
    RequestState,
)
from intempt_core.history.recorder import Recorder
from tests.core.history.factories import ME, SHOP, attempt, event, intent, request

ROOT = Path(__file__).parents[3]
FILE = "d" * 64


def planned(history: History, place: str = SHOP.key, **given: object) -> BatchIntent:
    """The intent of a plan that was made now."""
    return intent(owner=ME, seen=history.repeats.checkpoint(place), **given)


def in_pieces(history: History) -> Recorder:
    """It writes two events in a transaction. A piece is written as soon as the next one is complete."""
    return Recorder(history.database, 2)


def of_rows(*rows: int) -> list[RequestIntent]:
    return [request(1, position, [event(row)]) for position, row in enumerate(rows, 1)]


def settle(history: History, batch: str, outcome: Outcome = Outcome.ACCEPTED) -> None:
    for work in history.queue.take(batch, 1, 1000):
        history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, attempt(outcome))], owner=ME)


def states(history: History) -> list[BatchState]:
    return [batch.state for batch in history.queries.batches().items[::-1]]


# ── what is a repeat ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_two_plans_of_one_file_the_second_is_not_recorded_and_says_what_went(history: History) -> None:
    first, second = planned(history, digest=FILE), planned(history, digest=FILE)
    batch = history.recorder.record(first, of_rows(1, 2))
    settle(history, batch)
    history.control.set_state(batch, BatchState.DONE)
    with pytest.raises(SentBefore) as told:
        history.recorder.record(second, of_rows(3))  # another mapping, so other ids
    assert str(told.value) == (
        "Since the plan was made, this went or is going to shop:"
        f" the same file in batch {batch} (data.csv; done: 2 accepted)."
    )
    assert list(told.value.batches) == [batch]
    assert states(history) == [BatchState.DONE]


@pytest.mark.parametrize("digest", ["", "e" * 64])
def test_the_same_event_ids_of_another_input_are_a_repeat(history: History, digest: str) -> None:
    second = planned(history, digest=digest)
    batch = history.recorder.record(planned(history, digest=FILE), of_rows(1, 2, 3))
    with pytest.raises(SentBefore, match=rf"2 of these events in batch {batch} \(data.csv; sending: 3 pending\)"):
        history.recorder.record(second, of_rows(2, 3, 4))
    assert len(states(history)) == 1


def test_other_events_of_another_input_are_none(history: History) -> None:
    second = planned(history, digest="e" * 64)
    history.recorder.record(planned(history, digest=FILE), of_rows(1, 2))
    history.recorder.record(second, of_rows(3, 4))
    assert states(history) == [BatchState.SENDING] * 2


def test_events_without_ids_and_without_an_input_cannot_be_compared(history: History) -> None:
    second = planned(history)
    nameless = [request(1, 1, [event(1, event_id=None)])]
    for made in (planned(history), second):
        history.recorder.record(made, nameless)
    assert len(states(history)) == 2


def test_another_target_is_none(history: History) -> None:
    elsewhere = replace(SHOP, key="elsewhere")
    second = planned(history, "elsewhere", digest=FILE, target=elsewhere)
    history.recorder.record(planned(history, digest=FILE), of_rows(1))
    history.recorder.record(second, of_rows(1))
    assert len(states(history)) == 2


@pytest.mark.parametrize(
    ("outcome", "is_repeat"),
    [(Outcome.ACCEPTED, True), (Outcome.UNKNOWN, True), (Outcome.REJECTED, False), (Outcome.NOT_SENT, False)],
)
def test_what_had_no_effect_and_is_over_is_none(history: History, outcome: Outcome, is_repeat: bool) -> None:
    second = planned(history, digest=FILE)
    batch = history.recorder.record(planned(history, digest=FILE), of_rows(1))
    settle(history, batch, outcome)
    history.control.set_state(batch, BatchState.DONE)
    if is_repeat:
        with pytest.raises(SentBefore):
            history.recorder.record(second, of_rows(1))
    else:
        history.recorder.record(second, of_rows(1))


def test_what_was_not_sent_is_one_while_its_batch_may_be_resumed(history: History) -> None:
    second = planned(history, digest=FILE)
    batch = history.recorder.record(planned(history, digest=FILE), of_rows(1))
    settle(history, batch, Outcome.NOT_SENT)
    history.control.set_state(batch, BatchState.STOPPED)
    with pytest.raises(SentBefore):
        history.recorder.record(second, of_rows(1))
    history.control.set_state(batch, BatchState.CANCELLED)
    history.recorder.record(second, of_rows(1))


def test_what_a_plan_knew_is_not_asked_twice(history: History) -> None:
    history.recorder.record(planned(history, digest=FILE), of_rows(1, 2))
    history.recorder.record(planned(history, digest=FILE), of_rows(1, 2))
    history.recorder.record(intent(owner=ME, digest=FILE), of_rows(1, 2))  # a plan that has not looked
    assert len(states(history)) == 3


def test_what_a_person_was_told_of_is_not_asked_twice_and_what_came_after_it_is(history: History) -> None:
    second = planned(history, digest=FILE)
    history.recorder.record(planned(history, digest=FILE), of_rows(1))
    with pytest.raises(SentBefore) as told:
        history.recorder.record(second, of_rows(1))
    assert second.seen
    confirmed = replace(second, seen=second.seen.confirm(told.value.batches.values()))
    third = history.recorder.record(planned(history, digest=FILE), of_rows(1))
    with pytest.raises(SentBefore) as again:
        history.recorder.record(confirmed, of_rows(1))
    assert list(again.value.batches) == [third]
    assert confirmed.seen
    history.recorder.record(replace(confirmed, seen=confirmed.seen.confirm(again.value.batches.values())), of_rows(1))
    assert len(states(history)) == 3


def test_a_batch_that_was_still_recorded_when_the_plan_was_made_is_compared(history: History) -> None:
    seen: list[HistoryCheckpoint] = []

    def slow() -> Iterator[RequestIntent]:
        yield from of_rows(1, 2, 3, 4)
        seen.append(history.repeats.checkpoint(SHOP.key))
        yield from of_rows(5, 6)

    batch = in_pieces(history).record(planned(history, digest=FILE), slow())
    assert seen[0].recording == {seen[0].newest}
    with pytest.raises(SentBefore, match=f"1 of these events in batch {batch}"):
        history.recorder.record(intent(owner=ME, seen=seen[0]), of_rows(6))


def test_the_events_of_a_new_run_are_new_but_its_file_is_the_same(history: History) -> None:
    second = planned(history, digest=FILE)
    history.recorder.record(planned(history, digest=FILE), of_rows(1))
    with pytest.raises(SentBefore):
        history.recorder.record(second, [request(1, 1, [event(1, event_id="fresh")])])


def test_the_number_of_a_deleted_batch_is_not_given_again(history: History) -> None:
    before = history.recorder.record(planned(history), of_rows(1))
    history.control.set_state(before, BatchState.CANCELLED)
    second = planned(history)
    assert history.retention.delete_before(2**62).batches == 1
    assert history.queries.batches().total == 0
    history.recorder.record(planned(history), of_rows(2))
    with pytest.raises(SentBefore):
        history.recorder.record(second, of_rows(2))
    assert history.retention.delete_before(2**62).batches == 0
    with history.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM batches").scalar() == 1


# ── two that record at once ──────────────────────────────────────────────────────────────────────────────────────────


def test_found_in_a_later_piece_the_batch_is_stopped_and_nothing_of_it_is_pending(history: History) -> None:
    mine = planned(history)

    def slow() -> Iterator[RequestIntent]:
        yield from of_rows(1, 2, 3, 4)
        history.recorder.record(planned(history), of_rows(6))
        yield from of_rows(5, 6)

    with pytest.raises(SentBefore, match="1 of these events") as told:
        in_pieces(history).record(mine, slow())
    stopped, other = history.queries.batches().items[::-1]
    assert told.value.stopped == stopped.id
    assert (stopped.state, other.state) == (BatchState.STOPPED, BatchState.SENDING)
    assert set(stopped.events) == {RequestState.CANCELLED}
    assert stopped.reason.startswith(
        "4 events are recorded; what was recorded may have been sent. What was not is cancelled."
        " Since the plan was made, this went or is going to shop: 1 of"
    )


def test_of_two_that_find_each_other_one_is_sent(history: History) -> None:
    """Each has recorded a piece that the other one still has to record."""
    both, told = threading.Barrier(2, timeout=20), list[str]()

    def one(made: BatchIntent, *rows: int) -> None:
        def slow() -> Iterator[RequestIntent]:
            yield from of_rows(*rows)
            both.wait()

        try:
            in_pieces(history).record(made, slow())
        except SentBefore as error:
            told.append(str(error))

    threads = [threading.Thread(target=one, args=(planned(history), *rows)) for rows in ((1, 2, 3, 4), (3, 4, 1, 2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1
    assert sorted(states(history)) == [BatchState.SENDING, BatchState.STOPPED]


RECORDER = """
import sys
from intempt_core.errors import SentBefore
from intempt_core.history import History
from intempt_core.history.recorder import Recorder
from tests.core.history.factories import ME, SHOP, event, intent, request
history = History.open(sys.argv[1])
made = intent(owner=ME, digest="d" * 64, seen=history.repeats.checkpoint(SHOP.key))
print("planned", flush=True)
sys.stdin.readline()
try:
    Recorder(history.database, 200).record(made, [request(1, n, [event(n)]) for n in range(2000)])
    print("recorded")
except SentBefore:
    print("told")
"""


@pytest.mark.long
def test_of_processes_that_record_the_same_at_once_one_does(database_url: str) -> None:
    url = database_url
    history = History.open(url)
    recorders = [
        subprocess.Popen(
            [sys.executable, "-c", RECORDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _ in range(3)
    ]
    for process in recorders:
        assert process.stdout
        assert process.stdout.readline() == "planned\n"
    for process in recorders:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=60)[0].strip() for process in recorders)
    assert said == ["recorded", "told", "told"]
    assert states(history) == [BatchState.SENDING]
    history.close()


def test_a_batch_that_is_cancelled_while_it_is_recorded_ends_with_its_next_piece(history: History) -> None:
    asked = 0

    def slow() -> Iterator[RequestIntent]:
        nonlocal asked
        for asked in range(1, 100):
            if asked == 7:
                history.control.set_state(history.queries.batches().items[0].id, BatchState.CANCELLED)
            yield from of_rows(asked)

    with pytest.raises(NotAllowed, match="cancelled or stopped while it was being recorded"):
        in_pieces(history).record(planned(history), slow())
    assert asked < 12
    assert set(history.queries.batches().items[0].events) == {RequestState.CANCELLED}


# ── before a batch goes on ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_went_since_is_told_before_a_batch_is_resumed(history: History) -> None:
    batch = history.recorder.record(planned(history, digest=FILE), of_rows(1, 2, 3))
    first = history.queue.take(batch, 1, 1)[0]
    history.queue.apply_transitions([AttemptStart(first.id), AttemptEnd(first.id, attempt())], owner=ME)
    history.control.set_state(batch, BatchState.PAUSED)
    assert history.repeats.since(batch) == []
    history.recorder.record(planned(history, digest="e" * 64), of_rows(1, 9))  # what this batch has sent already
    assert history.repeats.since(batch) == []
    later = history.recorder.record(planned(history, digest="f" * 64), of_rows(3, 4))
    (told,) = history.repeats.since(batch)
    assert (told.batch, told.repeated, told.same_input) == (later, 1, False)
    with pytest.raises(SentBefore, match="1 of these events"):
        history.control.resume(batch, confirmed=())
    assert history.queries.batch(batch).state is BatchState.PAUSED
    history.control.resume(batch, confirmed=[told.number])
    assert history.queries.batch(batch).state is BatchState.SENDING


def order_lines(*products: str | None) -> list[RequestIntent]:
    """Lines of one order, which share their event id."""
    lines = [event(row, name="Product ordered", event_id="o", product_id=one) for row, one in enumerate(products, 1)]
    return [request(1, 1, lines)]


def test_another_line_of_the_same_order_is_no_repeat_of_those_that_wait(history: History) -> None:
    waiting = history.recorder.record(planned(history), order_lines("p1", "p3"))
    history.control.set_state(waiting, BatchState.PAUSED)
    history.recorder.record(planned(history), order_lines("p2"))
    assert history.repeats.since(waiting) == []
    history.control.resume(waiting, confirmed=())


@pytest.mark.parametrize("other", [{"product_id": "p3"}, {"product_id": None}, {"name": "Product viewed"}])
def test_a_line_that_went_or_may_have_is_a_repeat_of_one_that_waits(history: History, other: dict[str, object]) -> None:
    waiting = history.recorder.record(planned(history), order_lines("p1", "p3"))
    history.control.set_state(waiting, BatchState.PAUSED)
    usual = {"name": "Product ordered", "event_id": "o", "product_id": "p2"}
    history.recorder.record(planned(history), [request(1, 1, [event(1, **usual | other)])])
    (told,) = history.repeats.since(waiting)
    assert told.repeated == (1 if other == {"product_id": "p3"} else 2)


def test_a_line_that_is_recorded_repeats_only_a_line_of_its_product_or_of_an_unknown_one(history: History) -> None:
    plans = [planned(history) for _ in range(4)]
    history.recorder.record(plans[0], order_lines("p1", "p3"))
    history.recorder.record(plans[1], order_lines("p2"))
    with pytest.raises(SentBefore, match="1 of these events"):
        history.recorder.record(plans[2], order_lines("p2", "p4"))
    with pytest.raises(SentBefore, match="1 of these events"):
        history.recorder.record(plans[3], order_lines(None))


def test_a_later_run_of_the_same_file_is_no_repeat_of_a_batch_whose_ids_it_has_not(history: History) -> None:
    batch = history.recorder.record(planned(history, digest=FILE), of_rows(1))
    history.recorder.record(planned(history, digest=FILE), [request(1, 1, [event(1, event_id="fresh")])])
    assert history.repeats.since(batch) == []


def test_events_without_ids_are_compared_by_their_file_before_a_batch_is_resumed(history: History) -> None:
    nameless = [request(1, 1, [event(1, event_id=None)])]
    batch = history.recorder.record(planned(history, digest=FILE), nameless)
    history.recorder.record(planned(history, digest=FILE), nameless)
    assert [told.same_input for told in history.repeats.since(batch)] == [True]


def test_an_unknown_batch_is_not_found(history: History) -> None:
    with pytest.raises(NotFound):
        history.repeats.since("b_nothing")


def test_the_batches_of_an_input_of_which_something_went(history: History) -> None:
    assert history.repeats.of_input(FILE, SHOP.key) == history.repeats.of_input("", SHOP.key) == []
    rejected = history.recorder.record(planned(history, digest=FILE), of_rows(1))
    settle(history, rejected, Outcome.REJECTED)
    batch = history.recorder.record(planned(history, digest=FILE), of_rows(1))
    (told,) = history.repeats.of_input(FILE, SHOP.key)
    assert (told.batch, told.events) == (batch, {RequestState.PENDING: 1})
    assert history.repeats.of_input(FILE, "elsewhere") == []
