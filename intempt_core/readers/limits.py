"""How large an event may be, and a table: a larger event can go nowhere, and a larger table stops everybody."""

from dataclasses import dataclass

from intempt_core.errors import ReadError, TableTooLarge

MAX_EVENT_BYTES = 10_485_760
"""Bytes of a row, a line or a cell at the most: an event of more is in no body that a target takes."""

MEMORY_LIMIT_BYTES = 256_000_000
"""Bytes from which on a file, and the table that it becomes, are not held in memory."""

MAX_UNPACKED_BYTES = 2_000_000_000
"""Bytes that one compressed file may become, unpacked."""

MAX_TABLE_BYTES = 10_000_000_000
"""Bytes that the cells of a table may take: those of text take five times the file at the most."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How large a table a file may become.

    Attributes:
        memory_bytes: Bytes from which on a file, and the table that it becomes, lie on disk.
        table_bytes: Bytes that the table may have.
        unpacked_bytes: Bytes that a compressed file may become.
        rows: Rows that it may have, blank lines counted.
    """

    memory_bytes: int = MEMORY_LIMIT_BYTES
    table_bytes: int = MAX_TABLE_BYTES
    unpacked_bytes: int = MAX_UNPACKED_BYTES
    rows: int = 1_000_000_000

    def check_rows(self, rows: int) -> None:
        """Raise :class:`TableTooLarge` for more rows than a table may have."""
        if rows > self.rows:
            raise TableTooLarge(f"The file has more than {self.rows:,} lines. Cut it into several files.")


def build_oversize_error(place: str, what: str, size: int, *, line: int | None = None, hint: str = "") -> ReadError:
    """Build the error for a row, a line or a cell that is too large.

    ``place`` says where it is and ``what`` what it is, as in “shop.csv, line 19” and “the row”.
    """
    return ReadError(
        f"{place}: {what} has {size:,} bytes. Up to {MAX_EVENT_BYTES:,} are read, for a larger event can go nowhere."
        f" {hint or 'Cut it, or leave it out.'}",
        line=line,
    )
