"""One database: opened, migrated, and its troubles put into sentences."""

import time
from collections.abc import Callable
from typing import Self


def now_ms() -> int:
    """The wall clock in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Database:
    """An open database."""

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], int] = now_ms, busy_seconds: float = 5.0) -> Self:
        """Open the database at an SQLAlchemy URL, made and migrated where needed.

        ``busy_seconds``: how long to wait for a lock that another process holds before :class:`HistoryUnavailable`.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of every connection."""
        raise NotImplementedError
