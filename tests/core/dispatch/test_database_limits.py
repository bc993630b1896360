"""Places in flight over all workers: never more than there are, shared by need, and each worker has its turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.history.workers.limits import PlaceUse, allot_places


@pytest.mark.parametrize(
    ("limit", "others", "used", "wanted", "gives", "held"),
    [
        (4, [], 0, 9, False, 4),  # alone
        (4, [(4, 4)], 0, 4, False, 0),  # nothing is free yet
        (4, [(0, 4)], 4, 4, False, 4),  # what is used stays until it is given back
        (4, [(0, 4)], 0, 4, False, 2),  # a share where another waits
        (4, [(2, 4)], 2, 9, False, 2),
        (5, [(1, 4)], 0, 9, False, 3),  # what the division leaves
        (5, [(1, 4)], 0, 9, True, 2),  # and gives it back
        (1, [(0, 1)], 0, 1, True, 0),
        (4, [(1, 1)], 0, 9, False, 3),  # the other one wants no more
        (4, [(0, 0)], 0, 9, False, 4),  # the other one wants none
    ],
)
def test_places_are_shared_by_need(
    limit: int, others: list[tuple[int, int]], used: int, wanted: int, gives: bool, held: int
) -> None:
    assert allot_places(limit, [PlaceUse(*one) for one in others], used, wanted, gives=gives) == held


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.booleans(), st.booleans()), min_size=1, max_size=60),
)
def test_together_workers_never_hold_more_places_than_there_are(
    limit: int, steps: list[tuple[int, int, bool, bool]]
) -> None:
    held, wants, used = [0] * 4, [0] * 4, [0] * 4
    for worker, wanted, gives, ends in steps:
        used[worker] = 0 if ends else min(held[worker], wanted)
        others = [PlaceUse(held[other], wants[other]) for other in range(4) if other != worker]
        wants[worker] = max(wanted, used[worker])
        held[worker] = allot_places(limit, others, used[worker], wants[worker], gives=gives)
        assert sum(held) <= limit
        assert held[worker] >= used[worker]
