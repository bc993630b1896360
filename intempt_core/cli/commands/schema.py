"""``schema``: the contract as JSON Schema on standard output, for editors, code generators and other validators."""

import argparse
import json
from collections.abc import Mapping

from intempt_core.cli.exit_codes import ExitCode
from intempt_core.contract import SchemaSubject, build_contract_schema


def print_schema(args: argparse.Namespace, _environment: Mapping[str, str]) -> ExitCode:
    """Run ``schema``: always 0. It is written in ASCII, so that it is the same whatever the terminal's encoding is."""
    print(json.dumps(build_contract_schema(SchemaSubject(args.of)), indent=2))
    return ExitCode.DONE
