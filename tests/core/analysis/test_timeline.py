"""One person's events: this console's history merged with what a sandbox received, each event once."""

from typing import Any

from intempt_core.analysis.timeline import EventEffect, build_timeline
from intempt_core.contract.fields import EventName
from intempt_core.contract.outcome import Outcome
from intempt_core.contract.person_history import PersonEvent, PersonHistory
from intempt_core.transport.exchange import USER_AGENT
from intempt_core.transport.person_arrivals import PersonArrival

VIEW, ADD = EventName.VIEWED, EventName.ADDED


def sent(event_id: str, product: str = "A", when: int = 0, **more: Any) -> PersonEvent:
    return PersonEvent(VIEW, product, event_id=event_id, when=when, request=7, names=(("userId", "u1"),), **more)


def arrived(
    seq: int, event_id: str, product: str = "A", *, when: int = 0, client: str = USER_AGENT, **more: Any
) -> PersonArrival:
    given: dict[str, Any] = {"reason": "", "codes": (), "first": None, "body": "", "timestamp": None, **more}
    return PersonArrival(
        seq=seq, request=seq, received_at=when or seq, client=client, name=VIEW, event_id=event_id, product=product,
        names=(("userId", "u1"),), **given,
    )  # fmt: skip


def merge(events: list[PersonEvent], arrivals: list[PersonArrival] | None) -> list[tuple[str, bool, str]]:
    """The event ids, whether they are this console's, and what they did."""
    found = build_timeline(PersonHistory(tuple(events), (("userId", "u1"),)), arrivals)
    return [(one.event.event_id, one.is_own, str(one.effect)) for one in found.events]


def test_each_event_stands_once_in_the_order_of_arrival() -> None:
    arrivals = [arrived(1, "e1"), arrived(2, "e2", client="app"), arrived(3, "e3")]
    assert merge([sent("e1", when=1), sent("e3", when=9)], arrivals) == [
        ("e1", True, "processed"), ("e2", False, "processed"), ("e3", True, "processed"),
    ]  # fmt: skip


def test_an_id_that_another_client_used_first_is_two_events() -> None:
    first = arrived(1, "same", client="app")
    again = arrived(2, "same", reason="repeat", codes=("event_id_repeated",))
    assert merge([sent("same", when=2)], [first, again]) == [
        ("same", False, "processed"), ("same", True, "ignored"),
    ]  # fmt: skip


def test_an_event_that_arrived_twice_after_a_retry_is_told_twice() -> None:
    again = arrived(2, "e1", reason="repeat", codes=("event_id_repeated",))
    assert [effect for *_, effect in merge([sent("e1")], [arrived(1, "e1"), again])] == ["processed", "ignored"]


def test_an_unknown_outcome_is_settled_by_its_arrival_or_by_its_absence() -> None:
    assert merge([sent("e1", state=Outcome.UNKNOWN)], [arrived(1, "e1")]) == [("e1", True, "processed")]
    found = build_timeline(PersonHistory((sent("e1", state=Outcome.UNKNOWN),), ()), [])
    assert found.events[0].event.reason == "It did not reach the sandbox."
    assert not found.events[0].event.may_count


def test_an_accepted_event_that_is_not_there_was_deleted() -> None:
    assert merge([sent("e1")], []) == [("e1", True, "ignored")]


def test_what_never_left_keeps_its_place_and_pairs_with_nothing() -> None:
    events = [sent("e1", when=1, state=Outcome.REJECTED), sent("e2", when=3, state="pending")]
    assert merge(events, [arrived(1, "e1", when=2, client="app")]) == [
        ("e1", True, "rejected"), ("e1", False, "processed"), ("e2", True, "waiting"),
    ]  # fmt: skip


def test_where_the_target_cannot_be_asked_history_is_all() -> None:
    assert merge([sent("e1"), sent("e2", state=Outcome.UNKNOWN)], None) == [
        ("e1", True, "accepted"), ("e2", True, "unknown"),
    ]  # fmt: skip
    assert not build_timeline(PersonHistory((), ()), None).knows_all


def test_a_clock_that_goes_back_changes_no_order() -> None:
    found = merge([], [arrived(1, "a", when=50), arrived(2, "b", when=40), arrived(3, "c", when=60)])
    assert [event_id for event_id, *_ in found] == ["a", "b", "c"]


def test_every_state_of_history_has_an_effect() -> None:
    for state in (*Outcome, "pending", "in flight", "cancelled"):
        found = build_timeline(PersonHistory((sent("e1", state=state),), ()), None)
        assert found.events[0].effect in EventEffect
