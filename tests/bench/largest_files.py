"""The largest files that the upload takes, of every kind: honest ones, and those that someone made to stop the console.

Their sizes are those of the issue and of the settings, times a scale, so that a benchmark takes minutes.
"""

import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from tests.bench import event_files
from tests.core.readers.workbook_factories import workbook

LARGEST_MB = 500
"""Megabytes of the largest file that is taken (CONSOLE_UPLOAD_MB)."""

CELL_MB = 200
"""Megabytes of the cell, and of the line, with which the console was attacked."""

WIDTH = 16_000
"""Columns of the header with which it was attacked."""

WIDE_MB = 20
"""Megabytes of the table with so many columns."""

MAX_SHEET_ROWS = 1_048_576
"""Rows of a sheet at the most."""

ROWS_PER_MB = 10_600
"""Rows of an event file that are a megabyte of text."""


def write_largest_files(folder: Path, scale: float) -> list[Path]:
    """Write ten files into a folder, the honest ones of :data:`LARGEST_MB` times ``scale``."""
    rows = int(LARGEST_MB * scale * ROWS_PER_MB)
    plain = folder / "events.csv"
    event_files.write(plain, rows, 0.02)
    found = [plain]
    for name, write in _WRITERS.items():
        found.append(folder / name)
        write(plain, folder / name, scale)
    return found


def write_hostile_file(folder: Path, name: str, scale: float = 1.0) -> Path:
    """Write one of the files with which the console was attacked: its cell or line has :data:`CELL_MB`."""
    plain, path = folder / "plain.csv", folder / name
    event_files.write(plain, int(WIDE_MB * scale * ROWS_PER_MB), 0.02)
    _WRITERS[name](plain, path, scale)
    return path


def _write_json_lines(plain: Path, path: Path, _scale: float) -> None:
    size = 0
    with path.open("w") as out:
        for batch in csv.open_csv(plain):
            for row in batch.to_pylist():
                event = {key: row[key] for key in ("name", "eventId", "userId", "timestamp")}
                size += out.write(json.dumps({**event, "data": {"productId": row["productId"], "price": row["price"]}}))
                size += out.write("\n")
            if size >= plain.stat().st_size:
                return


def _write_utf_16(plain: Path, path: Path, _scale: float) -> None:
    with plain.open() as given, path.open("w", encoding="utf-16") as out:
        while out.tell() < plain.stat().st_size:
            out.write(given.read(1 << 20))


def _write_gzip(plain: Path, path: Path, _scale: float) -> None:
    with plain.open("rb") as given, gzip.open(path, "wb", 1) as out:
        shutil.copyfileobj(given, out)


def _write_parquet(plain: Path, path: Path, _scale: float) -> None:
    table = csv.read_csv(
        plain, convert_options=csv.ConvertOptions(column_types=dict.fromkeys(event_files.HEADER, pa.string()))
    )
    pq.write_table(table, path)


def _write_workbook(plain: Path, path: Path, scale: float) -> None:
    """A sheet whose XML is as large as the largest file; in its archive it is a tenth of that."""
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"Events": "</sheetData>"}))) as empty,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        plain.open() as given,
    ):
        sheet = "xl/worksheets/sheet1.xml"
        for member in empty.namelist():
            if member != sheet:
                archive.writestr(member, empty.read(member))
        with archive.open(sheet, "w", force_zip64=True) as out:
            size = out.write(empty.read(sheet).partition(b"</sheetData>")[0])
            for number, line in enumerate(given):
                if number == MAX_SHEET_ROWS or size >= LARGEST_MB * scale * 1e6:
                    break
                cells = line.rstrip().replace('"', "").split(",")
                size += out.write(f"<row>{''.join(map(cell.format, cells))}</row>".encode())
            out.write(b"</sheetData></worksheet>")


def _write_wide(plain: Path, path: Path, _scale: float) -> None:
    header = ",".join(("name", "eventId", "userId", "productId", *(f"c{number}" for number in range(WIDTH - 4))))
    with path.open("w") as out:
        out.write(header + "\n")
        row = 0
        while out.tell() < plain.stat().st_size:
            cells = ",".join(str(row * number % 97) for number in range(WIDTH - 4))
            out.write(f"Product viewed,e{row},u{row % 100},p{row % 50},{cells}\n")
            row += 1


def _write_large_cell(_plain: Path, path: Path, scale: float) -> None:
    good = "Product viewed,e{0},u1,p1,good\n"
    with path.open("w") as out:
        out.write("name,eventId,userId,productId,comment\n" + "".join(map(good.format, range(1000))))
        out.write(f'Product viewed,e,u1,p1,"{"many words, " * int(CELL_MB * scale * 1e6 / 12)}"\n')


def _write_large_line(_plain: Path, path: Path, scale: float) -> None:
    with path.open("w") as out:
        out.write("name,eventId,userId,productId\n" + "Product viewed,e,u1,p1," * int(CELL_MB * scale * 1e6 / 23))


def _write_large_json_line(_plain: Path, path: Path, scale: float) -> None:
    with path.open("w") as out:
        out.write('{"name": "Product viewed", "eventId": "e1", "userId": "u", "data": {"productId": "p"}}\n')
        out.write(f'{{"name": "Product viewed", "eventId": "{"e" * int(CELL_MB * scale * 1e6)}"}}\n')


_WRITERS: dict[str, Callable[[Path, Path, float], None]] = {
    "events.jsonl": _write_json_lines,
    "utf-16.csv": _write_utf_16,
    "events.csv.gz": _write_gzip,
    "events.parquet": _write_parquet,
    "events.xlsx": _write_workbook,
    "wide.csv": _write_wide,
    "cell.csv": _write_large_cell,
    "line.csv": _write_large_line,
    "line.jsonl": _write_large_json_line,
}
