"""No false alarms: what files do to events is found in no good file, but for rows that were checked by hand."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from intempt_core.contract.fields import ID_FIELDS
from intempt_core.mapping.model import Mapping, exact_mapping
from intempt_core.mapping.table_events import choose_initial_mapping, map_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table
from intempt_core.validation.report import Report
from tests.core.readers.factories import table_of
from tests.core.readers.parquet_factories import parquet_of
from tests.core.readers.workbook_factories import rows_xml, workbook
from tests.data.samples import SHOP_EXPORT, SHOP_MAPPING, VENDOR_EVENTS, shared_data

CODES = ("id_damaged", "id_spreadsheet_text", "id_placeholder", "id_twins", "time_day_month_unclear", "row_repeated")

REPEATED_LINES = {  # lines that equal an earlier one, as `awk 'seen[$0]++ && NR > 1 {print NR}'` finds them
    "data_2022_dec.csv": "39 57 63 64 68 71 94 96 107 310 491 614 741 745 770 784 867 956 981",
    "data_2022_nov.csv": (
        "7 93 163 165 176 185 190 192 195 197 200 202 206 213 215 219 221 223 225 227 229 231 234 237 239 261 337 422"
        " 424 428 439 447 450 461 464 479 482 495 516 526 544 574 585 689 717 724 801 841 876 888 894 896"
    ),
    "data_2022_oct.csv": (
        "15 32 38 40 53 65 69 79 109 111 133 136 140 142 144 147 177 194 216 219 222 224 230 259 288 291 301 308 327"
        " 328 381 383 387 389 391 394 403 411 417 423 426 431 435 437 461 515 528 533 546 565 571 606 628 634 635 637"
        " 639 796 833 838 842 843 845 856 858 925 934 936 938 950 953 962 980 982 1000"
    ),
}


def shop_mapping() -> Mapping:
    return Mapping.from_json(SHOP_MAPPING.read_text("utf-8"))


def alarms(report: Report) -> dict[str, list[int]]:
    """The rows (from 1) of each code that fires."""
    found = {code: (report.rows_of(code) + 1).tolist() for code in CODES}
    return {code: rows for code, rows in found.items() if rows}


def copies(path: Path) -> list[tuple[str, bytes]]:
    """A CSV file as it is, as Parquet and as a workbook."""
    header, *rows = csv.reader(io.StringIO(path.read_text("utf-8"), newline=""))
    sheets = {"Events": rows_xml([header, *rows])}
    return [(path.name, path.read_bytes()), ("a.parquet", parquet_of(header, rows)), ("a.xlsx", workbook(sheets))]


def check_copies(path: Path) -> Sequence[dict[str, list[int]]]:
    tables = [read_table(data, name=name) for name, data in copies(path)]
    return [alarms(check_table(map_table(table, shop_mapping()))) for table in tables]


@pytest.mark.parametrize("name", REPEATED_LINES)
def test_a_shops_real_log_has_nothing_but_its_repeated_rows(name: str) -> None:
    rows = [int(line) - 1 for line in REPEATED_LINES[name].split()]
    assert check_copies(shared_data() / "cosmetics" / name) == [{"row_repeated": rows}] * 3


def test_our_sample_of_a_shops_log_has_nothing_but_its_repeated_rows() -> None:
    lines = SHOP_EXPORT.read_text("utf-8").split("\n")
    repeated = [number for number, line in enumerate(lines) if line in lines[:number]]
    assert 0 < len(repeated) < 20
    assert check_copies(SHOP_EXPORT) == [{"row_repeated": repeated}] * 3


def test_odd_but_good_files_fire_nothing() -> None:
    for path in sorted((shared_data() / "csv-spectrum" / "csvs").glob("*.csv")):
        table = read_table(path, name=path.name)
        columns = dict(zip(table.header, ID_FIELDS, strict=False))  # every column an id: the harshest look
        for mapping in (exact_mapping(table.header), Mapping(columns)):
            assert alarms(check_table(map_table(table, mapping))) == {}, path.name


def test_events_of_another_vendor_fire_nothing() -> None:
    for path in (VENDOR_EVENTS, *(shared_data() / "vendor-events").glob("*.jsonl")):
        table = read_table(path, name=path.name)
        for mapping in (choose_initial_mapping(table), exact_mapping(table.header)):
            assert alarms(check_table(map_table(table, mapping))) == {}, path.name


def test_the_categories_of_a_real_catalogue_are_damaged_as_a_whole() -> None:
    """Every one of its 19-digit ids equals its own double: that is no false alarm."""
    path = shared_data() / "cosmetics" / "item.csv"
    table = read_table(path, name=path.name)
    mapping = Mapping({"product_id": "data.productId", "category_id": "pageId"}, constants={"userId": "u"})
    report = check_table(map_table(table, mapping))
    cells = table.columns["category_id"].to_pylist()
    damaged = [row for row, cell in enumerate(cells) if len(cell) > 16 and int(float(cell)) == int(cell)]
    assert report.rows_of("id_damaged").tolist() == damaged
    assert "id_damaged" not in {issue.code for issue in report.issues() if issue.place.column == "product_id"}


GOOD_IDS = {
    "hexadecimal": ["0e5", "1e5f", "9a0b", "7e12", "12e4", "00ff"],
    "uuids": ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"],
    "snowflakes": ["1487580005268456287", "1487580005268457001", "1602943681873052386"],
    "base 62": ["aB3x", "Ab3X", "x9Kp", "X9kP", "qRsT"],
    "mail": ["anna@example.com", "ben.o'neil@example.com", "null@example.com"],
    "product codes": ["85123A", "71053", "84406B", "2D4", "2E5"],
    "barcodes": ["0004006381333931", "4006381333931", "8711253001202"],
    "prices as ids": ["1.5", "2.0", "10.25"],
    "names": ["Ängström", "Zoë", "李雷", "Nil", "Nan Goldin"],
    "words": ["Undefined Ltd", "none-of-us", "#12", "[7]", "(a)"],
}


@pytest.mark.parametrize("kind", GOOD_IDS)
def test_good_ids_fire_nothing(kind: str) -> None:
    header = ["name", "userId", "productId"]
    rows = [["Product viewed", id_, "p"] for id_ in GOOD_IDS[kind]]
    found = alarms(check_table(map_table(table_of(header, rows), exact_mapping(header))))
    assert found == ({"id_placeholder": [4]} if kind == "names" else {})  # “Nil” is what Ruby calls nobody


@pytest.mark.parametrize(
    "times",
    [
        ["2022-10-01 10:00:00 UTC", "2022-10-02 10:00:00 UTC"],
        ["2022-10-01", "2022-10-01 10:00", "2022-10-13T10:00:00Z"],
        ["1664618400123", "1664618400124"],
        ["2022-10-01", "", "2022-10-03"],
    ],
)
def test_good_times_fire_nothing(times: list[str]) -> None:
    header = ["name", "userId", "productId", "timestamp"]
    rows = [["Product viewed", f"u{row}", "p", time] for row, time in enumerate(times)]
    assert check_table(map_table(table_of(header, rows), exact_mapping(header))).counts == {}
