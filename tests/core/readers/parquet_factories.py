"""Parquet files made in memory, from a column's name and its Arrow array."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(columns: Mapping[str, Any] | pa.Table, **options: Any) -> bytes:
    """A file of these columns; ``options`` are those of ``pyarrow.parquet.write_table``. Any: what Arrow takes."""
    file = io.BytesIO()
    table = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
    pq.write_table(table, file, **options)
    return file.getvalue()


def parquet_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A file of rows of texts."""
    return parquet({name: pa.array([row[index] for row in rows], pa.string()) for index, name in enumerate(header)})
