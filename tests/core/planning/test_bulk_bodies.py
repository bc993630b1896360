"""Bodies written over whole columns are, to the byte, those of the events one by one."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.body import build_request_body
from intempt_core.mapping.mapped_table import MappedTable
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.planning.bulk_bodies import write_bodies
from tests.core.readers.factories import table_of

FIELDS = {
    "name": "name", "eventId": "eventId", "user": "userId", "session": "sessionId", "time": "timestamp",
    "product": "data.productId", "price": "data.price", "count": "data.count", "flag": "data.flag",
    'odd "key\\': 'data.odd "key\\', "age": "userAttributes.age", "plan": "accountAttributes.plan",
}  # fmt: skip
TYPES = {"data.price": "number", "data.count": "integer", "data.flag": "boolean"}
CONSTANTS = {
    "name": "Product viewed", "userId": "é", "data.channel": {"a": [1, None, "x"]}, "data.price": 1.5,
    "accountAttributes.plan": None, "userAttributes.x": "y",
}  # fmt: skip
NAMES = {"view": "Product viewed", "buy": "Product ordered"}

words = st.sampled_from(["view", "buy", "Product viewed", "Product ordered", "other", ""])
times = st.sampled_from(["1714631904000", "0", "00012", "1714631904", "2024-05-02T06:38:24Z", "soon", "", " 12 "])
numbers = st.sampled_from(["", "1", "-0", "1.50", "1e400", "9223372036854775807", "007", "true", "x"])
texts = st.text(max_size=5).map(lambda text: text.encode("utf-8", "ignore").decode())
cells = st.one_of(st.sampled_from(["", "a", "a", '"', "\\", "\n", "\x7f", "\u2028", "🛒"]), texts)


@st.composite
def tables(draw: st.DrawFn) -> MappedTable:
    header = draw(st.lists(st.sampled_from(list(FIELDS)), unique=True, min_size=1))
    kinds = {"name": words, "time": times, "price": numbers, "count": numbers, "flag": numbers}
    rows = draw(st.lists(st.tuples(*(kinds.get(column, cells) for column in header)), max_size=12))
    columns = {column: FIELDS[column] for column in header}
    mapping = Mapping(
        columns,
        names=NAMES if "name" in header else {},
        types={field: kind for field, kind in TYPES.items() if field in columns.values() and draw(st.booleans())},
        constants={
            field: value for field, value in CONSTANTS.items() if field not in columns.values() and draw(st.booleans())
        },
    )
    return map_table(table_of(header, rows), mapping).column_view


def one_by_one(mapped: MappedTable, rows: list[int], bounds: list[int]) -> list[bytes]:
    events = [(event.name, event.body) for event in mapped.events(rows)]
    return [build_request_body(events[start:stop]) for start, stop in pairwise(bounds)]


@given(tables(), st.data())
def test_bodies_over_columns_are_those_of_the_events_one_by_one(mapped: MappedTable, data: st.DataObject) -> None:
    rows = data.draw(st.permutations(range(mapped.rows)))
    cuts = data.draw(st.sets(st.integers(1, max(1, mapped.rows - 1))))
    bounds = sorted({0, mapped.rows, *(cut for cut in cuts if cut < mapped.rows)})
    if not mapped.rows:
        return
    quick = write_bodies(mapped, np.array(rows), bounds)
    attributes = {field.partition(".")[0] for field in [*mapped.field_columns, *mapped.mapping.constants]}
    if quick is None:
        assert {"userAttributes", "accountAttributes"} <= attributes
    else:
        assert quick == one_by_one(mapped, rows, bounds)


def test_rows_that_have_nothing_in_an_object_keep_their_place() -> None:
    columns = {"u": "userId", "e": "eventId", "p": "data.productId", "price": "data.price", "age": "userAttributes.age"}
    rows = [["u", "", "", "", ""], ["", "", "x", "1", "3"], ["", "", "", "", ""], ["v", "e", "", "2", ""]]
    mapped = map_table(table_of(list(columns), rows), Mapping(columns)).column_view
    for some in ([0, 1, 2, 3], [2, 0], [2], [1]):
        assert write_bodies(mapped, np.array(some), [0, len(some)]) == one_by_one(mapped, some, [0, len(some)])


def test_columns_in_which_no_row_has_a_value_leave_no_trace_but_data() -> None:
    columns = {"u": "userId", "a": "accountId", "p": "data.productId", "age": "userAttributes.age"}
    columns |= {"plan": "accountAttributes.plan"}
    mapped = map_table(table_of(list(columns), [["u", "", "", "", ""]] * 3), Mapping(columns)).column_view
    assert write_bodies(mapped, np.arange(3), [0, 3]) is None  # two objects: their order is the events' own
    del columns["plan"]
    mapped = map_table(table_of(list(columns), [["u", "", "", ""]] * 3), Mapping(columns)).column_view
    assert write_bodies(mapped, np.arange(3), [0, 2, 3]) == one_by_one(mapped, [0, 1, 2], [0, 2, 3])
    assert b'"data":{}' in one_by_one(mapped, [0], [0, 1])[0]


def test_neighbours_of_one_name_share_a_group_but_never_with_another_request() -> None:
    columns = {"n": "name", "e": "eventId"}
    cells = ["view", "Product viewed", "buy", "buy", "view", "", "", "other"]
    rows = [[name, str(number)] for number, name in enumerate(cells)]
    mapped = map_table(table_of(list(columns), rows), Mapping(columns, names=NAMES)).column_view
    every = list(range(len(rows)))
    for bounds in ([0, 8], [0, 1, 3, 4, 8], [0, 6, 7, 8], [*range(9)]):
        assert write_bodies(mapped, np.array(every), bounds) == one_by_one(mapped, every, bounds)


def test_a_number_beyond_64_bits_takes_the_events_themselves() -> None:
    table = table_of(["userId", "n"], [["u", "9" * 30]])
    mapping = Mapping({"userId": "userId", "n": "data.n"}, types={"data.n": "integer"})
    assert write_bodies(map_table(table, mapping).column_view, np.array([0]), [0, 1]) is None
    assert write_bodies(map_table(table, replace(mapping, types={})).column_view, np.array([0]), [0, 1]) is not None


@pytest.mark.parametrize("form", ["epoch_s", "epoch_ms", "iso", "epoch_us"])
def test_every_form_of_times_is_written_as_the_events_have_it(form: str) -> None:
    rows = [["1714631904000"], ["1714631904"], [""], ["2024-05-02T06:38:24Z"]]
    for some in (rows, rows[:1]):
        mapped = map_table(table_of(["time"], some), Mapping({"time": "timestamp"}, time_format=form)).column_view
        bounds = [0, len(some)]
        assert write_bodies(mapped, np.arange(len(some)), bounds) == one_by_one(mapped, list(range(len(some))), bounds)
