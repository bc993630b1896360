"""The plan of a batch: chosen events as requests in lanes, before anything is sent.

A plan is a value: it can be previewed and counted. Bodies are written when they are asked for, from the events as they
came.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple, overload

import numpy as np

from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract import (
    EventName,
    GivenEvent,
    Json,
    build_request_body,
    format_count,
    get_field,
    id_to_text,
    read_epoch_ms,
)
from intempt_core.errors import PlanError
from intempt_core.mapping import EventSource, MappedTable
from intempt_core.planning.bulk_bodies import write_bodies
from intempt_core.planning.event_columns import EventColumns, PlanSource, read_event_columns
from intempt_core.planning.persons import IdentityColumn, group_persons, link_columns, link_events
from intempt_core.settings import Settings
from intempt_core.validation import ColumnChecker, TimeState, clamp_to_int64

EVENTS_PER_LANE = 200
"""Events for which one more lane is opened, beyond the ``Settings.lanes_at_once`` that a small plan may have."""

LONG_LANE_EVENTS = 100
"""Events of a lane from which on its length is explained."""

PLAN_BLOCK_EVENTS = 20_000
"""Events that :meth:`Plan.iter_blocks` holds at a time, so that a million need no more memory than these."""


class Policy(StrEnum):
    """What a lane does by itself after *unknown*, or a *not sent* that retries did not cure (ARCHITECTURE, policy)."""

    STOP = "stop"
    GO_ON = "go on"
    RESEND = "resend"


POLICY_MESSAGES: dict[Policy, str] = {
    Policy.STOP: "The lane stops: what comes after it stays pending, the order is kept, and you decide.",
    Policy.GO_ON: "The lane goes on with what comes after it; you decide about these events later.",
    Policy.RESEND: (
        "The very same request is sent again, a few times; if it stays unknown the lane stops. Without deduplication at"
        " the target its events may count twice."
    ),
}
"""Each policy in one sentence or two."""


class EventOrder(StrEnum):
    """The order in which a person's events go (CONTRACT 4.3)."""

    FILE = "file"
    TIME = "time"


ORDER_MESSAGES: dict[EventOrder, str] = {
    EventOrder.FILE: "A person's events go as the file has them, one after another.",
    EventOrder.TIME: (
        "A person's events go by their timestamp; of equal times the file's order counts, and an event without a time"
        " keeps its place after the one before it."
    ),
}
"""Each order in one sentence."""


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One planned request.

    Attributes:
        lane: The number of its lane, from 1.
        position: Its place in the lane, from 1.
        rows: Its events, as indices into the source of the plan.
    """

    lane: int
    position: int
    rows: tuple[int, ...]


class Plan:
    """The requests, lanes and persons of chosen events. Made by :func:`plan_table` and :func:`plan_events`.

    A person is in exactly one lane; in it, and in its requests, the events keep the order in which they were chosen.

    Attributes:
        requests: The requests, lane by lane.
        events: How many events there are.
        persons: How many persons they belong to.
        largest_person: How many events belong to the person with most of them.
        lanes: How many lanes there are.
        largest_lane: How many events the longest lane has.
        id_sharers: How many events have the event id of an earlier line of their order (CONTRACT 2.9).
    """

    def __init__(
        self,
        source: PlanSource,
        requests: "_RequestSequence",
        persons: int,
        largest_person: int,
        id_sharers: int = 0,
    ) -> None:
        self._source = source
        self.requests: Sequence[PlannedRequest] = requests
        self._requests = requests
        self.events = len(requests.rows)
        self.persons = persons
        self.largest_person = largest_person
        self.id_sharers = id_sharers
        loads = np.bincount(requests.lanes, np.diff(requests.bounds)) if requests.lanes.size else np.zeros(1)
        self.lanes = int(np.count_nonzero(loads))
        self.largest_lane = int(loads.max())

    @property
    def largest_lane_reason(self) -> str:
        """Why one lane is much longer than the others, as a sentence; empty where none is."""
        return explain_lane_length(self.events, self.lanes, self.largest_lane, self.largest_person)

    @property
    def shared_id_message(self) -> str:
        """What a target would keep that deduplicates by the event id alone, as a sentence; empty where it is all."""
        if not self.id_sharers:
            return ""
        return (
            f"{format_count(self.id_sharers, 'event has', 'events have')} the event id of an earlier line of the same"
            f" order: a target that deduplicates by id alone would keep {self.events - self.id_sharers:,} of"
            f" {format_count(self.events, 'event')}."
        )

    def find_row(self, row: int) -> tuple[int, int] | None:
        """Find the request (from 0) that has a row, and the row's place in it; ``None`` where the row is not sent."""
        place = np.flatnonzero(self._requests.rows == row)
        if not place.size:
            return None
        number = int(np.searchsorted(self._requests.bounds, place[0], side="right")) - 1
        return number, int(place[0] - self._requests.bounds[number])

    def events_in(self, request: PlannedRequest) -> list[GivenEvent]:
        """The events of one request, in the order of its body."""
        return list(self._source.events(request.rows))

    def body(self, request: PlannedRequest) -> bytes:
        """The body of one request (CONTRACT 1.3)."""
        return _write_body(self.events_in(request))

    def iter_blocks(self, events: int = PLAN_BLOCK_EVENTS) -> "Iterator[PlannedBlock]":
        """Iterate over all requests by their place in their lanes, with bodies; memory stays flat.

        First come the first requests of all lanes, then all second ones: so every lane has work at once. A block has at
        least one request, and about so many ``events``. This is quicker than asking for each body.
        """
        found = self._requests
        order = np.lexsort((found.lanes, found.positions))
        sizes = np.diff(found.bounds)[order]
        ends = np.cumsum(sizes)
        start = 0
        while start < order.size:
            before = int(ends[start - 1]) if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + events, side="right")))
            yield self._make_block(order[start:stop], sizes[start:stop])
            start = stop

    def _make_block(self, numbers: Int64Array, sizes: Int64Array) -> "PlannedBlock":
        found, source = self._requests, self._source
        bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        places = np.arange(bounds[-1]) + np.repeat(found.bounds[numbers] - bounds[:-1], sizes)
        rows = found.rows[places]
        bodies = write_bodies(source, rows, bounds.tolist()) if isinstance(source, MappedTable) else None
        if bodies is None:
            events, cuts = list(source.events(rows.tolist())), bounds.tolist()
            bodies = [_write_body(events[start:stop]) for start, stop in pairwise(cuts)]
        return PlannedBlock(source, rows, sizes, found.lanes[numbers] + 1, found.positions[numbers], bodies)


class PlannedBlock(NamedTuple):
    """Some requests of a plan, in arrays.

    Attributes:
        source: Where their events come from.
        rows: The rows (from 0) of all their events, one request after another.
        sizes: How many events each request has.
        lanes: The number of each request's lane, from 1.
        positions: Its place in the lane, from 1.
        bodies: Its body (CONTRACT 1.3).
    """

    source: PlanSource
    rows: Int64Array
    sizes: Int64Array
    lanes: Int64Array
    positions: Int64Array
    bodies: Sequence[bytes]

    def read_event_columns(self) -> EventColumns:
        """What is stored of their events so that they can be found again."""
        return read_event_columns(self.source, self.rows)


def explain_lane_length(events: int, lanes: int, largest: int, person: int = 0) -> str:
    """Explain why the ``largest`` of some lanes is much longer than others; empty where it is not, or all are short.

    ``events`` is how many all lanes have, ``person`` how many the person with most has, where that is known.
    """
    if lanes < 2 or largest < LONG_LANE_EVENTS or 2 * largest * lanes < 3 * events:
        return ""
    of_one = f", {person:,} of them one person's" if person else ""
    return f"One lane holds {largest:,} of {events:,} events{of_one}: a person's events go one after another."


def _write_body(given: Iterable[GivenEvent]) -> bytes:
    return build_request_body((event.name, event.body) for event in given)


class _RequestSequence(Sequence[PlannedRequest]):
    """All requests of a plan as three arrays; a request is made when it is asked for.

    ``rows`` are the chosen rows, lane by lane; request ``n`` has ``rows[bounds[n]:bounds[n + 1]]`` and ``lanes[n]``.
    """

    def __init__(self, rows: Int64Array, bounds: Int64Array, lanes: Int64Array) -> None:
        self.rows, self.bounds, self.lanes = rows, bounds, lanes
        firsts = np.searchsorted(lanes, lanes, side="left")
        self.positions = np.arange(lanes.size) - firsts + 1

    def __len__(self) -> int:
        return int(self.lanes.size)

    @overload
    def __getitem__(self, index: int) -> PlannedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[PlannedRequest]: ...
    def __getitem__(self, index: int | slice) -> PlannedRequest | list[PlannedRequest]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        rows = tuple(self.rows[self.bounds[number] : self.bounds[number + 1]].tolist())
        return PlannedRequest(int(self.lanes[number]) + 1, int(self.positions[number]), rows)


class _ListSource:
    """Events in a list."""

    def __init__(self, events: Sequence[GivenEvent]) -> None:
        self._events = events

    def events(self, rows: Iterable[int], /) -> Iterator[GivenEvent]:
        return (self._events[row] for row in rows)


# ── planning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_table(
    mapped: EventSource,
    rows: Sequence[int] | Int64Array,
    settings: Settings | None = None,
    *,
    order: EventOrder = EventOrder.FILE,
) -> Plan:
    """Plan rows (from 0) of a mapped table, in the order in which they are given: the file's, or any other.

    With :attr:`EventOrder.TIME` a person's events are put in the order of their times.

    Neighbours that are lines of one order and share an event id go in one request (CONTRACT 2.9). No rows make an
    empty plan. Raises :class:`PlanError` for a row that is not there or is given twice.
    """
    chosen = np.asarray(rows, np.int64).reshape(-1)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= mapped.rows):
        raise PlanError(f"A row that the file does not have was chosen; it has {mapped.rows:,} rows.")
    if np.bincount(chosen).max(initial=0) > 1:
        raise PlanError("A row was chosen twice; each row can be sent once in a batch.")
    columns = ColumnChecker(mapped.column_view)
    read = _read_plan_columns(columns, with_times=order is EventOrder.TIME)
    persons = group_persons(chosen.size, link_columns(_read_identity_columns(columns, read.links, chosen)))
    if read.times is not None and read.has_time is not None:
        by = _sort_by_time(persons, read.times[chosen], read.has_time[chosen])
        chosen, persons = chosen[by], persons[by]
    ordered = read.is_order[chosen]  # are_one_order, over columns
    one_order = ordered[1:] & ordered[:-1]
    both = np.flatnonzero(one_order)
    one_order[both] = columns.have_same_ids(chosen[both + 1], chosen[both])
    one_order &= persons[1:] == persons[:-1]  # events of different persons are no order, whatever their ids
    sharers = int(one_order.sum())
    if (origin := columns.mapped.table.origin) is not None and origin.id_column is not None:
        lines = origin.order_lines[chosen]
        of_one_row = lines[1:] & lines[:-1] & origin.are_of_one_row(chosen[1:], chosen[:-1])
        shared = chosen[lines & ~origin.own_ids[chosen]]
        sharers += shared.size - np.unique(origin.rows[shared]).size - int((one_order & of_one_row).sum())
        one_order |= of_one_row  # also the line that has an id of its own
    return _build_plan(mapped, chosen, persons, ~one_order, settings, id_sharers=sharers)


def plan_events(
    events: Sequence[GivenEvent],
    *,
    one_request: bool = False,
    settings: Settings | None = None,
    order: EventOrder = EventOrder.FILE,
) -> Plan:
    """Plan events in their order, or each person's by time; ``one_request`` puts all into one, as a form does."""
    persons, rows = group_persons(len(events), link_events(events)), np.arange(len(events))
    if order is EventOrder.TIME:
        rows = _sort_by_time(persons, *_read_times(events))
        persons = persons[rows]
    splittable = _find_split_points(events[row] for row in rows.tolist())
    if not one_request:
        return _build_plan(_ListSource(events), rows, persons, splittable, settings)
    sizes = np.bincount(persons) if persons.size else np.zeros(1, np.int64)
    bounds = np.array([0, rows.size] if rows.size else [0])
    requests = _RequestSequence(rows, bounds, np.zeros(bounds.size - 1, np.int64))
    return Plan(_ListSource(events), requests, int(np.count_nonzero(sizes)), int(sizes.max()))


class _PlanColumns(NamedTuple):
    """What a plan asks of every row of a table.

    Attributes:
        links: The rows whose id links them to a person, by the id's field.
        is_order: The rows of the name ``Product ordered``.
        times: The times of the rows; none where they are not asked for, or there is no column of them.
        has_time: The rows that have one.
    """

    links: dict[str, Mask]
    is_order: Mask
    times: Int64Array | None = None
    has_time: Mask | None = None


def _read_plan_columns(columns: ColumnChecker, *, with_times: bool) -> _PlanColumns:
    """Read the columns a part at a time, so that memory holds none of them."""
    links: dict[str, list[Mask]] = {field: [] for field in columns.link_fields}
    is_order, times, has_time = [np.zeros(0, np.bool_)], list[Int64Array](), list[Mask]()
    for part in columns.iter_blocks():
        for field, linked in part.links.items():
            links[field].append(linked)
        is_order.append(part.is_order)
        if with_times and part.times is not None:
            times.append(part.times.ms)
            has_time.append(part.times.state == TimeState.READ)
    found = {field: np.concatenate([np.zeros(0, np.bool_), *masks]) for field, masks in links.items()}
    if not times:
        return _PlanColumns(found, np.concatenate(is_order))
    return _PlanColumns(found, np.concatenate(is_order), np.concatenate(times), np.concatenate(has_time))


def _read_identity_columns(
    columns: ColumnChecker, links: Mapping[str, Mask], rows: Int64Array
) -> Iterator[IdentityColumn]:
    """The ids that link rows to their persons; a constant is one id that all rows have."""
    for field, linked in links.items():
        of_rows = linked[rows]
        if not of_rows.any():
            continue
        codes = columns.number_ids(field)[rows] if field in columns.cells else np.zeros(rows.size, np.int64)
        yield IdentityColumn(codes, of_rows)


def _read_times(events: Iterable[GivenEvent]) -> tuple[Int64Array, Mask]:
    """The times of events, and whether each has one."""
    times = [read_epoch_ms(get_field(event.body, "timestamp")) for event in events]
    known = np.array([time is not None for time in times], np.bool_)
    return np.array([clamp_to_int64(time or 0) for time in times], np.int64), known


def _sort_by_time(persons: Int64Array, ms: Int64Array, known: Mask) -> Int64Array:
    """The indices of events in the order of their times, equal times in their present order.

    An event without a time has that of its person's event before it; before the first time it comes before all.
    """
    of_one = np.argsort(persons, kind="stable")
    group = persons[of_one]
    begins = np.searchsorted(group, group, side="left")
    last = np.maximum.accumulate(np.where(known[of_one], np.arange(group.size), -1))
    carried = np.empty(group.size, np.int64)
    carried[of_one] = np.where(last >= begins, ms[of_one][np.maximum(last, 0)], np.iinfo(np.int64).min)
    found: Int64Array = np.argsort(carried, kind="stable")
    return found


def _find_split_points(events: Iterable[GivenEvent]) -> Mask:
    """For each pair of neighbours, whether a request may end between them."""
    return np.array(
        [not are_one_order((before.name, before.body), (event.name, event.body)) for before, event in pairwise(events)],
        np.bool_,
    )


# ── lanes and requests ───────────────────────────────────────────────────────────────────────────────────────────────


def _build_plan(
    source: PlanSource,
    rows: Int64Array,
    persons: Int64Array,
    splittable: Mask,
    settings: Settings | None,
    *,
    id_sharers: int = 0,
) -> Plan:
    """Distribute persons to lanes, and cut the lanes into requests.

    ``persons`` numbers the person of each row; ``splittable`` says of each pair of neighbours whether a request may end
    between them.
    """
    settings = settings or Settings()
    if not rows.size:
        nothing = np.zeros(0, np.int64)
        return Plan(source, _RequestSequence(nothing, np.zeros(1, np.int64), nothing), 0, 0)
    sizes = np.bincount(persons)
    lane = _assign_lanes(sizes, _count_lanes(rows.size, sizes.size, settings))[persons]
    order = np.argsort(lane, kind="stable")
    ends = np.flatnonzero(np.diff(lane[order], append=-1)) + 1
    # Events of different persons are no order, whatever their ids. Neighbours of one person are neighbours in a lane.
    may_end = np.append(splittable | (persons[1:] != persons[:-1]), True)[order]
    allowed = np.flatnonzero(may_end) + 1
    latest = np.zeros(rows.size + 1, np.int64)  # for each place the last one up to it where a request may end
    latest[allowed] = allowed
    latest = np.maximum.accumulate(latest)
    cuts, lanes = [0], []
    for start, end in pairwise([0, *ends.tolist()]):
        place, number = start, int(lane[order[start]])
        while place < end:
            until = int(latest[min(place + settings.events_per_request, end)])
            if until <= place:  # an order longer than a request is one request
                until = int(allowed[np.searchsorted(allowed, place, side="right")])
            place = until
            cuts.append(place)
            lanes.append(number)
    requests = _RequestSequence(rows[order], np.array(cuts, np.int64), np.array(lanes, np.int64))
    return Plan(source, requests, int(sizes.size), int(sizes.max()), id_sharers)


def _count_lanes(events: int, persons: int, settings: Settings) -> int:
    wished = min(max(-(-events // EVENTS_PER_LANE), settings.lanes_at_once), settings.lanes)
    return min(settings.lanes, persons, wished, -(-events // settings.events_per_request))


def _assign_lanes(sizes: Int64Array, lanes: int) -> Int64Array:
    """A lane for each person: those with most events first, each to the lane with fewest; ties to the lower number."""
    heap = [(0, lane) for lane in range(lanes)]
    persons = np.argsort(-sizes, kind="stable")
    chosen = []
    for size in sizes[persons].tolist():
        load, lane = heap[0]
        heapq.heapreplace(heap, (load + size, lane))
        chosen.append(lane)
    found = np.empty(sizes.size, np.int64)
    found[persons] = chosen
    return found


def are_one_order(before: tuple[Json, Json], event: tuple[Json, Json]) -> bool:
    """Whether two neighbours, each a (name, event), may be lines of one order (CONTRACT 2.9).

    They are both ``Product ordered`` and have the same event id.
    """
    if not before[0] == event[0] == EventName.ORDERED:
        return False
    event_id = id_to_text(get_field(event[1], "eventId"))
    return event_id is not None and event_id == id_to_text(get_field(before[1], "eventId"))
