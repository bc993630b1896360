"""What the list of batches shows beside their counts: searches by a part, names, what waits for a person, of whom."""

from dataclasses import replace
from typing import Any

import pytest

from intempt_core.contract import RequestVerdict
from intempt_core.contract.outcome import Outcome
from intempt_core.history import AttemptEnd, AttemptStart, BatchFilter, BatchOrder, BatchState, History, RequestState
from intempt_core.history.worklist import batch_search
from intempt_core.planning.plan import Policy
from tests.core.history.factories import ME, SHOP, attempt, batch_of, event, intent, request


def found(history: History, text: str) -> list[str]:
    return [one.id for one in history.queries.batches(BatchFilter(text=text)).items]


def settled(history: History, outcome: Outcome, **given: Any) -> str:
    """A batch of one request with three events that is over."""
    batch = batch_of(history, [3], policy=Policy.GO_ON, **given)
    for one in history.queries.requests(batch).items:
        history.queue.apply_transitions([AttemptStart(one.id)], owner=ME)
        history.queue.apply_transitions([AttemptEnd(one.id, attempt(outcome))], owner=ME)
    history.control.set_state(batch, BatchState.DONE)
    return batch


def test_a_part_of_a_name_or_label_finds_a_batch_in_any_case(history: History) -> None:
    october = batch_of(history, [1], label="Data_2022_OCT.csv")
    umlaut = batch_of(history, [1], label="Öl.csv", name="Ostern 50% ÜBER alles")
    assert found(history, "2022_oct") == [october]
    assert found(history, "öL") == found(history, "50% über") == [umlaut]
    assert found(history, "2022%oct") == []


def test_a_name_given_later_is_found_and_taken_away_again(history: History) -> None:
    batch = batch_of(history, [1], label="bad.csv")
    history.control.rename(batch, "  Release 12,\n smoke   test ")
    summary = history.queries.batch(batch)
    assert (summary.name, summary.title, summary.label) == ("Release 12, smoke test", summary.name, "bad.csv")
    assert found(history, "smoke") == found(history, "bad") == [batch]
    history.control.rename(batch, "")
    assert history.queries.batch(batch).title == "bad.csv"
    assert found(history, "smoke") == []


def test_the_beginning_of_a_batch_id_finds_it(history: History) -> None:
    batch = batch_of(history, [1])
    assert found(history, batch[:12]) == [batch]
    assert found(history, batch[:2]) == []


def test_a_search_says_where_it_did_not_look_at_all_ids(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    batch_of(history, [5])
    assert history.queries.batches(BatchFilter(text="e")).is_complete
    monkeypatch.setattr(batch_search, "MAX_KEYS_READ", 5)
    assert not history.queries.batches(BatchFilter(text="e")).is_complete
    assert history.queries.batches(BatchFilter(text="e5")).is_complete


def test_the_list_is_sorted_by_name_target_and_events(history: History) -> None:
    big = batch_of(history, [9], label="b.csv", target=replace(SHOP, name="alpha"))
    named = batch_of(history, [1], label="z.csv", name="A run", target=replace(SHOP, name="zeta"))
    middle = batch_of(history, [4, 1], label="c.csv", target=replace(SHOP, name="mid"))

    def listed(order: BatchOrder, *, descending: bool) -> list[str]:
        return [one.id for one in history.queries.batches(order=order, descending=descending).items]

    assert listed(BatchOrder.TIME, descending=True) == [middle, named, big]
    assert listed(BatchOrder.TIME, descending=False) == [big, named, middle]
    assert listed(BatchOrder.NAME, descending=False) == [named, big, middle]
    assert listed(BatchOrder.TARGET, descending=True) == [named, middle, big]
    assert listed(BatchOrder.EVENTS, descending=True) == [big, middle, named]


def test_what_is_unknown_or_not_sent_needs_a_decision_until_one_is_made(history: History) -> None:
    settled(history, Outcome.ACCEPTED)
    settled(history, Outcome.REJECTED)
    unknown, not_sent = settled(history, Outcome.UNKNOWN), settled(history, Outcome.NOT_SENT)
    counts = history.queries.undecided()
    assert (counts.batches, counts.events) == (2, {RequestState.UNKNOWN: 3, RequestState.NOT_SENT: 3})
    listed = history.queries.batches(BatchFilter(undecided=True))
    assert [one.id for one in listed.items] == [not_sent, unknown]
    assert [one.waiting for one in listed.items] == [{RequestState.NOT_SENT: 3}, {RequestState.UNKNOWN: 3}]
    history.control.dismiss(not_sent)
    assert history.queries.undecided().events == {RequestState.UNKNOWN: 3}
    history.control.dismiss(not_sent, again=True)
    assert history.queries.undecided().batches == 2


def test_what_was_sent_again_to_the_same_target_is_decided_in_the_later_batch(history: History) -> None:
    original = settled(history, Outcome.UNKNOWN)
    again = [replace(one, events=list(one.events)) for one in history.outcomes.request_intents(original, RequestState)]
    resend = history.recorder.record(intent(owner=ME, resend_of=original, policy=Policy.GO_ON), again)
    assert history.queries.undecided().batches == 0  # it is being sent
    assert history.queries.batch(original).waiting == {}
    for one in history.queries.requests(resend).items:
        history.queue.apply_transitions([AttemptStart(one.id)], owner=ME)
        history.queue.apply_transitions([AttemptEnd(one.id, attempt(Outcome.UNKNOWN))], owner=ME)
    history.control.set_state(resend, BatchState.DONE)
    assert [one.id for one in history.queries.batches(BatchFilter(undecided=True)).items] == [resend]


def test_what_turned_out_to_have_arrived_needs_no_decision(history: History) -> None:
    batch = batch_of(history, [3], [2], policy=Policy.GO_ON)
    for one in history.queries.requests(batch).items:
        history.queue.apply_transitions([AttemptStart(one.id)], owner=ME)
        history.queue.apply_transitions([AttemptEnd(one.id, attempt(Outcome.UNKNOWN))], owner=ME)
    history.control.set_state(batch, BatchState.DONE)
    assert history.queries.batch(batch).waiting == {RequestState.UNKNOWN: 5}

    first, second = history.throughput.unjudged(batch, 10)
    history.throughput.record_verdicts(batch, [(first, RequestVerdict(3))])
    counts, summary = history.queries.undecided(), history.queries.batch(batch)
    assert (counts.batches, counts.events) == (1, {RequestState.UNKNOWN: 2})
    assert (summary.waiting, summary.processed) == ({RequestState.UNKNOWN: 2}, 3)

    history.throughput.record_verdicts(batch, [(second, RequestVerdict(2))])
    assert history.queries.undecided().batches == 0
    assert history.queries.batches(BatchFilter(undecided=True)).items == ()
    summary = history.queries.batch(batch)
    assert (summary.waiting, summary.events, summary.processed) == ({}, {RequestState.UNKNOWN: 5}, 5)


def test_a_stopped_batch_needs_a_decision_about_the_events_behind_what_arrived(history: History) -> None:
    batch = batch_of(history, [1, 2])
    sent = history.queries.requests(batch).items[0]
    history.queue.apply_transitions([AttemptStart(sent.id)], owner=ME)
    history.queue.apply_transitions([AttemptEnd(sent.id, attempt(Outcome.UNKNOWN))], owner=ME)
    history.control.set_state(batch, BatchState.STOPPED)
    history.throughput.record_verdicts(
        batch, [(one, RequestVerdict(1)) for one in history.throughput.unjudged(batch, 10)]
    )
    counts = history.queries.undecided()
    assert (counts.batches, counts.events, counts.halted) == (1, {}, {BatchState.STOPPED: 1})


def test_a_paused_batch_needs_a_decision(history: History) -> None:
    batch = batch_of(history, [1])
    assert history.queries.undecided().batches == 0
    history.control.set_state(batch, BatchState.PAUSED)
    counts = history.queries.undecided()
    assert (counts.batches, counts.events, counts.halted) == (1, {}, {BatchState.PAUSED: 1})


def test_users_and_products_of_a_batch_are_read_from_its_first_request(history: History) -> None:
    events = [event(1, profile_id="p1", user_id="u1"), event(2, user_id="u2", product_id=None)]
    batch = history.recorder.record(intent(persons=2), [request(1, 1, events)])
    held = history.queries.subjects([batch, "nonsense"])
    assert list(held) == [batch]
    assert (held[batch].persons, held[batch].products, held[batch].events) == (("p1", "u2"), ("p1",), 2)
