"""``move``: a whole history from its SQLite file into an empty PostgreSQL database, counted and compared."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.output import print_message, print_result
from intempt_core.cli.steps import StepDisplay
from intempt_core.contract import format_count
from intempt_core.dispatch import hold_data_folder
from intempt_core.errors import ReadError, SettingsError
from intempt_core.history import MoveProgress, MoveReport, MoveStage, move_history
from intempt_core.settings import DATABASE_EXAMPLE, DATABASE_VARIABLE, Settings

_STEPS = {
    MoveStage.COUNTING: "Counting",
    MoveStage.COPYING: "Copying",
    MoveStage.INDEXING: "Making indexes",
    MoveStage.COMPARING: "Comparing",
}


def move_to_database(args: argparse.Namespace, environment: Mapping[str, str]) -> ExitCode:
    """Run ``move``: 0 where all was moved; errors say that nothing was."""
    if args.to is not None:
        environment = {**environment, DATABASE_VARIABLE: args.to}
    try:
        settings = Settings.from_environment(environment)
    except SettingsError as error:
        raise ReadError(str(error)) from None
    if not settings.database_url:
        raise ReadError(
            f"It is not said where to move. Set {DATABASE_VARIABLE}, such as {DATABASE_EXAMPLE}, or say --to."
        )
    file = settings.history_file if args.source is None else _read_source(args.source, settings.history_file.name)
    if not file.is_file():
        raise ReadError(
            f"There is no history at {file}. --from takes sqlite:FILE, the history.sqlite3 of a data folder."
        )
    try:
        with hold_data_folder(file.parent):
            report = _show_move(file, settings.database_url)
    except KeyboardInterrupt:
        print_message("Nothing was moved: the database is as empty as it was, and the file is as it was.")
        raise
    _print_report(report, file, args.format)
    return ExitCode.DONE


def _read_source(text: str, name: str) -> Path:
    """The file that ``--from`` names: a path, or the URL of SQLite with it; of a folder the history in it."""
    scheme, separator, path = text.partition(":")
    if separator and len(scheme) > 1:  # a single letter is a drive of Windows
        if scheme != "sqlite":
            raise ReadError("--from takes sqlite:FILE: a history is moved from a file into PostgreSQL, not back.")
        text = path.removeprefix("///") if path.startswith("///") else path
    found = Path(text).expanduser()
    return found / name if found.is_dir() else found


def _show_move(file: Path, url: str) -> MoveReport:
    """Move it, and say on standard error how far that is."""
    with StepDisplay(sys.stderr) as steps, steps.step("Moving", file.name):

        def show(progress: MoveProgress) -> None:
            if steps.is_due or not progress.table:
                what = f"{_STEPS[progress.stage]} {progress.table}".rstrip()
                of = f", {progress.done:,} of {progress.total:,}" if progress.total else ""
                steps.update(f"{what}{of}", progress.done, progress.total)

        return move_history(file, url, on_progress=show)


def _print_report(report: MoveReport, file: Path, form: str) -> None:
    if form == "json":
        print_result(json.dumps({**asdict(report), "rows": report.rows}))
    else:
        width = max(len(table.name) for table in report.tables)
        for table in report.tables:
            print_result(f"{table.name:<{width}}  {table.rows:>15,}  {table.digest}")
        print_result(f"{format_count(report.rows, 'row')} moved to {report.to}; every table is the same there.")
    note = (
        "A note beside it keeps consoles from going on with it."
        if report.is_noted
        else "No note could be left beside it: put the file away, so that no console goes on with it."
    )
    print_message(
        f"Set {DATABASE_VARIABLE} for the console and for every command. {file} is as it was; keep it as a backup."
        f" {note}"
    )
    for problem in report.left_out:
        print_message(f"Not moved: {problem}")
    if report.unfinished:
        print_message(
            f"{format_count(report.unfinished, 'batch', 'batches')} of it are not over: the first console or worker"
            " that starts on the new database goes on with what was being sent."
        )
