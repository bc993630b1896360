"""``send``: check a file, a journey or one event, plan, confirm, record the intent, send, and report every outcome.

Alone this process sends by itself; beside a running console it records the intent and the console sends.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Any
from uuid import uuid4

import numpy as np

from intempt_core.arrays import Int64Array, release_unused_memory
from intempt_core.cli.catalogue import load_catalogue
from intempt_core.cli.checks.check_reports import describe_report
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.input import InputFile, read_input
from intempt_core.cli.input_files import NamedFile, expand_name, open_named_file
from intempt_core.cli.output import print_message, print_outcome
from intempt_core.cli.rules import load_rules
from intempt_core.cli.sends.journeys import load_journey, make_event, make_journey_input
from intempt_core.cli.sends.outcome import can_write_results, report_outcome
from intempt_core.cli.sends.prior_events import PriorEvents, describe_decision, find_prior_events
from intempt_core.cli.sends.request_text import describe_request, spell_json
from intempt_core.cli.sends.resume import run_resume
from intempt_core.cli.sends.sending import (
    BatchSender,
    SendResult,
    confirm_send,
    open_history,
    open_sender,
    prepare_sending,
)
from intempt_core.cli.steps import StepDisplay
from intempt_core.cli.targets import resolve_target
from intempt_core.contract import ISSUE_KINDS, Json, format_count
from intempt_core.dispatch import SendingProcess, find_sending_process, make_batch_intent, read_running_console
from intempt_core.errors import SentBefore
from intempt_core.history import (
    History,
    HistoryCheckpoint,
    collect_excluded_rows,
    collect_ignored_rows,
    make_request_blocks,
)
from intempt_core.journeys import parse_assignments
from intempt_core.mapping import MADE_MEMBER_IDS_MESSAGE
from intempt_core.planning import ORDER_MESSAGES, POLICY_MESSAGES, EventOrder, Plan, Policy, plan_events, plan_table
from intempt_core.settings import Settings
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import Report, TeamRules


def run_send(args: argparse.Namespace, environment: Mapping[str, str]) -> ExitCode:
    """Run ``send``; what became of it. Raises :class:`ConsoleError`."""
    if args.resume is not None:
        return run_resume(args, environment)
    settings = Settings.from_environment(environment)
    console = None if settings.database_url else read_running_console(settings.data)
    with contextlib.ExitStack() as opened:
        named = None
        if not _is_composed(args):
            named = opened.enter_context(open_named_file(expand_name(args.file), args.form))
        process = opened.enter_context(prepare_sending(named.path if named else None, console))
        steps = opened.enter_context(StepDisplay(sys.stderr))
        return _send_file(args, named, environment, settings, console, process=process, steps=steps)


def _send_file(
    args: argparse.Namespace,
    named: NamedFile | None,
    environment: Mapping[str, str],
    settings: Settings,
    console: Mapping[str, Any] | None,
    *,
    process: SendingProcess | None,
    steps: StepDisplay,
) -> ExitCode:
    with contextlib.ExitStack() as opened:
        file, history = _read_source(args, named, settings, steps, opened)
        rules = load_rules(args.rules, file)
        if not can_write_results(args.results, named.path if named else None, force=args.force):
            return ExitCode.NO_RESULTS
        if history is None:
            history = opened.enter_context(open_history(settings))
        if settings.database_url:
            console = find_sending_process(history, settings.data)
        url = str((console or {}).get("url", ""))
        target = resolve_target(args.target, settings, environment, url, history.targets)
        if args.dry_run:
            sender = BatchSender(history, settings, target, None, steps)
        else:
            sender = opened.enter_context(open_sender(history, settings, target, console, steps=steps, process=process))
        return _check_and_send(args, file, history, sender, rules)


def _read_source(
    args: argparse.Namespace,
    named: NamedFile | None,
    settings: Settings,
    steps: StepDisplay,
    opened: contextlib.ExitStack,
) -> tuple[InputFile, History | None]:
    """What is to be sent, and history, where saved journeys are, if it had to be opened for that."""
    if named is not None:
        return read_input(named, args, settings, steps, run=uuid4().hex[:12] if args.new_ids else ""), None
    sets = parse_assignments(args.set)
    if args.event is not None:
        return make_journey_input(make_event(args.event), sets), None
    history = opened.enter_context(open_history(settings))
    return make_journey_input(load_journey(args.journey, history.journeys), sets), history


def _is_composed(args: argparse.Namespace) -> bool:
    """Whether events are made by the call, and not read from a file."""
    return args.journey is not None or args.event is not None


def _check_and_send(
    args: argparse.Namespace, file: InputFile, history: History, sender: BatchSender, rules: TeamRules | None
) -> ExitCode:
    """Check and plan, say what will be sent, and send it if that is wanted; what became of it."""
    settings, steps = sender.settings, sender.steps
    recorded = history.repeats.being_recorded(file.digest, derive_target_key(sender.target)) if args.rest else []
    if recorded:
        print_message(
            f"Nothing was sent. This file is still being recorded by another process, in batch {recorded[0]}:"
            " what is left is known when that has ended. Call it again then."
        )
        return ExitCode.SENT_BEFORE
    checked = _check_file(args, file, history, sender.target, settings, steps=steps, rules=rules)
    if checked.needs_decision:
        for line in describe_decision(checked.prior, checked.good_rows.size, sender.target, history):
            print_message(line)
        return ExitCode.SENT_BEFORE
    for line in checked.describe():
        print_message(line)
    if not checked.plan.events:
        return checked.report_nothing()
    if args.dry_run:
        return checked.report_dry_run()
    return _send_checked(checked, sender)


def _send_checked(checked: "CheckedInput", sender: BatchSender) -> ExitCode:
    """Confirm and send; what became of it."""
    args, history, steps = checked.args, checked.history, checked.steps
    if not confirm_send(args, sender.target, checked.plan.events, sys.stdin):
        print_message("Nothing was sent.")
        return ExitCode.NOT_ALL
    try:
        sent = sender.send(checked.record, wait=args.wait)
    except SentBefore as error:
        if error.stopped:
            print_message(str(error))
            sent = SendResult(error.stopped, is_here=sender.console is None)
            return report_outcome(history, sent, sender.target, args.results, steps, force=args.force)
        print_message(f"Nothing was sent. {error}")
        print_message("Call it again: it then says what is left, and what --rest and --again would send.")
        return ExitCode.SENT_BEFORE
    return report_outcome(history, sent, sender.target, args.results, steps, force=args.force)


@dataclass(frozen=True)
class CheckedInput:
    """A file that was checked for a target, and the plan of what is sent of it.

    Attributes:
        args: What the command was called with.
        file: The file.
        report: The issues of its rows.
        target: Where it is sent.
        history: Where it is recorded.
        seen: What its report has seen of history.
        prior: What of it went before.
        plan: The requests of the rows that are sent.
        steps: What shows how far it is.
        half: The stopped batches of this file that are half recorded: what never left of them is the rest too.
    """

    args: argparse.Namespace
    file: InputFile
    report: Report
    target: Target
    history: History
    seen: HistoryCheckpoint
    prior: PriorEvents
    plan: Plan
    steps: StepDisplay
    half: Mapping[str, int]

    @property
    def good_rows(self) -> Int64Array:
        """The rows (from 0) without errors."""
        return np.flatnonzero(~self.report.find_excluded(keep_good_members=self.args.good_members))

    @property
    def needs_decision(self) -> bool:
        """Whether something went before, and the call does not say what to do about it."""
        return self.prior.are_any and not (self.args.again or self.args.rest)

    def describe(self) -> Iterator[str]:
        """What the check found, and what will be sent, in sentences."""
        yield from describe_report(self.file, self.report)
        production = "PRODUCTION, " if self.target.production else ""
        yield (
            f"To send: {format_count(self.plan.events, 'event')} of {format_count(self.plan.persons, 'person')} in"
            f" {format_count(len(self.plan.requests), 'request')} to {self.target.title}"
            f" ({production}{self.target.host})."
        )
        if self.args.run:
            yield f"In History this run is called “{self.args.run}”."
        if self.report.rows_with_errors:
            yield from self._describe_excluded()
        if self.report.rows_with_rule_errors:
            team = format_count(self.report.rows_with_rule_errors, "row", "rows")
            yield f"{team} with errors by the team's rules excluded."
        if self.plan.shared_id_message:
            yield self.plan.shared_id_message
        for code, count in self._count_excluded().items():
            yield f"{format_count(count, 'row', 'rows')} excluded by --exclude {code}."
        if self.args.order != EventOrder.FILE.value:
            yield ORDER_MESSAGES[EventOrder(self.args.order)]
        if self.plan.largest_lane_reason:
            yield self.plan.largest_lane_reason
        if self.prior.rows.size:
            yield self._describe_prior()
        if self.prior.added_lines:
            yield self.prior.describe_added_lines(self.target)
        yield f"If a response never comes: {POLICY_MESSAGES[Policy(self.target.default_policy)]}"

    def _describe_excluded(self) -> Iterator[str]:
        """What is excluded for its errors, and what else could be done with the other events of those rows."""
        report = self.report
        errors = format_count(report.rows_with_errors, "row with errors is", "rows with errors are")
        if report.origin is None:
            yield f"{errors} excluded."
            return
        bad = format_count(report.events_with_errors, "event")
        others = int(report.find_excluded().sum()) - report.events_with_errors
        good = format_count(others, "event")
        if self.args.good_members:
            rows = format_count(report.rows_with_errors, "row")
            yield f"{bad} with errors excluded, of {rows}; {good} of those sent."
            if self.file.table is not None and self.file.table.makes_ids:
                yield MADE_MEMBER_IDS_MESSAGE
        elif others:
            yield f"{errors} excluded whole: {bad} with errors and {good} without. --good-members sends the latter."
        else:
            yield f"{errors} excluded: {bad}."

    def _count_excluded(self) -> dict[str, int]:
        """How many rows without errors are excluded by each code of ``--exclude``."""
        is_good = ~self.report.find_excluded(keep_good_members=self.args.good_members)
        counts = {code: int(is_good[self.report.rows_of(code)].sum()) for code in dict.fromkeys(self.args.exclude)}
        return {code: count for code, count in counts.items() if count}

    def _describe_prior(self) -> str:
        known = f"Of this file went to {self.target.name} before, or is going: {self.prior.describe()}."
        if self.args.rest:
            return f"{known} These are excluded."
        twice = "it deduplicates by event id" if self.target.deduplicates else "it may count them once more"
        return f"{known} They are sent again; {twice}."

    def report_nothing(self) -> ExitCode:
        """Say that nothing is left to send; whether all of it was accepted before."""
        if not self.args.rest or not self.prior.rows.size:
            print_message("There is nothing to send.")
            return ExitCode.NOT_ALL
        print_message("There is nothing left to send.")
        return ExitCode.DONE if self.prior.are_all_accepted else ExitCode.NOT_ALL

    def report_dry_run(self) -> ExitCode:
        """Say that nothing was sent; of a journey, print the body that would be, of one event the whole request."""
        for request in self.plan.requests if _is_composed(self.args) else ():
            body = self.plan.body(request)
            lines = [spell_json(body)] if self.args.event is None else describe_request(self.target, body)
            for line in lines:
                print_outcome(line)
        print_message("Nothing was sent: this is what would be, without --dry-run.")
        return ExitCode.DONE

    def record(self, owner: str, recorder: str, show: Callable[[str, int], None]) -> str:
        """Record the intent, before the first byte is sent; the batch. Raises :class:`SentBefore`."""
        intent = make_batch_intent(
            self.plan,
            self.target,
            label=self.file.name,
            name=self.args.run or "",
            rows=self.report.rows,
            digest=self.file.digest,
            mapping=self.file.mapping,
            owner=owner,
            recorder=recorder,
            supersedes=list(self.half.values()) if self.args.rest else (),
            notes=self._collect_notes(),
            seen=self.seen,
            groups=0 if owner else self.history.groups.count_groups(self.plan.lanes),
        )
        excluded = np.flatnonzero(self.report.find_excluded(keep_good_members=self.args.good_members))
        if self.args.rest:
            excluded = np.union1d(excluded, self.prior.rows)
        excluded = np.union1d(excluded, self.report.rows_of_codes(self.args.exclude))
        rows = merge(
            collect_excluded_rows(self.report, self.file.events, excluded.tolist(), self.args.exclude),
            collect_ignored_rows(self.report),
        )
        blocks = make_request_blocks(self.plan)
        return self.history.recorder.record(intent, blocks, rows, on_progress=show, on_trouble=self.steps.note)

    def _collect_notes(self) -> dict[str, Json]:
        """The choices of the call that history keeps with the batch."""
        notes: dict[str, Json] = {}
        if self.args.order != EventOrder.FILE.value:
            notes["order"] = self.args.order
        if self.args.rest and self.prior.rows.size:
            notes["sent before, excluded"] = int(self.prior.rows.size)
        notes |= {f"{ISSUE_KINDS[code].title}, excluded": count for code, count in self._count_excluded().items()}
        if self.report.rules is not None:
            notes["rules"] = self.report.rules.name
        if self.report.rows_ignored:
            notes["names ignored, excluded"] = self.report.rows_ignored
        if self.args.good_members and self.report.origin is not None:
            notes["members"] = "of rows with errors, events without are sent"
        if self.args.journey is not None:
            notes["journey"] = self.file.name
        if self.args.new_ids:
            notes["ids"] = "new ids"
        return notes


def _check_file(
    args: argparse.Namespace,
    file: InputFile,
    history: History,
    target: Target,
    settings: Settings,
    *,
    steps: StepDisplay,
    rules: TeamRules | None,
) -> CheckedInput:
    """Check a file, also against what was sent to the target before, and plan what is sent of it."""
    key = derive_target_key(target)
    seen = history.repeats.checkpoint(key)  # before anything else is asked of history, so that nothing is missed
    batches = history.repeats.of_input(file.digest, key)
    half = history.repeats.half_recorded(file.digest, key)
    with steps.step("Checking", file.size_in_words):
        catalogue = load_catalogue(args.catalogue, args.catalogue_column, target, settings)
        report = file.check(catalogue, history.events.prior_send_lookup(key, half.values()), rules)
        prior = find_prior_events(report, batches, good_members=args.good_members)
    rows = np.flatnonzero(~report.find_excluded(keep_good_members=args.good_members))
    if args.rest:
        rows = np.setdiff1d(rows, prior.rows, assume_unique=True)
    rows = np.setdiff1d(rows, report.rows_of_codes(args.exclude), assume_unique=True)
    with steps.step("Planning", format_count(rows.size, "event")):
        plan = _plan_rows(file, rows, settings, EventOrder(args.order), one_request=_is_composed(args))
    release_unused_memory()  # what is left stays until the last event is sent
    return CheckedInput(args, file, report, target, history, seen, prior, plan, steps, half)


def _plan_rows(file: InputFile, rows: Int64Array, settings: Settings, order: EventOrder, *, one_request: bool) -> Plan:
    """Plan rows of a file, or events of a call, which go in one request as those of the form do."""
    if file.table is not None:
        return plan_table(file.table, rows, settings, order=order)
    events = [file.payload_events[row] for row in rows]
    return plan_events(events, one_request=one_request, settings=settings, order=order)
