"""One call of the command line: its command is run, and what became of it is an exit code (see ``cli/__init__``)."""

import argparse
import contextlib
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence

from intempt_core import cli
from intempt_core.cli.output import print_message
from intempt_core.cli.parser import build_parser
from intempt_core.errors import ConsoleError, MappingError, ReadError, TargetError

EXIT_NOT_ALL, EXIT_UNREADABLE, EXIT_NO_TARGET = 1, 2, 3
"""Exit codes of a command that could not do what it was called for."""


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run a command and return its exit code. ``arguments`` and ``environment`` are by default the process's own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot write a character gets a question mark
    parser = build_parser()
    given = parser.parse_args(arguments)
    if getattr(given, "format", "") == "junit" and not given.expect:
        parser.error("--format junit reports the tests of a file: say --expect beside it")
    logging.getLogger("intempt_core").addHandler(logging.NullHandler())  # what a person needs to know is printed
    try:
        with _handle_sigterm():
            return _run_command(given, os.environ if environment is None else environment)
    except TargetError as error:
        return _report_error(error, EXIT_NO_TARGET)
    except (ReadError, MappingError) as error:
        return _report_error(error, EXIT_UNREADABLE)
    except ConsoleError as error:
        return _report_error(error, EXIT_NOT_ALL)
    except BrokenPipeError:
        # The reader of our output has closed it, which is its right; Python would complain once more at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NOT_ALL
    except OSError as error:
        return _report_error(f"The system reports an error: {error}.", EXIT_NOT_ALL)
    except KeyboardInterrupt:
        return _report_error("Interrupted.", EXIT_NOT_ALL)


def _run_command(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run the command that was called; only its own module is imported, by the package's lazy face."""
    match given.command:
        case "check":
            return cli.run_check(given, environment)
        case "send":
            return cli.run_send(given, environment)
        case "sandbox":
            return cli.serve_sandbox(given, environment)
        case _:
            return cli.print_settings(given, environment)


@contextlib.contextmanager
def _handle_sigterm() -> Iterator[None]:
    """Treat SIGTERM as Ctrl+C: requests in flight arrive, every outcome is written."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report_error(error: object, exit_code: int) -> int:
    print_message(str(error))
    return exit_code
