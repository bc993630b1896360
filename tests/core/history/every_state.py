"""A history that holds every state of batches and requests, every table's rows, and texts that are hard to copy."""

from sqlalchemy import insert, update

from intempt_core.contract import RequestVerdict
from intempt_core.contract.outcome import Outcome
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    EventIntent,
    ExcludedRow,
    History,
    RequestHalf,
)
from intempt_core.history.schema import batches, excluded_rows, webhook_deliveries
from intempt_core.journeys import parse_journey
from intempt_core.targets import StoredTarget
from tests.core.history.factories import ME, attempt, batch_of, event, intent, request, unkey

HARD_TEXTS = (
    "tab\tline\nreturn\rboth\r\n",
    "back\\slash \\N \\. \\t \\\\",
    "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f",
    "NUL \0 and a lone surrogate \ud800",
    "“quotes” ‘…’ 'single' \"double\" ; -- $1 %s",
    "😀 наименование ürün 商品\u2028\u2029\ufeff",
    "\\.",
    "",
    " ",
)
"""What ``COPY`` escapes, what ends it, and what databases or encodings trip over."""


def fill_history(history: History) -> None:
    """Record batches in every state, with requests in every state, and what people save."""
    sending = batch_of(history, [1, 1, 1], [2, 2], [1, 1], [4, 1], [1], [1], [1], name="all\tof it")
    settle(history, sending, 1, Outcome.ACCEPTED, verdict=RequestVerdict(0, 1, 1))
    settle(history, sending, 1, Outcome.REJECTED, response_body=bytes(range(256)), response_length=256)
    settle(history, sending, 2, Outcome.UNKNOWN, reason=HARD_TEXTS[0])
    settle(history, sending, 3, Outcome.NOT_SENT, headers=(("x", HARD_TEXTS[1]), ("y", HARD_TEXTS[5])))
    settle(history, sending, 4, None)
    (work,) = history.queue.take(sending, 4, 1)[:1] or history.queue.take(sending, 5, 1)
    history.queue.apply_transitions([AttemptStart(work.id)], owner=ME)
    settle(history, sending, 6, Outcome.UNKNOWN, again=True, elapsed_ms=1234567.890123)
    settle(history, sending, 7, Outcome.NOT_SENT, again=True, elapsed_ms=1e-7)
    split = batch_of(history, [4, 1])
    (whole,) = history.queue.take(split, 1, 1)
    history.queue.apply_transitions([AttemptStart(whole.id)], owner=ME)
    halves = [RequestHalf(b"first", 2), RequestHalf(b"second", 2)]
    history.queue.split(whole.id, attempt(Outcome.REJECTED, status=413), halves, owner=ME)
    paused = batch_of(history, [3], owner="gone-1", excluded=[ExcludedRow(4, 5, ("event_name", "identity_missing"))])
    history.control.set_state(paused, BatchState.PAUSED, "A person paused it.\n\\N")
    stopped = batch_of(history, [1, 1])
    settle(history, stopped, 1, Outcome.UNKNOWN)
    history.control.set_state(stopped, BatchState.STOPPED, "A lane stopped.")
    done = batch_of(history, [2], owner="")
    history.queue.claim(done, ME, "")
    settle(history, done, 1, Outcome.ACCEPTED)
    history.control.set_state(done, BatchState.DONE)
    cancelled = batch_of(history, [2, 2])
    history.control.set_state(cancelled, BatchState.CANCELLED, "A person cancelled it.")
    forgotten = batch_of(history, [1])
    half = batch_of(history, [5, 5])
    hard = [
        EventIntent(row, row, text, text, text, text, text, text, text, -(2**62) + row)
        for row, text in enumerate(HARD_TEXTS, 1)
    ]
    history.recorder.record(
        intent(
            label=HARD_TEXTS[3], name=HARD_TEXTS[4][:20], notes={"n": HARD_TEXTS[2], "deep": [1.5, None, {"a": "\\"}]}
        ),
        [request(1, 1, hard, b"\0\\x00\\\\ body"), request(2, 1, [event(50, member=1), event(50, member=2)])],
    )
    with history.database.writing() as connection:
        connection.execute(update(batches).where(batches.c.id == forgotten).values(state=BatchState.FORGOTTEN.value))
        connection.execute(update(batches).where(batches.c.id == half).values(unrecorded=7, recorder="gone-2"))
        connection.execute(update(batches).where(batches.c.id == cancelled).values(dismissed_at=5, resend_of=stopped))
        delivery = {"batch": 1, "state": "stopped", "reason": HARD_TEXTS[1], "occurred_at": 5, "status": "waiting"}
        connection.execute(
            insert(webhook_deliveries).values(tries=1, next_at=6, changed_at=5, trouble="", body=b"{}", **delivery)
        )
        connection.execute(insert(excluded_rows).values(batch=1, row=9, codes="", name="a\tb"))
    history.search_index.stop()
    unkey(history, [whole.id])
    history.journeys.save(
        parse_journey(
            '{"name": "first-order ü", "person": {"userId": "\\\\ u"}, "events": [{"name": "Product viewed"}]}'
        )
    )
    history.targets.save(StoredTarget("shop", "https://api.intempt.com", "acme", "shop", "1", feeds={"a": "\\\\ 1"}))


def settle(
    history: History, batch: str, lane: int, outcome: Outcome | None, *, again: bool = False, **given: object
) -> None:
    """Start the next request of a lane, and end its attempt; ``None`` leaves it in flight."""
    work = history.queue.take(batch, lane, 1)[0]
    assert not history.queue.apply_transitions([AttemptStart(work.id)], owner=ME)
    if outcome is not None:
        retry_at = history.database.clock() + 60_000 if again else None
        assert not history.queue.apply_transitions([AttemptEnd(work.id, attempt(outcome, **given), retry_at)], owner=ME)
