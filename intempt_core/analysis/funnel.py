"""The conversion funnel of a batch: how many persons viewed, added and ordered, and where persons drop out.

Computed over whole columns, for a million events. A person is in a stage who did it at all, in whatever order; notes
are those of ``journey_notes.py``, counted. Only these events are known: a view of last week is not among them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.analysis.journey_notes import PRECEDING_EVENTS, NoteKind
from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract import IDENTITY_FIELDS, LINKING_FIELDS, EventName, event_counts, find_links, is_placeholder
from intempt_core.planning import IdentityColumn, group_persons, link_columns


@dataclass(frozen=True, slots=True)
class FunnelStage:
    """One stage of the funnel.

    Attributes:
        name: The event that makes the stage.
        persons: Persons who did this and everything before it.
        skipped: Persons who did this and not everything before it.
    """

    name: EventName
    persons: int
    skipped: int

    @property
    def total(self) -> int:
        """All persons who did it."""
        return self.persons + self.skipped


@dataclass(frozen=True, slots=True)
class NoteCount:
    """How often a kind of note is found.

    Attributes:
        cases: Pairs of person and product, events, or persons, by the kind.
        persons: The persons that they belong to.
    """

    cases: int
    persons: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """Viewed → added → ordered, in persons.

    Attributes:
        events: Events that count.
        persons: Persons who have any of them.
        stages: The three stages, in order.
        notes: The kinds of notes that were found, with how often.
    """

    events: int
    persons: int
    stages: tuple[FunnelStage, FunnelStage, FunnelStage]
    notes: Mapping[NoteKind, NoteCount]

    @property
    def lost(self) -> tuple[int, int]:
        """How many persons viewed and never added, and how many viewed, added and never ordered."""
        viewed, added, ordered = self.stages
        return viewed.persons - added.persons, added.persons - ordered.persons


def compute_funnel(events: pa.Table) -> Funnel:
    """Compute the funnel of events in their order of arrival.

    ``events`` has text columns ``name``, ``productId`` and one for each of ``IDENTITY_FIELDS``, and ``timestamp`` in
    epoch milliseconds; null is none. Of ``eventId`` only whether it is null is looked at.
    """
    names = {
        name: _make_mask(pc.equal(events["name"], name.value))
        for name in EventName
    }  # fmt: skip
    ids = {field: _encode_column(events[field]) for field in IDENTITY_FIELDS}
    products, product_count = _encode_column(events["productId"])
    given = {"name": np.logical_or.reduce(list(names.values())), "eventId": events["eventId"].is_valid().to_numpy()}
    given |= {field: codes >= 0 for field, (codes, _) in ids.items()} | {"data.productId": products >= 0}
    counts: Mask = event_counts(given)
    persons = group_persons(events.num_rows, link_columns(_read_identity_columns(ids, events)))
    many = int(persons.max(initial=-1)) + 1
    did = {name: _mark_persons(persons[counts & mask], many) for name, mask in names.items()}
    viewed, added, ordered = did[EventName.VIEWED], did[EventName.ADDED], did[EventName.ORDERED]
    stages = (
        FunnelStage(EventName.VIEWED, int(viewed.sum()), 0),
        FunnelStage(EventName.ADDED, int((viewed & added).sum()), int((added & ~viewed).sum())),
        FunnelStage(EventName.ORDERED, int((viewed & added & ordered).sum()), int((ordered & ~(viewed & added)).sum())),
    )
    pairs = persons * max(product_count, 1) + products
    at = {name: np.unique(pairs[counts & mask]) for name, mask in names.items()}
    notes = {
        **{
            expected[1]: _count_unmatched(at[name], at[expected[0]], product_count)
            for name, expected in PRECEDING_EVENTS.items()
            if expected is not None
        },
        NoteKind.TWO_IDS: _count_two_ids(persons, {field: ids[field] for field in LINKING_FIELDS}),
        NoteKind.TIME_ORDER: _count_late(persons, events["timestamp"], counts),
    }
    everybody = int(_mark_persons(persons[counts], many).sum())
    return Funnel(int(counts.sum()), everybody, stages, {kind: noted for kind, noted in notes.items() if noted.cases})


def _make_mask(array: pa.ChunkedArray) -> Mask:
    found: Mask = array.fill_null(False).to_numpy()
    return found


def _encode_column(column: pa.ChunkedArray) -> tuple[Int64Array, int]:
    """A number for each text, the same for equal ones, -1 for none; and how many there are."""
    encoded = column.dictionary_encode().combine_chunks()
    found: Int64Array = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return found, len(encoded.dictionary)


def _read_identity_columns(ids: Mapping[str, tuple[Int64Array, int]], events: pa.Table) -> Iterator[IdentityColumn]:
    """The ids that link events to their persons."""
    given = {field: codes >= 0 for field, (codes, _) in ids.items()}
    real = {field: given[field] & _mark_real(events[field], codes) for field, (codes, _) in ids.items()}
    for field, linked in find_links(given, real).items():
        yield IdentityColumn(ids[field][0], linked)


def _mark_real(column: pa.ChunkedArray, codes: Int64Array) -> Mask:
    """Where an id is no placeholder; codes of -1 may be either."""
    texts = column.dictionary_encode().combine_chunks().dictionary.to_pylist()
    real = np.array([not is_placeholder(text) for text in texts] or [False], np.bool_)
    found: Mask = real[codes]
    return found


def _mark_persons(persons: Int64Array, count: int) -> Mask:
    who = np.zeros(count, np.bool_)
    who[persons] = True
    return who


def _count_unmatched(these: Int64Array, others: Int64Array, products: int) -> NoteCount:
    """The pairs of person and product that are in one list and not in the other."""
    found = np.setdiff1d(these, others, assume_unique=True)
    return NoteCount(found.size, np.unique(found // max(products, 1)).size)


def _count_two_ids(persons: Int64Array, ids: Mapping[str, tuple[Int64Array, int]]) -> NoteCount:
    """Persons who have two ids in one field."""
    several: set[int] = set()
    for codes, count in ids.values():
        given = codes >= 0
        if count:
            pairs = np.unique(persons[given] * count + codes[given])
            each, times = np.unique(pairs // count, return_counts=True)
            several.update(each[times > 1].tolist())
    return NoteCount(len(several), len(several))


def _count_late(persons: Int64Array, times: pa.ChunkedArray, counts: Mask) -> NoteCount:
    """Events that arrived after one of their person that happened later."""
    rows = np.flatnonzero(counts & times.is_valid().to_numpy())
    rows = rows[np.argsort(persons[rows], kind="stable")]
    stamps = times.fill_null(0).to_numpy()[rows]
    _, rank = np.unique(stamps, return_inverse=True)
    place = persons[rows] * (int(rank.max(initial=0)) + 1) + rank  # all of a later person come after an earlier one
    late = place < np.maximum.accumulate(place)
    return NoteCount(int(late.sum()), np.unique(persons[rows][late]).size)
