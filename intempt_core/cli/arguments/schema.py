"""``schema``: what it takes."""

import argparse

from intempt_core.cli.arguments.command import Command

_EPILOG = """\
examples:
  schema > track.schema.json                           a request's body
  schema --of event > event.schema.json                one event inside “payload”

Its $id has a version, which grows when it changes. Ids that are repeated across events are what no schema sees: check
finds them.

exit code: 0
"""


def _add_arguments(schema: argparse.ArgumentParser) -> None:
    schema.add_argument(
        "--of", choices=("request", "event"), default="request", help="what is described; default: request"
    )


SCHEMA = Command(
    "schema", "print the contract as JSON Schema, draft 2020-12", _EPILOG, _add_arguments, run="print_schema"
)
