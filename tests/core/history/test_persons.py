"""History expects of a person what the sandbox shows: which ids are theirs, which events count, which are repeats."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from intempt_core.analysis.feed_diff import explain_feed
from intempt_core.contract.body import build_request_body
from intempt_core.contract.feeds import Interaction, compute_feeds
from intempt_core.contract.issues import Place
from intempt_core.contract.outcome import Outcome
from intempt_core.contract.person_history import PersonHistory, ProcessingStatus
from intempt_core.contract.rules import GivenEvent
from intempt_core.history import AttemptEnd, AttemptStart, EventIntent, History, RequestIntent, TargetSnapshot, persons
from intempt_core.sandbox.http.queries import PersonEventsQuery
from intempt_core.sandbox.storage.listing import list_person_events
from intempt_core.sandbox.storage.persons import make_node
from intempt_core.sandbox.storage.store import SandboxStore, StoredRequest
from tests.core.history.factories import ME, SHOP, Clock, attempt, intent, unkey
from tests.examples import scale_examples

KINDS = {"profileId": "profile", "userId": "user", "anotherUserId": "other", "accountId": "account"}
Sent = tuple[str, dict[str, Any]]
_projects = count(1)


class Both:
    """The same requests, accepted, in a history and in a sandbox."""

    def __init__(self, folder: Path, url: str) -> None:
        self.history = History.open(url, clock=Clock())
        self.store = SandboxStore(folder / "sandbox.sqlite3")

    def close(self) -> None:
        self.history.close()
        self.store.close()

    def sent(
        self, requests: Sequence[Sequence[Sent]], *, deduplicates: bool = True, unkeyed: Collection[int] = ()
    ) -> "OneTarget":
        target = replace(SHOP, key=f"project {next(_projects)}", deduplicates=deduplicates)
        made = [
            RequestIntent(
                1,
                position,
                build_request_body(some),
                [EventIntent.from_event(GivenEvent(*one, Place()), n) for n, one in enumerate(some)],
            )
            for position, some in enumerate(requests)
        ]
        batch = self.history.recorder.record(intent(owner=ME, target=target), made)
        for number, work in enumerate(self.history.queue.take(batch, 1, 1000)):
            if number in unkeyed:
                unkey(self.history, [work.id])
            self.history.queue.apply_transitions(
                [AttemptStart(work.id), AttemptEnd(work.id, attempt(Outcome.ACCEPTED))], owner=ME
            )
            arrival = StoredRequest(1_795_348_980_000, "o", target.key, target.source_id, "", work.body)
            asyncio.run(self.store.add(arrival))
        asyncio.run(self.store.catch_up())
        return OneTarget(self, target)


class OneTarget:
    """One target of both."""

    def __init__(self, both: Both, target: TargetSnapshot) -> None:
        self.both, self.target = both, target

    def expected(self, field: str, value: str, **given: int) -> list[Interaction]:
        found = self.both.history.persons.interactions(self.target.key, field, value, **given)
        return [Interaction(one.name, one.product) for one in found]

    def shown(self, field: str, value: str) -> list[Interaction]:
        name = make_node(KINDS[field], value, self.target.source_id)
        return self.both.store.interactions("o", self.target.key, name)

    def person_history(self, field: str, value: str) -> PersonHistory:
        return self.both.history.persons.person_history(self.target.key, field, value)

    def known(self, field: str, value: str, person_history: PersonHistory) -> ProcessingStatus:
        """What became of a person's events in the sandbox."""
        name, ids = (
            make_node(KINDS[field], value, self.target.source_id),
            tuple({step.event_id for step in person_history.events}),
        )
        found = orjson.loads(list_person_events(self.both.store, PersonEventsQuery("o", self.target.key, name, ids)))
        return ProcessingStatus(frozenset(event["eventId"] for event in found["events"]), found["unprocessed"])

    def products(self, field: str, value: str) -> str:
        assert self.expected(field, value) == self.shown(field, value)
        return "".join(one.product for one in self.expected(field, value))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[Both]:
    made = Both(tmp_path_factory.mktemp("both"), module_database_url)
    yield made
    made.close()


def one(product: str, event_id: str = "", name: str = "Product viewed", **ids: str) -> Sent:
    return name, {"eventId": event_id or f"e{product}", **ids, "data": {"productId": product}}


def test_several_ids_that_lead_to_each_other_are_one_person_however_far(both: Both) -> None:
    at = both.sent(
        [
            [one("A", profileId="p1"), one("B", userId="u1"), one("C", userId="u2")],
            [one("D", profileId="p1", userId="u1"), one("E", userId="u1", anotherUserId="x")],
            [one("F", profileId="p2", anotherUserId="x"), one("G", profileId="x")],
        ]
    )
    for field, value in (("profileId", "p1"), ("userId", "u1"), ("anotherUserId", "x"), ("profileId", "p2")):
        assert at.products(field, value) == "ABDEF"
    assert at.products("userId", "u2") == "C"
    assert at.products("profileId", "x") == "G"
    assert at.products("userId", "x") == ""


def test_an_account_and_a_placeholder_lead_to_no_person(both: Both) -> None:
    at = both.sent(
        [
            [one("A", userId="u1", accountId="a"), one("B", userId="u2", accountId="a"), one("C", accountId="a")],
            [one("D", userId="u1", profileId="null"), one("E", userId="u2", profileId="null")],
        ]
    )
    assert at.products("userId", "u1") == "AD"
    assert at.products("accountId", "a") == "ABC"
    assert at.products("profileId", "null") == "DE"


def test_an_alias_makes_two_users_one(both: Both) -> None:
    alias = "Identify", {"eventId": "i", "userId": "new", "anotherUserId": "old"}
    at = both.sent([[one("A", userId="old")], [alias], [one("B", userId="new")]])
    assert at.products("userId", "old") == at.products("userId", "new") == "AB"


def test_of_a_repeated_id_the_first_event_counts_whatever_its_product_and_person(both: Both) -> None:
    at = both.sent(
        [
            [one("A", "e1", userId="u1")],
            [one("B", "e1", userId="u1"), one("C", "e1", userId="u2"), one("D", "e1", "Added to cart", userId="u1")],
            [one("E", userId="u1"), one("F", "e1", userId="u1", profileId="p1"), one("G", profileId="p1")],
        ]
    )
    assert at.products("userId", "u1") == "AE"  # the repeat with p1 links no ids either
    assert at.products("userId", "u2") == ""
    assert at.products("profileId", "p1") == "G"


def test_lines_of_one_payload_share_an_id_and_later_requests_repeat_it(both: Both) -> None:
    def line(product: str) -> Sent:
        return one(product, "o1", "Product ordered", userId="u1")

    at = both.sent([[line("A"), line("B"), line("A")], [line("B"), line("C")], [line("D")]])
    assert at.products("userId", "u1") == "ABC"
    split = both.sent([[line("A"), one("X", "o1", userId="u1"), line("B")], [line("A")]])
    assert split.products("userId", "u1") == "A"


def test_a_target_that_does_not_deduplicate_shows_every_event(both: Both) -> None:
    at = both.sent([[one("A", "e1", userId="u1")], [one("A", "e1", userId="u1", profileId="p1")]], deduplicates=False)
    assert len(at.expected("profileId", "p1")) == 2


def test_the_last_events_of_a_person_are_enough(both: Both) -> None:
    at = both.sent([[one(f"p{n}", userId="u1", profileId="p1") for n in range(5)]])
    assert [found.product for found in at.expected("profileId", "p1", limit=2)] == ["p3", "p4"]
    assert both.history.persons.interactions("nowhere", "userId", "u1") == []


def test_an_id_that_all_persons_share_is_not_followed_forever(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "MAX_PERSON_IDS", 3)
    at = both.sent([[one(f"p{n}", userId=f"u{n}", profileId="all") for n in range(20)]])
    assert len(at.expected("profileId", "all")) == 20
    assert len(at.expected("userId", "u0")) == 20


_id = st.sampled_from(["a", "b", "c", "null"])
_event = st.builds(
    lambda name, event_id, ids, product: (name, {"eventId": event_id} | ids | {"data": {"productId": product}}),
    st.sampled_from(["Product viewed", "Product ordered", "Product ordered", "Removed from cart", "view", "Identify"]),
    st.sampled_from(["e1", "e2", "e3", "e4", "e5", None]),
    st.dictionaries(st.sampled_from(list(KINDS)), _id, max_size=2),
    st.sampled_from(["P", "Q", "R", None]),
)


def test_every_event_of_a_person_history_counts_exactly_where_it_does_in_the_sandbox(both: Both) -> None:
    at = both.sent(
        [
            [one("A", "e1", userId="u1"), one("B", "e1", userId="u1")],
            [("view", {"eventId": "e3", "userId": "u1", "data": {"productId": "C"}})],
            [("Product viewed", {"userId": "u1", "data": {"productId": "D"}})],
            [("Product viewed", {"eventId": "e5", "userId": "u1", "profileId": "p1", "accountId": "a", "data": {}})],
        ]
    )
    person_history = at.person_history("userId", "u1")
    assert [(step.product, step.counts) for step in person_history.events] == [
        ("A", True), ("B", False), ("C", False), ("D", False), ("", False)
    ]  # fmt: skip
    assert [step.reason.split(" ")[1:3] for step in person_history.events[1:]] == [
        ["repeats", "an"], ["name", "is"], ["has", "no"], ["has", "no"]
    ]  # fmt: skip
    assert dict(person_history.events[-1].names) == {"userId": "u1", "profileId": "p1", "accountId": "a"}
    assert set(person_history.identities) == {("userId", "u1"), ("profileId", "p1")}
    assert at.known("userId", "u1", person_history).processed == {"e1"}
    assert both.history.persons.person_history("nowhere", "userId", "u1").events == ()
    assert both.history.persons.last_identity(at.target.key) == ("userId", "u1")
    assert both.history.persons.last_identity("nowhere") is None


@given(st.lists(st.lists(_event, min_size=1, max_size=5), max_size=6), st.sets(st.integers(0, 5)))
@how(max_examples=scale_examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_history_expects_what_the_sandbox_shows(both: Both, requests: list[list[Sent]], unkeyed: set[int]) -> None:
    at = both.sent(requests, unkeyed=unkeyed)
    for field in KINDS:
        for value in ("a", "b", "c", "null"):
            seen = at.shown(field, value)
            assert at.expected(field, value) == seen
            person_history, shown = at.person_history(field, value), compute_feeds(seen)
            assert person_history.expected == shown
            known = at.known(field, value, person_history)
            for feed, actual in shown.items():
                explained = explain_feed(feed, person_history.events, actual, now=0, limit=50, status=known)
                assert explained.differences == ()
