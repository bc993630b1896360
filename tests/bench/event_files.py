"""Event files to measure on: synthetic shops' events with planted faults, and the counts of what was planted.

Written column by column, so that a million rows take seconds. A bad row carries exactly one fault.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

HEADER = ("name", "eventId", "profileId", "userId", "anotherUserId", "accountId", "productId", "timestamp", "price",
          "quantity")  # fmt: skip
SHARES = {"Product viewed": 0.70, "Added to cart": 0.15, "Removed from cart": 0.05, "Product ordered": 0.10}
START_MS = 1_714_631_904_000
CODES = ("event_name", "product_id_missing", "identity_missing", "event_id_repeated", "timestamp_before_2010")


@dataclass(frozen=True, slots=True)
class EventFile:
    """A file of events: where it is, how many rows it has, and the rows planted by code."""

    path: Path
    rows: int
    planted: dict[str, int]


def write(path: Path, rows: int, bad_share: float, seed: int = 1) -> EventFile:
    """Write ``rows`` events, a share of them bad, one fault each; the same arguments give the same bytes."""
    rng = np.random.default_rng(seed)
    number = np.arange(rows)
    bad = rng.random(rows) < bad_share
    if bad_share < 1:
        bad[0] = False  # so that a repeat has a first
    fault = np.where(bad, rng.integers(0, len(CODES), rows), -1)
    good = np.flatnonzero(~bad)
    ids = number.copy()
    repeats = np.flatnonzero(fault == CODES.index("event_id_repeated"))
    if good.size:
        earlier = np.searchsorted(good, repeats)  # how many good rows stand before each
        # each repeats another good row before it, so that no first row is repeated by chance and counted otherwise
        ids[repeats] = good[(rng.random(repeats.size) * earlier).astype(np.int64)]
    else:
        fault[repeats] = 0
    person = rng.integers(0, max(1, rows // 20), rows)
    time = START_MS + number * 1000
    time = np.where(fault == CODES.index("timestamp_before_2010"), time // 1000, time)
    names = rng.choice(np.array([*SHARES]), rows, p=[*SHARES.values()])
    names = np.where(fault == CODES.index("event_name"), "Product Viewed", names)
    nameless = pa.array(fault == CODES.index("identity_missing"))
    no_product = pa.array(fault == CODES.index("product_id_missing"))
    table = pa.table(
        dict(
            zip(
                HEADER,
                [
                    pa.array(names),
                    _joined("evt_", ids, 9),
                    pc.if_else(nameless, "", _joined("p_", person, 0)),
                    pc.if_else(
                        nameless,
                        "",
                        pc.binary_join_element_wise(_joined("user", person, 0), pa.scalar("example.com"), "@"),
                    ),
                    pa.array([""] * rows),
                    pa.array([""] * rows),
                    pc.if_else(no_product, "", _joined("SKU_", rng.integers(0, 20_000, rows), 5)),
                    pa.array(time).cast(pa.string()),
                    pc.round(pa.array(rng.random(rows) * 100), 2).cast(pa.string()),
                    pa.array(["1"] * rows),
                ],
                strict=True,
            )
        )
    )
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="none"))
    planted = {code: int((fault == index).sum()) for index, code in enumerate(CODES)}
    return EventFile(path, rows, {code: count for code, count in planted.items() if count})


def write_without_ids(path: Path, rows: int, repeat_share: float, foreign_share: float, seed: int = 1) -> EventFile:
    """Write ``rows`` good events without ids, a share of them equal to an earlier row in every cell.

    Of the persons and the products a share is called by characters beyond ASCII.
    """
    rng = np.random.default_rng(seed)
    source = np.arange(rows)
    repeats = np.flatnonzero(rng.random(rows) < repeat_share)
    repeats = repeats[repeats > 0]
    source[repeats] = source[(rng.random(repeats.size) * repeats).astype(np.int64)]
    source = source[source]  # what repeats a repeat is the row that is repeated there
    person, product = rng.integers(0, max(1, rows // 20), rows), rng.integers(0, 20_000, rows)
    prefixes = [
        np.where(rng.random(rows) < foreign_share, foreign, plain)
        for plain, foreign in (("user", "kundé"), ("SKU_", "größe_"))
    ]
    columns = [
        pa.array(rng.choice(np.array([*SHARES]), rows, p=[*SHARES.values()])),
        *(
            pc.binary_join_element_wise(pa.array(prefix), pa.array(number).cast(pa.string()), "")
            for prefix, number in zip(prefixes, (person, product), strict=True)
        ),
        pa.array(START_MS + np.arange(rows) * 1000).cast(pa.string()),
        pc.round(pa.array(rng.random(rows) * 100), 2).cast(pa.string()),
        pa.array(["1"] * rows),
    ]
    header = ["name", "userId", "productId", "timestamp", "price", "quantity"]
    table = pa.table(dict(zip(header, columns, strict=True))).take(pa.array(source))
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="none"))
    return EventFile(path, rows, {"row_repeated": rows - int(np.unique(source).size)})


def _joined(prefix: str, numbers: NDArray[np.int64], width: int) -> pa.Array:
    text = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width=width, padding="0")
    return pc.binary_join_element_wise(pa.scalar(prefix), text, "")
