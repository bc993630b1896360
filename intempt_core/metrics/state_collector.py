"""How things are: the backlog, the database and the engine, asked for when metrics are read."""

import threading
import time
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from intempt_core.dispatch import Dispatcher
from intempt_core.errors import HistoryUnavailable
from intempt_core.history import Backlog, History

KEEP_SECONDS = 3.0
"""How long a measured backlog stands: however many programs read the metrics, the database is asked no more often."""


class StateCollector(Collector):
    """Collects the state of one process and of the database that it shares. Any thread may read it.

    ``clock`` gives seconds and never jumps.
    """

    def __init__(self, history: History, dispatcher: Dispatcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._history, self._dispatcher, self._clock = history, dispatcher, clock
        self._lock = threading.Lock()
        self._backlog: Backlog | None = None
        self._measured_at = float("-inf")

    def describe(self) -> Iterator[Metric]:
        """Nothing: to register it asks no database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The metrics now; without those of the backlog where the database cannot be read."""
        backlog = self._find_backlog()
        database = self._history.database
        is_up = backlog is not None and not database.damage and not database.write_trouble
        yield _make_gauge(
            "database_up", "Whether the database can be read, could last be written, and is whole.", is_up
        )
        if backlog is not None:
            yield _make_gauge(
                "queue_batches", "Batches that are being sent and have requests to be sent.", backlog.batches
            )
            requests = GaugeMetricFamily(
                "event_console_queue_requests", "Requests of batches that are being sent.", labels=["state"]
            )
            requests.add_metric(["pending"], backlog.pending)
            requests.add_metric(["in flight"], backlog.in_flight)
            yield requests
            yield _make_gauge(
                "queue_oldest_pending_seconds",
                "For how long the oldest pending request has waited; 0 where none is pending.",
                backlog.oldest_seconds,
            )
        status = self._dispatcher.status
        yield _make_gauge("sending_batches", "Batches that this process is sending.", status.sending)
        yield _make_gauge("unwritten_outcomes", "Outcomes that the database does not have yet.", status.unwritten)

    def _find_backlog(self) -> Backlog | None:
        with self._lock:
            if self._clock() - self._measured_at >= KEEP_SECONDS:
                try:
                    self._backlog = self._history.backlog.measure()
                except HistoryUnavailable:
                    self._backlog = None
                self._measured_at = self._clock()
            return self._backlog


def _make_gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"event_console_{name}", meaning, value=float(value))
