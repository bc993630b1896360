"""A resend is linked both ways: the original says what was sent again and what is resolved, and offers it no more."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from intempt_core.contract.outcome import Outcome
from intempt_core.errors import SentBefore
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    History,
    HistoryCheckpoint,
    RequestHalf,
    RequestState,
)
from intempt_core.history.recorder import Recorder
from tests.core.history.factories import ME, SHOP, attempt, batch_of, event, intent, request

ACCEPTED, UNKNOWN, REJECTED, CANCELLED = (
    RequestState.ACCEPTED,
    RequestState.UNKNOWN,
    RequestState.REJECTED,
    RequestState.CANCELLED,
)


def end(history: History, batch: str, *outcomes: Outcome) -> None:
    """The batch's requests get these outcomes, in their order; then it is done."""
    for work, outcome in zip(history.queue.take(batch, 1, 100), outcomes, strict=True):
        history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, attempt(outcome))], owner=ME)
    history.control.set_state(batch, BatchState.DONE)


def original(history: History) -> str:
    """A batch of four requests of two events: accepted, unknown, unknown, rejected."""
    batch = batch_of(history, [2, 2, 2, 2], digest="d" * 64)
    end(history, batch, Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.REJECTED)
    return batch


def see(history: History) -> HistoryCheckpoint:
    return history.repeats.checkpoint(SHOP.key)


def resend(history: History, batch: str, *states: RequestState, seen: HistoryCheckpoint | None = None) -> str:
    """Send again what can be, by a plan that is made now, or was made then."""
    seen = seen or see(history)
    found = history.queries.batch(batch)
    made = intent(owner=ME, digest=found.digest, resend_of=batch, seen=seen)
    return history.recorder.record(made, history.outcomes.request_intents(batch, states, seen=seen))


def test_a_resend_and_its_original_name_each_other(history: History) -> None:
    batch = original(history)
    assert history.queries.batch(batch).resends == ()
    first, second = resend(history, batch, UNKNOWN), resend(history, batch, REJECTED)
    assert history.queries.batch(batch).resends == (first, second)
    assert history.queries.batch(first).resend_of == batch
    assert {found.id: found.resends for found in history.queries.batches().items}[batch] == (first, second)


def test_what_was_accepted_when_it_was_sent_again_is_resolved(history: History) -> None:
    batch = original(history)
    again = resend(history, batch, UNKNOWN, REJECTED)
    found = history.queries.batch(batch)
    assert (found.resent, found.resolved) == ({UNKNOWN: 4, REJECTED: 2}, {})
    end(history, again, Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.REJECTED)
    found = history.queries.batch(batch)
    assert (found.resent, found.resolved) == ({UNKNOWN: 4, REJECTED: 2}, {UNKNOWN: 2})
    assert found.events == {ACCEPTED: 2, UNKNOWN: 4, REJECTED: 2}  # what came of it here stays
    assert [found.count_resendable(state) for state in (ACCEPTED, UNKNOWN, REJECTED)] == [2, 0, 0]


def test_it_is_resolved_by_the_resend_of_a_resend_and_by_the_halves_of_a_split_one(history: History) -> None:
    batch = original(history)
    again = resend(history, batch, UNKNOWN)
    end(history, again, Outcome.UNKNOWN, Outcome.UNKNOWN)
    third = resend(history, again, UNKNOWN)
    first, second = history.queue.take(third, 1, 2)
    history.queue.apply_transitions([AttemptStart(first.id)], owner=ME)
    halves = history.queue.split(
        first.id, attempt(Outcome.REJECTED, status=413), [RequestHalf(b"1", 1), RequestHalf(b"2", 1)], owner=ME
    )
    for work, outcome in zip((*halves, second), (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED), strict=True):
        history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, attempt(outcome))], owner=ME)
    assert history.queries.batch(batch).resolved == {UNKNOWN: 3}
    assert history.queries.batch(again).resolved == {UNKNOWN: 3}


def test_what_was_sent_again_is_offered_no_more_but_what_was_accepted_is(history: History) -> None:
    batch = original(history)
    resend(history, batch, ACCEPTED, UNKNOWN)
    left = list(history.outcomes.request_intents(batch, [ACCEPTED, UNKNOWN, REJECTED], seen=see(history)))
    assert [[event.row for event in one.events] for one in left] == [[1, 2], [7, 8]]
    assert len(list(history.outcomes.request_intents(batch, [ACCEPTED, UNKNOWN, REJECTED]))) == 4


def test_of_two_resends_of_the_same_requests_by_two_tabs_the_second_is_a_repeat(history: History) -> None:
    batch = original(history)
    drawn = see(history)
    first = resend(history, batch, UNKNOWN, seen=drawn)
    with pytest.raises(SentBefore, match=f"4 of these events in batch {first}"):
        resend(history, batch, UNKNOWN, seen=drawn)
    other = resend(history, batch, REJECTED, seen=drawn)  # other requests of the same batch are none
    assert history.queries.batch(batch).resends == (first, other)


def test_the_same_requests_under_new_ids_are_a_repeat_too(history: History) -> None:
    batch = original(history)
    drawn = see(history)

    def renewed(name: str) -> str:
        made = intent(owner=ME, resend_of=batch, seen=drawn)
        found = history.outcomes.request_intents(batch, [UNKNOWN], seen=drawn)
        return history.recorder.record(
            made,
            [
                replace(request(1, n, [event(n, event_id=f"{name}{n}")] * 2), resend_of=one.resend_of)
                for n, one in enumerate(found)
            ],
        )

    renewed("a")
    with pytest.raises(SentBefore, match="4 of these events"):
        renewed("b")


def test_a_later_send_of_the_whole_file_is_a_repeat_of_a_resend(history: History) -> None:
    batch = original(history)
    drawn = see(history)
    batch_of(history, [8], digest="d" * 64)
    with pytest.raises(SentBefore, match="the same file"):
        resend(history, batch, UNKNOWN, seen=drawn)


def test_a_resend_that_was_not_recorded_completely_is_one_of_what_was(history: History) -> None:
    batch = original(history)

    def broken() -> Iterator[object]:
        yield from history.outcomes.request_intents(batch, [UNKNOWN])
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        Recorder(history.database, 2).record(intent(owner=ME, resend_of=batch), broken())  # type: ignore[arg-type]
    again, found = history.queries.batches().items
    assert [again.state, found.state] == [BatchState.STOPPED, BatchState.DONE]
    assert again.events == {RequestState.PENDING: 2}
    assert (found.resends, found.resent, found.count_resendable(UNKNOWN)) == ((again.id,), {UNKNOWN: 2}, 2)


def test_what_a_person_cancelled_of_a_resend_is_offered_there(history: History) -> None:
    batch = original(history)
    again = resend(history, batch, UNKNOWN)
    history.control.set_state(again, BatchState.CANCELLED)
    assert history.queries.batch(batch).count_resendable(UNKNOWN) == 0
    assert history.queries.batch(again).count_resendable(CANCELLED) == 4
    end(history, resend(history, again, CANCELLED), Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert history.queries.batch(batch).resolved == {UNKNOWN: 4}
    assert history.queries.batch(again).resolved == {CANCELLED: 4}


def test_a_deleted_resend_is_named_no_more(history: History) -> None:
    batch = original(history)
    resend(history, batch, UNKNOWN)
    with history.database.writing() as connection:
        connection.exec_driver_sql("UPDATE batches SET state = 'forgotten' WHERE resend_of != ''")
    assert history.queries.batch(batch).resends == ()
    assert history.queries.batch(batch).resent == {}
