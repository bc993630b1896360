"""The health check: whether this process can send, for a load balancer, a supervisor or a person."""

from collections.abc import Mapping
from typing import Any

from intempt_core.dispatch.dispatcher import Dispatcher
from intempt_core.errors import HistoryUnavailable
from intempt_core.history import History


def check_health(history: History, dispatcher: Dispatcher, version: str) -> tuple[bool, Mapping[str, Any]]:
    """Check that history can be read and written and is not damaged, and that the engine runs and can send.

    Returns whether that is so, and the details: version, database, engine, queue depth.
    """
    trouble, queue = "", None
    try:
        queue = history.queue.depth()
    except HistoryUnavailable as error:
        trouble = str(error)
    trouble = trouble or history.database.damage or history.probe.check()
    engine = dispatcher.status
    is_well = not trouble and engine.is_running and not engine.trouble
    return is_well, {
        "status": "ok" if is_well else "trouble",
        "version": version,
        "database": {"ok": not trouble, "trouble": trouble},
        "engine": {
            "ok": engine.is_running and not engine.trouble,
            "durable": engine.durable,
            "owner": engine.owner,
            "sending": engine.sending,
            "unwritten": engine.unwritten,
            "trouble": engine.trouble,
        },
        "queue": None if queue is None else {"batches": queue.batches, "requests": queue.requests},
    }
