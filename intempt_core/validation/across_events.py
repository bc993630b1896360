"""Findings that no single event shows: lost zeros, products that no catalogue has, and ids that were sent before.

Each is one function over arrays or lists of ids, for tables, documents and lists of events alike. Repeated event ids
are in ``duplicates.py``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from intempt_core.arrays import Int64Array, Mask, make_array
from intempt_core.contract import ISSUE_KINDS
from intempt_core.validation.id_columns import report_damaged_ids
from intempt_core.validation.id_twins import report_id_twins
from intempt_core.validation.report import PRIOR_SEND_PHRASES, PriorSend, PriorSendLookup
from intempt_core.validation.row_issues import Finding, Partition
from intempt_core.validation.text_column import find_lost_zeros

UnknownProductLookup: TypeAlias = Callable[[pa.Array], Mask]
"""Product ids (texts) → which of them a loaded catalogue does not have (CONTRACT 2.5)."""

SENT_LOOKUP_CHUNK_IDS = 5_000
"""Event ids that :class:`PriorSendLookup` is asked about at a time."""


def report_id_column(
    field: str, ids: pa.Array | pa.ChunkedArray, describe_row: Callable[[int], str]
) -> Iterator[Finding]:
    """Find what only the whole column of a field's ids shows; texts without nulls, an empty one is no id.

    ``describe_row`` says what a row is called in a sentence.
    """
    yield report_lost_zeros(field, ids)
    yield from report_damaged_ids(field, ids)
    yield from report_id_twins(field, ids, describe_row)


def report_lost_zeros(field: str, ids: pa.Array) -> Finding:
    """Find the ids of a field that may have lost leading zeros (CONTRACT 1.2, 2.8)."""
    rows, width = find_lost_zeros(ids)
    hint = f"Other ids of this column have {width} digits. Re-export the column as text, so that leading zeros stay."
    return Finding("id_zeros_lost", rows, field, partial(_return_hint, hint))


def report_unknown_products(
    products: Sequence[str | None], is_unknown_product: UnknownProductLookup, source_rows: Int64Array | None = None
) -> Finding:
    """Find the products that no loaded catalogue has (CONTRACT 2.5); a text with half a character is in none.

    ``source_rows`` are the rows of the products, where they are not all rows in order.
    """
    given = [index for index, text in enumerate(products) if text is not None]
    texts = make_array([(products[index] or "").encode(errors="replace").decode() for index in given])
    rows = np.array(given, np.int64) if source_rows is None else source_rows[given]
    return add_fix_hint(Finding("product_unknown", rows[is_unknown_product(texts)], "data.productId"))


def add_fix_hint(finding: Finding) -> Finding:
    """Give a finding that no single event shows the fix of its kind as its hint."""
    return replace(finding, hint=partial(_return_hint, ISSUE_KINDS[finding.code].fix))


def add_fix_hints(findings: Iterable[Finding]) -> Iterator[Finding]:
    """:func:`add_fix_hint` of each."""
    return map(add_fix_hint, findings)


def _return_hint(hint: str, _index: int) -> str:
    return hint


def report_prior_sends(ids: Iterable[Sequence[str | None]], find_prior_sends: PriorSendLookup) -> Finding:
    """Find the event ids that were sent to the target before (CONTRACT 2.2, 3.7).

    ``ids`` are those of all rows in parts: memory holds one of these, and numbers of what is found.
    """
    rows, found = [np.zeros(0, np.int64)], [np.zeros((0, 3), np.int64)]
    of_state = {name: number for number, name in enumerate(PRIOR_SEND_PHRASES)}
    of_batch: dict[str, int] = {}
    first = 0
    for part in ids:
        asked = list(dict.fromkeys(text for text in part if text is not None))
        known: dict[str, tuple[int, int, int]] = {}
        for start in range(0, len(asked), SENT_LOOKUP_CHUNK_IDS):
            for text, sent in find_prior_sends(asked[start : start + SENT_LOOKUP_CHUNK_IDS]).items():
                known[text] = of_state[sent.state], sent.when, of_batch.setdefault(sent.batch, len(of_batch))
        mine = [row for row, text in enumerate(part) if text in known] if known else []
        rows.append(np.array(mine, np.int64) + first)
        found.append(np.array([known[part[row] or ""] for row in mine], np.int64).reshape(-1, 3))
        first += len(part)
    kept = np.concatenate(found)
    return Finding(
        "sent_before",
        np.concatenate(rows),
        "eventId",
        partial(_describe_prior_send, kept, list(of_batch)),
        partition=partial(_partition_by_state, kept),
    )


def _describe_prior_send(found: Int64Array, batches: Sequence[str], index: int) -> str:
    state, when, batch = found[index].tolist()
    message = PriorSend(list(PRIOR_SEND_PHRASES)[state], when, batches[batch]).message
    return f"It was {message}. Nothing to do, if it should be sent again: a target that deduplicates ignores it."


def _partition_by_state(found: Int64Array) -> Partition:
    return Partition(tuple(PRIOR_SEND_PHRASES), found[:, 0])
