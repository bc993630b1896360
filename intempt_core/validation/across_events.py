"""Findings that no single event shows: lost zeros, and products that no catalogue has.

Each is one function over arrays or lists of ids, for tables, documents and lists of events alike. Repeated event ids
are in ``duplicates.py``, events that were sent before in ``prior_sends.py``.
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
from intempt_core.validation.row_issues import Finding
from intempt_core.validation.text_column import find_lost_zeros

UnknownProductLookup: TypeAlias = Callable[[pa.Array], Mask]
"""Product ids (texts) → which of them a loaded catalogue does not have (CONTRACT 2.5)."""


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
