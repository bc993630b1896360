"""Numbers as files write them for people: each cell of a form has one value, and any other cell stays as it is."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.body import dump_json
from intempt_core.errors import MappingError
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.number_forms import NUMBER_FORMS, detect_number_form, normalize_number
from intempt_core.mapping.table_events import map_table
from intempt_core.mapping.values import is_cell_of_type, parse_cell
from intempt_core.planning.bulk_bodies import write_bodies
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table
from intempt_core.validation.text_column import TextColumn, find_mistyped

GERMAN, ENGLISH, FRENCH, SWISS = "number:1.234,5", "number:1,234.5", "number:1 234,5", "number:1'234.5"

SHOP = "event_type;user_id;product_id;price\nview;u1;p1;12,50\nview;u2;p2;1.299,00\nview;u3;p3;auf Anfrage\n"
SHOP_MAPPING = Mapping(
    {"event_type": "name", "user_id": "userId", "product_id": "data.productId", "price": "data.price"},
    names={"view": "Product viewed"},
    types={"data.price": GERMAN},
)


@pytest.mark.parametrize(
    ("form", "cell", "value"),
    [
        (GERMAN, "12,50", 12.5),
        (GERMAN, "1.299,00", 1299.0),
        (GERMAN, "1.234.567", 1_234_567),
        (GERMAN, "1299", 1299),
        (GERMAN, "0,5", 0.5),
        (GERMAN, " 12,50 € ", 12.5),
        (GERMAN, "EUR 12,50", 12.5),
        (GERMAN, "-12,50", -12.5),
        (GERMAN, "12,50-", -12.5),
        (GERMAN, "(1.299,00)", -1299.0),
        (GERMAN, "€ -12,50", -12.5),
        (GERMAN, "\u221212,50", -12.5),
        (GERMAN, "1,5E3", 1500.0),
        (ENGLISH, "$1,299.00", 1299.0),
        (ENGLISH, "US$1,299", 1299),
        (ENGLISH, "12,34,567.5", 1_234_567.5),
        (ENGLISH, "₹1,00,000", 100_000),
        (FRENCH, "1 299,00", 1299.0),
        (FRENCH, "1\u00a0299,00 €", 1299.0),
        (FRENCH, "1\u202f234\u202f567", 1_234_567),
        (FRENCH, "129,00 zł", 129.0),
        ("number:1 234.5", "1 234.5", 1234.5),
        (SWISS, "CHF 1'299.50", 1299.5),
        (SWISS, "1’299.50", 1299.5),
    ],
)
def test_a_cell_of_a_form_is_its_number(form: str, cell: str, value: float) -> None:
    assert parse_cell(cell, form) == value
    assert type(parse_cell(cell, form)) is type(value)


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        (GERMAN, "1.29,00"),
        (GERMAN, "12.50"),
        (GERMAN, "1,299.00"),
        (GERMAN, "0.123,5"),
        (GERMAN, "007,5"),
        (GERMAN, "12,50 12"),
        (GERMAN, "-(12,50)"),
        (GERMAN, "--5"),
        (GERMAN, "+-5"),
        (GERMAN, "12,"),
        (GERMAN, ",5"),
        (GERMAN, "€"),
        (GERMAN, "12 Stück"),
        (GERMAN, "nan"),
        (GERMAN, "١٢,٥"),
        (GERMAN, "12.345.678.901.234.567,89"),  # a double would round it
        (ENGLISH, "12,50"),
        (ENGLISH, "1,2,345"),
        (ENGLISH, "1.234,5"),
        (FRENCH, "1 29,00"),
        (FRENCH, "1.299,00"),
        (SWISS, "1'29"),
    ],
)
def test_a_cell_of_another_form_stays_as_it_is(form: str, cell: str) -> None:
    assert parse_cell(cell, form) == cell
    assert not is_cell_of_type(cell, form)


def test_prices_with_a_decimal_comma_are_sent_as_numbers_and_a_cell_that_is_none_is_a_warning() -> None:
    mapped = map_table(read_table(SHOP.encode(), name="shop.csv"), SHOP_MAPPING)
    assert [event.body["data"]["price"] for event in mapped.events()] == [12.5, 1299.0, "auf Anfrage"]
    report = check_table(mapped)
    assert (report.counts, report.rows_of("value_type").tolist()) == ({"value_type": 1}, [2])
    (issue,) = report.issues()
    assert "“auf Anfrage” is not of the type" in issue.message
    bodies = write_bodies(mapped.column_view, np.arange(3), [0, 3])
    assert bodies is not None
    assert b'"price":12.5}' in bodies[0]
    assert b'"price":1299.0}' in bodies[0]


def test_the_type_is_kept_by_the_mapping_file_and_a_wrong_one_is_explained() -> None:
    assert Mapping.from_json(SHOP_MAPPING.to_json()) == SHOP_MAPPING
    with pytest.raises(MappingError, match=r"has the type “number:1\.234\.5”\. Did you mean “number:1"):
        Mapping({"price": "data.price"}, types={"data.price": "number:1.234.5"}).check()


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["12,50", "1.299,00", ""], GERMAN),
        (["12,50", "3,99"], GERMAN),
        (["12,50 €", "3,99 €"], GERMAN),
        (["$12.50", "$1,299.00"], ENGLISH),
        (["1 299,00", "5"], FRENCH),
        (["1'299.00"], SWISS),
        (["12.5", "3"], "number"),
        (["1299", "3"], "number"),
        (["0.500", "1.250"], "number"),
        (["1.299"], None),  # thousands in one country, a fraction in another
        (["1,299"], None),
        (["12,50", "12.50"], None),
        (["n/a", "12,50"], None),
        ([], None),
    ],
)
def test_a_form_is_told_where_all_cells_have_one_meaning(cells: list[str], form: str | None) -> None:
    assert detect_number_form(cells) == form


def write_number(value: Decimal, form: str) -> str:
    """The number as a form writes it, by Python's own grouping."""
    signs = NUMBER_FORMS[form]
    return f"{value:,f}".replace(",", "g").replace(".", signs.decimal).replace("g", signs.group[0])


@given(st.decimals(-(10**9), 10**9, places=4), st.sampled_from(sorted(NUMBER_FORMS)))
def test_what_a_form_writes_is_read_as_the_same_value(value: Decimal, form: str) -> None:
    text = normalize_number(write_number(value, form), form)
    assert text is not None
    assert Decimal(text) == value
    parsed = parse_cell(write_number(value, form), form)
    assert isinstance(parsed, str) or Decimal(dump_json(parsed).decode()) == value


@given(st.lists(st.text("0129.,'’ \u00a0-+(€$)Ee", max_size=10)), st.sampled_from(sorted(NUMBER_FORMS)))
def test_a_column_is_judged_as_its_cells_are(cells: list[str], form: str) -> None:
    wrong = find_mistyped(TextColumn(pa.array(cells, pa.large_string())), form).tolist()
    assert wrong == [row for row, cell in enumerate(cells) if cell and not is_cell_of_type(cell, form)]


def test_a_number_of_json_is_one_however_the_texts_of_its_file_write_theirs() -> None:
    cells = ('"1.299,50"', "12.5", '"12.5"', "true", "1.299")
    lines = [f'{{"e":"Product viewed","u":"u","i":"{at}","p":"p","v":{cell}}}' for at, cell in enumerate(cells)]
    columns = {"e": "name", "u": "userId", "i": "eventId", "p": "data.productId", "v": "data.price"}
    table = read_table("\n".join(lines).encode(), name="x.jsonl")
    source = map_table(table, Mapping(columns, types={"data.price": "number:1.234,5"}))
    assert [event.body["data"]["price"] for event in source.events()] == [1299.5, 12.5, "12.5", True, 1.299]
    assert check_table(source).rows_of("value_type").tolist() == [2, 3]


def test_a_number_that_people_write_leads_to_its_type() -> None:
    cells = 'name,userId,data.productId,data.price\nProduct viewed,u,p,"12,50"\nProduct viewed,v,p,x\n'
    table = read_table(cells.encode(), name="x.csv")
    source = map_table(table, Mapping({one: one for one in table.header}, types={"data.price": "number"}))
    assert [issue.fix for issue in check_table(source).issues()] == [
        "It seems to be written as 1.234,5: name the type number:1.234,5 in the mapping, or correct the cell.",
        "Correct the cell; it is sent as text, as it is.",
    ]
