"""The same road without a screen: ``check``, ``send`` and ``sandbox`` (DESIGN, doors).

Counts and issues go to standard output, progress and errors to standard error; an error is one sentence.
Exit codes: 0 clean, or all accepted · 1 errors found, or not all accepted · 2 cannot be read, or wrongly called ·
3 no such target.
"""

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from intempt_core import sandbox
from intempt_core.cli.checking import check
from intempt_core.cli.sending import send
from intempt_core.cli.words import say
from intempt_core.errors import ConsoleError, MappingError, ReadError, TargetError
from intempt_core.settings import Settings
from intempt_core.targets import sandbox_target

CLEAN, NOT_ALL, UNREADABLE, NO_TARGET = 0, 1, 2, 3
"""Exit codes."""

_MAPPING = "a mapping file, or the name of a mapping saved in the console; without one only exact headers are taken"


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run a command and return its exit code. ``arguments`` and ``environment`` are by default the process's own."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if getattr(given, "format", "") == "junit" and not given.expect:
        parser.error("--format junit tells what became of the tests of a file: say --expect beside it")
    environment = os.environ if environment is None else environment
    logging.getLogger("intempt_core").addHandler(logging.NullHandler())  # what a person needs to know is said
    try:
        with _asked_to_end():
            return int(given.command(given, environment))
    except TargetError as error:
        return _sorry(error, NO_TARGET)
    except (ReadError, MappingError) as error:
        return _sorry(error, UNREADABLE)
    except ConsoleError as error:
        return _sorry(error, NOT_ALL)
    except BrokenPipeError:
        # Whoever read our output has closed it, which is their right; Python would complain once more at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_ALL
    except OSError as error:
        return _sorry(f"The system refuses: {error}.", NOT_ALL)
    except KeyboardInterrupt:
        return _sorry("Interrupted.", NOT_ALL)


@contextlib.contextmanager
def _asked_to_end() -> Iterator[None]:
    """SIGTERM is heard as Ctrl+C is: what is on its way arrives, every outcome is written."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m intempt_core", description="Check and send product events.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    checking = commands.add_parser("check", help="say what is wrong with a file; nothing is sent")
    checking.add_argument(
        "file", metavar="FILE", type=Path, help=".csv, .tsv, .xlsx, .jsonl, each also as .gz; or a .json request"
    )
    checking.add_argument("--mapping", metavar="FILE|NAME", help=_MAPPING)
    checking.add_argument(
        "--expect", action="store_true", help="hold every row against its column “expect”: ok, or issue codes"
    )
    checking.add_argument("--format", choices=("text", "json", "junit"), default="text")
    checking.add_argument(
        "--problems",
        type=Path,
        metavar="OUT",
        help="write every problem to OUT.csv, or to OUT.xlsx with coloured cells",
    )
    checking.set_defaults(command=check)

    sending = commands.add_parser("send", help="check a file and send the rows without errors")
    sending.add_argument(
        "file", metavar="FILE", type=Path, help=".csv, .tsv, .xlsx, .jsonl, each also as .gz; or a .json request"
    )
    sending.add_argument("--target", required=True, metavar="sandbox|NAME|URL")
    sending.add_argument("--mapping", metavar="FILE|NAME", help=_MAPPING)
    sending.add_argument(
        "--order",
        choices=("file", "time"),
        default="file",
        help="a person's events by their lines, or their timestamps",
    )
    sending.add_argument("--yes", action="store_true", help="do not ask, not even for a production target")
    sending.add_argument("--wait", action="store_true", help="wait for a running console that sends")
    sending.add_argument("--results", type=Path, metavar="OUT.csv", help="what became of every row")
    sending.set_defaults(command=send)

    serving = commands.add_parser("sandbox", help="serve a local Track API that stores what it gets")
    serving.add_argument("--port", type=_port, default=8080, metavar="N")
    serving.add_argument("--latency-ms", type=_latency, default=0, metavar="N", help="answer this much later")
    serving.set_defaults(command=_sandbox)
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"“{text}” is no port; it takes 0 to 65535, where 0 is any that is free")
    return int(text)


def _latency(text: str) -> int:
    if not text.isdigit() or int(text) > 600_000:
        raise argparse.ArgumentTypeError(f"“{text}” is no time; it takes 0 to 600000 milliseconds")
    return int(text)


def _sorry(error: object, code: int) -> int:
    say(str(error))
    return code


def _sandbox(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    settings = Settings.from_environment(environment)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        with sandbox.running(settings.sandbox_file, given.port, given.latency_ms) as url:
            say(f"The sandbox: {sandbox_target(url).track_url}")
            say(f"Its key: {sandbox.KEY}. Stop it with Ctrl+C.")
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    except OSError as error:
        raise ConsoleError(f"The sandbox cannot be served at port {given.port}: {error.strerror}.") from None
    return CLEAN
