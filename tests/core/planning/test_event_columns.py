"""What is stored of a table's events is read from its columns, and is what each event by itself gives."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from intempt_core.contract import GivenEvent, Place
from intempt_core.mapping import ISO_OR_EPOCH_MS, Mapping, map_table
from intempt_core.planning.event_columns import (
    EventColumns,
    collect_event_columns,
    describe_event,
    read_event_columns,
)
from intempt_core.readers import read_table
from tests.examples import scale_examples

FIELDS = ("name", "eventId", "userId", "profileId", "accountId", "timestamp", "data.productId", "data.price")
TIMES = ["1664618400000", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "2022-10-01T10:00:00Z"]
TEXTS = ["", " ", "Product viewed", "pv", "7", "007", "1.50", "ünïcode", "a\u0301", "x" * 600, "true", "\u00a0"]
CELLS = st.sampled_from([*TEXTS, *TIMES])


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@how(max_examples=scale_examples(120))
@given(
    st.lists(st.lists(CELLS, min_size=len(FIELDS), max_size=len(FIELDS)), min_size=1, max_size=12),
    st.sampled_from([{}, {"data.price": "number"}]),
    st.sampled_from([{}, {"anotherUserId": "u9"}, {"anotherUserId": 9}]),
    st.sampled_from([(), (), ("eventId",), ("timestamp",), ("eventId", "timestamp")]),
    st.randoms(use_true_random=False),
)
def test_columns_say_what_each_event_says(
    rows: list[list[str]],
    types: dict[str, str],
    constants: dict[str, object],
    left_out: tuple[str, ...],
    random: Random,
) -> None:
    text = "\n".join([",".join(FIELDS), *(",".join(map(_quote, row)) for row in rows)]) + "\n"
    table = read_table(text.encode(), name="rows.csv")
    mapping = Mapping(
        {field: field for field in FIELDS if field not in left_out},
        constants=constants,
        types={field: kind for field, kind in types.items() if field not in left_out},
        names={"pv": "Product viewed"},
        time_format=ISO_OR_EPOCH_MS,
    )
    mapped = map_table(table, mapping)
    chosen = list(range(mapped.rows))
    random.shuffle(chosen)
    found = read_event_columns(mapped, np.array(chosen, np.int64))
    events = [mapped.event(row) for row in chosen]
    assert as_lists(found) == as_lists(collect_event_columns(events, [0] * len(events)))


def test_json_lines_say_it_too() -> None:
    lines = (
        b'{"name": "Product viewed", "eventId": 7, "userId": "u1", "timestamp": 1664618400000,'
        b' "data": {"productId": "A1"}}\n{"name": null, "eventId": true, "accountId": " ", "timestamp": "soon"}\n'
    )
    mapped = map_table(read_table(lines, name="lines.jsonl"), Mapping({}))
    found = read_event_columns(mapped, np.array([1, 0]))
    assert found.rows == [2, 1]
    assert list(found.lines) == [2, 1]
    assert list(found.names) == [None, "Product viewed"]
    assert [list(column) for column in found.ids] == [
        [None, "7"], [None, None], [None, "u1"], [None, None], [None, None], [None, "A1"]
    ]  # fmt: skip
    assert list(found.times) == [None, 1664618400000]


def test_an_event_without_a_row_is_given_one() -> None:
    event = GivenEvent({"odd": 1}, {"userId": 19, "timestamp": 2**63}, Place())
    assert describe_event(event).name == '{"odd":1}'
    assert as_lists(collect_event_columns([event], [4])) == [
        [4], [None], ['{"odd":1}'], [None], [None], ["19"], [None], [None], [None], [None]
    ]  # fmt: skip


def as_lists(columns: EventColumns) -> list[list[object]]:
    """All columns, one after another."""
    return [list(column) for column in (columns.rows, columns.lines, columns.names, *columns.ids, columns.times)]
