"""What a feed shows beside what it should, and beside what it showed before: a sentence for every difference."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from intempt_core.analysis.feed_diff import MAX_REASONS, FeedExplanation, explain_feed, find_feed_changes
from intempt_core.contract.feeds import ADDS_TO_FEED, FEEDS, FeedId
from intempt_core.contract.fields import EventName
from intempt_core.contract.person_history import ForeignEvent, PersonEvent, ProcessingStatus

VIEW, ADD, REMOVE, ORDER = EventName.VIEWED, EventName.ADDED, EventName.REMOVED, EventName.ORDERED
NOON = 1_795_348_980_000
"""2026-11-22 12:03 UTC"""


def step(name: str, product: str, second: int = 0, **more: Any) -> PersonEvent:
    return PersonEvent(name, product, event_id=f"{name}{product}{second}", when=NOON + 1000 * second, **more)


def explain(
    feed: FeedId, steps: list[PersonEvent], actual: list[str] | None, *, after: int = 3600,
    known: ProcessingStatus | None = None, missing: str = "", limit: int = 50,
) -> FeedExplanation:  # fmt: skip
    return explain_feed(
        feed, steps, actual, now=NOON + 1000 * after, limit=limit, status=known, missing_products=frozenset(missing),
        format_time=lambda ms: f"12:{(ms - NOON) // 1000:02}",
    )  # fmt: skip


def test_every_feed_of_one_person_has_an_event_that_fills_it() -> None:
    assert set(ADDS_TO_FEED.values()) == set(FEEDS)


def test_where_a_feed_is_as_expected_nothing_differs() -> None:
    assert explain(FeedId.ADDED, [step(ADD, "A")], ["A"]).differences == ()
    assert explain(FeedId.ADDED, [step(ADD, "A")], None).differences == ()


def test_more_products_than_were_asked_for_are_no_difference() -> None:
    steps = [step(VIEW, product, n) for n, product in enumerate("ABC")]
    assert explain(FeedId.VIEWED, steps, ["C", "B"], limit=2).differences == ()


def test_a_removed_product_is_explained_by_its_removal() -> None:
    found = explain(FeedId.ADDED, [step(ADD, "SKU_9"), step(REMOVE, "SKU_9", 3)], [])
    assert found.expected == ()
    assert found.remarks == (
        "“SKU_9” is not expected: its “Removed from cart” at 12:03 was accepted after the “Added to cart” at 12:00.",
    )


def test_a_product_that_is_still_shown_after_its_removal_says_when_that_was_accepted() -> None:
    (says,) = explain(FeedId.ADDED, [step(ADD, "A"), step(REMOVE, "A", 3)], ["A"], after=5).differences
    assert says.startswith("“A” is shown and not expected: its “Removed from cart” at 12:03 was accepted 2 s ago")


def test_an_unknown_removal_explains_a_missing_product() -> None:
    steps = [step(ADD, "A"), step(REMOVE, "A", 3, state="unknown")]
    (says,) = explain(FeedId.ADDED, steps, []).differences
    assert "the response to its “Removed from cart” at 12:03 is unknown; it may have arrived" in says
    (remark,) = explain(FeedId.ADDED, steps, None).remarks
    assert (
        remark == "“A” may be gone: the response to its “Removed from cart” at 12:03 is unknown; it may have arrived."
    )


def test_an_unknown_add_explains_a_product_that_is_shown() -> None:
    (says,) = explain(FeedId.ADDED, [step(ADD, "A", state="in flight")], ["A"]).differences
    assert "the response to its “Added to cart” at 12:00 is unknown, so it has arrived" in says
    assert explain(FeedId.ADDED, [step(ADD, "A", state="unknown")], []).remarks == (
        "“A” may be shown: the response to its “Added to cart” at 12:00 is unknown; it may have arrived.",
    )


def test_what_nobody_sent_from_here_was_sent_by_another_client() -> None:
    (says,) = explain(FeedId.VIEWED, [], ["A"]).differences
    assert says.endswith("it was sent by another client, or before this history begins.")
    (says,) = explain(FeedId.VIEWED, [], ["A"], known=others(VIEW, "A", 7)).differences
    assert says == "“A” is shown and not expected: another client (node-sdk) sent its “Product viewed” at 12:07."


def others(name: str, product: str, second: int, *own: PersonEvent) -> ProcessingStatus:
    """A target that processed our own steps and an event of another client."""
    event = ForeignEvent(name, product, NOON + 1000 * second, "node-sdk")
    return ProcessingStatus(frozenset(step.event_id for step in own), {}, (event,))


def test_what_another_client_did_to_a_product_of_ours_is_told_where_the_target_tells() -> None:
    add, remove = step(ADD, "A"), step(REMOVE, "A", 1)
    (says,) = explain(FeedId.ADDED, [add], [], known=others(REMOVE, "A", 5, add)).differences
    assert says == "“A” is missing: another client (node-sdk) sent its “Removed from cart” at 12:05."
    (says,) = explain(FeedId.ADDED, [add, remove], ["A"], known=others(ADD, "A", 5, add, remove)).differences
    assert says.endswith("But another client (node-sdk) sent its “Added to cart” at 12:05.")
    both = [step(VIEW, "A"), step(VIEW, "B", 1)]
    (says,) = explain(FeedId.VIEWED, both, ["A", "B"], known=others(VIEW, "A", 5, *both)).differences
    assert says.endswith("For “A” another client (node-sdk) sent its “Product viewed” at 12:05.")
    (says,) = explain(
        FeedId.VIEWED, both[:1], [], known=ProcessingStatus(frozenset({both[0].event_id}), {})
    ).differences
    assert says == "“A” is missing: its “Product viewed” at 12:00 was processed 60 min ago, and yet it is not shown."


def test_a_rejected_event_whose_product_is_shown_was_sent_by_another_client() -> None:
    (says,) = explain(FeedId.VIEWED, [step(VIEW, "A", state="rejected")], ["A"]).differences
    assert "is rejected, so it was sent by another client" in says
    assert explain(FeedId.VIEWED, [step(VIEW, "A", state="rejected")], []).remarks == (
        "“A” is not expected: its “Product viewed” at 12:00 does not count. It was rejected.",
    )


def test_an_event_that_should_not_count_and_shows_says_why_it_should_not() -> None:
    (says,) = explain(FeedId.VIEWED, [step(VIEW, "A", reason="It has no event id.")], ["A"]).differences
    assert "should not count. It has no event id. Or it was sent by another client" in says


def test_the_sandbox_says_why_it_did_not_process_an_event() -> None:
    viewed = step(VIEW, "A")
    known = ProcessingStatus(frozenset(), {viewed.event_id: "its id was used before."})
    (says,) = explain(FeedId.VIEWED, [viewed], [], known=known).differences
    assert says.endswith("was not processed, because… its id was used before.")
    (says,) = explain(FeedId.VIEWED, [viewed], [], known=ProcessingStatus(frozenset(), {})).differences
    assert "is not there any more: the target was emptied since" in says


def test_a_missing_product_that_the_catalogue_lacks_says_so() -> None:
    (says,) = explain(FeedId.VIEWED, [step(VIEW, "A")], [], missing="A").differences
    assert "not in the catalogue" in says


def test_what_was_accepted_a_moment_ago_may_need_longer_and_later_it_may_have_been_ignored() -> None:
    (says,) = explain(FeedId.VIEWED, [step(VIEW, "A")], [], after=2).differences
    assert says == "“A” is missing: its “Product viewed” at 12:00 was accepted 2 s ago; a feed may need longer."
    (says,) = explain(FeedId.ADDED, [step(ADD, "A")], []).differences
    assert "Accepted is not processed" in says
    assert "another client removed it" in says


def test_an_order_by_the_events_own_times_is_recognised() -> None:
    steps = [step(VIEW, "A", 0, timestamp=NOON), step(VIEW, "B", 1, timestamp=NOON - 1, request=1)]
    (says,) = explain(FeedId.VIEWED, steps, ["A", "B"]).differences
    assert says.endswith("The order shown is that of the events' own times.")


def test_an_order_inside_one_request_is_assumed_and_says_so() -> None:
    (says,) = explain(FeedId.VIEWED, [step(VIEW, "A"), step(VIEW, "B", 1)], ["A", "B"]).differences
    assert "assumed, not documented" in says


def test_an_order_that_an_unknown_response_explains_says_so() -> None:
    steps = [step(VIEW, "A"), step(VIEW, "B", 1, request=1), step(VIEW, "A", 2, state="unknown")]
    (says,) = explain(FeedId.VIEWED, steps, ["A", "B"]).differences
    assert says.endswith("The response to its “Product viewed” at 12:02 is unknown; it may have arrived.")


def test_a_product_shown_twice_is_a_difference() -> None:
    assert "“A” is shown 2 times" in explain(FeedId.VIEWED, [step(VIEW, "A")], ["A", "A"]).differences[0]


def test_many_sentences_are_cut_and_counted() -> None:
    found = explain(FeedId.VIEWED, [], [str(n) for n in range(50)])
    assert len(found.differences) == MAX_REASONS + 1
    assert found.differences[-1] == "30 more are not listed here."


steps = st.lists(
    st.builds(
        PersonEvent,
        st.sampled_from([*EventName, "Identify"]),
        st.sampled_from("abc"),
        state=st.sampled_from(["accepted", "unknown", "rejected", "not sent", "pending", "in flight"]),
        reason=st.sampled_from(["", "", "", "It has no event id."]),
        when=st.integers(NOON, NOON + 100_000),
        timestamp=st.none() | st.integers(NOON, NOON + 9),
        request=st.integers(1, 3),
    ),
    max_size=15,
)
foreign = st.builds(
    ForeignEvent, st.sampled_from(EventName), st.sampled_from("abc"), st.just(NOON), st.sampled_from(["", "sdk"])
)
known = st.none() | st.builds(
    ProcessingStatus, st.frozensets(st.just("")), st.just({}), st.lists(foreign, max_size=3).map(tuple)
)


@given(steps, st.lists(st.sampled_from("abcd"), max_size=5), known, st.sampled_from(list(FEEDS)))
def test_whatever_is_shown_is_explained_exactly_where_it_differs(
    steps: list[PersonEvent], actual: list[str], known: ProcessingStatus | None, feed: str
) -> None:
    found = explain_feed(feed, steps, actual, now=NOON, limit=50, status=known)
    assert bool(found.differences) == (list(found.expected) != actual)
    for product in set(found.expected) ^ set(actual):
        assert any(f"“{product}”" in says for says in found.differences)
    shown_or_named = set(found.expected) | {p for p in "abc" if any(f"“{p}”" in r for r in found.remarks)} | set(actual)
    looked_for = {step.product for step in steps if feed == FeedId.ADDED and step.name == ADD}
    assert looked_for <= shown_or_named


@given(st.lists(st.sampled_from("abcde"), unique=True), st.lists(st.sampled_from("abcde"), unique=True))
def test_there_are_changes_exactly_where_two_readings_differ(before: list[str], after: list[str]) -> None:
    found = find_feed_changes(before, after)
    assert (found == []) == (before == after)
    assert {one.product for one in found if one.before is None} == set(after) - set(before)
    assert {one.product for one in found if one.after is None} == set(before) - set(after)


def test_a_change_says_which_place_was_gained_or_lost() -> None:
    assert [one.message for one in find_feed_changes(["b", "c", "a"], ["n", "a", "b"])] == [
        "“n” is now #1.",
        "“c” is no longer shown (it was #2).",
        "“a” moved from #3 to #2.",
    ]
