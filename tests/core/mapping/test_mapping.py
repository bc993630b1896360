"""What mapping promises: nothing guessed silently, nothing dropped silently, every value kept."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.body import dump_json
from intempt_core.errors import MappingError
from intempt_core.mapping.model import Mapping, MappingSuggestion, exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.mapping.values import is_cell_of_type, make_event_id, make_event_ids, parse_cell, parse_time
from tests.core.readers.factories import table_of

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
SHOP = ["event_time", "event_type", "product_id", "price", "user_id", "user_session"]


# ── the mapping file ──


def test_the_mapping_file_of_the_design_is_read() -> None:
    text = """{"columns": {"product_id": "data.productId", "user_id": "userId", "event_type": "name",
        "event_time": "timestamp", "price": "data.price"}, "names": {"view": "Product viewed"},
        "types": {"data.price": "number"}, "constants": {"data.shop": {"id": 7}}, "time_zone": "Europe/Berlin"}"""
    mapping = Mapping.from_json(text)
    assert mapping.columns["event_type"] == "name"
    assert mapping.constants == {"data.shop": {"id": 7}}
    assert Mapping.from_json(mapping.to_json()) == mapping


def test_what_a_mapping_file_leaves_out_is_empty_and_utc() -> None:
    assert Mapping.from_json("{}") == Mapping({}, {}, {}, {}, "UTC")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.dictionaries(st.text(max_size=4), json_values, max_size=3))
def test_a_saved_mapping_comes_back_the_same(columns: dict[str, str], given_constants: dict[str, object]) -> None:
    mapping = Mapping(
        {column: f"data.{number}" for number, column in enumerate(columns)},
        names={f"x{cell}": "Added to cart" for cell in columns},
        types={f"data.{number}": "integer" for number in range(len(columns))},
        constants={f"userAttributes.{key}": value for key, value in given_constants.items()},
        time_zone="Asia/Tokyo",
    )
    assert Mapping.from_json(mapping.to_json()) == mapping


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "The mapping is no JSON: Expecting property name enclosed in double quotes (line 1)."),
        ("[]", "The mapping is not an object."),
        ("[" * 100_000, "no JSON"),
        ('{"constants": {"data.x": NaN}}', "NaN is no JSON number"),
        ('{"columns": {"a": "userId", "a": "eventId"}}', "the key “a” is twice"),
        ('{"timezone": "UTC"}', "a key “timezone”. Did you mean “time_zone”?"),
        ('{"columns": ["a"]}', "“columns” of the mapping is not an object of text to text."),
        ('{"names": {"a": 5}}', "“names” of the mapping is not an object of text to text."),
        ('{"constants": []}', "“constants” of the mapping is not an object"),
        ('{"time_zone": 1}', "“time_zone” of the mapping is not text"),
        ('{"columns": {"uid": "userID"}}', "Column “uid” is mapped to “userID”, no field. Did you mean “userId”?"),
        ('{"columns": {"sku": "productId"}}', "Did you mean “data.productId”?"),
        ('{"columns": {"x": "colour"}}', "Further data is written “data.colour”."),
        ('{"columns": {"x": "data"}}', "“data”, no field."),
        ('{"columns": {"a": "userId", "b": "userId"}}', "Columns “a” and “b” are both mapped to userId."),
        (
            '{"columns": {"a": "userId"}, "types": {"userId": "number"}}',
            "userId has the type “number”, but ids are always",
        ),
        ('{"columns": {"a": "timestamp"}, "types": {"timestamp": "integer"}}', "read in its own way"),
        ('{"columns": {"a": "data.x"}, "types": {"data.x": "numbre"}}', "“numbre”. Did you mean “number”?"),
        ('{"columns": {"a": "data.price"}, "types": {"data.prise": "number"}}', "Did you mean “data.price”?"),
        ('{"types": {"data.price": "number"}}', "no column is mapped. It takes none."),
        (
            '{"names": {"view": "Product Viewed"}}',
            "“view” is mapped to “Product Viewed”. Did you mean “Product viewed”?",
        ),
        ('{"names": {"": "Product viewed"}}', "An empty name is mapped."),
        ('{"constants": {"uid": 1}}', "A constant is given for “uid”, no field."),
        ('{"columns": {"a": "userId"}, "constants": {"userId": 1}}', "userId has a constant and column “a”."),
        ('{"time_zone": "Europe/Berlim"}', "There is no time zone “Europe/Berlim”. Did you mean “Europe/Berlin”?"),
        ('{"time_zone": "../etc/passwd"}', "There is no time zone"),
        ('{"time_zone": "Europe"}', "There is no time zone"),
    ],
)
def test_a_wrong_mapping_file_is_explained_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(MappingError) as error:
        Mapping.from_json(text)
    assert says in str(error.value)


def test_a_mapping_that_is_half_done_may_be_held_but_not_used() -> None:
    half = Mapping({"a": "userId", "b": "userId"})
    with pytest.raises(MappingError, match="both mapped to userId"):
        map_table(table_of(["a", "b"], []), half)


def test_a_column_that_the_file_lacks_is_named_with_its_nearest() -> None:
    with pytest.raises(MappingError, match=r"no column “user-id”\. Did you mean “user_id”"):
        map_table(table_of(["user_id"], []), Mapping({"user-id": "userId"}))


# ── exact headers, and what a person accepts ──


def test_exact_headers_are_taken_and_nothing_is_guessed_or_dropped() -> None:
    header = ["name", "eventId", "productId", "Price", "user_id", "userAttributes.plan", "expect", "price.net", ""]
    assert exact_mapping(header).columns == {
        "name": "name",
        "eventId": "eventId",
        "productId": "data.productId",
        "Price": "data.Price",
        "user_id": "data.user_id",
        "userAttributes.plan": "userAttributes.plan",
        "price.net": "data.price.net",
        "": "data.",
    }
    assert exact_mapping(["data.productId"]).columns == {"data.productId": "data.productId"}


def test_two_exact_spellings_of_the_product_id_are_rejected() -> None:
    header = ["productId", "data.productId"]
    with pytest.raises(MappingError, match=r"“productId” and “data\.productId” are both mapped to data\.productId"):
        map_table(table_of(header, []), exact_mapping(header))


def test_a_key_with_a_dot_stays_one_key() -> None:
    mapped = map_table(table_of(["price.net"], [["5"]]), exact_mapping(["price.net"]))
    assert mapped.event(0).body["data"] == {"price.net": "5"}


def test_a_type_follows_its_column_to_another_field() -> None:
    mapping = Mapping({"amount": "data.amount"}, types={"data.amount": "number"})
    assert mapping.accept(MappingSuggestion("amount", "data.price", "It says so.")).types == {}


def test_an_accepted_product_id_takes_the_place_of_the_one_before() -> None:
    mapping = exact_mapping(["sku", "item_id", "productId"])
    for column in ("sku", "item_id"):
        mapping = mapping.accept(MappingSuggestion(column, "data.productId", "Somebody says so.", exclusive=True))
    assert mapping.columns == {"sku": "data.sku", "item_id": "data.productId"}
    mapping.check()


# ── events ──


def test_a_row_becomes_an_event_with_its_place() -> None:
    table = table_of(
        ["who", "what", "n", "when", "id"], [["", "", "", "", ""], ["u", "view", "012", "2022-10-01", "7"]]
    )
    mapping = Mapping(
        {"id": "eventId", "who": "userId", "what": "name", "n": "data.productId", "when": "timestamp"},
        names={"view": "Product viewed"},
        constants={"data.shop": [1], "accountAttributes.plan": None},
    )
    mapped = map_table(table, mapping)
    event = mapped.event(1)
    assert event.name == "Product viewed"
    assert event.body == {
        "eventId": "7",
        "userId": "u",
        "timestamp": 1664582400000,
        "data": {"shop": [1], "productId": "012"},
        "accountAttributes": {"plan": None},
    }
    place = event.place_of("data.productId")
    assert (place.row, place.line, place.column, place.pointer) == (2, 3, "n", "/data/productId")
    assert mapped.event(0).body == {"data": {"shop": [1]}, "accountAttributes": {"plan": None}}
    assert mapped.event(0).name is None


def test_unmapped_columns_are_listed_and_not_sent() -> None:
    mapped = map_table(table_of(["a", "b"], [["1", "private"]]), Mapping({"a": "userId"}))
    assert mapped.unused_columns == ("b",)
    assert "private" not in str(mapped.event(0).body)


def test_events_come_in_the_order_asked_for() -> None:
    mapped = map_table(table_of(["userId"], [[str(number)] for number in range(10)]), Mapping({"userId": "userId"}))
    assert [event.body["userId"] for event in mapped.events([7, 0, 7])] == ["7", "0", "7"]
    assert [event.place.row for event in mapped.events()] == list(range(1, 11))


def test_an_unreadable_time_stays_as_given() -> None:
    mapped = map_table(table_of(["timestamp"], [["yesterday"]]), exact_mapping(["timestamp"]))
    assert mapped.event(0).body["timestamp"] == "yesterday"


# ── typed cells ──


@pytest.mark.parametrize(
    ("cell", "kind", "value"),
    [
        ("12.50", "number", 12.5),
        ("12", "number", 12),
        (" 5 ", "integer", 5),
        ("123456789012345678901234567890", "integer", 123456789012345678901234567890),
        ("TRUE", "boolean", True),
        ("false", "boolean", False),
        ("1e3", "number", 1000.0),
    ],
)
def test_a_typed_cell_is_read(cell: str, kind: str, value: object) -> None:
    found = parse_cell(cell, kind)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("007", "number"),
        ("1,234", "number"),
        ("nan", "number"),
        ("1e999", "number"),
        ("1e-999", "number"),
        ("١", "integer"),
        ("0.1234567890123456789", "number"),
        ("12.0", "integer"),
        ("1", "boolean"),
        ("yes", "boolean"),
        ("9" * 5000, "integer"),
        ("5", "text"),
        ("1e5", "integer"),
        ("0e99999999999999999999999", "number"),
        ("true", "text"),
    ],
)
def test_a_cell_that_is_not_of_its_type_stays_text(cell: str, kind: str) -> None:
    assert parse_cell(cell, kind) == cell
    assert is_cell_of_type(cell, kind) == (kind == "text")


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["number", "integer"]),
)
def test_a_number_keeps_its_value_exactly_or_stays_text(cell: str, kind: str) -> None:
    value = parse_cell(cell, kind)
    if not isinstance(value, str):
        assert Decimal(dump_json(value).decode()) == Decimal(cell)


# ── times ──


@pytest.mark.parametrize(
    ("text", "zone", "iso"),
    [
        ("2022-10-01 00:00:00 UTC", BERLIN, "2022-10-01T00:00:00+00:00"),
        ("2022-10-01T00:00:00Z", BERLIN, "2022-10-01T00:00:00+00:00"),
        ("2022-10-01T00:00Z", BERLIN, "2022-10-01T00:00:00+00:00"),
        ("2022-10-01 02:00:00", BERLIN, "2022-10-01T00:00:00+00:00"),
        ("2022-10-01", BERLIN, "2022-09-30T22:00:00+00:00"),
        ("2022-10-01 00:00", UTC_ZONE, "2022-10-01T00:00:00+00:00"),
        ("2022-10-01T00:00:00.123999-05:30", BERLIN, "2022-10-01T05:30:00.123+00:00"),
        ("2022-10-01 00:00:00,5 +0200", UTC_ZONE, "2022-09-30T22:00:00.500+00:00"),
        ("2022-10-30 02:30:00", BERLIN, "2022-10-30T00:30:00+00:00"),
        ("2022-03-27 02:30:00", BERLIN, "2022-03-27T01:30:00+00:00"),
        (" 1664582400000 ", UTC_ZONE, "2022-10-01T00:00:00+00:00"),
        ("1664582400000.0", UTC_ZONE, "2022-10-01T00:00:00+00:00"),
    ],
)
def test_times_are_read(text: str, zone: ZoneInfo, iso: str) -> None:
    assert parse_time(text, zone) == round(datetime.fromisoformat(iso).timestamp() * 1000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "yesterday",
        "01/10/2022",
        "2022-13-01",
        "2022-02-29",
        "2022-10-01 24:00",
        "2022-10-01 00:00:60",
        "1.66E+12",
        "2022-10-01 00:00.5",
        "2022-10-01 00:00:00 CET",
        "2022-10-01 00:00:00+25:00",
        "1664582400000.5",
        "١٢",
        "9" * 5000,
        "2022-10-01 00:00:00\n",
        "20221001T000000",
    ],
)
def test_what_is_no_time_is_unreadable(text: str) -> None:
    assert parse_time(text, UTC_ZONE) is None


@given(
    st.datetimes(timezones=st.builds(lambda m: timezone(timedelta(minutes=m)), st.integers(-1439, 1439))),
    st.sampled_from(["T", " "]),
)
def test_every_iso_time_is_read_as_python_reads_it(time: datetime, separator: str) -> None:
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_time(time.isoformat(separator), BERLIN) == since // timedelta(milliseconds=1)


# ── made event ids ──


@given(
    st.lists(st.lists(st.text(alphabet="a\x1e\x1f01,", max_size=3), min_size=2, max_size=2), max_size=12),
    st.none() | st.text(),
)
def test_made_ids_are_one_per_row_and_the_same_row_by_row(rows: list[list[str]], fresh: str | None) -> None:
    table = table_of(["a", "b"], rows)
    made = map_table(table, exact_mapping(table.header), fresh)
    seen: dict[tuple[str, ...], int] = {}
    expected = []
    for row in rows:
        number = seen[tuple(row)] = seen.get(tuple(row), 0) + 1
        expected.append(make_event_id(row, number, fresh))
    assert [event.body["eventId"] for event in made.events()] == expected
    assert len(set(expected)) == len(rows)


@pytest.mark.parametrize("block_rows", [1, 3, 50])
def test_made_ids_do_not_depend_on_how_many_rows_are_read_at_a_time(
    monkeypatch: pytest.MonkeyPatch, block_rows: int
) -> None:
    rows = [[f"{number % 7}", f"{number % 2}"] for number in range(50)]
    monkeypatch.setattr("intempt_core.mapping.values.ID_BLOCK_ROWS", block_rows)
    made = make_event_ids(table_of(["a", "b"], rows), None).to_pylist()
    assert made == [make_event_id(row, rows[: number + 1].count(row)) for number, row in enumerate(rows)]


def test_a_corrected_copy_gives_the_same_ids_to_the_same_rows() -> None:
    rows = [["view", "1"], ["cart", "2"], ["cart", "2"], ["view", "9"]]
    corrected = [["view", "1"], ["Added to cart", "2"], ["cart", "2"], ["cart", "2"], ["view", "9"]]
    header = ["name", "productId"]
    before, after = (
        [event.body["eventId"] for event in map_table(table_of(header, some), exact_mapping(header)).events()]
        for some in (rows, corrected)
    )
    assert before == [after[0], after[2], after[3], after[4]]


def test_fresh_ids_are_others_and_repeatable() -> None:
    assert make_event_id(["a"], 1) == make_event_id(["a"], 1)
    assert len({make_event_id(["a"], 1, fresh) for fresh in (None, "", "run 1", "run 2")}) == 4


def test_ids_are_made_only_where_nothing_gives_them() -> None:
    table = table_of(["id"], [[""]])
    assert map_table(table, Mapping({"id": "userId"})).makes_ids
    assert "eventId" not in map_table(table, Mapping({"id": "eventId"})).event(0).body
    assert map_table(table, Mapping({"id": "userId"}, constants={"eventId": 7})).event(0).body["eventId"] == 7


def test_a_mapping_file_is_plain_json() -> None:
    assert json.loads(Mapping({"é": "userId"}).to_json())["columns"] == {"é": "userId"}
