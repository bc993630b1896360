"""What fixes promise: they do what was shown, nothing else, and removing one undoes it; the file stays as it is."""

import json
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intempt_core.contract.body import dump_json
from intempt_core.contract.fields import BLANK_CHARACTERS, INVISIBLE_CHARACTERS
from intempt_core.exports.csv_files import export_fixed_csv
from intempt_core.fixes.suggest import suggest_fixes
from intempt_core.fixes.table_fixes import MAX_FIX_ROWS_RECORDED, Fix, FixKind, apply_fixes, preview_fix
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import Mapping, exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.mapping.values import make_event_id
from intempt_core.readers.table import Table, read_table
from intempt_core.validation.check import check_table
from intempt_core.validation.report import DuplicateKind
from tests.core.readers.factories import table_of
from tests.examples import scale_examples

HEADER = ["name", "eventId", "userId", "accountId", "productId", "timestamp", "problems"]
VIEW, ORDER, TIME = "Product viewed", "Product ordered", "1714631904000"
ODD = [
    "",
    " ",
    "a",
    " a",
    "a\u200b b ",
    "\ufeff",
    "b",
    "null",
    "NaN",
    "17.0",
    "17",
    "Jose\u0301",
    "Jos\u00e9",
    "0",
    "\t1\n",
    "\x00x",
]
CELLS = {
    "name": [VIEW, "product viewed", "Product Viewed ", "product_ordered", ORDER, "", "item_seen"],
    "eventId": ["e1", "e2", "e2 ", "e3", "", "1.84E+18"],
    "timestamp": ["", TIME, "1714631904", "1714631904000000", " 2024-05-01 10:00:00\t", "soon", "1262303999", "9" * 16],
    "problems": ["", "name: wrong"],
}
ALPHABETS = [CELLS.get(column, ODD) for column in HEADER]

Rows = list[list[str]]


def mapped_of(rows: Rows, header: Sequence[str] = HEADER) -> EventSource:
    return map_table(table_of(header, rows), exact_mapping(header))


def rows_in(table: Table) -> Rows:
    return [list(table.record(row).values()) for row in range(table.rows)]


tables = st.lists(st.tuples(*map(st.sampled_from, ALPHABETS)).map(list), min_size=1, max_size=9)


@st.composite
def draw_fix(draw: st.DrawFn, rows: int) -> Fix:
    column = draw(st.sampled_from(HEADER))
    some = tuple(sorted(draw(st.sets(st.integers(0, rows - 1), min_size=1))))
    cells = CELLS.get(column, ODD)
    return draw(
        st.sampled_from(
            [
                Fix(FixKind.PUT, column, some, new=draw(st.sampled_from(cells))),
                Fix(FixKind.PUT, column, some[:1], new=draw(st.text())),
                Fix(FixKind.REPLACE, column, old=draw(st.sampled_from(cells)), new=draw(st.sampled_from(cells))),
                Fix(FixKind.TRIM, column),
                Fix(FixKind.WHOLE, column),
                Fix(FixKind.COMPOSE, column, some),
                Fix(FixKind.SECONDS, "timestamp"),
                Fix(FixKind.MICROSECONDS, "timestamp"),
                Fix(FixKind.IDS, "eventId", some),
            ]
        )
    )


fixed_tables = tables.flatmap(lambda rows: st.tuples(st.just(rows), st.lists(draw_fix(len(rows)), max_size=4)))


def by_hand(original: Rows, now: Rows, step: Fix) -> Rows:
    """The same fix, cell by cell."""
    at = HEADER.index(step.column)
    written = [list(row) for row in now]
    for number, row in enumerate(written):
        cell, named = row[at], number in step.rows
        if (step.kind is FixKind.PUT and named) or (step.kind is FixKind.REPLACE and cell == step.old):
            row[at] = step.new
        elif step.kind is FixKind.TRIM:
            row[at] = "".join(
                character for character in cell.strip(BLANK_CHARACTERS) if character not in INVISIBLE_CHARACTERS
            )
        elif step.kind is FixKind.WHOLE:
            row[at] = "17" if cell == "17.0" else cell
        elif step.kind is FixKind.COMPOSE and named:
            row[at] = unicodedata.normalize("NFC", cell)
        elif step.kind is FixKind.SECONDS and len(cell) == 10 and cell.isdigit() and int(cell) >= 1_262_304_000:
            row[at] = cell + "000" if int(cell) <= 2_210_457_600 else cell
        elif step.kind is FixKind.MICROSECONDS and len(cell) == 16 and cell.isdigit():
            row[at] = cell[:13] if 1_262_304_000_000 <= int(cell) / 1000 <= 2_210_457_600_000 else cell
        elif step.kind is FixKind.IDS and named:
            alike = [other[:-1] for other in original[: number + 1]]  # the column “problems” is not the event's
            row[at] = make_event_id(original[number][:-1], alike.count(original[number][:-1]))
    return written


@settings(max_examples=scale_examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fixed_tables)
def test_a_fixed_file_is_the_file_with_those_cells_written_by_hand_and_so_is_its_report(
    drawn: tuple[Rows, list[Fix]],
) -> None:
    rows, steps = drawn
    given_, written = mapped_of(rows), rows
    found = apply_fixes(given_, steps)
    for step in steps:
        written = by_hand(rows, written, step)
    assert rows_in(found.mapped.table) == written
    assert rows_in(given_.table) == rows  # the file stays as it is
    mine, theirs = check_table(found.mapped), check_table(mapped_of(written))
    assert mine.counts == theirs.counts
    assert mine.issues() == theirs.issues()
    assert [event.body for event in found.mapped.events()] == [event.body for event in mapped_of(written).events()]


@settings(max_examples=scale_examples(150), deadline=None)
@given(fixed_tables)
def test_what_a_preview_counts_and_shows_is_what_changes(drawn: tuple[Rows, list[Fix]]) -> None:
    rows, steps = drawn
    before, found = mapped_of(rows), apply_fixes(mapped_of(rows), steps)
    for number, step in enumerate(steps):
        shown = preview_fix(before.table, step, table_of(HEADER, rows))
        after = apply_fixes(mapped_of(rows), steps[: number + 1]).mapped
        at = HEADER.index(step.column)
        differ = [
            (row, old[at], new[at])
            for row, (old, new) in enumerate(zip(rows_in(before.table), rows_in(after.table), strict=True))
            if old != new
        ]
        assert differ == [*zip(shown.rows.tolist(), shown.before.to_pylist(), shown.after.to_pylist(), strict=True)]
        assert found.cells[number] == shown.cells == len(differ)
        before = after


@settings(max_examples=scale_examples(150), deadline=None)
@given(fixed_tables, st.data())
def test_undoing_any_step_gives_the_table_that_never_had_it(drawn: tuple[Rows, list[Fix]], data: st.DataObject) -> None:
    rows, steps = drawn
    mapped = mapped_of(rows)
    apply_fixes(mapped, steps)
    assert rows_in(apply_fixes(mapped, ()).mapped.table) == rows
    if steps:
        undone = data.draw(st.integers(0, len(steps) - 1))
        rest = [*steps[:undone], *steps[undone + 1 :]]
        written = rows
        for step in rest:
            written = by_hand(rows, written, step)
        assert rows_in(apply_fixes(mapped, rest).mapped.table) == written


@settings(max_examples=scale_examples(100), deadline=None)
@given(st.lists(st.text(), min_size=1), st.sampled_from([FixKind.TRIM, FixKind.SECONDS, FixKind.MICROSECONDS]))
def test_a_rule_finds_nothing_more_to_do_the_second_time(cells: list[str], way: FixKind) -> None:
    mapped = mapped_of([[cell] for cell in [*cells, *CELLS["timestamp"], *ODD]], ["timestamp"])
    once = apply_fixes(mapped, [Fix(way, "timestamp")]).mapped
    assert preview_fix(once.table, Fix(way, "timestamp")).cells == 0


@settings(max_examples=scale_examples(80), deadline=None)
@given(tables)
def test_every_suggested_fix_helps_with_what_it_is_suggested_for(rows: Rows) -> None:
    mapped = mapped_of(rows)
    report = check_table(mapped)
    for one in suggest_fixes(mapped, report):
        assert one.change.cells > 0
        after = check_table(apply_fixes(mapped, [one.fix]).mapped)
        if one.fix.kind in (FixKind.REPLACE, FixKind.SECONDS, FixKind.MICROSECONDS) or one.code == "event_id_missing":
            assert after.counts.get(one.code, 0) < report.counts[one.code]
        assert one.code != "id_zeros_lost"
        assert one.code != "id_damaged" or one.change.after.to_pylist() == ["17"] * one.change.cells


def test_repeats_get_ids_of_their_own_and_the_same_ones_when_the_file_comes_again() -> None:
    rows = [[VIEW, "e1", "u", "", "p", TIME, ""]] * 3 + [[VIEW, "e1", "u2", "", "p", TIME, ""]]
    mapped = mapped_of(rows)
    report = check_table(mapped)
    assert report.part_counts("event_id_repeated") == {DuplicateKind.EXACT: 2, DuplicateKind.SAME_ID: 1}
    assert [report.first_row_of(row) for row in range(4)] == [None, 0, 0, 0]
    other, exact = suggest_fixes(mapped, report)
    assert other.message == "Give an id of its own to 1 cell of eventId"
    assert exact.message == "Give an id of its own to 2 cells of eventId"
    found = apply_fixes(mapped, [other.fix, exact.fix]).mapped
    ids = found.cells["eventId"].to_pylist()
    assert ids[0] == "e1"
    assert len(set(ids)) == 4
    assert check_table(found).counts == {}
    assert apply_fixes(mapped_of(rows), [exact.fix, other.fix]).mapped.cells["eventId"].to_pylist() == ids


def test_made_ids_stay_those_of_the_rows_in_the_file() -> None:
    header = ["name", "userId", "productId"]
    mapped = mapped_of([["product viewed", "u", "p"], [VIEW, "u", "p "]], header)
    never_asked = mapped_of([["product viewed", "u", "p"], [VIEW, "u", "p "]], header)
    ids = mapped.column_view.made_ids.to_pylist()
    steps = [Fix(FixKind.REPLACE, "name", old="product viewed", new=VIEW), Fix(FixKind.TRIM, "productId")]
    for before in (mapped, never_asked):
        found = apply_fixes(before, steps).mapped
        assert found.column_view.made_ids.to_pylist() == ids
        assert apply_fixes(found, [Fix(FixKind.TRIM, "userId")]).mapped.column_view.made_ids.to_pylist() == ids
        assert [event.body["eventId"] for event in found.events()] == ids


def test_columns_that_no_fix_touches_are_shared() -> None:
    mapped = mapped_of([["product viewed", "e", "u", "", "p", TIME, ""]] * 7)
    found = apply_fixes(mapped, [Fix(FixKind.PUT, "productId", (6,), new="q")]).mapped
    assert found.cells["userId"] is mapped.cells["userId"]
    assert found.table.columns["userId"] is mapped.table.columns["userId"]
    assert found.cells["data.productId"].to_pylist() == ["p"] * 6 + ["q"]


def test_digits_that_are_gone_are_never_guessed() -> None:
    mapped = mapped_of(
        [[VIEW, f"e{row}", user, "", "p", TIME, ""] for row, user in enumerate(["1.84E+18", "007", "7"])]
    )
    report = check_table(mapped)
    assert report.counts == {"id_damaged": 1, "id_zeros_lost": 1}
    assert suggest_fixes(mapped, report) == []


def users_fixed(users: list[str]) -> tuple[list[str], list[str]]:
    """The codes of what is suggested for some user ids, and the ids after all of it."""
    header = ["name", "eventId", "userId", "productId"]
    mapped = mapped_of([[VIEW, f"e{row}", user, "p"] for row, user in enumerate(users)], header)
    found = suggest_fixes(mapped, check_table(mapped))
    fixed = apply_fixes(mapped, [one.fix for one in found]).mapped
    return [one.code for one in found], fixed.cells["userId"].to_pylist()


@pytest.mark.parametrize(
    ("id_", "whole"),
    [
        ("17850.0", "17850"),
        ("17850.", "17850"),
        ("17850.00", "17850"),
        ("17850,0", "17850"),
        ("0.0", "0"),
        ("17850.000000", "17850"),
        ("999999999999999.0", "999999999999999"),
        ("9006999999999999.0", "9006999999999999"),
    ],
)
def test_a_float_of_a_whole_number_among_whole_numbers_can_be_written_as_that_number(id_: str, whole: str) -> None:
    assert users_fixed([id_, "13047", "12583"]) == (["id_damaged"], [whole, "13047", "12583"])


@pytest.mark.parametrize("id_", ["1.48E18", "1.0E7", "17.000", "17,000", "007.0", "17,850.00", "9007199254740993.0"])
def test_what_may_be_another_number_than_it_seems_is_not_rewritten(id_: str) -> None:
    assert "id_damaged" not in users_fixed([id_, "13047", "12583"])[0]


def test_where_every_id_ends_as_a_float_all_are_written_as_whole_numbers_and_versions_are_left_alone() -> None:
    assert users_fixed(["17850.0", "13047.0", ""])[1] == ["17850", "13047", ""]
    assert users_fixed(["1.0", "1.5", "2"])[1] == ["1.0", "1.5", "2"]
    assert users_fixed(["17850.0", "13047", "1.48E18"])[1] == ["17850", "13047", "1.48E18"]


def test_decomposed_ids_are_composed_where_other_rows_have_them_composed_and_case_is_never_changed() -> None:
    composed, decomposed = "Jos\u00e9", "Jose\u0301"
    assert users_fixed([composed, decomposed, composed]) == (["id_twins"], [composed] * 3)
    assert users_fixed([decomposed, decomposed, composed]) == ([], [decomposed, decomposed, composed])
    assert users_fixed(["anna", "Anna", "anna"]) == ([], ["anna", "Anna", "anna"])
    assert users_fixed([composed, decomposed, "Rene\u0301"])[1] == [composed, composed, "Rene\u0301"]


def test_only_placeholders_that_say_nothing_are_emptied_and_only_where_somebody_else_is_named() -> None:
    header = ["name", "eventId", "userId", "profileId", "productId"]
    users = [("null", "p1"), ("None ", "p1"), ("null", ""), ("0", "p1"), ("u", "undefined"), ("null", "guest")]
    mapped = mapped_of([[VIEW, f"e{row}", user, profile, "p"] for row, (user, profile) in enumerate(users)], header)
    found = suggest_fixes(mapped, check_table(mapped))
    emptied = [(one.fix.column, one.fix.rows) for one in found if one.code == "id_placeholder"]
    assert emptied == [("profileId", (4,)), ("userId", (0, 1))]
    assert found[1].message == "Empty 2 cells of userId"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Fix(FixKind.PUT, "userId", (1203,), old="", new="u"), "Row 1,204, userId: empty → “u”"),
        (Fix(FixKind.PUT, "userId", (1, 2), new="u"), "Write “u” into 1,204 cells of userId"),
        (Fix(FixKind.REPLACE, "name", old="a", new="b"), "“a” → “b” in 1,204 cells of name"),
        (Fix(FixKind.WHOLE, "userId"), "Whole numbers without “.0” in 1,204 cells of userId"),
        (Fix(FixKind.COMPOSE, "userId", (1, 2)), "Composed characters (Unicode NFC) in 1,204 cells of userId"),
        (Fix(FixKind.TRIM, "userId"), "Trim white space in 1,204 cells of userId"),
        (Fix(FixKind.SECONDS, "ts"), "Seconds → milliseconds in 1,204 cells of ts"),
    ],
)
def test_a_fix_says_what_it_does_and_its_record_can_be_kept(step: Fix, words: str) -> None:
    assert step.describe(1204) == words
    assert json.loads(json.dumps(step.record(1204))) == step.record(1204)
    assert step.record(1204).get("rows") == ([row + 1 for row in step.rows] or None)


def test_the_record_of_a_large_fix_is_small_and_its_key_its_own() -> None:
    large = Fix(FixKind.IDS, "eventId", tuple(range(MAX_FIX_ROWS_RECORDED + 1)))
    assert "rows" not in large.record(101)
    assert large.key != Fix(FixKind.IDS, "eventId", tuple(range(MAX_FIX_ROWS_RECORDED))).key
    assert preview_fix(table_of(["eventId"], [["a"]]), large).cells == 1  # rows beyond the table are nobody's


def test_a_fixed_file_can_be_downloaded_and_is_the_same_when_it_is_read_again() -> None:
    header = ["name", "userId", "productId", "note"]
    mapped = mapped_of([["product viewed", "u", "p", "=1+1"], [VIEW, "u", "p ", "-5"]], header)
    steps = [Fix(FixKind.REPLACE, "name", old="product viewed", new=VIEW), Fix(FixKind.TRIM, "productId")]
    found = apply_fixes(mapped, steps).mapped
    text = "".join(export_fixed_csv(found))
    assert text.splitlines()[0] == "name,userId,productId,note,eventId,problems"
    assert "'=1+1" in text
    assert "take away the leading '" in text
    table = read_table(text.encode(), name="fixed.csv")
    back = map_table(table, exact_mapping(table.header))
    ids = [event.body["eventId"] for event in found.events()]
    assert [event.body["eventId"] for event in back.events()] == ids
    assert check_table(back).counts == check_table(found).counts == {}


def test_a_json_value_that_is_corrected_stays_one_where_it_still_is_one() -> None:
    table = read_table(b'{"userId":"u","v":12.5}\n{"userId":"u","v":[1]}\n{"userId":"u","v":"3"}', name="x.jsonl")
    mapped = map_table(table, Mapping({"userId": "userId", "v": "data.v"}, constants={"name": "n", "eventId": "e"}))
    for row, new, expected in ((0, "13.50", b"13.50"), (0, "many", b'"many"'), (1, "[2]", b"[2]"), (2, "4", b'"4"')):
        fixed = apply_fixes(mapped, [Fix(FixKind.PUT, "v", (row,), table.cell(row, "v"), new)]).mapped
        assert dump_json(fixed.event(row).body["data"]["v"]) == expected
        assert fixed.event((row + 1) % 3).body == mapped.event((row + 1) % 3).body
    emptied = apply_fixes(mapped, [Fix(FixKind.PUT, "v", (0,), "12.5", "")]).mapped
    assert emptied.event(0).body["data"] == {}
