"""The same road without a screen: ``check``, ``send`` and ``sandbox``.

Counts and issues go to standard output, progress and errors to standard error; an error is one sentence.
Exit codes: 0 clean, or all accepted · 1 errors found, or not all accepted · 2 cannot be read, or wrongly called ·
3 no such target.
"""

import argparse
import contextlib
import gc
import io
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from intempt_core import sandbox
from intempt_core.cli.check import run_check
from intempt_core.cli.output import print_message
from intempt_core.cli.parser import build_parser
from intempt_core.cli.send import run_send
from intempt_core.contract import FaultDocument, FaultDocumentUnreadable, parse_fault_document
from intempt_core.errors import ConsoleError, MappingError, ReadError, TargetError
from intempt_core.settings import Settings
from intempt_core.targets import sandbox_target

EXIT_CLEAN, EXIT_NOT_ALL, EXIT_UNREADABLE, EXIT_NO_TARGET = 0, 1, 2, 3
"""Exit codes."""


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run a command and return its exit code. ``arguments`` and ``environment`` are by default the process's own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot write a character gets a question mark
    asked = build_parser(run_check, run_send, _run_sandbox)
    given = asked.parse_args(arguments)
    if getattr(given, "format", "") == "junit" and not given.expect:
        asked.error("--format junit tells what became of the tests of a file: say --expect beside it")
    environment = os.environ if environment is None else environment
    logging.getLogger("intempt_core").addHandler(logging.NullHandler())  # what a person needs to know is said
    try:
        with _handle_sigterm():
            return int(given.command(given, environment))
    except TargetError as error:
        return _report_error(error, EXIT_NO_TARGET)
    except (ReadError, MappingError) as error:
        return _report_error(error, EXIT_UNREADABLE)
    except ConsoleError as error:
        return _report_error(error, EXIT_NOT_ALL)
    except BrokenPipeError:
        # Whoever read our output has closed it, which is their right; Python would complain once more at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NOT_ALL
    except OSError as error:
        return _report_error(f"The system refuses: {error}.", EXIT_NOT_ALL)
    except KeyboardInterrupt:
        return _report_error("Interrupted.", EXIT_NOT_ALL)


@contextlib.contextmanager
def _handle_sigterm() -> Iterator[None]:
    """SIGTERM is heard as Ctrl+C is: what is on its way arrives, every outcome is written."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report_error(error: object, exit_code: int) -> int:
    print_message(str(error))
    return exit_code


def _run_sandbox(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    settings = Settings.from_environment(environment)
    faults = _read_faults(args.faults)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        with sandbox.run_sandbox(settings.sandbox_file, args.port, args.latency_ms, faults) as url:
            print_message(f"The sandbox: {sandbox_target(url).track_url}")
            if faults.active:
                print_message(faults.sentence)
            print_message(f"Its key: {sandbox.SANDBOX_KEY}. Stop it with Ctrl+C.")
            gc.freeze()  # what there is now stays: a tenth of the time goes into looking through it again and again,
            gc.set_threshold(50_000)  # and what a request leaves behind is hardly ever a ring
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    except OSError as error:
        raise ConsoleError(f"The sandbox cannot be served at port {args.port}: {error.strerror}.") from None
    return EXIT_CLEAN


def _read_faults(file: Path | None) -> FaultDocument:
    """The faults of a file; none without one. Raises :class:`ReadError`."""
    if file is None:
        return FaultDocument()
    try:
        return parse_fault_document(json.loads(file.read_bytes()))
    except OSError as error:
        raise ReadError(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError, FaultDocumentUnreadable) as error:
        raise ReadError(f"{file} is no fault document. {error}") from None
