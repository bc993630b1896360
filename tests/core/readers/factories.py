"""Tables made from a header and rows, without a file: every cell exactly as the test wrote it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.table import Table


def table_of(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, cells: Mapping[int, int] | None = None, chunk: int = 3
) -> Table:
    """A table ``events.csv`` whose first row stands in line 2, in chunks of a few rows as a reader would make them."""
    columns = {}
    for index, name in enumerate(header):
        texts = [row[index] for row in rows]
        chunks = [pa.array(texts[start : start + chunk], pa.string()) for start in range(0, len(texts), chunk)]
        columns[name] = pa.chunked_array(chunks, pa.string())
    lines = np.arange(2, len(rows) + 2, dtype=np.int64)
    return Table(
        "events.csv", "0" * 64, 0, Dialect("utf-8", ",", '"', 1), tuple(header), columns, lines, dict(cells or {}), ()
    )
