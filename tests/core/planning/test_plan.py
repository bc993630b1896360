"""Persons, lanes and requests: the laws of a plan, by both doors."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from itertools import groupby, islice
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from intempt_core.contract.fields import IDENTITY_FIELDS, get_field
from intempt_core.contract.identity import read_linking_ids
from intempt_core.contract.issues import Place
from intempt_core.contract.rules import GivenEvent
from intempt_core.errors import PlanError
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import Mapping, exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.planning.plan import (
    POLICY_MESSAGES,
    EventOrder,
    Plan,
    PlannedRequest,
    Policy,
    explain_lane_length,
    plan_events,
    plan_table,
)
from intempt_core.readers.payload import read_payload
from intempt_core.readers.table import read_table
from intempt_core.settings import Settings
from tests.examples import scale_examples

HEADER = ("name", "eventId", "profileId", "userId", "anotherUserId", "accountId", "productId")


def table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = HEADER, **constants: object) -> EventSource:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    mapping = exact_mapping(header)
    mapping = Mapping(mapping.columns, constants=constants)
    return map_table(read_table(text.getvalue().encode(), name="events.csv"), mapping)


def event(n: int, name: str = "Product viewed", **body: object) -> GivenEvent:
    return GivenEvent(name, {"eventId": f"e{n}", **body, "data": {"productId": f"p{n}"}}, Place(row=n))


def persons_of(events: list[GivenEvent]) -> list[int]:
    """The definition (ARCHITECTURE, person) word by word: a person for each event, numbered by first appearance."""
    persons = [{index} for index in range(len(events))]
    links = [set(read_linking_ids(event.body)) for event in events]
    for one in range(len(events)):
        for other in range(one):
            if links[one] & links[other]:
                mine = next(person for person in persons if one in person)
                theirs = next(person for person in persons if other in person)
                if mine is not theirs:
                    persons.remove(theirs)
                    mine |= theirs
    found = {index: min(person) for person in persons for index in person}
    numbers = {first: number for number, first in enumerate(sorted(set(found.values())))}
    return [numbers[found[index]] for index in range(len(events))]


def sent(plan: Plan) -> list[list[int]]:
    """The rows of each lane in the order in which they are sent."""
    assert [request.position for request in plan.requests] == [
        position for _, lane in groupby(plan.requests, lambda r: r.lane) for position, _ in enumerate(lane, 1)
    ]
    return [[row for r in lane for row in r.rows] for _, lane in groupby(plan.requests, lambda r: r.lane)]


def assert_lawful(plan: Plan, events: list[GivenEvent], chosen: list[int], settings: Settings) -> None:
    lanes = sent(plan)
    assert sorted(row for lane in lanes for row in lane) == sorted(chosen)
    assert plan.lanes == len(lanes) <= settings.lanes
    assert plan.largest_lane == max(map(len, lanes), default=0)
    persons = persons_of([events[row] for row in chosen])
    person = dict(zip(chosen, persons, strict=True))
    assert plan.persons == len(set(persons))
    assert plan.largest_person == max(Counter(persons).values(), default=0)
    assert all(len(ls) == 1 for ls in _lanes_by(person, lanes).values())
    place = {row: number for number, row in enumerate(chosen)}
    assert all(lane == sorted(lane, key=place.__getitem__) for lane in lanes)
    for request in plan.requests:
        ids = {get_field(events[row].body, "eventId") for row in request.rows}
        one_order = len(ids) == 1 and len({person[row] for row in request.rows}) == 1
        assert len(request.rows) <= settings.events_per_request or one_order
        back = read_payload(plan.body(request).decode()).events
        assert [(e.name, e.body) for e in back] == [(e.name, e.body) for e in plan.events_in(request)]
        assert [(e.name, e.body) for e in back] == [(events[row].name, events[row].body) for row in request.rows]
    assert written(plan) == [
        (r, plan.body(r)) for r in sorted(plan.requests, key=lambda request: (request.position, request.lane))
    ]


def written(plan: Plan) -> list[tuple[PlannedRequest, bytes]]:
    """The requests with their bodies in the order in which they are recorded."""
    found = []
    for block in plan.iter_blocks(7):
        rows = iter(block.rows.tolist())
        for lane, position, size, body in zip(block.lanes, block.positions, block.sizes, block.bodies, strict=True):
            found.append((PlannedRequest(int(lane), int(position), tuple(islice(rows, int(size)))), body))
    return found


def _lanes_by(person: dict[int, int], lanes: list[list[int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for number, lane in enumerate(lanes):
        for row in lane:
            found.setdefault(person[row], set()).add(number)
    return found


ids = st.sampled_from(["", "", "", "a", "b", "c", "d", "e", "null", " ", "Anonymous", " a "])
names = st.sampled_from(["Product viewed", "Added to cart", "Product ordered", "Product ordered"])
rows_ = st.lists(
    st.tuples(names, st.sampled_from(["", "o1", "o1", "o2", "x"]), ids, ids, ids, ids, st.sampled_from("pq")),
    max_size=40,
)
settings_ = st.builds(Settings, events_per_request=st.integers(1, 5), lanes=st.integers(1, 64))
constants_ = st.sampled_from([{}, {}, {"accountId": "acme"}, {"userId": "none"}, {"userId": 7}, {"accountId": "null"}])


@how(max_examples=scale_examples(150))
@given(rows_, settings_, st.randoms(use_true_random=False), constants_)
def test_a_table_is_planned_lawfully_whatever_it_holds(
    rows: list[tuple[str, ...]], settings: Settings, random: Random, constants: dict[str, object]
) -> None:
    keep = [number for number, field in enumerate(HEADER) if field not in constants]
    mapped = table(
        [tuple(row[number] for number in keep) for row in rows], tuple(HEADER[number] for number in keep), **constants
    )
    chosen = [row for row in range(mapped.rows) if random.random() < 0.8]
    random.shuffle(chosen)
    plan = plan_table(mapped, chosen, settings)
    assert_lawful(plan, list(mapped.events()), chosen, settings)


@how(max_examples=scale_examples(100))
@given(rows_, settings_)
def test_both_doors_plan_the_same(rows: list[tuple[str, ...]], settings: Settings) -> None:
    mapped = table(rows)
    events = list(mapped.events())
    plan = plan_events(events, settings=settings)
    assert_lawful(plan, events, list(range(len(events))), settings)
    assert list(plan.requests) == list(plan_table(mapped, np.arange(mapped.rows), settings).requests)


odd_ids: st.SearchStrategy[object] = st.sampled_from(["a", "b", 1, 1.5, None, True, [], "0"])
bodies_ = st.lists(st.dictionaries(st.sampled_from(IDENTITY_FIELDS), odd_ids, max_size=4), max_size=12)


@given(bodies_)
def test_what_is_wrong_is_planned_too_and_stays_as_it_came(bodies: list[dict[str, object]]) -> None:
    events = [GivenEvent(None if n % 3 else "Product viewed", body, Place(row=n)) for n, body in enumerate(bodies)]
    assert_lawful(plan_events(events), events, list(range(len(events))), Settings())


def test_identities_link_transitively_whatever_field_joins_them() -> None:
    events = [
        event(0, profileId="p"),
        event(1, userId="u"),
        event(2, anotherUserId="n"),
        event(3, userId="u", anotherUserId="n"),
        event(4, profileId="p", userId="u"),
        event(5, userId="p"),
    ]
    assert plan_events(events).persons == 2
    assert plan_events(events[:3]).persons == 3


def test_placeholders_link_no_events() -> None:
    events = [event(n, userId=text) for n, text in enumerate(["null", "null", "0", "0", "Anonymous", "anonymous"])]
    assert plan_events(events).persons == len(events)


def test_an_account_is_a_person_only_where_nothing_else_is_given() -> None:
    assert plan_events([event(0, accountId="a"), event(1, accountId="a")]).persons == 1
    assert plan_events([event(0, accountId="a"), event(1, accountId="a", userId="u")]).persons == 2
    assert plan_events([event(0, accountId="a", userId="null"), event(1, accountId="a")]).persons == 2


def test_both_doors_keep_lines_together_whose_person_only_another_event_tells() -> None:
    link = ("Product viewed", "e", "", "u", "a", "", "p")
    lines = [("Product ordered", "o1", "", "u", "", "", "p"), ("Product ordered", "o1", "", "", "a", "", "q")]
    mapped, one = table([link, *lines]), Settings(events_per_request=1)
    for plan in (plan_table(mapped, range(3), one), plan_events(list(mapped.events()), settings=one)):
        assert [request.rows for request in plan.requests] == [(0,), (1, 2)]


def test_lines_of_one_order_stay_in_one_request() -> None:
    lines = [("Product ordered", "o1", "", "u", "", "", str(n)) for n in range(7)]
    mapped = table(
        [("Product viewed", "v", "", "u", "", "", "p"), *lines, ("Product viewed", "w", "", "u", "", "", "p")]
    )
    sizes = [len(r.rows) for r in plan_table(mapped, np.arange(9), Settings(events_per_request=4)).requests]
    assert sizes == [1, 7, 1]
    sizes = [len(r.rows) for r in plan_table(mapped, np.arange(9), Settings(events_per_request=8)).requests]
    assert sizes == [8, 1]


def test_lanes_follow_the_number_of_events_and_persons() -> None:
    def lanes(events: int, persons: int) -> int:
        return plan_table(
            table([("", "", "", f"u{n % persons}", "", "", "p") for n in range(events)]), range(events)
        ).lanes

    assert [lanes(1, 1), lanes(50, 50), lanes(51, 51), lanes(800, 800), lanes(800, 3)] == [1, 1, 2, 16, 3]
    assert [lanes(3200, 3200), lanes(4000, 4000), lanes(20000, 20000)] == [16, 20, 64]


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", "soon", "5", "7", "7", "9", "1e3"])), max_size=60))
def test_in_time_order_a_persons_events_go_by_their_times_and_nothing_else_changes(
    rows: list[tuple[int, str]],
) -> None:
    """By both doors: an event without a readable time keeps its place after the one it followed."""
    expected: dict[int, list[int]] = {}
    for person in {person for person, _ in rows}:
        mine = [row for row, (whose, _) in enumerate(rows) if whose == person]
        times: list[float] = []
        for row in mine:
            text = rows[row][1]
            times.append(float(text) if text.isdecimal() else times[-1] if times else float("-inf"))
        expected[person] = [row for _, row in sorted(zip(times, mine, strict=True), key=lambda pair: pair[0])]
    header = ("name", "eventId", "userId", "productId", "timestamp")
    written = table(
        [("Product viewed", f"e{row}", f"u{whose}", "p", at) for row, (whose, at) in enumerate(rows)], header
    )
    events = [
        event(row, userId=f"u{whose}", **({"timestamp": int(at)} if at.isdecimal() else {"timestamp": at}))
        for row, (whose, at) in enumerate(rows)
    ]
    small = Settings(events_per_request=3)
    both = (
        plan_table(written, range(len(rows)), small, order=EventOrder.TIME),
        plan_events(events, settings=small, order=EventOrder.TIME),
    )
    for plan in both:
        lanes = sent(plan)
        assert sorted(row for lane in lanes for row in lane) == list(range(len(rows)))
        for person, wanted in expected.items():
            assert [row for lane in lanes for row in lane if rows[row][0] == person] == wanted
    assert plan_table(written, range(len(rows)), small).events == len(rows)


def test_in_time_order_the_lines_of_one_order_stay_in_one_request() -> None:
    header = ("name", "eventId", "userId", "productId", "timestamp")
    later = [("Product viewed", f"v{n}", "u", "p", str(2_000 + n)) for n in range(4)]
    order = [("Product ordered", "o", "u", f"p{n}", "1000") for n in range(3)]
    plan = plan_table(table([*later, *order], header), range(7), Settings(events_per_request=2), order=EventOrder.TIME)
    assert [request.rows for request in plan.requests] == [(4, 5, 6), (0, 1), (2, 3)]


def test_without_times_time_order_is_file_order() -> None:
    rows = [("", f"e{n}", "", f"u{n % 3}", "", "", "p") for n in range(30)]
    one, other = (plan_table(table(rows), range(30), order=order) for order in EventOrder)
    assert list(one.requests) == list(other.requests)


def test_a_lane_that_holds_most_is_explained() -> None:
    rows = [("", "", "", "busy" if n % 2 else str(n), "", "", "p") for n in range(1000)]
    plan = plan_table(table(rows), np.arange(1000))
    assert plan.largest_lane == 500
    assert plan.largest_lane_reason == (
        "One lane holds 500 of 1,000 events, 500 of them one person's: a person's events go one after another."
    )
    even = plan_table(table([("", "", "", str(n), "", "", "p") for n in range(1000)]), np.arange(1000))
    assert not even.largest_lane_reason
    assert explain_lane_length(1_000, 2, 900) == (
        "One lane holds 900 of 1,000 events: a person's events go one after another."
    )
    assert not explain_lane_length(1_000, 2, 520)
    assert not explain_lane_length(60, 2, 59)


def test_one_request_keeps_everything_together() -> None:
    plan = plan_events([event(n, userId=f"u{n % 4}") for n in range(120)], one_request=True)
    assert list(plan.requests) == [PlannedRequest(1, 1, tuple(range(120)))]
    assert (plan.events, plan.persons, plan.lanes, plan.largest_lane, plan.largest_person) == (120, 4, 1, 120, 30)


@pytest.mark.parametrize("plan", [plan_events([]), plan_events([], one_request=True), plan_table(table([]), [])])
def test_nothing_chosen_is_an_empty_plan(plan: Plan) -> None:
    assert (plan.events, plan.persons, plan.lanes, list(plan.requests)) == (0, 0, 0, [])
    assert list(plan.iter_blocks()) == []


def test_a_row_that_is_not_there_or_comes_twice_is_no_plan() -> None:
    mapped = table([("", "", "", "u", "", "", "p")])
    with pytest.raises(PlanError, match="does not have"):
        plan_table(mapped, [1])
    with pytest.raises(PlanError, match="does not have"):
        plan_table(mapped, [-1])
    with pytest.raises(PlanError, match="twice"):
        plan_table(mapped, [0, 0])


def test_requests_are_a_sequence() -> None:
    plan = plan_events([event(n, userId="u") for n in range(120)])
    assert [len(request.rows) for request in plan.requests] == [50, 50, 20]
    assert plan.requests[-1] == plan.requests[2] == plan.requests[1:][1]
    assert plan.requests.index(plan.requests[1]) == 1
    with pytest.raises(IndexError):
        plan.requests[3]


def test_written_holds_a_large_plan_in_pieces() -> None:
    rows = [("Product viewed", "", "", str(n % 97), "", "", "p") for n in range(9000)]
    plan = plan_table(table(rows), np.arange(9000))
    found = dict(written(plan))
    assert [found[request] for request in plan.requests] == [plan.body(request) for request in plan.requests]
    assert [block.rows.size for block in plan.iter_blocks(4_000)] == [4_000, 3_996, 1_004]


def test_a_chain_of_a_thousand_links_is_one_person() -> None:
    order = np.random.default_rng(1).permutation(1000)
    events = [event(int(n), userId=f"u{n}", profileId=f"u{n}", anotherUserId=f"u{n + 1}") for n in order]
    joined = [event(1000 + n, profileId=f"u{n + 1}", anotherUserId=f"u{n + 1}") for n in range(1000)]
    assert plan_events(events + joined).persons == 1


def test_every_policy_has_its_words() -> None:
    assert set(POLICY_MESSAGES) == set(Policy)
