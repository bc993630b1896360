"""Two written forms of one id in one file, worked out by hand."""

import pytest

from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.validation.check import check_table
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
