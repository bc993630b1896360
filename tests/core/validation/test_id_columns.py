"""Ids that a float, a spreadsheet or a formatter has damaged, worked out by hand; and ids that only look so."""

import random

import pytest

from intempt_core.contract.id_forms import describe_placeholder, is_placeholder, unwrap_spreadsheet_text
from intempt_core.fixes.suggest import suggest_fixes
from intempt_core.fixes.table_fixes import apply_fixes
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table
from intempt_core.validation.report import Report
from tests.core.readers.factories import table_of
from tests.core.readers.workbook_factories import workbook

RNG = random.Random(7)
SNOWFLAKES = [str(RNG.randrange(10**18, 10**19)) for _ in range(2000)]


def mapped_users(users: list[str]) -> EventSource:
    header = ["name", "userId", "productId", "timestamp"]
    rows = [["Product viewed", user, "p", str(1_714_631_904_000 + row)] for row, user in enumerate(users)]
    return map_table(table_of(header, rows), exact_mapping(header))


def check_users(users: list[str]) -> Report:
    return check_table(mapped_users(users))


def damaged(users: list[str]) -> list[int]:
    rows: list[int] = check_users(users).rows_of("id_damaged").tolist()
    return rows


@pytest.mark.parametrize(
    "id_",
    ["1.48E18", "1.48e18", "1,84E18", "1.84E+18", "1.0E7", "1e+16", "148.76E+16", "1.48D+18", "1.48×10^18",
     "184e+9", "2-Jan", "02. Mrz", "b'17850'", "Some(17850)", 'Optional("17850")', "np.int64(17850)",
     "1.E+07", "17,850.00", "17.850,00", "17\u00a0850,00", "17'850.0",
     "1487580005268456287n", "148758000526845000000"],
)  # fmt: skip
def test_a_number_with_an_exponent_or_fifteen_digits_and_zeros_shows_by_itself(id_: str) -> None:
    assert damaged(["u1", id_, "u2"]) == [1]


@pytest.mark.parametrize("id_", ["2E5", "5e11", "9E123"])
def test_a_short_number_with_an_exponent_is_damaged_unless_letters_of_its_column_say_that_it_is_a_code(
    id_: str,
) -> None:
    assert damaged(["17", id_, "u"]) == [1]
    assert damaged(["2D4", id_, "2F1"]) == []
    assert damaged(["0af3", id_]) == []
    assert damaged(["SKU-A", id_, "B-77", "TX9"]) == []  # most are texts
    assert damaged(["p", id_, "q", "1.0E7"]) == [1, 3]  # another shows what happened to the column


@pytest.mark.parametrize("tail", [".0", ",0", ".00"])
def test_a_fraction_of_zeros_is_damage_among_whole_numbers_or_where_every_id_has_one(tail: str) -> None:
    assert damaged([f"17850{tail}", "u", f"13047{tail}"]) == []
    assert damaged([f"17850{tail}", "u", "13047"]) == [0]
    assert damaged([f"17850{tail}", "", f"13047{tail}", "nan"]) == [0, 2]
    assert damaged([f"1{tail}", "1.5", "2"]) == []  # versions, or prices


def test_a_point_without_a_fraction_is_the_end_of_a_float_too() -> None:
    assert damaged(["17850.", "13047."]) == [0, 1]
    assert damaged(["17850.", "13047"]) == [0]
    assert damaged(["1.", "a.", "b."]) == []


def test_long_ids_that_end_as_a_double_rounds_are_damaged_by_their_column() -> None:
    lucky = next(id_ for id_ in (str(int(float(one))) for one in SNOWFLAKES))
    assert int(float(lucky)) == int(lucky)
    assert damaged([lucky]) == []  # a lone one says nothing
    assert damaged([lucky] * 9) == []  # nor does it where it comes often
    doubles = [str(int(float(id_))) for id_ in SNOWFLAKES[:3]]
    assert damaged([*doubles, *SNOWFLAKES[3:10]]) == [0, 1, 2]  # 3 of 10
    assert damaged([*doubles, *SNOWFLAKES[3:40]]) == []  # 3 of 40 are less than a tenth


def test_the_fewest_digits_of_a_double_are_damage_too() -> None:
    # JavaScript's String(1487580005268456287), and the same for …6964
    assert damaged(["1487580005268456200", "1487580005268457000"]) == [0, 1]


def test_good_long_ids_are_not_called_damaged() -> None:
    assert damaged(SNOWFLAKES) == []
    for digits in (16, 17, 18):  # half of those that begin with 10… are their own double by chance
        assert damaged([str(RNG.randrange(10 ** (digits - 1), 18 * 10 ** (digits - 2))) for _ in range(500)]) == []


def test_many_even_ids_of_seventeen_digits_are_beyond_chance() -> None:
    users = [str(10**16 + 2 * RNG.randrange(10**15)) for _ in range(60)]
    assert len(damaged(users)) == 60


def test_ids_that_a_spreadsheet_cut_to_fifteen_digits() -> None:
    assert damaged(["1234567890123450"]) == []
    assert damaged(["u1", "1487580005268450000", "u2"]) == []  # one of ten thousand ends so by chance
    assert damaged(["1487580005268450000", "1602943681873050000", "7"]) == [0, 1]
    assert damaged(["1234567890123450", "9876543210123450", "5555555555555550"]) == [0, 1, 2]


def test_parted_thousands_are_damage_where_the_whole_column_is_written_so() -> None:
    assert damaged(["1,234", "17,850", "999"]) == [0, 1]
    assert damaged(["1,234", "17,850", "SKU-9"]) == []
    assert damaged(["123,456", "789"]) == []  # rather a list of two ids
    assert damaged(["1.234.567", "17.850.001", "999"]) == [0, 1]
    assert damaged(["1\u00a0234", "17\u00a0850"]) == [0, 1]
    assert damaged(["12,34,567", "17,850"]) == [0, 1]  # as in India
    assert damaged(["101.200", "99.300"]) == []  # article numbers with a point


@pytest.mark.parametrize(
    ("id_", "words"),
    [
        ("2-Jan", "It is a date, as a spreadsheet makes one"),
        ("b'1'", "A program wrote its own notation"),
        ("1e+9", "Re-exp"),
    ],
)
def test_a_damaged_id_says_what_happened_to_it(id_: str, words: str) -> None:
    assert check_users([id_]).issues()[0].fix.startswith(words)


def test_what_the_column_shows_says_why() -> None:
    report = check_users(["17850.0", "13047"])
    assert report.issues()[0].fix == (
        "It ends as a number does that was a float, and others of its column are whole numbers. Export the column as"
        " text or as whole numbers."
    )


# ── a spreadsheet's marks ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cell", "id_"),
    [
        ('="00123"', "00123"),
        ('=""00123""', "00123"),
        ('=T("00123")', "00123"),
        ("'0045", "0045"),
        ("'0045A", "0045A"),
        ('= "a b"', "a b"),
    ],
)
def test_a_spreadsheets_marks_are_found_and_taken_away(cell: str, id_: str) -> None:
    mapped = mapped_users([cell, "u"])
    report = check_table(mapped)
    assert report.rows_of("id_spreadsheet_text").tolist() == [0]
    assert unwrap_spreadsheet_text(cell) == id_
    (fix,) = suggest_fixes(mapped, report)
    assert fix.message == "Take a spreadsheet's marks away from 1 cell of userId"
    fixed = apply_fixes(mapped, [fix.fix]).mapped
    assert fixed.cells["userId"].to_pylist() == [id_, "u"]
    assert check_table(fixed).counts == {}


@pytest.mark.parametrize("id_", ["'s-Gravenhage", "O'Brien7", "'17'", '"17"', "=17", "a='1'", "'"])
def test_other_apostrophes_and_signs_are_parts_of_an_id(id_: str) -> None:
    assert "id_spreadsheet_text" not in check_users([id_]).counts
    assert unwrap_spreadsheet_text(id_) == id_


# ── placeholders ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("id_", "who"),
    [
        (r"\N", "MySQL, PostgreSQL and Hive write it for NULL in an export."),
        ("(not set)", "Google Analytics writes it where it has no value."),
        ("[object Object]", "JavaScript writes it in the place of an object."),
        ("[object HTMLDivElement]", "JavaScript writes it in the place of an object."),
        ("#N/A", "A spreadsheet writes it where a formula fails."),
        ("#REF!", "A spreadsheet writes it where a formula fails."),
        ("#BEZUG!", "A spreadsheet writes it where a formula fails."),
        ("Err:502", "A spreadsheet writes it where a formula fails."),
        ("(null)", "Objective-C and SQL Developer write it for no value."),
        ("<null>", "pgAdmin, DBeaver and JetBrains tools write it for NULL."),
        ("<NA>", "pandas writes it for no value."),
        ("{{user_id}}", "A template writes it where its variable was not filled in."),
        ("${userId}", "A template writes it where its variable was not filled in."),
        ("<__main__.User object at 0x7f3a>", "A program writes it in the place of an object."),
        ("undefined", "Databases and programs write it for no value."),
        ('"null"', "A program put quotes around a word for no value."),
        ("'undefined'", "A program put quotes around a word for no value."),
        (r'"\N"', "A program put quotes around a word for no value."),
        ("(Leer)", "A spreadsheet's pivot table writes it for an empty cell."),
        ("[Filtered]", "A program writes it in the place of what it hides."),
        ("[Function: getId]", "JavaScript writes it in the place of an object."),
        ("[Object: null prototype]", "JavaScript writes it in the place of an object."),
        ("%{user_id}", "A template writes it where its variable was not filled in."),
        ("<?= $id ?>", "A template writes it where its variable was not filled in."),
        ("#BAŞV!", "A spreadsheet writes it where a formula fails."),
        ("#ИМЯ?", "A spreadsheet writes it where a formula fails."),
        ("#I/T", "A spreadsheet writes it where a formula fails."),
        ("None", "Databases and programs write it for no value."),
        ("anonymous", ""),
    ],
)
def test_a_placeholder_says_who_writes_it(id_: str, who: str) -> None:
    assert is_placeholder(id_)
    assert describe_placeholder(id_) == who
    issue = check_users([id_]).issues()[0]
    assert (issue.code, issue.message) == ("id_placeholder", f"The id “{id_}” looks like a placeholder. {who}".strip())


@pytest.mark.parametrize(
    "id_",
    [
        "#12",
        "[a]",
        "[Objects]",
        "#1 a!",
        "{a}",
        "nat",
        "inf",
        "nobody",
        "user@object.com",
        "N",
        "NAN1",
        "none@example.com",
        "<a>",
    ],
)
def test_an_id_that_only_resembles_one_is_none(id_: str) -> None:
    assert not is_placeholder(id_)
    assert check_users([id_]).counts == {}


def test_placeholders_link_nobody() -> None:
    from intempt_core.planning.plan import plan_table

    mapped = mapped_users([r"\N", r"\N", "(not set)", "(not set)", "u", "u"])
    assert plan_table(mapped, range(6)).persons == 5


# ── errors of a workbook's formulas ──────────────────────────────────────────────────────────────────────────────────


def test_an_error_cell_of_a_workbook_is_never_an_id() -> None:
    cells = '<c t="inlineStr"><is><t>{}</t></is></c>'
    header = "".join(cells.format(name) for name in ("name", "userId", "productId"))
    view = cells.format("Product viewed")
    rows = [f'{view}<c t="e"><v>{error}</v></c>{cells.format("p")}' for error in ("#N/A", "#REF!", "#NAME?")]
    rows.append(f'{view}{cells.format("u1")}<c t="e"><v>#DIV/0!</v></c>')
    rows.append(f"{view}{cells.format('u1')}{cells.format('p')}")
    sheet = "".join(f"<row>{row}</row>" for row in (header, *rows))
    table = read_table(workbook({"Events": sheet}), name="events.xlsx")
    report = check_table(map_table(table, exact_mapping(table.header)))
    assert report.counts == {"id_cell_error": 4, "id_placeholder": 4}
    assert report.rows_with_errors == 4
    issue = report.issues(code="id_cell_error")[3]
    assert (issue.given, issue.place.column) == ("#DIV/0!", "productId")
    assert issue.message == "The id “#DIV/0!” is the error of a formula in the workbook, and no id."


def test_in_a_text_file_the_same_is_a_placeholder() -> None:
    assert check_users(["#N/A"]).counts == {"id_placeholder": 1}
