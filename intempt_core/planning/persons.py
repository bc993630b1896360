"""Persons: which events belong to one person (ARCHITECTURE, person).

Which ids link an event is the contract's to say (:func:`~intempt_core.contract.find_links`); here events that share one
are brought together, transitively.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract import GivenEvent, read_linking_ids

Int32Array: TypeAlias = NDArray[np.int32]
"""Numbers of events or identities, of which no file has two billion."""


class IdentityColumn(NamedTuple):
    """One identity field of many events.

    Attributes:
        codes: A number for each event's id, the same for equal ones.
        linked: Whether the id links the event to a person.
    """

    codes: Int64Array
    linked: Mask


class Links(NamedTuple):
    """Pairs of an event and an identity that it has; 32 bits are enough for both.

    Attributes:
        events: The index of each pair's event, from 0.
        identities: The number of each pair's identity, from 0.
    """

    events: Int32Array
    identities: Int32Array


def link_events(events: Iterable[GivenEvent]) -> Links:
    """Link events to the identities that they have."""
    numbers: defaultdict[tuple[str, str], int] = defaultdict(lambda: len(numbers))
    found = [(index, numbers[pair]) for index, event in enumerate(events) for pair in read_linking_ids(event.body)]
    pairs = np.array(found, np.int32).reshape(-1, 2)
    return Links(pairs[:, 0], pairs[:, 1])


def link_columns(columns: Iterable[IdentityColumn]) -> Links:
    """Link events, given as one column for each identity field, to the identities that they have."""
    events, identities = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    used = 0
    for column in columns:
        rows = np.flatnonzero(column.linked).astype(np.int32)
        codes = column.codes[rows]
        is_used = np.zeros(int(codes.max(initial=-1)) + 1, np.bool_)
        is_used[codes] = True
        numbers = np.cumsum(is_used, dtype=np.int32) - 1 + used  # without gaps: memory is that of the identities
        events.append(rows)
        identities.append(numbers[codes])
        used += int(np.count_nonzero(is_used))
    return Links(np.concatenate(events), np.concatenate(identities))


def group_persons(count: int, links: Links) -> Int64Array:
    """Number the person of each of ``count`` events, in the order in which persons first appear.

    Events and identities are the two sides of a graph, and a person is a connected component of it. Each round hooks
    every root onto its smallest neighbour and then flattens the trees, so that a few rounds do for any file.
    """
    one, other = links.events, links.identities + np.int32(count)
    parent = np.arange(count + int(links.identities.max(initial=-1)) + 1, dtype=np.int32)
    while one.size:
        low, high = np.minimum(one, other), np.maximum(one, other)
        np.minimum.at(parent, high, low)
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                break
            parent = above
        one, other = parent[one], parent[other]
        apart = one != other
        one, other = one[apart], other[apart]
    roots = parent[:count] == np.arange(count)  # the smallest of its tree is an event: events come first
    found: Int64Array = (np.cumsum(roots) - 1)[parent[:count]]
    return found
