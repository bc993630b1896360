"""``send --resume``: go on with a batch that was interrupted, from history: exactly what never left is sent."""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Mapping
from functools import partial

from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.output import print_message, print_outcome
from intempt_core.cli.sends.outcome import can_write_results, report_outcome
from intempt_core.cli.sends.sending import confirm_send, open_history, open_sender
from intempt_core.cli.steps import StepDisplay
from intempt_core.cli.targets import read_targets
from intempt_core.contract import format_count
from intempt_core.dispatch import (
    check_resumable,
    count_never_left,
    find_sending_process,
    list_interrupted_batches,
    resume_interrupted,
)
from intempt_core.errors import TargetNotFound
from intempt_core.history import BatchSummary, History, RequestState, describe_repeats
from intempt_core.planning import Policy
from intempt_core.settings import Settings
from intempt_core.targets import Target, derive_target_key, parse_track_url


def run_resume(args: argparse.Namespace, environment: Mapping[str, str]) -> ExitCode:
    """Run ``send --resume [BATCH]``. Raises :class:`ConsoleError`."""
    if not can_write_results(args.results, None, force=args.force):
        return ExitCode.NO_RESULTS
    settings = Settings.from_environment(environment)
    with contextlib.ExitStack() as opened:
        history = opened.enter_context(open_history(settings))
        batch = history.queries.batch(args.resume) if args.resume else _choose_batch(history, settings)
        if batch is None:
            return ExitCode.NOT_ALL
        console = find_sending_process(history, settings.data)
        url = str((console or {}).get("url", ""))
        target = _resolve_batch_target(batch, settings, environment, url, history)
        steps = opened.enter_context(StepDisplay(sys.stderr))
        sender = opened.enter_context(open_sender(history, settings, target, console, steps=steps))
        check_resumable(history, batch, settings.data, sender.console_owner)
        repeats = history.repeats.since(batch.id)
        if repeats and not args.again:
            print_message(f"Nothing was sent. {describe_repeats(repeats, target.name)}")
            print_message(
                "Say --again to send what never left of this batch all the same, or cancel it in the console."
            )
            return ExitCode.SENT_BEFORE
        for line in _describe_batch(batch, sender.target):
            print_message(line)
        if not confirm_send(args, sender.target, count_never_left(batch), sys.stdin):
            print_message("Nothing was sent.")
            return ExitCode.NOT_ALL
        begin = partial(_resume, history, settings, batch.id, confirmed=[one.number for one in repeats])
        return report_outcome(
            history, sender.send(begin, wait=args.wait), sender.target, args.results, steps, force=args.force
        )


def _resume(
    history: History, settings: Settings, batch: str, owner: str, _recorder: str, _show: object, *, confirmed: list[int]
) -> str:
    resume_interrupted(history, settings.data, batch, owner, confirmed=confirmed)
    return batch


def _choose_batch(history: History, settings: Settings) -> BatchSummary | None:
    """The one batch of this data folder that was interrupted; ``None``, and what there is, where that is not one."""
    found = list_interrupted_batches(history, settings.data)
    if len(found) == 1:
        return found[0]
    if not found:
        print_message("There is nothing to resume: no batch of the command line was interrupted.")
        return None
    print_message(
        f"Nothing was sent: {len(found)} batches were interrupted. Name one: --resume BATCH, the newest first:"
    )
    for batch in found:
        print_outcome(f"{batch.id}  {batch.title} to {batch.target.name}: {_describe_counts(batch)}")
    return None


def _describe_counts(batch: BatchSummary) -> str:
    accepted = batch.events.get(RequestState.ACCEPTED, 0)
    left = format_count(count_never_left(batch), "event")
    return f"{batch.state.value}, {accepted:,} of {format_count(batch.total, 'event')} accepted, {left} never left"


def _describe_batch(batch: BatchSummary, target: Target) -> Iterator[str]:
    production = "PRODUCTION, " if target.production else ""
    yield f"Batch {batch.id} of {batch.label} to {target.title} ({production}{target.host}): {_describe_counts(batch)}."
    unknown = sum(batch.events.get(state, 0) for state in (RequestState.UNKNOWN, RequestState.IN_FLIGHT))
    if unknown and batch.policy is Policy.RESEND:
        yield f"{format_count(unknown, 'event')} may have arrived: their policy is to resend them."
    elif unknown:
        yield (
            f"{format_count(unknown, 'event')} may have arrived, and are not sent again."
            " Unknown outcomes no longer stop what comes after them."
        )


def _resolve_batch_target(
    batch: BatchSummary, settings: Settings, environment: Mapping[str, str], console_url: str, history: History
) -> Target:
    """The target of a batch, with its key from where it came: ``$INTEMPT_API_KEY`` for that of a URL.

    Raises :class:`TargetError` where it is not there, or leads elsewhere by now.
    """
    if batch.target.origin == "command line":
        target = parse_track_url(batch.target.track_url, environment)
    else:
        target = read_targets(settings, environment, console_url, history.targets).get(batch.target.name)
    if derive_target_key(target) != batch.target.key:
        raise TargetNotFound(
            f"Target {batch.target.name} now leads to {target.host}, and batch {batch.id} was confirmed for"
            f" {batch.target.host}. Change the target back, or cancel the batch and send the file again."
        )
    return target
