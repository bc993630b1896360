"""Rows that equal an earlier one in every cell, where event ids are made."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.mapping.model import Mapping, exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.validation import row_repeats
from intempt_core.validation.check import check_table
from intempt_core.validation.row_repeats import find_row_repeats
from tests.core.readers.factories import table_of

HEADER = ["name", "userId", "productId"]
VIEW = ["Product viewed", "u", "p"]


def test_a_repeated_row_is_a_warning_that_names_the_first_one() -> None:
    report = check_table(map_table(table_of(HEADER, [VIEW, ["Product viewed", "u", "q"], VIEW]), exact_mapping(HEADER)))
    assert report.counts == {"row_repeated": 1}
    (issue,) = report.issues()
    assert (issue.place.row, issue.place.line) == (3, 4)
    assert (
        issue.fix == "It equals row 1 (line 2) in every cell. Exclude it, unless it happened as often as it is there."
    )


def test_nothing_is_said_where_the_file_has_event_ids() -> None:
    rows = [[*VIEW, "e1"], [*VIEW, "e1"]]
    report = check_table(map_table(table_of([*HEADER, "eventId"], rows), exact_mapping([*HEADER, "eventId"])))
    assert report.counts == {"event_id_repeated": 1}


def test_a_cell_that_is_not_mapped_tells_rows_apart() -> None:
    mapping = exact_mapping(HEADER)
    rows = [[*VIEW, "1"], [*VIEW, "2"]]
    assert check_table(map_table(table_of([*HEADER, "line"], rows), mapping)).counts == {}


def test_a_row_that_is_several_events_repeats_as_a_whole() -> None:
    header = ["name", "userId", "a", "b"]
    rows = [["Product viewed", "u", "p", "p"], ["Product viewed", "u", "p", "q"], ["Product viewed", "u", "p", "p"]]
    given = {
        "columns": {"name": "name", "userId": "userId", "product": "data.productId"},
        "explode": {"columns": ["a", "b"], "as": "product"},
    }
    report = check_table(map_table(table_of(header, rows), Mapping.from_json(json.dumps(given))))
    assert report.rows_of("row_repeated").tolist() == [
        4,
        5,
    ]  # the members of the third row, and no product of the first
    assert report.issues(code="row_repeated")[0].fix.startswith("It equals row 1 (line 2) in every cell.")


def test_what_is_said_of_a_row_is_no_part_of_it() -> None:
    rows = [[*VIEW, "ok"], [*VIEW, "row_repeated"]]
    report = check_table(map_table(table_of([*HEADER, "expect"], rows), exact_mapping([*HEADER, "expect"])))
    assert report.rows_of("row_repeated").tolist() == [1]


def test_empty_rows_repeat_nothing() -> None:
    rows = [["", "", ""], ["", "", ""]]
    assert "row_repeated" not in check_table(map_table(table_of(HEADER, rows), exact_mapping(HEADER))).counts


@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "ab", "é"]), min_size=2, max_size=2), max_size=12))
def test_exactly_the_rows_that_equal_an_earlier_one_are_found(rows: list[list[str]]) -> None:
    expected = [(row, rows.index(cells)) for row, cells in enumerate(rows) if any(cells) and rows.index(cells) < row]
    found, firsts = find_row_repeats(table_of(["a", "b"], rows))
    assert [*zip(found.tolist(), firsts.tolist(), strict=True)] == expected


def test_rows_that_only_share_a_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_repeats, "hash_texts", lambda cells: np.full(len(cells), 7, np.uint64))
    found, firsts = find_row_repeats(table_of(["a"], [["x"], ["y"], ["y"], ["x"]]))
    assert (found.tolist(), firsts.tolist()) == ([2, 3], [1, 0])
