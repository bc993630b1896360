"""A list in JSON is the table of its items: nothing is lost, and what is wrong with an item is said of that item."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.readers import Table, read_table
from intempt_core.readers.json_rows import list_lines

ORDERS = b"""[
  {"sku": "A,\\"1[", "n": 12345678901234567890.10,
   "more": {"tags": [1,
2]}},

 {"sku": "B]\\\\"}, {"sku": 5}
]
"""


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def cells(table: Table, column: str) -> list[str]:
    return [table.cell(row, column) for row in range(table.rows)]


def test_each_item_is_a_row_whatever_stands_in_its_texts() -> None:
    table = read_table(ORDERS, name="orders.json")
    assert cells(table, "sku") == ['A,"1[', "B]\\", "5"]
    assert cells(table, "n")[0] == "12345678901234567890.10"
    assert table.notes == ("Read as a JSON list: each item is a row; “line” counts its items.",)
    assert list(table.lines) == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "bad_row"),
    [
        (b'[{"a": 1}, {"a" 2}, {"a": 3}]', 2),
        (b'[{"a": 1}, {"a": "2\n"}, {"a": 3}]', 2),  # a line end inside a text
        (b'[{"a": 1}, 7]', 2),
        (b'[{"a": 1}, {"a": 2', 2),
        (b'[{"a": 1}] {"b": 2', 2),
    ],
)
def test_what_is_wrong_with_an_item_is_said_of_it(text: bytes, bad_row: int) -> None:
    table = read_table(text, name="x.json")
    assert table.documents is not None
    assert bad_row in [issue.place.row for issue in table.documents.issues]
    assert cells(table, "a")[0] == "1"


@given(st.lists(st.dictionaries(st.text(), VALUES, min_size=1), min_size=1), st.sampled_from([None, 1, "\t"]))
def test_the_lines_of_a_list_are_its_items(items: list[object], indent: int | str | None) -> None:
    text = json.dumps(items, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for size in (1, 7, 1_000):
        lines = _convert(text, size)
        assert len(lines) == len(text)
        assert [json.loads(line) for line in lines.splitlines() if line.strip()] == items


def _convert(text: bytes, size: int) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(list_lines, "CHUNK_BYTES", size)
        return b"".join(list_lines._iterate_lines(text))


def test_a_large_list_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(b"[" + b",\n".join(b'{"sku": "A%d"}' % number for number in range(5_000)) + b"]")
    lines = list_lines.convert_list_to_lines(path.read_bytes(), on_disk=True)
    assert bytes(lines[:15]) == b' {"sku": "A0"}\n'
    assert cells(read_table(path, name="large.json"), "sku")[-1] == "A4999"
