"""What the command line takes, and the help that teaches it."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from intempt_core.readers import GZIP_SUFFIX, JSON_DOCUMENT, list_suffixes

CliCommand: TypeAlias = Callable[[argparse.Namespace, Mapping[str, str]], int]
"""What runs a command: its arguments, and the environment; it gives the exit code."""

_FILE_HELP = (
    f"{list_suffixes(conjunction='or')}, each also as {GZIP_SUFFIX};"
    f" or {list_suffixes([JSON_DOCUMENT])}: {JSON_DOCUMENT.holds}"
)
_MAPPING_HELP = (
    "a mapping file, or the name of a mapping saved in the console; without one only exact headers are taken"
)

_MAIN_EPILOG = """\
commands in their order of use:
  python -m intempt_core check events.csv
  python -m intempt_core send events.csv --target sandbox --yes
  python -m intempt_core sandbox

Each has its own help: python -m intempt_core check --help
"""

_CHECK_EPILOG = """\
examples:
  check events.csv                                     headers are the contract's own: name, eventId, userId …
  check shop.csv --mapping shop.json                   a mapping file, as the Upload screen gives it away
  check shop.csv --mapping cosmetics                   a mapping saved in the console, by its name
  check events.csv --format json                       for a program: rows, counts by code, the first 1,000 issues
  check events.csv --problems problems.xlsx            every problem, the bad cells coloured; or a .csv
  check tests.csv --expect --format junit > tests.xml  for a build server: each row passes or fails

A mapping file says which column becomes which field, and which cell which of the four names:
  {"columns": {"sku": "data.productId", "user": "userId", "what": "name", "when": "timestamp"},
   "names": {"view": "Product viewed"}, "types": {"data.price": "number"}, "constants": {"data.shop": "eu"},
   "time_zone": "Europe/Berlin", "time_format": "%d.%m.%Y %H:%M"}
time_format may be left out (ISO 8601 or epoch milliseconds), or be iso, epoch_s, epoch_ms, epoch_us or a pattern.

A file that tests itself has a column “expect”: ok, or the codes that are right for the row, such as
product_id_missing; errors must be exactly those, warnings that are named must be there. It is never sent.

exit codes: 0 clean, or all as expected · 1 errors found, or not all as expected · 2 cannot be read
"""

_SEND_EPILOG = """\
examples:
  send events.csv --target sandbox --yes               to the sandbox on this machine
  send shop.csv --target shop --mapping cosmetics      to [targets.shop] of .streamlit/secrets.toml; it asks first
  send events.csv --target sandbox --yes --wait --results results.csv
  INTEMPT_API_KEY=prefix.secret python -m intempt_core send events.csv --yes \\
      --target https://api.intempt.com/v1/acme/projects/shop/sources/1001/track

Rows with errors stay behind and are counted. Where a console runs on the same data, it does the sending (but not to a
URL, whose key only this command knows): --wait then waits for the end. Without one this command sends by itself, and
brings up the sandbox where that is the target.

exit codes: 0 all accepted · 1 not all, or not sent · 2 cannot be read · 3 no such target
"""

_SANDBOX_EPILOG = """\
example:
  sandbox --port 9000 --latency-ms 20

It takes the requests of the Track API at /v1/…/track with the key sandbox.sandbox, and lists what it got, with
“processed” or why not: curl -u sandbox:sandbox http://127.0.0.1:9000/_sandbox/events
"""


def build_parser(check: CliCommand, send: CliCommand, sandbox: CliCommand) -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    found = argparse.ArgumentParser(
        "python -m intempt_core",
        description="Check and send product events.",
        epilog=_MAIN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = found.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, runs: CliCommand, help_: str, epilog: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=help_,
            description=f"{help_[0].upper()}{help_[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(command=runs)
        return made

    checking = command("check", check, "say what is wrong with a file; nothing is sent", _CHECK_EPILOG)
    checking.add_argument("file", metavar="FILE", type=Path, help=_FILE_HELP)
    checking.add_argument("--mapping", metavar="FILE|NAME", help=_MAPPING_HELP)
    checking.add_argument(
        "--expect", action="store_true", help="hold every row against its column “expect”: ok, or issue codes"
    )
    checking.add_argument(
        "--format", choices=("text", "json", "junit"), default="text", help="junit goes with --expect; default: text"
    )
    checking.add_argument(
        "--problems",
        type=Path,
        metavar="OUT",
        help="write every problem to OUT.csv, or to OUT.xlsx with coloured cells",
    )

    sending = command("send", send, "check a file and send the rows without errors", _SEND_EPILOG)
    sending.add_argument("file", metavar="FILE", type=Path, help=_FILE_HELP)
    sending.add_argument(
        "--target", required=True, metavar="sandbox|NAME|URL", help="a URL's key is that of $INTEMPT_API_KEY"
    )
    sending.add_argument("--mapping", metavar="FILE|NAME", help=_MAPPING_HELP)
    sending.add_argument(
        "--order",
        choices=("file", "time"),
        default="file",
        help="a person's events by their lines, or their timestamps",
    )
    sending.add_argument("--yes", action="store_true", help="do not ask, not even for a production target")
    sending.add_argument("--wait", action="store_true", help="wait for a running console that sends")
    sending.add_argument("--results", type=Path, metavar="OUT.csv", help="what became of every row")

    serving = command("sandbox", sandbox, "serve a local Track API that stores what it gets", _SANDBOX_EPILOG)
    serving.add_argument(
        "--port", type=_parse_port, default=8080, metavar="N", help="default: 8080; 0 is any that is free"
    )
    serving.add_argument("--latency-ms", type=_parse_latency, default=0, metavar="N", help="answer this much later")
    serving.add_argument("--faults", type=Path, metavar="FILE", help="fail on purpose, as this JSON document says")
    return found


def _parse_port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"“{text}” is no port; it takes 0 to 65535, where 0 is any that is free")
    return int(text)


def _parse_latency(text: str) -> int:
    if not text.isdigit() or int(text) > 600_000:
        raise argparse.ArgumentTypeError(f"“{text}” is no time; it takes 0 to 600000 milliseconds")
    return int(text)
