"""``suggest``: a mapping file for a file, on standard output, and why, on standard error; nothing is applied."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.input import parse_read_options, show_bytes
from intempt_core.cli.output import print_message
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.contract import format_count
from intempt_core.errors import MappingError
from intempt_core.mapping import Mapping as FieldMapping
from intempt_core.mapping import draft_mapping, find_vendor
from intempt_core.readers import Document, Table, read_table_or_document


def print_mapping(args: argparse.Namespace, _environment: Mapping[str, str]) -> int:
    """Run ``suggest``: 0, whatever could be suggested.

    Raises :class:`MappingError` where a file takes no mapping, or nothing in it can be read.
    """
    vendor = find_vendor(args.vendor) if args.vendor else ""
    options = parse_read_options(args)
    with StepDisplay(sys.stderr) as steps:
        with steps.step("Reading", shorten_name(args.file.name)):
            progress = partial(show_bytes, steps, args.file.name)
            read = read_table_or_document(
                args.file, name=args.file.name, dialect=options, on_progress=progress, prefers_lines=True
            )
        if isinstance(read, Document):
            raise MappingError(
                f"{read.name} is one JSON document, whose events are sent as they are; it takes no mapping."
            )
        unreadable = _describe_unreadable_lines(read)
        with steps.step("Looking at", format_count(read.rows, "row")):
            draft = draft_mapping(read, vendor)
    for line in (*read.notes, *unreadable, *draft.reasons):
        print_message(line)
    _print_json(replace(draft.mapping, read=options))
    return ExitCode.DONE


def _describe_unreadable_lines(table: Table) -> list[str]:
    """How many lines are no JSON, and what is wrong with the first. Raises :class:`MappingError` where all are."""
    if table.documents is None:
        return []
    rows = table.documents.issues.rows_with("line_unreadable")
    if not rows.size:
        return []
    first = table.documents.issues.of_row(int(rows[0]))[0]
    where = f"{table.format.row_label} {first.place.line:,}, {first.hint[:1].lower()}{first.hint[1:]}"
    if rows.size == table.rows:
        raise MappingError(f"{table.name}: nothing in it can be read as JSON. See {where}")
    return [f"{rows.size:,} of {format_count(table.rows, 'row')} cannot be read as JSON. See {where}"]


def _print_json(mapping: FieldMapping) -> None:
    """Print a mapping file so that it can be read again whatever the terminal's own encoding is."""
    text = mapping.to_json()
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=2) + "\n"
    sys.stdout.write(text)
