"""The generator: a million labelled rows, beside Python's ``csv`` writing the same rows."""

import csv
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.harness import Figures, alternating, bench, fresh

HERE = "tests.bench.bench_generate"
ROWS = 1_000_000
SHARE = "1%"


@bench("generate.million", at_most=3)
def million() -> Figures:
    """A million rows with every defect of delimited text, drawn, labelled, written, over ``csv`` writing the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "events.csv")
        fresh(f"{HERE}:ours", path)
        ours_s, csv_s = alternating(
            lambda: float(fresh(f"{HERE}:ours", path)), lambda: float(fresh(f"{HERE}:csv_alone", path))
        )
    return {"ratio": ours_s / csv_s, "ours_s": ours_s, "csv_s": csv_s}


def ours(path: str) -> float:
    """Seconds from a request to the file."""
    from intempt_core.fixtures import FixtureForm, FixtureRequest, generate_fixture, list_held_codes, parse_defects

    codes = list_held_codes(FixtureForm.CSV, has_products=False)
    defects = parse_defects(",".join(f"{code}={SHARE}" for code in codes))
    began = time.perf_counter()
    fixture = generate_fixture(FixtureRequest(ROWS // 8, 7, FixtureForm.CSV, ROWS, defects))
    with Path(path).open("wb") as file:
        file.writelines(fixture.iter_bytes())
    seconds = time.perf_counter() - began
    if fixture.rows != ROWS:
        raise AssertionError(f"{fixture.rows} rows")
    return seconds


def csv_alone(path: str) -> float:
    """Seconds that ``csv`` takes to write rows that are ready."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    with _another(path) as out, out.open("w", newline="", encoding="utf-8") as file:
        began = time.perf_counter()
        csv.writer(file).writerows(rows)
        return time.perf_counter() - began


@contextmanager
def _another(path: str) -> Iterator[Path]:
    out = Path(path).with_suffix(".again.csv")
    try:
        yield out
    finally:
        out.unlink(missing_ok=True)
