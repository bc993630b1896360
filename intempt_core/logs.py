"""Log lines: what the process does, as one JSON object a line, without a payload, a response's text or a key.

A line has ``time`` (UTC), ``level``, ``event`` (a short sentence that never changes) and facts: ids, counts, states.
"""

import io
import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

_FACTS = "facts"

LogFact = str | int | float | bool | None

MAX_PLAIN_CHARACTERS = 2_000
"""Characters of one line of plain text that a log line repeats."""

_OWN_LOGGER = "intempt_core"


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
        if record.name.partition(".")[0] != _OWN_LOGGER:
            line["logger"] = record.name
        if record.exc_info and record.exc_info[0]:
            line["event"] = record.getMessage().partition("\n")[0]  # asyncio repeats the error's message below it
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["at"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-5:]]
        return json.dumps(line, ensure_ascii=False, default=str)


class JsonLineStream(io.TextIOBase):
    """A text stream in the place of standard error: each line that is written to it becomes one JSON object.

    Attributes:
        plain: The stream behind it.
    """

    def __init__(self, plain: TextIO) -> None:
        super().__init__()
        self.plain = plain
        self._lock = threading.RLock()
        self._unfinished = ""

    def write(self, text: str) -> int:
        """Take a piece of text; lines that are whole are written, each as an object."""
        with self._lock:
            *whole, self._unfinished = (self._unfinished + text).split("\n")
            for line in whole:
                self._write_line(line)
        return len(text)

    def flush(self) -> None:
        """Flush what was written; the beginning of a line waits for its end."""
        with self._lock:
            self.plain.flush()

    def close(self) -> None:
        """Write the last line, even without its end. The stream behind it stays open."""
        with self._lock:
            if self._unfinished:
                self.write("\n")

    def writable(self) -> bool:
        """As every stream that is written to."""
        return True

    def isatty(self) -> bool:
        """Whether a person reads along."""
        return self.plain.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream behind it."""
        return self.plain.fileno()

    def _write_line(self, text: str) -> None:
        text = text.rstrip("\r")
        if text.strip():
            self.plain.write((text if _is_json_object(text) else _format_plain_line(text)) + "\n")
            self.plain.flush()


def _is_json_object(text: str) -> bool:
    if not text.startswith("{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _format_plain_line(text: str) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"time": now, "level": "warning", "event": text[:MAX_PLAIN_CHARACTERS], "logger": "stderr"}
    return json.dumps(line, ensure_ascii=True)


def configure_logging(stream: TextIO | None = None) -> logging.Handler:
    """Write the logs of the core and of its engine as JSON lines, by default to standard error.

    Returns the handler, so that it can be closed.
    """
    handler = _make_handler(stream)
    for name, level in ((_OWN_LOGGER, logging.INFO), ("dbos", logging.WARNING)):
        log = logging.getLogger(name)
        for plain in [other for other in log.handlers if name == "dbos"]:  # it would write tracebacks, with messages
            log.removeHandler(plain)
        log.addHandler(handler)
        log.setLevel(level)
        log.propagate = False
    return handler


def capture_standard_error() -> logging.Handler:
    """Make all of this process's standard error JSON lines, from any library; returns the handler of log records.

    Loggers of other libraries that write there get this handler, also by way of the root; warnings and uncaught errors
    become records; any other text becomes an object a line. A library that gives a logger a handler of its own later
    writes through :class:`JsonLineStream`. Where standard error is somebody else's already, as in a test, it stays so.
    """
    handler = _make_handler()
    if sys.stderr is not sys.__stderr__:
        return handler
    plain = handler.stream
    sys.stderr = JsonLineStream(plain)
    root = logging.getLogger()
    loggers = [log for log in logging.Logger.manager.loggerDict.values() if isinstance(log, logging.Logger)]
    for log in (root, *loggers):
        for other in list(log.handlers):
            if isinstance(other, logging.StreamHandler) and other.stream in (plain, sys.__stderr__):
                log.removeHandler(other)
                attach_handler(log, handler)
    attach_handler(root, handler)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught_error
    threading.excepthook = _log_thread_error
    sys.unraisablehook = _log_unraisable_error
    return handler


def attach_handler(log: logging.Logger, handler: logging.Handler) -> None:
    """Let a logger write to a handler, once."""
    if handler not in log.handlers:
        log.addHandler(handler)


def _make_handler(stream: TextIO | None = None) -> "logging.StreamHandler[TextIO]":
    chosen = stream or sys.stderr
    handler = logging.StreamHandler(chosen.plain if isinstance(chosen, JsonLineStream) else chosen)
    handler.setFormatter(JsonLogFormatter())
    return handler


def _log_uncaught_error(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    logging.getLogger(_OWN_LOGGER).critical("an error was not caught", exc_info=(kind, error, at))


def _log_thread_error(given: threading.ExceptHookArgs) -> None:
    if given.exc_type is SystemExit:
        return
    error = given.exc_value or given.exc_type()
    facts: dict[str, LogFact] = {"thread": given.thread.name if given.thread else ""}
    logging.getLogger(_OWN_LOGGER).error(
        "an error of a thread was not caught",
        exc_info=(given.exc_type, error, given.exc_traceback),
        extra={_FACTS: facts},
    )


def _log_unraisable_error(given: "sys.UnraisableHookArgs") -> None:
    error = given.exc_value or given.exc_type()
    logging.getLogger(_OWN_LOGGER).error(
        "an error could not be raised", exc_info=(given.exc_type, error, given.exc_traceback)
    )
