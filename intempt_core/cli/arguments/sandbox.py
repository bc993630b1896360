"""``sandbox``: what it takes."""

import argparse
from pathlib import Path

from intempt_core.cli.arguments.command import Command

_SANDBOX_EPILOG = """\
example:
  sandbox --port 9000 --latency-ms 20

It serves the Track API at /v1/…/track with the key sandbox.sandbox, and lists the events that it received, with
“processed” or why not: curl -u sandbox:sandbox http://127.0.0.1:9000/_sandbox/events
"""


def _add_arguments(sandbox: argparse.ArgumentParser) -> None:
    sandbox.add_argument(
        "--port", type=_parse_port, default=8080, metavar="N", help="default: 8080; 0 is any that is free"
    )
    sandbox.add_argument("--latency-ms", type=_parse_latency, default=0, metavar="N", help="respond this much later")
    sandbox.add_argument("--faults", type=Path, metavar="FILE", help="simulate failures, as this JSON document says")


def _parse_port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"“{text}” is no port; it takes 0 to 65535, where 0 is any that is free")
    return int(text)


def _parse_latency(text: str) -> int:
    if not text.isdigit() or int(text) > 600_000:
        raise argparse.ArgumentTypeError(f"“{text}” is no time; it takes 0 to 600000 milliseconds")
    return int(text)


SANDBOX = Command(
    "sandbox", "serve a local Track API that stores what it gets", _SANDBOX_EPILOG, _add_arguments, run="serve_sandbox"
)
