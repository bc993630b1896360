"""Rows that become several events: orders as JSON lines with a list of products, beside the same events one a line."""

import json
import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.harness import Figures, alternating, bench, fresh

HERE = "tests.bench.bench_explode"
ORDERS, LINES = 200_000, 5
START_MS = 1_714_631_904_000
MAPPING = {
    "columns": {
        "event": "name", "messageId": "eventId", "userId": "userId", "timestamp": "timestamp",
        "properties.products[].product_id": "data.productId", "properties.products[].quantity": "data.quantity",
        "properties.products[].price": "data.price",
    },
    "names": {"Order Completed": "Product ordered"},
    "explode": {"path": "properties.products"},
}  # fmt: skip


@bench("explode.floor", at_most=1.3)
def floor() -> Figures:
    """Bytes to a full report of a million events: 200,000 orders of 5 products, over the same as flat JSON lines."""
    orders_s, flat_s = alternating(
        lambda: float(fresh(f"{HERE}:check_orders", _folder())), lambda: float(fresh(f"{HERE}:check_flat", _folder()))
    )
    return {"ratio": orders_s / flat_s, "orders_s": orders_s, "flat_s": flat_s, "events": ORDERS * LINES}


def check_orders(folder: str) -> float:
    """Seconds from the bytes of orders to every error and warning."""
    return _check(Path(folder, "orders.jsonl"), json.dumps(MAPPING), ORDERS)


def check_flat(folder: str) -> float:
    """Seconds from the bytes of flat lines to every error and warning."""
    return _check(Path(folder, "flat.jsonl"), "{}", ORDERS * LINES)


def _check(file: Path, mapping: str, rows: int) -> float:
    import pandas as pd  # noqa: F401  before the clock starts: Arrow's first array brings it along

    from intempt_core.mapping.model import Mapping
    from intempt_core.mapping.table_events import map_table
    from intempt_core.readers.table import read_table
    from intempt_core.validation.check import check_table

    began = time.perf_counter()
    report = check_table(map_table(read_table(file, name=file.name), Mapping.from_json(mapping)))
    found = report.rows, report.events, report.rows_with_errors, report.counts.get("event_id_repeated", 0)
    _ = report.rows_with_warnings
    seconds = time.perf_counter() - began
    if found != (rows, ORDERS * LINES, 0, 0):
        raise AssertionError(f"{file.name}: {found}")
    return seconds


@cache
def _keep_folder() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(prefix="bench-explode-")


@cache
def _folder() -> str:
    folder = Path(_keep_folder().name)
    with (folder / "orders.jsonl").open("w") as orders, (folder / "flat.jsonl").open("w") as flat:
        for number in range(ORDERS):
            products = [_product(number, line) for line in range(LINES)]
            shared = {"userId": f"user{number % 9_973}@example.com", "timestamp": START_MS + number * 1000}
            properties = {"order_id": f"O{number:07}", "products": products}
            order: dict[str, Any] = {"event": "Order Completed", "messageId": f"m{number:07}", **shared}
            orders.write(json.dumps({**order, "properties": properties}) + "\n")
            for product in products:
                data = {"productId": product["product_id"], "quantity": product["quantity"], "price": product["price"]}
                event = {"name": "Product ordered", "eventId": f"m{number:07}", **shared, "data": data}
                flat.write(json.dumps(event) + "\n")
    return str(folder)


def _product(order: int, line: int) -> dict[str, Any]:
    number = (order * 7 + line * 1_013) % 50_000
    return {"product_id": f"SKU_{number:05}", "quantity": 1 + line % 3, "price": (number % 9_973 + 1) / 100}
