"""Two written forms of one id in one file, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.arrays import make_array
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.validation import check
from intempt_core.validation.check import check_table
from intempt_core.validation.id_twins import encode_ids, find_twin_rows
from intempt_core.validation.report import Report
from tests.core.readers.factories import table_of

COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


def check_users(users: list[str]) -> Report:
    header = ["name", "eventId", "userId", "productId"]
    rows = [["Product viewed", f"e{row}", user, "p"] for row, user in enumerate(users)]
    return check_table(map_table(table_of(header, rows), exact_mapping(header)))


@pytest.mark.parametrize(
    ("users", "rows"),
    [
        ([COMPOSED, DECOMPOSED], [1]),
        ([DECOMPOSED, COMPOSED, COMPOSED], [0]),  # the rarer form is the one to look at
        (["anna", "ben", "Anna", "ANNA"], [2, 3]),
        (["sku-1", "SKU-1", "SKU-1"], [0]),
        (["ÉCOLE", "école"], [1]),
        (["A@x.com", "a@x.com", "b@x.com"], [1]),
    ],
)
def test_the_rarer_form_of_an_id_is_found(users: list[str], rows: list[int]) -> None:
    assert check_users(users).rows_of("id_twins").tolist() == rows


@pytest.mark.parametrize(
    "users",
    [
        ["anna", "anna", "ben"],
        ["", "", "A"],
        ["u1", "u2", "U3"],
        ["aB3x", "Ab3X", "xYzQ", "kLmN"],  # base 62: case tells them apart
        ["straße", "strasse"],
    ],
)
def test_other_ids_are_no_twins(users: list[str]) -> None:
    assert "id_twins" not in check_users(users).counts


def test_composed_characters_are_found_where_case_is_random() -> None:
    assert check_users(["aB3x", "Ab3X", "xYzQ", COMPOSED, DECOMPOSED]).rows_of("id_twins").tolist() == [4]


def test_the_sentence_names_the_other_form_and_its_first_row() -> None:
    case, form = (check_users(users).issues()[0].fix for users in (["anna", "Anna"], [COMPOSED, DECOMPOSED]))
    assert case == (
        "It is written “anna” in row 1 (line 2): only the case of letters differs. Write it in one form: to the engine"
        " these are two ids."
    )
    assert form == (
        "It is written with composed characters in row 1 (line 2), here with decomposed ones (Unicode NFC and NFD)."
        " Write it in one form: to the engine these are two ids."
    )


@given(st.lists(st.sampled_from(["a1", "A1", "b", "é", "e\u0301", "É", "", " ", "null", "c"]), max_size=30))
def test_ids_that_come_often_have_the_twins_that_each_row_by_itself_has(ids: list[str]) -> None:
    often = make_array(ids * 3)
    encoded = encode_ids(often)
    assert (encoded is None) == (not ids)
    if encoded is not None:
        assert encoded[0].take(make_array(encoded[1])).equals(often)
        for upper in (False, True):
            found = np.isin(encoded[1], find_twin_rows(encoded[0], upper=upper))
            assert np.flatnonzero(found).tolist() == find_twin_rows(often, upper=upper).tolist()


@given(
    st.lists(st.sampled_from([COMPOSED, DECOMPOSED, "null", '="1"', "1.2E+18", " x", "x", "", "1|2"]), max_size=30),
    st.integers(1, 7),
)
def test_parts_that_are_looked_at_at_once_show_what_the_whole_shows(users: list[str], part: int) -> None:
    header = ["name", "userId", "productId", "timestamp"]
    rows = [["Product viewed", user, "p", str(1_700_000_000_000 + row // 2)] for row, user in enumerate(users)]
    mapped = map_table(table_of(header, rows), exact_mapping(header))
    whole = check_table(mapped)
    expected = {code: whole.rows_of(code).tolist() for code in whole.counts}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check, "RULE_BLOCK_ROWS", part)
        parts = check_table(mapped)
        assert {code: parts.rows_of(code).tolist() for code in parts.counts} == expected
