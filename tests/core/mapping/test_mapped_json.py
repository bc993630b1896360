"""Mapped JSON lines: no value is lost in silence, and ids are judged as those of events that come as they are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract import Json
from intempt_core.mapping.mapped_table import MappedTable
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.json_rows.line_blocks import iterate_line_blocks, needs_exact_parse, needs_full_parse
from intempt_core.readers.table import Table, read_table
from intempt_core.validation.check import check_table

IDENTITY = {"u": "userId", "e": "eventId", "event": "name"}


def read(*lines: str) -> Table:
    return read_table("\n".join(lines).encode(), name="x.jsonl")


def mapped(table: Table, columns: dict[str, str], **more: Json) -> MappedTable:
    source = map_table(table, Mapping({**IDENTITY, **columns}, {"view": "Product viewed"}, **more))
    assert isinstance(source, MappedTable)
    return source


def line(**fields: Json) -> str:
    return json.dumps({"event": "view", "e": "e1", "u": "u1", **fields})


def codes(source: MappedTable) -> list[list[str]]:
    """The codes of each row's issues, by columns."""
    found = check_table(source).issues_by_row(range(source.rows))
    return [sorted(issue.code for issue in issues) for issues in found]


# ── a key that is dotted and nested ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("turned", [False, True])
def test_a_key_with_a_dot_and_the_same_path_inside_are_two_columns(turned: bool) -> None:
    both: list[tuple[str, Json]] = [("p.pid", "dotted"), ("p", {"pid": "inside"})]
    table = read(line(**dict(both[::-1] if turned else both)), line(p={"pid": "only"}))
    assert table.take_cells("p.pid", [0, 1]) == ["dotted", "only"]
    assert table.take_cells("p > pid", [0, 1]) == ["inside", ""]
    first, other = (mapped(table, {column: "data.productId"}) for column in ("p.pid", "p > pid"))
    assert first.event(0).body["data"] == {"productId": "dotted"}
    assert other.event(0).body["data"] == {"productId": "inside"}
    (note,) = (note for note in first.table.notes if "two values" in note)
    assert "In 1 row “p.pid”" in note
    assert "row 1 (line 1)" in note
    assert "“p > pid”" in note
    assert not any("two values" in note for note in mapped(table, {}).table.notes)  # neither is mapped


def test_every_value_of_clashing_keys_has_a_column() -> None:
    table = read('{"event":"view","a.b.c":1,"a.b":{"c":2},"a":{"b.c":3,"b":{"c":4}}}')
    assert {name: table.cell(0, name) for name in table.header if name != "event"} == {
        "a.b.c": "1", "a.b > c": "2", "a > b.c": "3", "a > b > c": "4",
    }  # fmt: skip


def test_a_null_gives_way_to_a_value_of_the_same_path() -> None:
    table = read(line(**{"p.pid": None, "p": {"pid": "x"}}))
    assert table.take_cells("p.pid", [0]) == ["x"]
    assert not any("two values" in note for note in mapped(table, {"p.pid": "data.productId"}).table.notes)


def test_objects_of_one_path_are_said_where_one_is_mapped_whole() -> None:
    table = read(line(**{"p.q": {"a": 1}, "p": {"q": {"b": 2}}}))
    source = mapped(table, {"p.q": "data.q"})
    assert source.event(0).body["data"] == {"q": {"a": 1}}
    assert any("“p.q” is the path of several values" in note for note in source.table.notes)


def test_json_in_a_cell_has_its_clashing_keys_said() -> None:
    table = read_table(b'event,e,u,j\nview,e1,u1,"{""a.b"":1,""a"":{""b"":2}}"\n', name="x.csv")
    source = mapped(table, {"j.a.b": "data.x", "j.a > b": "data.y"})
    assert source.event(0).body["data"] == {"x": 1, "y": 2}
    assert any("“j.a.b” is the path of several values" in note for note in source.table.notes)


def test_members_with_clashing_keys_keep_both() -> None:
    table = read(line(items=[{"p.id": "a", "p": {"id": "b"}}]))
    columns = {"items[].p.id": "data.productId", "items[].p > id": "data.inner"}
    text = json.dumps({"columns": {**IDENTITY, **columns}, "explode": {"path": "items"}})
    source = map_table(table, Mapping.from_json(text))
    assert source.event(0).body["data"] == {"productId": "a", "inner": "b"}
    assert any("In 1 member “items[].p.id”" in note for note in source.table.notes)


# ── null in every row ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_column_that_is_null_in_every_row_has_the_consequences_of_null() -> None:
    table = read(line(pid=None, x=None), line(pid=None))
    source = mapped(table, {"pid": "data.productId", "x": "data.x"})
    assert [event.body["data"] for event in source.events()] == [{"x": None}, {}]
    assert codes(source) == [["product_id_missing"], ["product_id_missing"]]
    inside = mapped(read(line(p=None), line(p=None)), {"p.id": "data.productId"})
    assert [event.body["data"] for event in inside.events()] == [{}, {}]
    named = map_table(table, Mapping({"u": "userId"}, name_columns=("event", "pid")))
    assert named.event(0).name == "view / "


def test_an_object_that_is_null_in_other_rows_is_kept() -> None:
    source = mapped(read(line(dims=None), line(dims={"w": 1.50}), line()), {"dims": "data.dims"})
    assert [event.body["data"] for event in source.events()] == [{"dims": None}, {"dims": {"w": 1.5}}, {}]


# ── ids that are no texts ────────────────────────────────────────────────────────────────────────────────────────────

VALUES: list[Json] = ["p", "", None, 12, 1.5, True, False, [], ["p"], {}, {"a": 1}, "true", "[x]", '["p"]']
NO_TEXT = (bool, list, dict)


@given(st.lists(st.tuples(*[st.sampled_from(VALUES)] * 3), min_size=1, max_size=8))
def test_mapped_ids_are_no_text_where_those_of_events_as_they_are_are_none(rows: list[tuple[Json, Json, Json]]) -> None:
    fields = {"e": "eventId", "u": "userId", "p": "data.productId"}
    source = mapped(read(*(line(e=e, u=u, p=p) for e, u, p in rows)), {"p": "data.productId"})
    report = check_table(source)
    for row, issues in enumerate(report.issues_by_row(range(len(rows)))):
        pointers = {issue.place.column for issue in issues if issue.code == "id_not_text"}
        assert pointers == {
            column for column, value in zip(fields, rows[row], strict=True) if isinstance(value, NO_TEXT)
        }


def test_an_id_that_is_no_text_links_nobody_and_repeats_nothing() -> None:
    source = mapped(read(line(e=["x"], u=["a"]), line(e=["x"], u=["a"])), {})
    assert not any("event_id_repeated" in found for found in codes(source))
    assert all(found.count("id_not_text") == 2 and "identity_missing" not in found for found in codes(source))


# ── half of a character, and types ───────────────────────────────────────────────────────────────────────────────────


def test_half_a_character_of_a_member_is_said() -> None:
    table = read('{"event":"view","e":"e1","u":"u1","items":[{"id":"a\\ud83d"}]}')
    text = json.dumps({"columns": {**IDENTITY, "items[].id": "data.productId"}, "explode": {"path": "items"}})
    source = map_table(table, Mapping.from_json(text))
    assert source.event(0).body["data"] == {"productId": "a\\ud83d"}
    assert any("1 value of members holds half of a character" in note for note in source.table.notes)


def test_what_is_said_of_a_json_value_of_another_type_is_true() -> None:
    table = read(line(price=True), line(price=[1]), line(price="x"), line(price=12345678901234567890))
    source = mapped(table, {"price": "data.price"}, types={"data.price": "number"})
    assert [event.body["data"]["price"] for event in source.events()] == [True, [1], "x", 12345678901234567890]
    fixes = [
        [issue.hint or issue.fix for issue in issues if issue.code == "value_type"]
        for issues in check_table(source).issues_by_row(range(4))
    ]
    json_fix = "in the file's JSON and is sent as that. Correct the value, or its type in the mapping."
    assert fixes == [
        [f"It is true or false {json_fix}"], [f"It is a list {json_fix}"],
        ["Correct the cell; it is sent as text, as it is."], [],
    ]  # fmt: skip


# ── lines that are read together ─────────────────────────────────────────────────────────────────────────────────────

PIECES = [b'{"a":', b'"x" :', b"12.50", b"1e5", b"-0", b"-0.5", b"1234567890123456", b",", b" ", b"\t", b"[", b"}",
          b"\n", b"\r\n", b"\r", b"\xc3\xa9", b"\xff", b"0.000", b"1.0", b"7"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_lines_that_are_looked_at_together_need_what_each_needs(text: bytes) -> None:
    for block in iterate_line_blocks(text):
        for _, start, end, full, exact in block:
            some = text[start:end]
            assert (full, exact) == (needs_full_parse(some), needs_exact_parse(some))


JSON = st.recursive(
    st.sampled_from([None, "x", "", 1, 2.5, True]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "a.b", "$oid"]), inner),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from(["name", "eventId", "data", "a", "a.b", "c"]), JSON), min_size=1))
def test_rows_of_one_shape_have_the_columns_that_each_has_by_itself(rows: list[dict[str, Json]]) -> None:
    plain = [json.dumps({"userId": "u", **row}) for row in rows]
    careful = [text.replace('"userId":', '"userId" :') for text in plain]  # a colon of its own: read one by one
    table, other = read(*plain), read(*careful)
    assert table.header == other.header
    for column in table.header:
        assert table.columns[column].to_pylist() == other.columns[column].to_pylist()
    assert {name: kinds.tolist() for name, kinds in table.cell_kinds.items()} == {
        name: kinds.tolist() for name, kinds in other.cell_kinds.items()
    }
    assert table.documents is not None
    assert other.documents is not None
    assert table.documents.needs_model.tolist() == other.documents.needs_model.tolist()
    assert table.documents.clashes == other.documents.clashes
    every = range(table.rows)
    ours, theirs = table.documents.events(every, {}), other.documents.events(every, {})
    assert [(e.name, e.body) for e in ours] == [(e.name, e.body) for e in theirs]
