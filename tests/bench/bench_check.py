"""Reading and checking: a file's bytes to a Report, beside pandas, pandera, Frictionless and the model row by row."""

import functools
import json
import operator
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.event_files import write, write_without_ids
from tests.bench.harness import Figures, alternating, bench, fresh, peak_mb

HERE = "tests.bench.bench_check"
MILLION = 1_000_000


@bench("check.floor", at_most=4)
def floor() -> Figures:
    """Bytes to errors and repeats, over reading alone."""
    return _beside_reading("ours_errors", 0.02)


@bench("check.full", at_most=6)
def full() -> Figures:
    """Bytes to every error and every warning, over reading alone."""
    return _beside_reading("ours_full", 0.02)


@bench("check.made", at_most=7)
def made() -> Figures:
    """The same on a file without event ids, of which 5 % repeat a row and 10 % have ids beyond ASCII."""
    ours_s, pandas_s = _beside("ours_made", "pandas_alone", _file_without_ids(MILLION), times=5)
    return {"ratio": ours_s / pandas_s, "ours_s": ours_s, "pandas_s": pandas_s}


@bench("check.allbad", at_most=12)
def allbad() -> Figures:
    """The same as check.floor with every row bad."""
    return _beside_reading("ours_errors", 1.0)


@bench("check.pandera", at_least=3)
def against_pandera() -> Figures:
    """pandera with the same error rules on the same file, over ours."""
    ours_s, theirs_s = _beside("ours_errors", "pandera", _file(MILLION, 0.02))
    return {"ratio": theirs_s / ours_s, "ours_s": ours_s, "pandera_s": theirs_s}


@bench("check.frictionless", at_least=20)
def against_frictionless() -> Figures:
    """Frictionless on the first 100,000 rows, over ours on the same."""
    ours_s, theirs_s = _beside("ours_errors", "frictionless", _file(MILLION // 10, 0.02))
    return {"ratio": theirs_s / ours_s, "ours_s": ours_s, "frictionless_s": theirs_s}


def _beside_reading(ours: str, bad_share: float) -> Figures:
    ours_s, pandas_s = _beside(ours, "pandas_alone", _file(MILLION, bad_share), times=5)
    return {"ratio": ours_s / pandas_s, "ours_s": ours_s, "pandas_s": pandas_s}


def _beside(ours: str, theirs: str, path: str, times: int = 3) -> list[float]:
    """Seconds of two sides on one file, each in fresh processes, in turns."""
    return alternating(
        lambda: float(fresh(f"{HERE}:{ours}", path)), lambda: float(fresh(f"{HERE}:{theirs}", path)), times=times
    )


@bench("check.rowwise", at_least=5)
def against_the_model() -> Figures:
    """The pydantic model asked row by row, over ours; both give the same verdict for every row."""
    path = _file(MILLION, 0.02)
    verdicts: dict[str, str] = {}

    def side(name: str) -> Callable[[], float]:
        def measure() -> float:
            seconds, verdicts[name] = fresh(f"{HERE}:{name}", path)
            return float(seconds)

        return measure

    ours_s, model_s = alternating(side("ours_verdict"), side("rowwise_verdict"))
    if verdicts["ours_verdict"] != verdicts["rowwise_verdict"]:
        raise AssertionError("columns and model do not agree")
    return {"ratio": model_s / ours_s, "ours_s": ours_s, "model_s": model_s, "rows_alike": MILLION}


@bench("check.memory", at_most=3)
def memory() -> Figures:
    """Peak resident memory of checking 5,000,000 rows, over that of 500,000."""
    large, small = _file(5 * MILLION, 0.02), _file(MILLION // 2, 0.02)
    large_mb, small_mb = alternating(
        lambda: float(fresh(f"{HERE}:ours_peak_mb", large)), lambda: float(fresh(f"{HERE}:ours_peak_mb", small))
    )
    return {"ratio": large_mb / small_mb, "rows_5000000_mb": large_mb, "rows_500000_mb": small_mb}


@bench("plan.floor", at_most=8)
def planning() -> Figures:
    """Report to persons, lanes and 20,000 request bodies, over orjson writing the same ready-made objects."""
    path = _file(MILLION, 0.02)
    ours_s, orjson_s = alternating(
        lambda: float(fresh(f"{HERE}:planned", path)), lambda: float(fresh(f"{HERE}:ready_made", path))
    )
    return {"ratio": ours_s / orjson_s, "ours_s": ours_s, "orjson_s": orjson_s}


# ── the sides, each in a fresh process ───────────────────────────────────────────────────────────────────────────────


def ours_errors(path: str) -> float:
    """Seconds from bytes to errors and repeats; the counts are those that were planted."""
    _imports_done()

    began = time.perf_counter()
    report = _report(path)
    errors = report.rows_with_errors
    seconds = time.perf_counter() - began
    _as_planted(path, report.counts, errors)
    return seconds


def ours_full(path: str) -> float:
    """Seconds from bytes to every error and warning."""
    _imports_done()

    began = time.perf_counter()
    report = _report(path)
    counts, errors, _warned = report.counts, report.rows_with_errors, report.rows_with_warnings
    seconds = time.perf_counter() - began
    _as_planted(path, counts, errors)
    return seconds


def ours_verdict(path: str) -> tuple[float, str]:
    """Seconds from bytes to errors and repeats, and the digest of every row's verdict."""
    _imports_done()

    began = time.perf_counter()
    bad = _report(path).error_mask
    return time.perf_counter() - began, _digest(bad.tolist())


def ours_made(path: str) -> float:
    """Seconds from bytes to every error and warning of a file without event ids; the counts are those planted."""
    _imports_done()
    began = time.perf_counter()
    report = _report(path)
    counts = report.counts
    seconds = time.perf_counter() - began
    _as_planted(path, counts, 0)
    return seconds


def ours_peak_mb(path: str) -> float:
    """Peak resident memory of reading and checking, warnings too."""
    report = _report(path)
    _as_planted(path, report.counts, report.rows_with_errors)
    return peak_mb()


def pandas_alone(path: str) -> float:
    """Seconds that pandas takes to read the file, every column a string."""
    import pandas as pd

    _imports_done()
    began = time.perf_counter()
    pd.read_csv(path, engine="pyarrow", dtype=str)
    return time.perf_counter() - began


def rowwise_verdict(path: str) -> tuple[float, str]:
    """Seconds from bytes to errors and repeats with the model asked row by row, and the digest of every verdict."""
    from intempt_core.contract.rules import find_event_errors
    from intempt_core.mapping.model import exact_mapping
    from intempt_core.mapping.table_events import map_table
    from intempt_core.readers.table import read_table

    _imports_done()
    began = time.perf_counter()
    table = read_table(Path(path), name="events.csv")
    seen: set[str] = set()
    bad = []
    for event in map_table(table, exact_mapping(table.header)).events(range(table.rows)):
        wrong = bool(find_event_errors(event))
        if not wrong:
            wrong = event.body["eventId"] in seen
            seen.add(event.body["eventId"])
        bad.append(wrong)
    return time.perf_counter() - began, _digest(bad)


def pandera(path: str) -> float:
    """Seconds that pandera takes for the same error rules: names, ids, identities, products, times, repeats."""
    import pandas as pd
    import pandera.pandas as pa

    from intempt_core.contract.fields import BLANK_CHARACTERS, EARLIEST_MS, IDENTITY_FIELDS, EventName

    def there(texts: "pd.Series[str]") -> "pd.Series[bool]":
        return texts.fillna("").str.strip(BLANK_CHARACTERS) != ""

    def has_identity(rows: pd.DataFrame) -> "pd.Series[bool]":
        return functools.reduce(operator.or_, (there(rows[field]) for field in IDENTITY_FIELDS))

    def times(texts: "pd.Series[str]") -> "pd.Series[bool]":
        read = pd.to_numeric(texts, errors="coerce")
        return read.notna() & (read >= EARLIEST_MS)

    schema = pa.DataFrameSchema(
        {
            "name": pa.Column(str, pa.Check.isin([name.value for name in EventName])),
            "eventId": pa.Column(str, pa.Check(there), unique=True, report_duplicates="exclude_first"),
            "productId": pa.Column(str, pa.Check(there), nullable=True),
            "timestamp": pa.Column(str, pa.Check(times)),
        },
        checks=pa.Check(has_identity),
    )
    began = time.perf_counter()
    rows = pd.read_csv(path, engine="pyarrow", dtype=str)
    try:
        schema.validate(rows, lazy=True)
    except pa.errors.SchemaErrors as errors:
        found = len(errors.failure_cases)
    else:
        found = 0
    seconds = time.perf_counter() - began
    assert found, "pandera found nothing"
    return seconds


def frictionless(path: str) -> float:
    """Seconds that Frictionless takes for names, ids, products, times and repeats."""
    from frictionless import Checklist, Resource, Schema, checks, fields

    from intempt_core.contract.fields import EARLIEST_MS, EventName

    names = [name.value for name in EventName]
    schema = Schema(
        fields=[
            fields.StringField(name="name", constraints={"required": True, "enum": names}),
            fields.StringField(name="eventId", constraints={"required": True, "unique": True}),
            *(fields.StringField(name=name) for name in ("profileId", "userId", "anotherUserId", "accountId")),
            fields.StringField(name="productId", constraints={"required": True}),
            fields.IntegerField(name="timestamp", constraints={"minimum": EARLIEST_MS}),
            fields.StringField(name="price"),
            fields.StringField(name="quantity"),
        ]
    )
    began = time.perf_counter()
    resource = Resource(path=Path(path).name, basepath=str(Path(path).parent), schema=schema)
    has_identity = checks.row_constraint(formula="profileId or userId or anotherUserId or accountId")
    report = resource.validate(Checklist(checks=[has_identity]), limit_errors=1_000_000)
    seconds = time.perf_counter() - began
    assert report.stats["errors"], "Frictionless found nothing"
    return seconds


def planned(path: str) -> float:
    """Seconds from a report to all request bodies."""
    from intempt_core.planning.plan import plan_table

    mapped, report = mapped_and_checked(path)
    rows = (~report.error_mask).nonzero()[0]
    began = time.perf_counter()
    plan = plan_table(mapped, rows)
    written = sum(len(block.bodies) for block in plan.iter_blocks())
    seconds = time.perf_counter() - began
    assert written == len(plan.requests)
    return seconds


def ready_made(path: str) -> float:
    """Seconds that orjson takes to write the very bodies of the plan, their objects ready."""
    import orjson

    from intempt_core.planning.plan import plan_table

    mapped, report = mapped_and_checked(path)
    plan = plan_table(mapped, (~report.error_mask).nonzero()[0])
    objects = [orjson.loads(body) for block in plan.iter_blocks() for body in block.bodies]
    began = time.perf_counter()
    for request in objects:
        orjson.dumps(request)
    return time.perf_counter() - began


def _imports_done() -> None:
    """Import what the sides need before the clock starts; Arrow's first array brings pandas along."""
    ours = ("mapping.model", "mapping.table_events", "readers.table", "readers.text_table", "validation.check")
    for name in (*(f"intempt_core.{module}" for module in ours), "pandas", "pandas.io.parsers", "pyarrow.csv"):
        import_module(name)


def _report(path: str) -> Any:
    return mapped_and_checked(path)[1]


def mapped_and_checked(path: str) -> tuple[Any, Any]:
    """The events of a file, and the report on them."""
    from intempt_core.mapping.model import exact_mapping
    from intempt_core.mapping.table_events import map_table
    from intempt_core.readers.table import read_table
    from intempt_core.validation.check import check_table

    table = read_table(Path(path), name="events.csv")
    mapped = map_table(table, exact_mapping(table.header))
    return mapped, check_table(mapped)


def _as_planted(path: str, counts: dict[str, int], errors: int) -> None:
    """Raise where what was found is not what was planted."""
    planted = json.loads(Path(path).with_suffix(".json").read_text())
    found = {code: count for code, count in counts.items() if code in planted}
    wrong = sum(count for code, count in planted.items() if code != "row_repeated")
    if found != planted or errors != wrong:
        raise AssertionError(f"{found} and {errors} rows with errors were found, {planted} were planted")


def _digest(verdicts: Sequence[bool]) -> str:
    return sha256(bytes(verdicts)).hexdigest()


@functools.cache
def _files() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="bench-check-")


@functools.cache
def _file_without_ids(rows: int) -> str:
    written = write_without_ids(Path(_files().name) / f"made-{rows}.csv", rows, 0.05, 0.1)
    written.path.with_suffix(".json").write_text(json.dumps(written.planted))
    return str(written.path)


@functools.cache
def _file(rows: int, bad_share: float) -> str:
    """A file of this run, written when first asked for; what was planted lies beside it."""
    written = write(Path(_files().name) / f"events-{rows}-{bad_share}.csv", rows, bad_share)
    written.path.with_suffix(".json").write_text(json.dumps(written.planted))
    return str(written.path)
