"""``generate``: a labelled fixture, into a file or to standard output; ``--list-defects`` says what it can hold."""

import argparse
import sys
from collections.abc import Iterable, Mapping

from intempt_core.cli.catalogue import load_catalogue
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.files_out import check_writable, open_atomic
from intempt_core.cli.output import print_message, print_result
from intempt_core.contract import ISSUE_KINDS, format_count, join_words
from intempt_core.fixtures import (
    DEFAULT_PERSONS,
    MADE_ID_DEFECT,
    NEEDS_EVENT_IDS,
    ROWS_A_PERSON,
    FixtureForm,
    FixtureRequest,
    LabelledFixture,
    explain_unheld,
    generate_fixture,
    list_held_codes,
    parse_defects,
)
from intempt_core.settings import Settings


def write_fixture(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``generate``: 0. Raises :class:`~intempt_core.errors.FixtureError` where it cannot be as it is asked for."""
    form = FixtureForm(args.form)
    if args.list_defects:
        _list_defects(form, has_products=args.products is not None)
        return ExitCode.DONE
    if args.out is not None:
        check_writable(args.out, args.products, "fixture", force=args.force)
    settings = Settings.from_environment(environment)
    persons = args.persons
    if persons is None:
        persons = DEFAULT_PERSONS if args.rows is None else max(1, args.rows // ROWS_A_PERSON)
    fixture = generate_fixture(
        FixtureRequest(
            persons,
            args.seed,
            form,
            args.rows,
            parse_defects(args.defects),
            load_catalogue(args.products, args.catalogue_column, None, settings),
        )
    )
    if args.out is None:
        _print_bytes(fixture.iter_bytes())
    else:
        with open_atomic(args.out, "fixture", force=args.force) as out:
            for part in fixture.iter_bytes():
                out.write(part)
    print_message(_describe_fixture(fixture, persons))
    return ExitCode.DONE


def _list_defects(form: FixtureForm, *, has_products: bool) -> None:
    held = list_held_codes(form, has_products=has_products)
    unheld = explain_unheld(form, has_products=has_products)
    print_result(f"A fixture in the form {form.value} can hold:")
    for code in held:
        print_result(f"  {code}: {ISSUE_KINDS[code].title}")
    if form in MADE_ID_DEFECT.forms:
        beside = join_words(NEEDS_EVENT_IDS, "or")
        print_result(f"  {MADE_ID_DEFECT.code}: the file then has no column eventId; not beside {beside}")
        del unheld[MADE_ID_DEFECT.code]
    print_result("and not:")
    for code in ISSUE_KINDS:
        if code in unheld:
            print_result(f"  {code}: {unheld[code]}")


def _print_bytes(parts: Iterable[bytes | memoryview]) -> None:
    """Write to standard output, in UTF-8 and with the line ends as they are, whatever the terminal's own are."""
    sys.stdout.flush()
    out = getattr(sys.stdout, "buffer", None)
    for part in parts:
        if out is None:
            sys.stdout.write(bytes(part).decode())
        else:
            out.write(part)
    sys.stdout.flush()


def _describe_fixture(fixture: LabelledFixture, persons: int) -> str:
    labels = ", ".join(f"{label} {count:,}" for label, count in fixture.labels.items())
    return f"{format_count(fixture.rows, 'row')} of {format_count(persons, 'person')}: {labels}."
