"""Why a product is not in a feed: one sentence for every way in which that happens."""

from typing import Any

import pytest

from intempt_core.analysis.absence import FeedAnswer, explain_absence
from intempt_core.analysis.timeline import build_timeline
from intempt_core.contract.feeds import FeedId
from intempt_core.contract.fields import EventName
from intempt_core.contract.outcome import Outcome
from intempt_core.contract.person_history import PersonEvent, PersonHistory
from intempt_core.transport.person_arrivals import FirstUse, PersonArrival

VIEW, ADD, REMOVE = EventName.VIEWED, EventName.ADDED, EventName.REMOVED
NOON = 1_795_348_800_000


def arrived(name: str, product: str, minute: int, event_id: str = "", **more: Any) -> PersonArrival:
    given: dict[str, Any] = {"reason": "", "codes": (), "first": None, "body": "", **more}
    return PersonArrival(
        seq=minute, request=minute, received_at=NOON + minute * 60_000, client="app/1", name=name,
        event_id=event_id or f"e{minute}", product=product, timestamp=None, names=(("userId", "user_123"),), **given,
    )  # fmt: skip


def why(
    actual: list[str] | None, *arrivals: PersonArrival, own: tuple[PersonEvent, ...] = (), asked: bool = True,
    feed: FeedId = FeedId.ADDED, limit: int = 50, missing: str = "", after: int = 60,
) -> FeedAnswer:  # fmt: skip
    """What is answered about SKU_9."""
    timeline = build_timeline(PersonHistory(own, (("userId", "user_123"),)), arrivals if asked else None)
    return explain_absence(
        "SKU_9", feed, timeline, actual, now=NOON + after * 60_000, limit=limit,
        missing_products=frozenset([missing]), format_time=lambda ms: f"12:{(ms - NOON) // 60_000:02}",
    )  # fmt: skip


TITLE = "Recently Added to Cart"


def test_a_repeated_id_says_when_and_by_whom_it_was_used() -> None:
    first = FirstUse(seq=1, received_at=NOON + 3 * 60_000, name=VIEW, product="A1", person="user_9")
    repeat = arrived(ADD, "SKU_9", 5, "evt_7", reason="repeat of event 1.", codes=("event_id_repeated",), first=first)
    answer = why([], repeat)
    assert answer.sentence == (
        f"SKU_9 is not in {TITLE}: its “Added to cart” at 12:05 from app/1 repeated the id evt_7, already used at 12:03"
        " by user_9, in “Product viewed” of A1."
    )
    assert answer.needs_new_id
    assert answer.is_certain
    assert answer.event is not None
    assert answer.event.arrival == repeat


def test_an_id_that_the_same_person_used_is_said_to_be() -> None:
    first = FirstUse(seq=1, received_at=NOON, name=VIEW, product="A1", person="user_123")
    repeat = arrived(ADD, "SKU_9", 5, reason="repeat of event 1.", codes=("event_id_repeated",), first=first)
    assert "already used at 12:00 by this person" in why([], repeat).sentence


def test_a_product_under_a_misspelt_key_names_the_key() -> None:
    body = '{"eventId": "e5", "userId": "user_123", "data": {"productID": "SKU_9"}}'
    answer = why([], arrived(ADD, "", 5, reason="The product id is missing.", codes=("product_id_missing",), body=body))
    assert answer.sentence.endswith(
        "its “Added to cart” at 12:05 from app/1 was ignored, because it gives SKU_9 as “data.productID”, not as"
        " “data.productId”."
    )


def test_a_later_removal_answers() -> None:
    answer = why([], arrived(ADD, "SKU_9", 1), arrived(REMOVE, "SKU_9", 4))
    assert answer.sentence == (
        f"SKU_9 is not in {TITLE}: its “Removed from cart” at 12:04 from app/1 was processed, after the “Added to cart”"
        " at 12:01 from app/1."
    )


def test_an_add_after_the_removal_that_was_ignored_answers_before_the_removal() -> None:
    ignored = arrived(ADD, "SKU_9", 6, reason="It has no identity.", codes=("identity_missing",))
    sentence = why([], arrived(ADD, "SKU_9", 1), arrived(REMOVE, "SKU_9", 4), ignored).sentence
    assert "at 12:06 from app/1 was ignored: it has no identity." in sentence


def test_events_of_other_kinds_do_not_put_it_there() -> None:
    answer = why([], arrived(VIEW, "SKU_9", 2))
    assert answer.sentence == (
        f"SKU_9 is not in {TITLE}: no “Added to cart” of it reached the sandbox. Its last event is “Product viewed” at"
        " 12:02 from app/1, which does not put it there."
    )


def test_where_nothing_names_it_only_a_target_that_was_asked_is_certain() -> None:
    assert why([]).sentence == f"SKU_9 is not in {TITLE}: no event of this person that reached the sandbox names it."
    assert why([]).is_certain
    live = why([], asked=False)
    assert live.sentence == f"SKU_9 is not in {TITLE}: no event of this person that this console sent names it."
    assert not live.is_certain


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (Outcome.UNKNOWN, "the response to its “Added to cart” at 12:01 is unknown; it may have arrived."),
        (Outcome.NOT_SENT, "its “Added to cart” at 12:01 did not arrive."),
        (Outcome.REJECTED, "the request of its “Added to cart” at 12:01 was rejected, so that it had no effect."),
        ("pending", "its “Added to cart” at 12:01 is not sent yet."),
    ],
)
def test_an_event_of_this_console_that_had_no_effect_says_why(state: str, sentence: str) -> None:
    own = PersonEvent(ADD, "SKU_9", event_id="e", state=state, when=NOON + 60_000)
    answer = why([], own=(own,), asked=False)
    assert answer.sentence == f"SKU_9 is not in {TITLE}: {sentence}"
    assert answer.is_certain == (state != Outcome.UNKNOWN)


def test_a_live_target_that_accepted_it_is_never_said_to_have_processed_it() -> None:
    own = PersonEvent(ADD, "SKU_9", event_id="e", when=NOON)
    answer = why([], own=(own,), asked=False)
    assert "although its “Added to cart” at 12:00 was accepted. Accepted is not processed" in answer.sentence
    assert "A feed may need longer." not in answer.sentence
    assert "A feed may need longer." in why([], own=(own,), asked=False, after=0).sentence
    assert not answer.is_certain


def test_an_unknown_removal_may_be_the_reason() -> None:
    own = (
        PersonEvent(ADD, "SKU_9", event_id="e", when=NOON),
        PersonEvent(REMOVE, "SKU_9", event_id="f", when=NOON + 60_000, state=Outcome.UNKNOWN),
    )
    assert "the response to its “Removed from cart” at 12:01 is unknown; it may have arrived." in why(
        [], own=own, asked=False
    ).sentence  # fmt: skip


def test_a_place_beyond_what_a_feed_returns_is_named() -> None:
    arrivals = [arrived(ADD, "SKU_9", 1), arrived(ADD, "B", 2), arrived(ADD, "C", 3)]
    assert "expected at place 3, and a feed returns 2 products." in why(["C", "B"], *arrivals, limit=2).sentence


def test_a_product_that_the_catalogue_lacks_is_likely_ignored_for_that() -> None:
    assert (
        "the catalogue that is loaded does not have it" in why([], arrived(ADD, "SKU_9", 1), missing="SKU_9").sentence
    )


def test_what_is_shown_says_since_when() -> None:
    answer = why(["B", "SKU_9"], arrived(ADD, "SKU_9", 1), arrived(ADD, "B", 2))
    assert answer.is_shown
    assert answer.sentence == f"SKU_9 is in {TITLE}, at place 2, since its “Added to cart” at 12:01 from app/1."
    assert "no event that is known here put it there" in why(["SKU_9"]).sentence


def test_a_feed_that_was_not_read_is_expected_only() -> None:
    answer = why(None, arrived(ADD, "SKU_9", 1))
    assert answer.is_shown is None
    assert answer.sentence.endswith("The feed was not read.")
    assert "is not expected in" in why(None).sentence
