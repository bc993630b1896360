"""``suggest``: a mapping file for a file, on standard output, and why, on standard error; nothing is applied."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.input import check_form, parse_read_options, show_bytes
from intempt_core.cli.input_files import NamedFile, expand_names, open_named_file
from intempt_core.cli.output import print_message
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.contract import Json, format_count
from intempt_core.errors import MappingError, ReadError
from intempt_core.mapping import Mapping as FieldMapping
from intempt_core.mapping import draft_mapping, find_vendor
from intempt_core.readers import Document, Table, read_table_or_document


def print_mapping(args: argparse.Namespace, _environment: Mapping[str, str]) -> int:
    """Run ``suggest``: 0, whatever could be suggested; of several files 2 where one of them cannot be read.

    Raises :class:`ReadError` or :class:`MappingError` where the one file cannot be read or takes no mapping, or nothing
    in it can be read.
    """
    vendor = find_vendor(args.vendor) if args.vendor else ""
    names = expand_names(args.files)
    if len(names) == 1:
        with open_named_file(names[0], args.form) as file:
            mapping, notes = _draft(file, args, vendor)
        for note in notes:
            print_message(note)
        _print_json(mapping.to_json())
        return ExitCode.DONE
    return _print_several(names, args, vendor)


def _print_several(names: list[str], args: argparse.Namespace, vendor: str) -> int:
    """Print one document with a mapping for each file; a file that takes none is said, and the others have theirs."""
    files: list[Json] = []
    code = ExitCode.DONE
    for name in names:
        try:
            with open_named_file(name, args.form) as file:
                mapping, notes = _draft(file, args, vendor)
        except (ReadError, MappingError) as error:
            code = ExitCode.UNREADABLE
            reason = str(error) if name in str(error) else f"{name}: {error}"
            print_message(reason)
            files.append({"file": name, "error": reason})
            continue
        for note in notes:
            print_message(f"{name}: {note}")
        files.append({"file": name, "mapping": json.loads(mapping.to_json())})
    _print_json(json.dumps({"files": files}, indent=2, ensure_ascii=False) + "\n")
    return code


def _draft(file: NamedFile, args: argparse.Namespace, vendor: str) -> tuple[FieldMapping, list[str]]:
    """The mapping of one file, and the reasons."""
    options = parse_read_options(args)
    with StepDisplay(sys.stderr) as steps:
        with steps.step("Reading", shorten_name(file.name)):
            progress = partial(show_bytes, steps, file.name)
            read = read_table_or_document(
                file.path, name=file.name, dialect=options, on_progress=progress, prefers_lines=True
            )
            check_form(read, file.form)
        if isinstance(read, Document):
            raise MappingError(
                f"{read.name} is one JSON document, whose events are sent as they are; it takes no mapping."
            )
        unreadable = list(_describe_unreadable_lines(read))
        with steps.step("Looking at", format_count(read.rows, "row")):
            draft = draft_mapping(read, vendor)
    return replace(draft.mapping, read=options), [*read.notes, *unreadable, *draft.reasons]


def _describe_unreadable_lines(table: Table) -> Iterator[str]:
    """How many lines are no JSON, and what is wrong with the first. Raises :class:`MappingError` where all are."""
    if table.documents is None:
        return
    rows = table.documents.issues.rows_with("line_unreadable")
    if not rows.size:
        return
    first = table.documents.issues.of_row(int(rows[0]))[0]
    where = f"{table.format.row_label} {first.place.line:,}, {first.hint[:1].lower()}{first.hint[1:]}"
    if rows.size == table.rows:
        raise MappingError(f"{table.name}: nothing in it can be read as JSON. See {where}")
    yield f"{rows.size:,} of {format_count(table.rows, 'row')} cannot be read as JSON. See {where}"


def _print_json(text: str) -> None:
    """Print JSON so that it can be read again whatever the terminal's own encoding is."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=2) + "\n"
    sys.stdout.write(text)
