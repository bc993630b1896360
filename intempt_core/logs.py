"""Log lines: what the process does, as one JSON object a line, without a payload, a response's text or a key.

A line has ``time`` (UTC), ``level``, ``event`` (a short sentence that never changes) and facts: ids, counts, states.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

_FACTS = "facts"

LogFact = str | int | float | bool | None


def write_log(log: logging.Logger, event: str, *, level: int = logging.INFO, **facts: LogFact) -> None:
    """Log what happened, with facts to search for: ids, counts and states, never what was sent."""
    log.log(level, event, extra={_FACTS: facts})


class JsonLogFormatter(logging.Formatter):
    """Format of one record as one line: of an error its kind and its place, not its message, which may hold a body."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, _FACTS, {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["at"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-5:]]
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(stream: TextIO | None = None) -> logging.Handler:
    """Write the logs of the core and of its engine as JSON lines, by default to standard error.

    Returns the handler, so that it can be closed.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLogFormatter())
    for name, level in (("intempt_core", logging.INFO), ("dbos", logging.WARNING)):
        log = logging.getLogger(name)
        for plain in [other for other in log.handlers if name == "dbos"]:  # it would write tracebacks, with messages
            log.removeHandler(plain)
        log.addHandler(handler)
        log.setLevel(level)
        log.propagate = False
    return handler
