"""Whether this process can send, for whoever watches it from outside: a load balancer, a supervisor, a person."""

from collections.abc import Mapping
from typing import Any

from intempt_core.dispatch.dispatcher import Dispatcher
from intempt_core.errors import HistoryUnavailable
from intempt_core.history import History


def check_health(history: History, dispatcher: Dispatcher, version: str) -> tuple[bool, Mapping[str, Any]]:
    """Whether all is well, and what there is to say: version, database, engine, queue depth.

    Well is: history can be read, the engine runs, and neither keeps a request from being sent.
    """
    trouble, queue = "", None
    try:
        queue = history.queue.depth()
    except HistoryUnavailable as error:
        trouble = str(error)
    engine = dispatcher.status
    well = not trouble and engine.is_running and not engine.trouble
    return well, {
        "status": "ok" if well else "trouble",
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
