"""One call of the command line: its command is run, and what became of it is an exit code (see ``cli/__init__``)."""

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from intempt_core import cli
from intempt_core.cli.arguments.command import Command
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.output import print_message
from intempt_core.cli.parser import parse_call
from intempt_core.cli.steps import StepDisplay
from intempt_core.cli.streams import discard_unwritable_output, flush_output, prepare_streams
from intempt_core.errors import (
    ConsoleError,
    FixtureError,
    JourneyError,
    MappingError,
    NotFound,
    ReadError,
    RulesError,
    SentBefore,
    TargetError,
)

RunCommand: TypeAlias = Callable[[argparse.Namespace, Mapping[str, str]], int]
"""What runs a command: its arguments and the environment become an exit code."""

ENDING_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # one is not everywhere
)
"""The signals by which a person, the system or a closed terminal ends a command."""


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run a command and return its exit code. ``arguments`` and ``environment`` are by default the process's own."""
    prepare_streams()
    try:
        with _interrupt_once():
            try:
                return _run_call(arguments, os.environ if environment is None else environment)
            finally:
                flush_output()
    except TargetError as error:
        return _report_error(error, ExitCode.NO_TARGET)
    except (ReadError, MappingError, JourneyError, RulesError, FixtureError, NotFound) as error:
        return _report_error(error, ExitCode.UNREADABLE)
    except SentBefore as error:
        return _report_error(f"Nothing was sent. {error}", ExitCode.SENT_BEFORE)
    except ConsoleError as error:
        return _report_error(error, ExitCode.NOT_ALL)
    except BrokenPipeError:  # the reader of our output has closed it, which is its right
        discard_unwritable_output()
        return ExitCode.OUTPUT_CLOSED
    except OSError as error:
        discard_unwritable_output()
        return _report_error(f"The system reports an error: {error}.", ExitCode.NOT_ALL)
    except KeyboardInterrupt:
        return _report_error("Interrupted.", ExitCode.INTERRUPTED)


def _run_call(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> int:
    """Read a call and run its command; its exit code."""
    command, given = parse_call(arguments)
    logging.getLogger("intempt_core").addHandler(logging.NullHandler())  # what a person needs to know is printed
    code = _run_command(command, given, environment)
    if command.outlives_output:
        discard_unwritable_output()
    return code


def _run_command(command: Command, given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run the command that was called; only its own module is imported, by the package's lazy face."""
    with StepDisplay(sys.stderr) as steps, steps.step("Starting") if command.loads_much else contextlib.nullcontext():
        run: RunCommand = getattr(cli, command.run)
    return run(given, environment)


@contextlib.contextmanager
def _interrupt_once() -> Iterator[None]:
    """Treat the first signal of :data:`ENDING_SIGNALS` as Ctrl+C, and ignore those that follow.

    So requests in flight arrive and every outcome is written. A signal that the caller ignores (``nohup``) stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    heard = [number for number in ENDING_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]

    def interrupt(*_: object) -> None:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report_error(error: object, exit_code: ExitCode) -> ExitCode:
    print_message(str(error))
    return exit_code
