"""What JSON values are as cells: their texts, and beside each what it is."""

import json

import pytest

from intempt_core.contract import dump_json
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.json_cells import (
    EMPTY_TEXT_CELL,
    JSON_CELL,
    NULL,
    NULL_CELL,
    decode_cell,
    encode_cells,
    flatten_value,
    parse_exactly,
)
from intempt_core.readers.table import Table, read_table


def read(*lines: str) -> Table:
    return read_table("\n".join(lines).encode(), name="x.jsonl")


def bodies(table: Table, *columns: str) -> list[str]:
    """The ``data`` of each event, as it is sent, of a file whose columns are mapped to keys of the same name."""
    mapping = Mapping({column: f"data.{column.rpartition('.')[2]}" for column in columns}, constants={"eventId": "e"})
    return [dump_json(event.body["data"]).decode() for event in map_table(table, mapping).events()]


@pytest.mark.parametrize(
    "text",
    ["12.5", "3", "true", "null", '"12.5"', '""', '["a","b"]', '{"w":1.5}', "1.50", "1e3", "[]", "{}",
     "12345678901234567890.123456789", "-0", "0.10", "0.00001", "-0.0",
     '[1.0,{"a":[null,2.50]}]', "99999999999999999999999"],
)  # fmt: skip
def test_each_value_of_a_mapped_line_is_sent_as_it_is_written(text: str) -> None:
    table = read(f'{{"event":"view","v":{text},"k":1}}', '{"event":"view","v":"x","k":1}')
    assert bodies(table, "v")[0] == f'{{"v":{text}}}'


def test_a_key_that_is_null_before_it_is_anything_else_stays_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intempt_core.readers.jsonl.JSONL_CHUNK_ROWS", 2)
    table = read('{"event":"a","v":null}', '{"event":"a","v":null}', '{"event":"a"}', '{"event":"a","v":3}')
    assert bodies(table, "v") == ['{"v":null}', '{"v":null}', "{}", '{"v":3}']
    assert "v" not in read('{"event":"a","v":null}').header


def test_what_mongodb_writes_of_a_value_is_the_value() -> None:
    flat: dict[str, object] = {}
    line = (
        '{"_id":{"$oid":"5a8c"},"ts":{"$date":"2022-10-01T10:00:00.123Z"},"at":{"$date":{"$numberLong":"1664618400123"}},'
        '"big":{"$numberLong":"1487580005268456192"},"d":{"$numberDecimal":"1.50"},"o":{"$other":1},"n":{"$numberInt":"x"}}'
    )
    flatten_value(json.loads(line), "", flat)
    assert {key: dump_json(value).decode() for key, value in flat.items()} == {
        "_id": '"5a8c"', "ts": '"2022-10-01T10:00:00.123Z"', "at": "1664618400123", "big": "1487580005268456192",
        "d": "1.50", "o.$other": "1", "n": '"x"',
    }  # fmt: skip


def test_cells_and_what_they_are_give_the_values_back() -> None:
    values = ["a", "", None, NULL, 1, True, [1, "x"], {"k": None}, parse_exactly(b"1.50")]
    texts, kinds = encode_cells(values)
    assert texts == ["a", "", "", "", "1", "true", '[1,"x"]', '{"k":null}', "1.50"]
    assert kinds is not None
    assert kinds.tolist() == [0, EMPTY_TEXT_CELL, 0, NULL_CELL, *[JSON_CELL] * 5]
    assert decode_cell("1.50", JSON_CELL) == 1.5
    assert encode_cells(["a", None]) == (["a", ""], None)
