"""The text of ``/metrics``, and the little of it that everybody may read."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector
from prometheus_client.exposition import choose_encoder

from intempt_core.dispatch import Dispatcher, check_health
from intempt_core.history import History
from intempt_core.metrics.state_collector import StateCollector
from intempt_core.metrics.work_metrics import WorkMetrics


class MetricsPage:
    """The metrics of one process. Once made, it counts what its history does.

    Attributes:
        is_healthy: Tells whether the process can send, as ``/healthz`` does.
    """

    def __init__(self, history: History, dispatcher: Dispatcher, version: str) -> None:
        self.is_healthy: Callable[[], bool] = lambda: check_health(history, dispatcher, version)[0]
        self._public, self._all = CollectorRegistry(), CollectorRegistry()
        self._healthy = Gauge(
            "event_console_healthy",
            "Whether this process can send, as /healthz says it.",
            registry=self._public,
        )
        self._all.register(self._healthy)
        Info("event_console", "Which version this is.", registry=self._all).info({"version": version})
        history.database.observer = WorkMetrics(self._all)
        self._all.register(StateCollector(history, dispatcher))
        ProcessCollector(registry=self._all)

    def render(self, accept: str, *, everything: bool) -> tuple[bytes, str]:
        """Render the text in a form that ``accept`` (the header) asks for; returns it with its media type.

        Without ``everything`` it says no more than whether all is well.
        """
        self._healthy.set(self.is_healthy())
        write, media_type = choose_encoder(accept)
        return write(self._all if everything else self._public), media_type
