"""Suggestions of a mapping from every row of a large file, over reading it."""

import tempfile
import time
from functools import cache
from pathlib import Path

from tests.bench.event_files import write
from tests.bench.harness import Figures, alternating, bench, fresh

HERE = "tests.bench.bench_suggest"
ROWS = 1_000_000
HEADER = "event_type,message_id,visitor,customer_no,second_id,group,item_no,happened_at,unit_price,qty\n"
"""Headers of a shop, none of them a field's own name, so that every column is looked at for what it may be."""


@bench("suggest.million", at_most=2)
def suggestions() -> Figures:
    """Bytes to suggestions, each of them from all 1,000,000 rows, over reading the same bytes."""
    path = _shop_file()
    suggested_s, read_s = alternating(
        lambda: float(fresh(f"{HERE}:suggested", path)), lambda: float(fresh(f"{HERE}:read", path)), times=5
    )
    return {"ratio": suggested_s / read_s, "suggested_s": suggested_s, "read_s": read_s}


@cache
def _shop_file() -> str:
    folder = Path(tempfile.mkdtemp(prefix="bench_suggest_"))
    plain = write(folder / "plain.csv", ROWS, 0.02).path
    with plain.open("rb") as rows, (folder / "shop.csv").open("wb") as out:
        rows.readline()
        out.write(HEADER.encode())
        while block := rows.read(1 << 24):
            out.write(block)
    plain.unlink()
    return str(folder / "shop.csv")


def read(path: str) -> float:
    """Seconds from bytes to the table."""
    from intempt_core.readers.table import read_table

    began = time.perf_counter()
    read_table(Path(path), name="shop.csv")
    return time.perf_counter() - began


def suggested(path: str) -> float:
    """Seconds from bytes to suggestions; they are the right ones."""
    from intempt_core.mapping.suggestions.suggest import suggest_mapping
    from intempt_core.readers.table import read_table

    began = time.perf_counter()
    found = suggest_mapping(read_table(Path(path), name="shop.csv"))
    seconds = time.perf_counter() - began
    fields = {one.column: one.field for one in found}
    expected = {
        "event_type": "name",
        "message_id": "eventId",
        "visitor": "profileId",
        "customer_no": "userId",
        "item_no": "data.productId",
        "happened_at": "timestamp",
        "unit_price": "data.unit_price",
        "qty": "data.qty",
    }
    if fields != expected:
        raise AssertionError(f"suggested {fields}")
    return seconds
