"""What this process did: outcomes, recordings and transactions, counted as they happen."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from intempt_core.contract import Outcome
from intempt_core.history import ObservedAttempt

ATTEMPT_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
"""Upper bounds, in seconds, of the classes of attempts by their time."""

TRANSACTION_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0)
"""The same for transactions."""

RECORDING_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""The same for recordings of batches."""

TRANSACTION_KINDS = ("read", "write")
"""The kinds of transactions."""


class WorkMetrics:
    """Counts what history tells: a :class:`~intempt_core.history.HistoryObserver`. Any thread may call it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics; each series is there from the start, as 0, so that a first rise is seen."""
        self._events = Counter(
            "event_console_events",
            "Events whose outcome is known, and which are not tried again by themselves.",
            ["outcome"],
            registry=registry,
        )
        self._attempts = Histogram(
            "event_console_attempt_seconds",
            "Time from the begin of an attempt to its outcome.",
            ["outcome"],
            buckets=ATTEMPT_BUCKETS,
            registry=registry,
        )
        self._overtaken = Counter(
            "event_console_overtaken_attempts",
            "Attempts whose outcome came after another process had taken the request over: it may be sent twice.",
            registry=registry,
        )
        self._recorded = Counter(
            "event_console_recorded_events", "Events that were recorded before they are sent.", registry=registry
        )
        self._recordings = Histogram(
            "event_console_recording_seconds",
            "Time to record a batch.",
            buckets=RECORDING_BUCKETS,
            registry=registry,
        )
        self._transactions = Histogram(
            "event_console_database_seconds",
            "Time of a transaction, the wait for its lock or connection included.",
            ["kind"],
            buckets=TRANSACTION_BUCKETS,
            registry=registry,
        )
        self._failures = Counter(
            "event_console_database_failures",
            "Transactions that failed because the database was away, locked, full or damaged.",
            ["kind"],
            registry=registry,
        )
        for outcome in Outcome:
            self._events.labels(outcome.value)
            self._attempts.labels(outcome.value)
        for kind in TRANSACTION_KINDS:
            self._transactions.labels(kind)
            self._failures.labels(kind)

    def note_transaction(self, kind: str, seconds: float, *, failed: bool) -> None:
        """As :class:`~intempt_core.history.HistoryObserver` has it."""
        self._transactions.labels(kind).observe(seconds)
        if failed:
            self._failures.labels(kind).inc()

    def note_attempts(self, attempts: Sequence[ObservedAttempt]) -> None:
        """As :class:`~intempt_core.history.HistoryObserver` has it."""
        for one in attempts:
            if one.elapsed_ms is not None:
                self._attempts.labels(one.outcome).observe(one.elapsed_ms / 1000)
            if one.settled:
                self._events.labels(one.settled).inc(one.events)

    def note_overtaken(self, attempts: int) -> None:
        """As :class:`~intempt_core.history.HistoryObserver` has it."""
        self._overtaken.inc(attempts)

    def note_recording(self, events: int, seconds: float) -> None:
        """As :class:`~intempt_core.history.HistoryObserver` has it."""
        self._recorded.inc(events)
        self._recordings.observe(seconds)
