"""``coverage``: what of the contract a set of files exercises; ``--add-missing`` writes the rows that lack."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from intempt_core.cli.catalogue import load_catalogue
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.files_out import check_writable, open_atomic
from intempt_core.cli.input import read_input
from intempt_core.cli.input_files import NamedFile, expand_names, open_named_file
from intempt_core.cli.output import print_message, print_result
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.contract import ISSUE_KINDS, format_count
from intempt_core.errors import FixtureError
from intempt_core.fixtures import (
    JOURNEY_SHAPES,
    CheckedFile,
    ContractCoverage,
    FixtureForm,
    generate_missing_rows,
    measure_coverage,
)
from intempt_core.settings import Settings
from intempt_core.validation import ProductCatalogue


def print_coverage(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``coverage``: 0, or 1 where it is less than ``--fail-under``."""
    out: Path | None = args.add_missing
    names = expand_names(args.files)
    if out is not None:
        for name in names:
            check_writable(out, Path(name), "missing rows", force=args.force)
    settings = Settings.from_environment(environment)
    catalogue = load_catalogue(args.catalogue, args.catalogue_column, None, settings)
    with contextlib.ExitStack() as opened:
        steps = opened.enter_context(StepDisplay(sys.stderr))
        named = (opened.enter_context(open_named_file(name)) for name in names)
        files = [_check_file(args, file, catalogue, settings, steps) for file in named]
        form = _choose_form(files, out)
        with steps.step("Measuring", format_count(sum(len(file.events) for file in files), "event")):
            coverage = measure_coverage(files, form, has_products=catalogue is not None)
    if args.format == "json":
        print_result(json.dumps(coverage.to_json(), ensure_ascii=True))
    else:
        for line in describe_coverage(coverage):
            print_result(line)
    if out is not None:
        _write_missing(out, coverage, catalogue, force=args.force)
    return ExitCode.NOT_ALL if coverage.percent < args.fail_under else ExitCode.DONE


def _check_file(
    args: argparse.Namespace,
    named: NamedFile,
    catalogue: ProductCatalogue | None,
    settings: Settings,
    steps: StepDisplay,
) -> CheckedFile:
    file = read_input(named, args, settings, steps)
    for note in file.notes:
        print_message(f"{named.shown}: {note}")
    with steps.step("Checking", shorten_name(named.name)):
        report = file.check(catalogue)
    events = file.payload_events if file.table is None else list(file.table.events(range(file.table.rows)))
    is_text = file.table is not None and file.table.table.documents is None
    return CheckedFile(str(named.shown), events, report, is_text)


def _choose_form(files: Sequence[CheckedFile], out: Path | None) -> FixtureForm:
    """JSON lines where all files are JSON, else delimited text. Raises :class:`FixtureError` where ``out`` differs."""
    form = FixtureForm.CSV if any(file.is_text for file in files) else FixtureForm.JSONL
    if out is not None and out.suffix.lower() != f".{form.value}":
        raise FixtureError(
            f"What counts is what the form {form.value} can hold, as these files are written. Name a .{form.value} file"
            f" in the place of {out.name}."
        )
    return form


def describe_coverage(coverage: ContractCoverage) -> Iterator[str]:
    """The coverage, line by line."""
    width = max(len(name) for name in (*ISSUE_KINDS, *JOURNEY_SHAPES))
    yield f"{'rule':<{width}}  rightly  wrongly"
    for rule in coverage.rules:
        yield f"{rule.code:<{width}}  {_say(rule.rightly):<7}  {_say(rule.wrongly)}"
    yield ""
    yield f"{'shape of journeys':<{width}}  there"
    for key, found in coverage.shapes.items():
        yield f"{key:<{width}}  {_say(found):<5}  {JOURNEY_SHAPES[key].meaning}"
    yield ""
    reasons: dict[str, list[str]] = {}
    for code, why in coverage.not_counted.items():
        reasons.setdefault(why, []).append(code)
    for why, codes in reasons.items():
        yield f"Not counted: {', '.join(codes)}: {why}."
    files = format_count(len(coverage.files), "file")
    yield f"{coverage.percent:g} % of the contract ({coverage.exercised} of {coverage.total}) in {files}."


def _say(is_there: bool) -> str:
    return "yes" if is_there else "NO"


def _write_missing(out: Path, coverage: ContractCoverage, catalogue: ProductCatalogue | None, *, force: bool) -> None:
    if not (coverage.missing_codes or coverage.missing_shapes):
        print_message(f"Nothing lacks: {out} is not written.")
        return
    made = generate_missing_rows(coverage.missing_codes, coverage.missing_shapes, coverage.form, catalogue)
    with open_atomic(out, "missing rows", force=force) as file:
        for part in made.fixture.iter_bytes():
            file.write(part)
    rules = format_count(len(coverage.missing_codes), "rule")
    shapes = format_count(len(coverage.missing_shapes), "shape")
    print_message(
        f"{out}: {format_count(made.fixture.rows, 'row')} for {rules} and {shapes}; with it all is exercised."
    )
