"""A Parquet file is read as text: every digit, every time with its zone, and whatever is broken as a sentence."""

import gzip
import hashlib
import io
import json
import struct
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow.parquet import encryption

from intempt_core.errors import ReadError
from intempt_core.exports.csv_files import export_excluded_csv, export_problems_csv
from intempt_core.fixes.table_fixes import Fix, FixKind, apply_fixes
from intempt_core.mapping.model import Mapping, exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.planning.plan import plan_table
from intempt_core.readers import parquet as reader
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.formats import PARQUET
from intempt_core.readers.limits import ReadLimits
from intempt_core.readers.table import Table, read_table
from intempt_core.validation.check import check_table
from intempt_core.validation.product_catalogue import read_catalogue_file
from tests.core.readers.parquet_factories import parquet, parquet_of

HEADER = ["name", "eventId", "userId", "productId", "timestamp"]
ROWS = [
    ["Product viewed", "e1", "u1", "p1", "2022-10-01T00:00:00Z"],
    ["Product viewed", "e2", "u2", "", "2022-10-01T00:00:00Z"],
    ["view", "e1", "u1", "p3", "yesterday"],
]


def read(data: bytes, **how: Any) -> Table:
    return read_table(data, name="shop.parquet", **how)


def cells(array: pa.Array, **options: Any) -> list[str]:
    """What a column of these values says."""
    found: list[str] = read(parquet({"a": array}, **options)).columns["a"].to_pylist()
    return found


def rejected(data: bytes, **how: Any) -> str:
    with pytest.raises(ReadError) as raised:
        read(data, **how)
    assert str(raised.value).endswith(".")
    assert len(str(raised.value)) < 500
    return str(raised.value)


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

NOON = datetime(2022, 10, 1, 12, 30, 5)  # noqa: DTZ001  a column without a zone


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([1487580005268456192, -1, None]), ["1487580005268456192", "-1", ""]),
        (pa.array([2**63 - 1, -(2**63)]), ["9223372036854775807", "-9223372036854775808"]),
        (pa.array([2**64 - 1, 0], pa.uint64()), ["18446744073709551615", "0"]),
        (pa.array([127, -128], pa.int8()), ["127", "-128"]),
        (
            pa.array([Decimal(12345678901234567890123456789012345678), Decimal(0)], pa.decimal128(38, 0)),
            ["12345678901234567890123456789012345678", "0"],
        ),
        (pa.array([Decimal("0.00000001"), Decimal("-19.9")], pa.decimal128(20, 8)), ["0.00000001", "-19.90000000"]),
        (pa.array([Decimal(10) ** 59], pa.decimal256(70, 0)), ["1" + "0" * 59]),
        (pa.array([17850.0, 0.1, 1e15, 1664627405250000.0, -0.0]), ["17850.0", "0.1", "1000000000000000.0",
                                                                     "1664627405250000.0", "-0.0"]),
        (pa.array([1e16, 1.4875800052684562e18, 5e-324]), ["1e+16", "1.4875800052684562e+18", "5e-324"]),
        (pa.array([float("nan"), float("inf"), float("-inf"), None]), ["nan", "inf", "-inf", ""]),
        (pa.array([0.1, 2.0, 16777216.0, 1e10], pa.float32()), ["0.1", "2.0", "16777216.0", "10000000000.0"]),
        (pa.array([True, False, None]), ["true", "false", ""]),
        (pa.array(["Köln", "", None, " x ", "null", "007"]), ["Köln", "", "", " x ", "null", "007"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array(["b", "a", None, "b"]).dictionary_encode(), ["b", "a", "", "b"]),
        (pa.array([7, None, 7]).dictionary_encode(), ["7", "", "7"]),
        (pa.array([b"text", None, "é".encode()]), ["text", "", "é"]),
        (pa.array([b"abcd"], pa.binary(4)), ["abcd"]),
        (pa.array([date(2022, 10, 1), None]), ["2022-10-01", ""]),
        (pa.array([date(2022, 10, 1)], pa.date64()), ["2022-10-01"]),
        (pa.array([time(12, 30, 5), time(0, 0, 0, 250000)], pa.time64("us")), ["12:30:05", "00:00:00.25"]),
        (pa.array([time(12, 30)], pa.time32("s")), ["12:30:00"]),
        (pa.nulls(2), ["", ""]),
        (pa.array([250], pa.duration("ms")), ["250"]),
        (pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(range(16)), None], pa.binary(16))),
         [str(UUID(bytes=bytes(range(16)))), ""]),
        (pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a":1}'])), ['{"a":1}']),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)  # fmt: skip
def test_every_type_is_text_to_the_last_digit(array: pa.Array, texts: list[str]) -> None:
    assert cells(array) == texts
    assert cells(array, use_dictionary=False, compression="none", data_page_version="2.0") == texts


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_time_says_its_zone_as_its_column_does(unit: str) -> None:
    def texts(zone: str | None, *moments: datetime | None) -> list[str]:
        return cells(pa.array(moments, pa.timestamp(unit, zone)))

    assert texts(None, NOON, None) == ["2022-10-01T12:30:05", ""]
    assert texts("UTC", NOON) == ["2022-10-01T12:30:05Z"]
    assert texts("Europe/Berlin", NOON, NOON + timedelta(days=60)) == [
        "2022-10-01T14:30:05+02:00",
        "2022-11-30T13:30:05+01:00",
    ]
    assert texts("-03:30", NOON) == ["2022-10-01T09:00:05-03:30"]
    assert texts("Asia/Kolkata", NOON, None) == ["2022-10-01T18:00:05+05:30", ""]
    assert texts("Europe/London", NOON + timedelta(days=60)) == ["2022-11-30T12:30:05+00:00"]


def test_a_fraction_of_a_second_has_no_more_digits_than_it_needs() -> None:
    moments = [NOON.replace(microsecond=some) for some in (0, 250_000, 1)]
    assert cells(pa.array(moments, pa.timestamp("us"))) == [
        "2022-10-01T12:30:05",
        "2022-10-01T12:30:05.25",
        "2022-10-01T12:30:05.000001",
    ]
    nanos = pa.array([1_664_627_405_000_000_007]).cast(pa.timestamp("ns", "UTC"))
    assert cells(nanos) == ["2022-10-01T12:30:05.000000007Z"]


def test_a_zone_that_is_not_known_is_written_in_utc_and_noted() -> None:
    table = read(parquet({"at": pa.array([NOON], pa.timestamp("us", "Mars/Base"))}))
    assert table.columns["at"].to_pylist() == ["2022-10-01T12:30:05Z"]
    assert table.notes == ("Times of a zone that is not known here are written in UTC: “at”.",)


def test_times_of_the_old_kind_keep_far_years() -> None:
    far = [datetime(9999, 12, 31), datetime(1, 1, 1), NOON]  # noqa: DTZ001
    data = parquet({"at": pa.array(far, pa.timestamp("us"))}, use_deprecated_int96_timestamps=True)
    table = read(data)
    assert table.columns["at"].to_pylist() == ["9999-12-31T00:00:00", "0001-01-01T00:00:00", "2022-10-01T12:30:05"]
    assert table.notes == ("Times of the old kind INT96 are read to the microsecond: “at”.",)


def test_a_time_without_a_zone_is_in_that_of_the_mapping() -> None:
    table = read(parquet({"at": pa.array([NOON], pa.timestamp("us")), "userId": ["u"]}))
    mapping = Mapping({"at": "timestamp", "userId": "userId"}, time_zone="Europe/Berlin")
    assert map_table(table, mapping).event(0).body["timestamp"] == 1664620205000  # 10:30:05 UTC


@given(
    st.lists(st.floats() | st.floats(1e14, 1e17) | st.integers(-(2**53), 2**53).map(float), max_size=20),
    st.lists(st.floats(width=32), max_size=20),
)
def test_a_float_reads_back_as_itself_and_says_that_it_is_one(doubles: list[float], singles: list[float]) -> None:
    for floats, kind in ((doubles, np.float64), (singles, np.float32)):
        for text, value in zip(cells(pa.array(np.array(floats, kind))), floats, strict=True):
            assert kind(text) == value or value != value  # noqa: PLR0124  not a number
            assert any(sign in text for sign in ".en")


@given(st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)), max_size=10))  # noqa: DTZ001
def test_a_time_is_the_same_moment_in_whatever_zone_it_is_written(moments: list[datetime]) -> None:
    for zone in ("UTC", "America/New_York", "+05:30"):
        texts = cells(pa.array(moments, pa.timestamp("us", zone)))
        assert [datetime.fromisoformat(text) for text in texts] == [one.replace(tzinfo=UTC) for one in moments]


# ── columns in columns, and several values ───────────────────────────────────────────────────────────────────────────


def test_columns_in_a_column_are_called_by_both_names() -> None:
    data = pa.array(
        [{"productId": 507, "shop": {"id": "eu"}}, None, {"productId": None, "shop": None}],
        pa.struct([("productId", pa.int64()), ("shop", pa.struct([("id", pa.string())]))]),
    )
    table = read(parquet({"userId": ["a", "b", "c"], "data": data}))
    assert table.header == ("userId", "data.productId", "data.shop.id")
    assert table.columns["data.productId"].to_pylist() == ["507", "", ""]
    assert table.columns["data.shop.id"].to_pylist() == ["eu", "", ""]
    assert table.notes == ("Columns inside a column are called by both names: “data.productId”, “data.shop.id”.",)
    assert exact_mapping(table.header).columns["data.productId"] == "data.productId"


ITEM = pa.struct([("sku", pa.int64()), ("price", pa.decimal128(9, 2)), ("at", pa.timestamp("s", "UTC"))])


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([[1, None], [], None], pa.list_(pa.int64())), ["[1,null]", "[]", ""]),
        (pa.array([[1487580005268456192]], pa.large_list(pa.uint64())), ["[1487580005268456192]"]),
        (pa.array([[1.0, float("nan")]], pa.list_(pa.float64())), ['[1.0,"nan"]']),
        (pa.array([["a\"b", "é"], None]), ['["a\\"b","é"]', ""]),
        (pa.array([[[1], [2, 3]], [[]]]), ["[[1],[2,3]]", "[[]]"]),
        (pa.array([[1, 2], None], pa.list_(pa.int64(), 2)), ["[1,2]", ""]),
        (pa.array([[("k", True)], [], None], pa.map_(pa.string(), pa.bool_())), ['{"k":true}', "{}", ""]),
        (pa.array([[(7, "x")]], pa.map_(pa.int64(), pa.string())), ['{"7":"x"}']),
        (
            pa.array([[{"sku": 507, "price": Decimal("1.50"), "at": NOON}, None, {}]], pa.list_(ITEM)),
            ['[{"sku":507,"price":1.50,"at":"2022-10-01T12:30:05Z"},null,{"sku":null,"price":null,"at":null}]'],
        ),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)  # fmt: skip
def test_what_holds_several_values_is_json(array: pa.Array, texts: list[str]) -> None:
    table = read(parquet({"a": array}))
    assert table.columns["a"].to_pylist() == texts
    assert all(json.loads(text) is not None for text in texts if text)
    assert table.notes == ("What holds several values is written as JSON: “a”.",)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_are_known_by_their_numbers_and_have_no_lines() -> None:
    table = read(parquet_of(HEADER, ROWS))
    assert (table.rows, table.lines.tolist(), table.format) == (3, [1, 2, 3], PARQUET)
    assert (table.line_numbers([0, 2]), table.describe_row(2)) == ([None, None], "row 3")
    report = check_table(map_table(table, exact_mapping(table.header)))
    assert {code: report.rows_of(code).tolist() for code in report.counts} == {
        "product_id_missing": [1],
        "event_name": [2],
        "timestamp_unreadable": [2],
        "event_id_repeated": [2],
    }
    issues = {issue.code: issue for row in (1, 2) for issue in report.issues_of(row)}
    assert issues["product_id_missing"].place.line is None
    assert str(issues["event_id_repeated"].fix).startswith("It is the id of row 1,")
    assert issues["timestamp_unreadable"].sentence.startswith("Row 3, column timestamp")


def test_the_file_is_known_by_its_bytes_and_read_the_same_in_gzip_and_from_a_path(tmp_path: Path) -> None:
    data = parquet_of(HEADER, ROWS)
    (tmp_path / "events.csv").write_bytes(data)  # whatever it is called
    packed = gzip.compress(data)
    tables = [read(data), read_table(tmp_path / "events.csv", name="events.csv"), read(packed)]
    assert [table.digest for table in tables] == [hashlib.sha256(one).hexdigest() for one in (data, data, packed)]
    assert [table.size for table in tables] == [len(data), len(data), len(packed)]
    for table in tables:
        assert [table.record(row) for row in range(3)] == [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    assert tables[2].notes == (f"The file was unpacked: {len(packed):,} bytes became {len(data):,}.",)
    assert read(data, dialect=Dialect("cp1252", ";", rows_to_skip=2)).rows == 3  # nothing of it can be chosen


def test_made_ids_fixes_bodies_and_the_export_of_excluded_rows_are_those_of_the_same_rows_as_csv() -> None:
    header = [column for column in HEADER if column != "eventId"]
    rows = [[cell for column, cell in zip(HEADER, row, strict=True) if column != "eventId"] for row in ROWS]
    text = "\n".join(",".join(row) for row in (header, *rows))
    tables = (read(parquet_of(header, rows)), read_table(text.encode(), name="shop.csv"))
    mapped = [map_table(table, exact_mapping(table.header)) for table in tables]
    assert mapped[0].column_view.made_ids.to_pylist() == mapped[1].column_view.made_ids.to_pylist()
    fixes = [
        Fix(FixKind.REPLACE, "name", old="view", new="Product viewed"),
        Fix(FixKind.PUT, "productId", (1,), "", "p2"),
    ]
    fixed = [apply_fixes(one, fixes).mapped for one in mapped]
    reports = [check_table(one) for one in fixed]
    assert [report.rows_with_errors for report in reports] == [1, 1]
    plan, other = (plan_table(one, range(3)) for one in fixed)
    assert [plan.body(request) for request in plan.requests] == [other.body(request) for request in other.requests]
    ours, theirs = (
        "".join(export_excluded_csv(one.table, report, [2])) for one, report in zip(fixed, reports, strict=True)
    )
    assert ours == theirs
    assert "yesterday" in ours
    problems = "".join(export_problems_csv(reports[0]))
    assert "\n3,," in problems.replace("\r", "")  # row 3, no line


def test_a_file_of_no_rows_has_its_columns() -> None:
    for data in (parquet_of(HEADER, []), parquet(pa.table({"a": pa.nulls(0)}))):
        table = read(data)
        assert (table.rows, table.notes) == (0, ("There are columns and no row.",))
        assert {len(column) for column in table.columns.values()} == {0}
    assert read(parquet_of(HEADER, [])).header == tuple(HEADER)


@pytest.mark.parametrize("limit", [1, 20_000, 10_000_000])  # the file on disk, the table there, neither
def test_several_row_groups_are_read_piece_by_piece_and_a_large_table_lies_on_disk(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(reader, "PARQUET_BATCH_ROWS", 70)
    monkeypatch.setattr(reader, "PARQUET_BATCH_BYTES", 1000)
    count = 2000
    columns = {"n": pa.array(range(count)), "text": [f"{'x' * (row % 50)}{row % 7}" for row in range(count)]}
    table = read(parquet(columns, row_group_size=300), limits=ReadLimits(memory_bytes=limit))
    assert table.columns["n"].to_pylist() == [str(row) for row in range(count)]
    assert table.columns["text"].to_pylist() == columns["text"]
    assert table.columns["n"].num_chunks > count // 70
    assert (table.mapped_file is not None) == (limit < 10_000_000)
    assert table.lines[-1] == count
    table.release_memory()
    assert table.cell(count - 1, "n") == str(count - 1)


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_columns_keep_their_names_whatever_they_look_like() -> None:
    table = read(parquet({"2022": [1], " b": [2], "": [3], "Product viewed": [4]}))
    assert table.header == ("2022", " b", "column 3", "Product viewed")
    assert table.notes == (
        "Columns without a name are called by their number: “column 3”.",
        "White space around a column's name belongs to the name: “[space]b”.",
    )


def test_two_columns_of_one_name_are_rejected_with_both_numbers() -> None:
    twice = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["price", "a", "price"])
    assert "columns 1 and 3 are both called “price”" in rejected(parquet(twice))
    inner = pa.table({"data": pa.array([{"id": 1}]), "data.id": [2]})
    assert "columns 1 and 2 are both called “data.id”" in rejected(parquet(inner))


@pytest.mark.long
def test_ten_thousand_columns_are_read_and_more_than_a_sheet_has_are_rejected() -> None:
    table = read(parquet({f"c{number}": [number, None] for number in range(10_000)}))
    assert (table.rows, len(table.header)) == (2, 10_000)
    assert (table.cell(0, "c9999"), table.cell(1, "c9999")) == ("9999", "")
    assert "20,000 columns" in rejected(parquet({f"c{number}": [1] for number in range(20_000)}))


@pytest.mark.parametrize("levels", [60, pytest.param(3_000, marks=pytest.mark.long)])
def test_columns_that_are_nested_too_deeply_are_rejected_as_what_they_are(levels: int) -> None:
    array = pa.array(["x"])
    for _ in range(levels):
        array = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), array)
    assert "nested too deeply" in rejected(parquet({"a": array}))


def test_decimal_ids_keep_their_places_and_that_is_said() -> None:
    table = read(parquet({"userId": pa.array([Decimal(17850)], pa.decimal128(38, 9)), "n": pa.array([Decimal(7)])}))
    assert (table.cell(0, "userId"), table.cell(0, "n")) == ("17850.000000000", "7")
    assert table.notes == ("Decimal numbers are written with every place of their type, whole ones too: “userId”.",)


def test_a_dictionary_of_one_large_text_cannot_become_ten_gigabytes() -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1_200, pa.int32()), pa.array(["x" * 9_000_000]))
    assert "Up to 2,000,000,000 are taken" in rejected(parquet({"a": texts}))


def test_a_file_without_columns_is_rejected() -> None:
    assert "has no column" in rejected(parquet(pa.table({})))


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(3)])
@pytest.mark.parametrize("dictionary", [True, False])
def test_bytes_that_are_no_text_are_rejected_with_their_row_and_column(kind: pa.DataType, *, dictionary: bool) -> None:
    raw = pa.array([b"abc"] * 5 + [b"a\xffc", b"abc"], kind)
    error = rejected(parquet({"ok": list(range(7)), "picture": raw}, use_dictionary=dictionary))
    assert error.startswith("shop.parquet, row 6: column “picture” holds bytes that are no text in UTF-8.")


def test_a_file_that_was_cut_is_rejected_wherever() -> None:
    data = parquet_of(HEADER, ROWS)
    for end in (5, 8, 12, len(data) // 2, len(data) - 8, len(data) - 1):
        assert "the Parquet file was cut, or is broken" in rejected(data[:end])
    assert "cannot be unpacked" in rejected(gzip.compress(data)[:-9])


def test_a_broken_page_is_a_sentence() -> None:
    whole = parquet({"a": list(range(5000))}, use_dictionary=False, compression="none", write_page_checksum=True)
    data = bytearray(whole)
    at = data.index(struct.pack("<q", 4000))
    data[at] ^= 1
    assert "the Parquet file was cut, or is broken" in rejected(bytes(data))
    assert read(whole).cell(4000, "a") == "4000"


class KeyService(encryption.KmsClient):  # type: ignore[misc]  # pyarrow ships no types
    """It keeps the master key of a test to itself."""

    def wrap_key(self, key_bytes: bytes, _: str) -> bytes:
        return key_bytes.hex().encode()

    def unwrap_key(self, wrapped_key: bytes, _: str) -> bytes:
        return bytes.fromhex(bytes(wrapped_key).decode())


@pytest.mark.parametrize("plain_footer", [True, False])
def test_an_encrypted_file_is_rejected_as_what_it_is(*, plain_footer: bool) -> None:
    factory = encryption.CryptoFactory(lambda _: KeyService())
    config = encryption.EncryptionConfiguration("footer", column_keys={"key": ["a"]}, plaintext_footer=plain_footer)
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), config)
    file = io.BytesIO()
    table = pa.table({"a": [1], "b": ["x"]})
    with pq.ParquetWriter(file, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    assert "is an encrypted Parquet file" in rejected(file.getvalue())


def test_a_small_file_cannot_become_a_huge_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_UNPACKED_BYTES", 1_000_000)
    rows = parquet({"a": pa.repeat(pa.scalar(1, pa.int8()), 300_000)})
    assert len(rows) < 3000
    assert "becomes 1,200,000 or more as text. Up to 1,000,000 are taken." in rejected(rows)
    texts = parquet({"a": pa.repeat(pa.scalar("x" * 10_000), 1000)})  # one long text that every row has
    assert len(texts) < 3000
    assert "becomes 10,004,000 or more as text" in rejected(texts)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_any_bytes_in_a_file_are_a_table_or_rejected_with_a_sentence(at: int, noise: bytes) -> None:
    data = parquet(
        {
            "id": [1, 2, None],
            "name": ["Product viewed", "view", None],
            "data": [{"price": 1.5}, None, {"price": None}],
            "tags": [["a"], [], None],
            "at": pa.array([NOON, None, NOON], pa.timestamp("ms", "UTC")),
        }
    )
    at %= len(data)
    try:
        table = read(data[:at] + noise + data[at + len(noise) :])
    except ReadError as error:
        sentence = str(error)
    else:
        sentence = "."
        assert {len(column) for column in table.columns.values()} == {table.rows}
        assert not any(column.null_count for column in table.columns.values())
    assert sentence.endswith(".")


# ── other doors ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_catalogue_may_be_parquet() -> None:
    file = read_catalogue_file(
        parquet({"productId": [1487580005268456192], "name": ["Lipstick"]}), name="items.parquet"
    )
    assert (file.id_column, file.rows) == ("productId", 1)
    assert file.columns["productId"].to_pylist() == ["1487580005268456192"]


def test_a_fixed_offset_is_an_offset() -> None:
    moment = datetime(2022, 10, 1, 14, 30, 5, tzinfo=timezone(timedelta(hours=2)))
    assert cells(pa.array([moment], pa.timestamp("s", "+02:00"))) == ["2022-10-01T14:30:05+02:00"]
