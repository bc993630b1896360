"""Three steps of a request, each from evidence of its own, and green only as far as it is true."""

from dataclasses import replace
from typing import Any

import pytest

from intempt_core.analysis import (
    EventResult,
    FeedReading,
    ResultAction,
    ResultEvidence,
    StepState,
    compute_event_result,
)
from intempt_core.contract import FeedId, IgnoredEvent, Outcome, RequestVerdict
from intempt_core.history import (
    AttemptRecord,
    EventIntent,
    RequestRecord,
    RequestState,
    RequestSummary,
)
from intempt_core.history.views import RecordedEvent
from intempt_core.transport import SandboxArrival, judge_arrivals

AT = 1_795_348_980_000
DONE, DOUBT, FAILED, WAITING = StepState.DONE, StepState.DOUBT, StepState.FAILED, StepState.WAITING
NOT_SENT, NOT_KNOWN = StepState.NOT_SENT, StepState.NOT_KNOWN
REPEATED = RequestVerdict(0, 1, 1, (IgnoredEvent(0, "event_id_repeated"),))


def clock(ms: int) -> str:
    """Minutes and seconds after the send."""
    return f"12:{(ms - AT) // 60_000:02}:{(ms - AT) // 1000 % 60:02}"


def sent(
    *events: tuple[str, str], state: RequestState = RequestState.ACCEPTED, status: int | None = 201, reason: str = ""
) -> RequestRecord:
    """A request of events (name, product) of one person, with one attempt."""
    outcome = Outcome(state.value) if state.value in tuple(Outcome) else Outcome.ACCEPTED
    recorded = tuple(
        RecordedEvent(7, at, EventIntent(1, name=name, event_id=f"e{at}", user_id="u1", product_id=product), state)
        for at, (name, product) in enumerate(events or [("Added to cart", "SKU_987")])
    )
    summary = RequestSummary(7, "b", 1, 1, "", len(recorded), state, 1, False, None, AT, None, status, reason)
    attempts = (AttemptRecord(1, 7, 1, AT, 10.0, outcome, status, reason, (), (), b"", 0, False),)
    waiting = state in (RequestState.PENDING, RequestState.CANCELLED)
    return RequestRecord(summary, b"{}", recorded, () if waiting else attempts, ())


def cart(
    actual: tuple[str, ...] | None, expected: tuple[str, ...] = ("SKU_987",), **more: Any
) -> dict[str, FeedReading]:
    return {FeedId.ADDED: FeedReading(expected, actual, **more)}


def result_of(request: RequestRecord, **evidence: Any) -> EventResult:
    return compute_event_result(request, ResultEvidence(**{"asked_at": AT, **evidence}), format_time=clock)


def states(result: EventResult) -> list[StepState]:
    return [step.state for step in result.steps]


def test_all_three_steps_are_green_where_the_feed_shows_the_product_first() -> None:
    result = result_of(sent(), verdict=RequestVerdict(1), feeds=cart(("SKU_987",), earlier=()))
    assert [step.label for step in result.steps] == ["Accepted", "Processed", "Feed as expected"]
    assert states(result) == [DONE] * 3
    assert result.worked
    assert result.sentence == "Worked: SKU_987 is now first in Recently Added to Cart."


def test_a_repeated_id_is_accepted_and_ignored_whatever_the_feed_shows() -> None:
    use = SandboxArrival("e0", 5, 3, AT + 3000, "curl", "Added to cart", "user_9", "B2", True, (), "", None)
    result = result_of(sent(), verdict=REPEATED, feeds=cart(("SKU_987",), earlier=("SKU_987",)), first_uses={"e0": use})
    assert states(result) == [DONE, DOUBT]
    assert result.steps[1].label == "Ignored: duplicate event id, used 12:00:03 by user_9"
    assert (result.action, result.first_use, result.repeated) == (ResultAction.NEW_ID, use, (0,))
    assert not result.worked
    assert "Worked" not in result.message


def test_an_event_that_misses_something_is_ignored_with_the_name_of_its_problem_and_no_new_id_is_offered() -> None:
    verdict = RequestVerdict(0, 1, 0, (IgnoredEvent(0, "product_id_missing"),))
    result = result_of(sent(("Added to cart", "")), verdict=verdict)
    assert result.steps[1].label == "Ignored: product id missing"
    assert result.action is None


def test_where_some_are_ignored_the_feed_follows_the_others() -> None:
    verdict = RequestVerdict(1, 1, 1, (IgnoredEvent(0, "event_id_repeated"),))
    feeds = cart(("B2",), ("B2", "A1"), earlier=())
    result = result_of(sent(("Added to cart", "A1"), ("Added to cart", "B2")), verdict=verdict, feeds=feeds)
    assert states(result) == [DONE, DOUBT, DONE]
    assert result.steps[1].label == "1 processed, 1 ignored: duplicate event id"
    assert result.sentence == "Worked: B2 is now first in Recently Added to Cart."
    assert result.repeated == (0,)


@pytest.mark.parametrize(
    ("state", "status", "reason", "step", "sentence", "action"),
    [
        (RequestState.REJECTED, 401, "shop answered 401.", FAILED, "shop answered 401. It has no effect.", None),
        (RequestState.NOT_SENT, None, "Nothing listens. Nothing was sent.", NOT_SENT,
         "Nothing listens. Nothing left this machine.", ResultAction.TRY_AGAIN),
        (RequestState.NOT_SENT, 429, "shop answered 429: it did not take the request.", NOT_SENT,
         "shop answered 429: it did not take the request.", ResultAction.TRY_AGAIN),
        (RequestState.UNKNOWN, None, "No response. The events may have arrived.", DOUBT,
         "No response. The events may have arrived.", None),
        (RequestState.CANCELLED, None, "", NOT_SENT, "Nothing left this machine.", None),
        (RequestState.PENDING, None, "", WAITING, "", None),
    ],
    ids=["rejected", "not sent", "not taken", "unknown", "cancelled", "queued"],
)  # fmt: skip
def test_what_was_not_accepted_ends_at_the_first_step(
    state: RequestState, status: int | None, reason: str, step: StepState, sentence: str, action: ResultAction | None
) -> None:
    result = result_of(sent(state=state, status=status, reason=reason), feeds=cart(()))
    assert states(result) == [step]
    assert result.sentence == sentence
    assert result.action is action
    assert "may count twice" not in result.message


def test_a_removed_product_is_no_longer_shown() -> None:
    gone = sent(("Removed from cart", "SKU_987"))
    result = result_of(gone, verdict=RequestVerdict(1), feeds=cart(("A1",), ("A1",), earlier=("SKU_987", "A1")))
    assert result.worked
    assert result.sentence == "Worked: SKU_987 is no longer in Recently Added to Cart."


def test_a_journey_is_one_sentence() -> None:
    names = ["Product viewed", "Added to cart", "Removed from cart", "Added to cart", "Product ordered"]
    feeds = {feed: FeedReading(("A1",), ("A1",), ()) for feed in FeedId}
    result = result_of(sent(*((name, "A1") for name in names)), verdict=RequestVerdict(5), feeds=feeds)
    assert result.worked
    assert result.sentence == (
        "Worked: A1 is now first in Recently Viewed, Recently Added to Cart and Recently Purchased."
    )


def test_the_feeds_of_one_person_say_nothing_of_another_persons_events() -> None:
    request = sent(("Added to cart", "A1"), ("Added to cart", "B2"))
    other = replace(request.events[0], event=request.events[0].event._replace(user_id="u2"))
    both = replace(request, events=(other, request.events[1]))
    feeds = cart(("B2",), ("B2",), earlier=())
    result = result_of(both, verdict=RequestVerdict(2), feeds=feeds, person=("userId", "u1"))
    assert result.worked
    assert result.sentence == "Worked for u1: B2 is now first in Recently Added to Cart."


def test_many_products_are_counted() -> None:
    products = [f"P{number}" for number in range(50)]
    shown = tuple(reversed(products))
    request = sent(*(("Product viewed", product) for product in products))
    feeds = {FeedId.VIEWED: FeedReading(shown, shown, ())}
    result = result_of(request, verdict=RequestVerdict(50), feeds=feeds)
    assert result.worked
    assert result.sentence.endswith("; 47 more products.")


# ── a live target ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_a_live_target_being_shown_proves_that_it_is_processed() -> None:
    result = result_of(sent(), feeds=cart(("SKU_987",), earlier=()))
    assert states(result) == [DONE] * 3
    assert result.steps[1].label == "Processed: a feed shows it"


@pytest.mark.parametrize(
    "reading",
    [cart(("SKU_987",), earlier=("SKU_987",)), cart(("SKU_987",), others=frozenset({"SKU_987"}))],
    ids=["it was there before", "another event put it there"],
)
def test_what_was_shown_before_proves_nothing(reading: dict[str, FeedReading]) -> None:
    result = result_of(sent(), feeds=reading)
    assert states(result) == [DONE, NOT_KNOWN, DONE]
    assert not result.worked


def test_on_a_live_target_not_shown_proves_nothing_and_is_asked_again_for_a_while() -> None:
    result = result_of(sent(), feeds=cart((), earlier=()), asked_at=AT + 180_000, ask_until=AT + 780_000)
    assert states(result) == [DONE, NOT_KNOWN, WAITING]
    assert result.sentence == (
        "SKU_987 in Recently Added to Cart: not shown yet, asked 12:03:00, will ask until 12:13:00."
    )
    assert result.is_waiting
    late = result_of(sent(), feeds=cart((), earlier=()), asked_at=AT + 900_000, ask_until=AT + 780_000)
    assert states(late) == [DONE, NOT_KNOWN, NOT_KNOWN]
    assert "proves nothing" in late.sentence
    assert not late.is_waiting


def test_without_feed_ids_a_target_cannot_be_asked() -> None:
    result = result_of(sent(), feeds_unknown="the feed ids of this target are not known")
    assert states(result) == [DONE, NOT_KNOWN, NOT_KNOWN]
    assert result.steps[1].label == "Not known: this target cannot be asked"


def test_a_feed_that_cannot_be_read_is_told_with_its_reason() -> None:
    result = result_of(sent(), verdict=RequestVerdict(1), feeds=cart(None, reason="The feed did not answer."))
    assert states(result) == [DONE, DONE, NOT_KNOWN]
    assert result.sentence == "The feed did not answer."


def test_a_sandbox_whose_feed_is_not_as_expected_says_how() -> None:
    feeds = cart((), earlier=(), reason="“SKU_987” is missing: its event is not there any more.")
    result = result_of(sent(), verdict=RequestVerdict(1), feeds=feeds)
    assert states(result) == [DONE, DONE, DOUBT]
    assert result.sentence == "“SKU_987” is missing: its event is not there any more."


def test_what_history_counts_otherwise_is_as_the_event_means_it_where_the_sandbox_processed_it() -> None:
    result = result_of(sent(), verdict=RequestVerdict(1), feeds=cart(("SKU_987",), ()))
    assert result.worked


def test_a_request_without_a_response_that_arrived_is_told_so() -> None:
    silent = sent(state=RequestState.UNKNOWN, status=None, reason="No response. The events may have arrived.")
    result = result_of(silent, verdict=RequestVerdict(1), feeds=cart(("SKU_987",), earlier=()))
    assert states(result) == [DOUBT, DONE, DONE]
    assert result.sentence.startswith("No response came, and yet it arrived. Worked:")
    assert not result.worked


# ── from arrivals ────────────────────────────────────────────────────────────────────────────────────────────────────


ONE = [("e0", "SKU_987")]
"""The event of a request: its id and its product."""


def arrival(
    at: int, *, processed: bool = True, product: str = "SKU_987", request: int = 1, seq: int | None = None
) -> SandboxArrival:
    codes = () if processed else ("event_id_repeated",)
    number = request if seq is None else seq
    return SandboxArrival("e0", number, request, at, "", "Added to cart", "u1", product, processed, codes, "", None)


def test_a_retry_that_repeats_its_own_first_attempt_is_processed() -> None:
    found = {"e0": [arrival(AT + 5), arrival(AT + 500, processed=False, request=2)]}
    assert judge_arrivals(ONE, AT, found) == RequestVerdict(1)


def test_an_id_that_was_used_before_the_first_attempt_is_ignored() -> None:
    found = {"e0": [arrival(AT - 60_000), arrival(AT + 5, processed=False, request=2)]}
    assert judge_arrivals(ONE, AT, found) == REPEATED


@pytest.mark.parametrize("found", [{}, {"e0": [arrival(AT - 60_000)]}], ids=["never", "only before"])
def test_what_did_not_arrive_has_no_verdict(found: dict[str, list[SandboxArrival]]) -> None:
    assert judge_arrivals(ONE, AT, found) is None


def test_an_id_twice_in_a_request_is_processed_once() -> None:
    found = {"e0": [arrival(AT + 5, seq=1), arrival(AT + 5, seq=2, processed=False)]}
    verdict = judge_arrivals(ONE * 2, AT, found)
    assert verdict is not None
    assert (verdict.processed, verdict.ignored, verdict.repeated) == (1, 1, 1)
    assert verdict.events[0].position == 1


def test_a_request_that_brought_only_some_of_the_events_is_another_one() -> None:
    assert judge_arrivals([*ONE, ("e1", "SKU_9")], AT, {"e0": [arrival(AT + 5)]}) is None


def test_of_an_id_that_other_requests_hold_only_what_arrived_during_the_attempts_counts() -> None:
    another = arrival(AT - 500)
    assert judge_arrivals(ONE, AT, {"e0": [another]}) == RequestVerdict(1)  # its clock may be behind
    assert judge_arrivals(ONE, AT, {"e0": [another]}, until=AT + 900) is None
    assert judge_arrivals(ONE, AT, {"e0": [arrival(AT + 901)]}, until=AT + 900) is None
    mine = arrival(AT + 5, processed=False, request=2)
    assert judge_arrivals(ONE, AT, {"e0": [another, mine]}, until=AT + 900) == REPEATED
