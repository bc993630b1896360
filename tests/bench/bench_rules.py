"""The team's own rules over a file: ten rules of the kinds that run over whole columns, beside the check without."""

import json
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.event_files import HEADER, write
from tests.bench.harness import Figures, alternating, bench, fresh

HERE = "tests.bench.bench_rules"
MILLION = 1_000_000
FILE = "events.csv"

RULES: Mapping[str, Any] = {
    "rules": "1",
    "events": {
        "*": {
            "required": ["timestamp"],
            "properties": {
                "eventId": {"minLength": 13},
                "userId": {"pattern": "^user[0-9]+@example[.]com$", "maxLength": 40},
                "timestamp": {"minimum": 1_714_631_904_000},
                "data": {
                    "properties": {
                        "productId": {"pattern": "^SKU_[0-9]{5}$", "x-severity": "error"},
                        "price": {"type": "number", "exclusiveMaximum": 99, "x-name": "price_sane"},
                        "quantity": {"enum": [1, 2, 3]},
                    }
                },
            },
        },
        "Product ordered": {"properties": {"data": {"properties": {"quantity": {"const": 1}}}}},
    },
}
"""Ten rules: required, two patterns, lengths from below and above, two ranges, type, enum, and const of one name."""


@bench("rules.million", at_most=2)
def million() -> Figures:
    """Bytes to every finding of a million rows with ten of the team's rules, over the same without."""
    with_s, without_s = alternating(lambda: float(fresh(f"{HERE}:check_with_rules", _folder())),
                                    lambda: float(fresh(f"{HERE}:check_alone", _folder())))  # fmt: skip
    return {"ratio": with_s / without_s, "with_rules_s": with_s, "without_s": without_s, "rows": MILLION}


def check_with_rules(folder: str) -> float:
    """Seconds from bytes to every finding, the team's too; these are counted another way as well."""
    from intempt_core import read_rules_file

    seconds, report = _check(folder, read_rules_file(Path(folder, "rules.json")))
    expected = json.loads(Path(folder, "expected.json").read_text())
    if report.rule_counts != expected:
        raise AssertionError(f"the rules found {report.rule_counts}, there are {expected}")
    return seconds


def check_alone(folder: str) -> float:
    """Seconds from bytes to every finding of the contract."""
    return _check(folder, None)[0]


def _check(folder: str, rules: Any) -> tuple[float, Any]:
    import pandas as pd  # noqa: F401  before the clock starts: Arrow's first array brings it along

    from intempt_core.mapping.model import Mapping as FieldMapping
    from intempt_core.mapping.model import exact_mapping
    from intempt_core.mapping.table_events import map_table
    from intempt_core.readers.table import read_table
    from intempt_core.validation.check import check_table

    types = {"data.price": "number", "data.quantity": "integer"}
    began = time.perf_counter()
    table = read_table(Path(folder, FILE), name=FILE)
    mapped = map_table(table, FieldMapping(exact_mapping(table.header).columns, types=types))
    report = check_table(mapped, rules=rules)
    found = report.counts, report.rows_with_errors, report.rows_with_warnings
    seconds = time.perf_counter() - began
    assert found[1], "nothing was found"
    return seconds, report


@cache
def _kept() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(prefix="bench-rules-")


@cache
def _folder() -> str:
    """A folder of this run with the file, the rules, and what pandas says that they find."""
    import pandas as pd

    folder = Path(_kept().name)
    write(folder / FILE, MILLION, 0.02)
    (folder / "rules.json").write_text(json.dumps(RULES))
    rows = pd.read_csv(folder / FILE, dtype=str, keep_default_na=False, usecols=list(HEADER))
    expected = {
        "rule:/events/*/properties/timestamp": int((rows["timestamp"].astype("int64") < 1_714_631_904_000).sum()),
        "rule:price_sane": int((rows["price"].astype(float) >= 99).sum()),
    }
    (folder / "expected.json").write_text(json.dumps(expected))
    return str(folder)
