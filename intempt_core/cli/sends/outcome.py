"""What became of a batch: counts, the file of results, the next step, and the exit code that says it to a program."""

from collections.abc import Iterator
from pathlib import Path

from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.files_out import check_writable, write_atomic
from intempt_core.cli.output import print_message, print_outcome
from intempt_core.cli.program import name_console_start, name_program
from intempt_core.cli.sends.sending import SendResult
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.contract import format_count
from intempt_core.dispatch import count_never_left
from intempt_core.errors import ConsoleError
from intempt_core.exports import export_results_csv, reject_secrets
from intempt_core.history import BatchState, BatchSummary, History, RequestState
from intempt_core.targets import SANDBOX, Target


def can_write_results(out: Path | None, source: Path | None, *, force: bool) -> bool:
    """Whether the file of results can be written; what prevents it is printed, before anything is sent."""
    if out is None:
        return True
    try:
        check_writable(out, source, "results", consequence="Nothing was sent.", force=force)
    except ConsoleError as error:
        print_message(str(error))
        return False
    return True


def report_outcome(
    history: History, sent: SendResult, target: Target, results: Path | None, steps: StepDisplay, *, force: bool = False
) -> ExitCode:
    """Print what became of a batch and write its results; the exit code that says so."""
    found = history.queries.batch(sent.batch)
    for state in RequestState:
        if found.events.get(state):
            print_outcome(f"{found.events[state]:>9,}  {state.value}")
    for count, words in _list_verdicts(found):
        print_outcome(f"{count:>9,}  {words}")
    if found.excluded_rows:
        print_outcome(f"{found.excluded_rows:>9,}  excluded")
    if found.overtaken:
        print_outcome(f"{found.overtaken:>9,}  overtaken attempts")
        print_message(found.overtaken_message)
    print_message(_describe_next_step(found, sent))
    code = _find_exit_code(found, sent)
    if results is None:
        return code
    keys = [target.credential] if target.credential and target.origin != SANDBOX else []
    try:
        with steps.step("Writing", shorten_name(results.name)):
            write_atomic(results, reject_secrets(export_results_csv(history, sent.batch), keys), "results", force=force)
    except ConsoleError as error:
        print_message(f"{error} They are in the console ({name_console_start()}), under History.")
        return code if code is ExitCode.INTERRUPTED else ExitCode.NO_RESULTS
    return code


def _list_verdicts(found: BatchSummary) -> Iterator[tuple[int, str]]:
    """What became of the events that arrived at a sandbox, or may have: it says so, and no other target does."""
    if found.target.origin != SANDBOX and not found.processed and not found.ignored:
        return
    arrived = sum(found.events.get(state, 0) for state in (RequestState.ACCEPTED, RequestState.UNKNOWN))
    duplicates = f" ({found.repeated:,} for a duplicate event id)" if found.repeated else ""
    for count, words in (
        (found.processed, "processed"),
        (found.ignored, f"ignored{duplicates}"),
        (arrived - found.processed - found.ignored, "not known whether processed"),
    ):
        if count > 0:
            yield count, words


def _find_exit_code(found: BatchSummary, sent: SendResult) -> ExitCode:
    if sent.is_interrupted:
        return ExitCode.INTERRUPTED
    if not sent.is_here and found.is_active:
        return ExitCode.HANDED_OVER
    return ExitCode.DONE if found.total and found.events.get(RequestState.ACCEPTED) == found.total else ExitCode.NOT_ALL


def _describe_next_step(found: BatchSummary, sent: SendResult) -> str:
    reason = f" {found.reason}" if found.reason else ""
    if found.state is BatchState.DONE:
        all_of_it = found.events.get(RequestState.ACCEPTED) == found.total
        rest = "" if all_of_it else f" What was not accepted is in the console ({name_console_start()}), under History."
        return f"{_call_batch(found)} is done.{rest}"
    pending = format_count(found.events.get(RequestState.PENDING, 0), "event is", "events are")
    if not sent.is_here and found.state is BatchState.SENDING:
        waits = " It goes on there." if sent.is_interrupted else ""
        return f"{pending} pending at the console, {_call_batch(found).replace('B', 'b', 1)}.{waits}"
    state = f"{_call_batch(found)} is {found.state.value}: {pending} pending, not sent yet.{reason}"
    return f"{state} {describe_way_on(found)}".strip()


def _call_batch(found: BatchSummary) -> str:
    """The batch by its id, and by its name where it has one."""
    return f"Batch {found.id}, “{found.name}”," if found.name else f"Batch {found.id}"


def describe_way_on(batch: BatchSummary) -> str:
    """How a batch that was interrupted goes on, as a sentence; empty where nothing is left to send."""
    if batch.unrecorded and not batch.is_final:
        return "Send the same file with --rest: everything of it that never left is sent, in its order."
    if not count_never_left(batch):
        return ""
    key = " with the key in $INTEMPT_API_KEY" if batch.target.origin == "command line" else ""
    unknown = batch.events.get(RequestState.UNKNOWN, 0)
    doubt = (
        f" {format_count(unknown, 'unknown event')} may have arrived: sent again only if the policy is to resend."
        if unknown
        else ""
    )
    return f"Send exactly what never left{key}: {name_program()} send --resume {batch.id}.{doubt}"
