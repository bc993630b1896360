"""``suggest``: a mapping file for a file, on standard output, and why, on standard error; nothing is applied."""

import argparse
import json
import sys
from dataclasses import replace
from functools import partial

from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.input import parse_read_options, show_bytes
from intempt_core.cli.output import print_message
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.contract import format_count
from intempt_core.errors import MappingError
from intempt_core.mapping import Mapping, draft_mapping, find_vendor
from intempt_core.readers import Document, read_table_or_document


def print_mapping(args: argparse.Namespace) -> int:
    """Run ``suggest``: 0, whatever could be suggested. Raises :class:`MappingError` where a file takes no mapping."""
    vendor = find_vendor(args.vendor) if args.vendor else ""
    options = parse_read_options(args)
    with StepDisplay(sys.stderr) as steps:
        with steps.step("Reading", shorten_name(args.file.name)):
            progress = partial(show_bytes, steps, args.file.name)
            read = read_table_or_document(
                args.file, name=args.file.name, dialect=options, on_progress=progress, prefers_lines=True
            )
        if isinstance(read, Document):
            raise MappingError(f"{read.name} holds events as they are sent, as JSON in one piece; it takes no mapping.")
        with steps.step("Looking at", format_count(read.rows, "row")):
            draft = draft_mapping(read, vendor)
    for line in (*read.notes, *draft.reasons):
        print_message(line)
    _print_json(replace(draft.mapping, read=options))
    return ExitCode.DONE


def _print_json(mapping: Mapping) -> None:
    """Print a mapping file so that it can be read again whatever the terminal's own encoding is."""
    text = mapping.to_json()
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=2) + "\n"
    sys.stdout.write(text)
