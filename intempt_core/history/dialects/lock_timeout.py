"""How long a transaction waits for others that hold what it writes."""

WRITE_OPTION = "history_write"
"""Execution option of connections that write. With SQLite they begin by taking the lock: later, it may be denied."""

SHORTENED_WAIT_SECONDS = 0.5
"""How long any lock is waited for while the process ends."""

WRITE_TURN_SECONDS = 10.0
"""How long a thread waits for other threads of its process to write, in addition to the time for the lock."""


class LockTimeout:
    """How long locks are waited for when another connection holds them.

    Attributes:
        shortened: whether the process is ending: then no lock may hold up its end.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.shortened = False

    @property
    def busy_ms(self) -> int:
        """Milliseconds to wait for another process that writes SQLite's file."""
        return int(1000 * (min(self._seconds, SHORTENED_WAIT_SECONDS) if self.shortened else self._seconds))

    @property
    def turn_seconds(self) -> float:
        """Seconds to wait for another thread of this process; on a server, for any other transaction."""
        return SHORTENED_WAIT_SECONDS if self.shortened else self._seconds + WRITE_TURN_SECONDS
