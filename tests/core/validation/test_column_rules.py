"""Ids of a table are numbered alike exactly where they are equal, however often they come and in whatever parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.validation import column_rules
from intempt_core.validation.column_rules import ColumnChecker
from tests.core.readers.factories import table_of

ids = st.lists(
    st.sampled_from(["", " ", "p_1", "p_2", "p_3", "é", "🛒"]) | st.text("ab", min_size=3, max_size=9), max_size=20
)


def check(cells: list[str], mapping: Mapping | None = None) -> ColumnChecker:
    columns = mapping or Mapping({"id": "eventId"})
    return ColumnChecker(map_table(table_of(["id"], [[cell] for cell in cells]), columns).column_view)


@pytest.mark.parametrize("share", [0.0, 0.5, 2.0], ids=["hashes", "either", "dictionaries"])
@given(ids, st.integers(1, 5))
def test_ids_are_numbered_alike_where_they_are_equal(share: float, cells: list[str], part: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_rules, "RULE_BLOCK_ROWS", part)
        patch.setattr(column_rules, "MAX_DISTINCT_SHARE", share)
        numbers = check(cells).number_ids("eventId").tolist()
    assert [number < 0 for number in numbers] == [not cell.strip() for cell in cells]
    for number, cell in zip(numbers, cells, strict=True):
        if cell.strip():
            assert [other == number for other in numbers] == [other == cell for other in cells]


@given(ids, st.integers(1, 5), st.data())
def test_rows_have_the_same_id_where_their_numbers_say_so(cells: list[str], part: int, data: st.DataObject) -> None:
    columns = check(cells)
    place = st.integers(0, len(cells) - 1)
    pairs = data.draw(st.lists(st.tuples(place, place), max_size=12)) if cells else []
    rows, others = np.array(pairs, np.int64).reshape(-1, 2).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_rules, "RULE_BLOCK_ROWS", part)
        same = columns.have_same_ids(rows, others)
    numbers = columns.number_ids("eventId")
    assert same.tolist() == ((numbers[rows] == numbers[others]) & (numbers[rows] >= 0)).tolist()


@pytest.mark.parametrize(
    ("constants", "same"), [({"eventId": "e"}, [True, True]), ({"eventId": " "}, [False, False]), ({}, [True, False])]
)
def test_constant_ids_are_the_same_and_made_ones_are_not(constants: dict[str, str], same: list[bool]) -> None:
    columns = check(["x", "y"], Mapping({"id": "userId"}, constants=dict(constants)))
    assert columns.have_same_ids(np.array([0, 0]), np.array([0, 1])).tolist() == same
