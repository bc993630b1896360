"""``worker``: what it takes."""

import argparse

from intempt_core.cli.arguments.command import Command

_WORKER_EPILOG = """\
example:
  CONSOLE_DATABASE_URL=postgresql+psycopg://user:password@host:5432/name worker

Any number of them, on any machines, share the work of one database: what is recorded in it by consoles and by send.
Targets and their keys are those of its own secrets.toml and environment. Ctrl+C and SIGTERM end it after the responses
that it waits for (CONSOLE_DRAIN_SECONDS); what is killed is taken over by the others within 30 seconds.

exit codes: 0 ended in good order · 1 it had to end, and said why · 2 it cannot be started
"""


def _add_arguments(worker: argparse.ArgumentParser) -> None:
    worker.add_argument(
        "--metrics-port",
        type=int,
        metavar="N",
        help="serve /metrics and /healthz at this port of CONSOLE_BIND, by default of this machine alone",
    )


WORKER = Command(
    "worker",
    "send what is recorded in a PostgreSQL database, together with other workers",
    _WORKER_EPILOG,
    _add_arguments,
    run="run_worker",
    outlives_output=True,
)
