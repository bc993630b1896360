"""``send``: check a file, plan, confirm, record the intent, send, and report every outcome.

Alone this process sends by itself; beside a running console it records the intent and the console sends.
"""

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from intempt_core import sandbox, web
from intempt_core.cli.catalogue import load_catalogue
from intempt_core.cli.check import summarize_report
from intempt_core.cli.files_out import check_writable, write_atomic
from intempt_core.cli.input import InputFile, read_input
from intempt_core.cli.output import print_message, print_result, sanitize_text
from intempt_core.cli.targets import resolve_target
from intempt_core.contract import format_count
from intempt_core.dispatch import (
    Dispatcher,
    Progress,
    SendingEnvironment,
    make_batch_intent,
    read_running_console,
    wait_for_batch,
)
from intempt_core.errors import ConsoleError, CredentialError, HistoryUnavailable
from intempt_core.exports import export_results_csv, reject_secrets
from intempt_core.history import (
    BatchState,
    BatchSummary,
    History,
    RequestState,
    collect_excluded_rows,
    make_request_intents,
)
from intempt_core.planning import ORDER_MESSAGES, POLICY_MESSAGES, EventOrder, Plan, Policy, plan_events, plan_table
from intempt_core.settings import Settings
from intempt_core.targets import (
    SANDBOX,
    Target,
    derive_target_key,
    sandbox_target,
)
from intempt_core.validation import Report


def run_send(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``send``: 0 all accepted, 1 not all. Raises :class:`ConsoleError`."""
    settings = Settings.from_environment(environment)
    console = read_running_console(settings.data)
    file = read_input(args.file, args.mapping, settings)
    if args.results is not None:
        check_writable(args.results, args.file, "results", consequence="Nothing was sent.")
    with contextlib.ExitStack() as opened:
        target = resolve_target(args.target, settings, environment, str((console or {}).get("url", "")))
        # A target typed as a URL has its key in this process only: no other process could send it.
        alone = console is None or target.origin == "command line"
        if alone and target.name == SANDBOX and target.origin == "sandbox":
            target = sandbox_target(opened.enter_context(_serve_sandbox(settings)))
        if target.credential is None:
            raise CredentialError(f"The key of target {target.name} is missing or has the wrong form (prefix.secret).")
        with contextlib.suppress(OSError):  # what opens a file there says what is wrong
            web.make_private_folder(settings.data)
        history = opened.enter_context(contextlib.closing(History.open(settings.history_url)))
        for line in _describe_unfinished(history, file.digest, target):
            print_message(line)
        catalogue = load_catalogue(args.catalogue, args.catalogue_column, target, settings)
        report = file.check(catalogue, history.events.prior_send_lookup(derive_target_key(target)))
        order = EventOrder(args.order)
        plan = _plan_input(file, report, settings, order)
        for line in _describe_plan(file, report, plan, target, order):
            print_message(line)
        if not plan.events:
            print_message("There is nothing to send.")
            return 1
        if not args.yes and not _confirm_plan(plan, target, sys.stdin):
            print_message("Nothing was sent.")
            return 1
        sending = _SendRun(history, settings, file, report, plan, target, order)
        owner = "" if console is None else str(console.get("owner", ""))
        batch, interrupted = sending.send_here() if alone else sending.send_at_console(owner, wait=args.wait)
        return _report_outcome(history, batch, report, target, args.results, alone=alone, interrupted=interrupted)


def _plan_input(file: InputFile, report: Report, settings: Settings, order: EventOrder) -> Plan:
    """The plan of the rows without errors."""
    rows = np.flatnonzero(~report.error_mask)
    if file.table is not None:
        return plan_table(file.table, rows, settings, order=order)
    return plan_events([file.payload_events[row] for row in rows], settings=settings, order=order)


@contextlib.contextmanager
def _serve_sandbox(settings: Settings) -> Iterator[str]:
    """Serve the sandbox of the data folder while this process sends; its URL."""
    with contextlib.ExitStack() as opened:
        try:
            web.make_private_folder(settings.data)
            guard = web.build_sandbox_guard(())
            url = opened.enter_context(sandbox.run_sandbox(settings.sandbox_file, middleware=[guard]))
        except OSError as error:
            raise HistoryUnavailable(f"The sandbox cannot be started in {settings.data}: {error.strerror}.") from None
        yield url


def _describe_plan(file: InputFile, report: Report, plan: Plan, target: Target, order: EventOrder) -> Iterator[str]:
    yield summarize_report(file, report)
    production = "PRODUCTION, " if target.production else ""
    yield (
        f"To send: {format_count(plan.events, 'event')} of {format_count(plan.persons, 'person', 'persons')} in"
        f" {format_count(len(plan.requests), 'request')} to {target.title} ({production}{target.host})."
    )
    if report.rows_with_errors:
        yield f"{format_count(report.rows_with_errors, 'row with errors is', 'rows with errors are')} excluded."
    if order is not EventOrder.FILE:
        yield ORDER_MESSAGES[order]
    if plan.largest_lane_reason:
        yield plan.largest_lane_reason
    before = report.counts.get("sent_before", 0)
    if before:
        twice = "it deduplicates by event id" if target.deduplicates else "it may count them once more"
        yield f"{format_count(before, 'row was', 'rows were')} sent to this target before; {twice}."
    yield f"If a response never comes: {POLICY_MESSAGES[Policy(target.default_policy)]}"


def _describe_unfinished(history: History, digest: str, target: Target) -> Iterator[str]:
    """Sentences about batches of this very file to this target that are not over: they may still be sent as well."""
    for batch in history.queries.batches_of_file(digest, derive_target_key(target)) if digest else ():
        if not batch.is_final and (waiting := batch.events.get(RequestState.PENDING, 0)):
            yield (
                f"Batch {batch.id} of this very file is {batch.state.value}, with {format_count(waiting, 'event')}"
                " pending. Go on with it, or cancel it, in the console (python3 run.py), under History."
            )


def _confirm_plan(plan: Plan, target: Target, terminal: TextIO) -> bool:
    """Ask the person at the terminal; a production target wants its name typed."""
    if not terminal.isatty():
        raise ConsoleError("There is no terminal to ask at. Say --yes to send without a question.")
    if target.production:
        print_message(f"This is PRODUCTION. Type {target.name} to send {format_count(plan.events, 'event')}:")
        return terminal.readline().strip() == target.name
    print_message(f"Send {format_count(plan.events, 'event')}? [y/N]")
    return terminal.readline().strip().lower() in ("y", "yes")


@dataclass(frozen=True)
class _SendRun:
    """One confirmed plan, sent by this process or by the console."""

    history: History
    settings: Settings
    file: InputFile
    report: Report
    plan: Plan
    target: Target
    order: EventOrder

    def record(self, owner: str) -> str:
        """Record the intent, before the first byte is sent; the batch."""
        intent = make_batch_intent(
            self.plan,
            self.target,
            label=self.file.name,
            rows=self.report.rows,
            digest=self.file.digest,
            mapping=self.file.mapping,
            owner=owner,
            notes={} if self.order is EventOrder.FILE else {"order": self.order.value},
        )
        return self.history.recorder.record(
            intent, make_request_intents(self.plan), collect_excluded_rows(self.report, self.file.events)
        )

    def send_here(self) -> tuple[str, bool]:
        """Send from this process; the batch, and whether it was interrupted."""
        dispatcher = Dispatcher(self.history, SendingEnvironment(self.settings, lambda _: self.target), adopts=False)
        dispatcher.start()
        try:
            batch = self.record(dispatcher.owner)
            dispatcher.wake()
            try:
                wait_for_batch(dispatcher, batch, _ProgressLine(sys.stderr))
            except KeyboardInterrupt:
                print_message("Interrupted: waiting for what is on its way …")
                with _ignore_signals():
                    dispatcher.stop()
                return batch, True
            return batch, False
        finally:
            dispatcher.stop()

    def send_at_console(self, owner: str, *, wait: bool) -> tuple[str, bool]:
        """Let the console send; the batch, and whether waiting for it was interrupted."""
        batch = self.record(owner)
        print_message(f"The console sends it: batch {batch}.")
        watch = _ProgressLine(sys.stderr)
        try:
            while wait:
                found = self.history.queries.batch(batch)
                watch(Progress(found.state, found.events, reason=found.reason))
                if not found.is_active:
                    break
                if read_running_console(self.settings.data) is None:
                    print_message("The console is gone. When it is started again it goes on with this batch.")
                    break
                time.sleep(0.25)
        except KeyboardInterrupt:
            return batch, True
        return batch, False


@contextlib.contextmanager
def _ignore_signals() -> Iterator[None]:
    """A second Ctrl+C or SIGTERM must not cut off the writing of outcomes."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _ProgressLine:
    """Progress on standard error: a line that is written over on a terminal, else one line now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._last_line = ""
        self._next = time.monotonic() + 5.0

    def __call__(self, progress: Progress) -> None:
        line = self._format_line(progress)
        if self._terminal and line != self._last_line:
            print(
                f"\r{line:<{len(self._last_line)}}", end="" if progress.is_active else "\n", file=self._out, flush=True
            )
            self._last_line = line
        elif not self._terminal and time.monotonic() >= self._next:
            print(line, file=self._out, flush=True)
            self._next = time.monotonic() + 5.0

    def _format_line(self, progress: Progress) -> str:
        total = sum(progress.counts.values())
        still = sum(progress.counts.get(state, 0) for state in (RequestState.PENDING, RequestState.IN_FLIGHT))
        pace = f" · {progress.rate:,.0f} events per second" if progress.rate else ""
        left = f" · {progress.seconds_left:,.0f} s left" if progress.seconds_left is not None else ""
        reason = f" · {progress.reason}" if progress.reason else ""
        return sanitize_text(f"{total - still:,} of {format_count(total, 'event')}{pace}{left}{reason}", self._out)


def _report_outcome(
    history: History,
    batch: str,
    report: Report,
    target: Target,
    results: Path | None,
    *,
    alone: bool,
    interrupted: bool,
) -> int:
    found = history.queries.batch(batch)
    for state in RequestState:
        if found.events.get(state):
            print_result(f"{found.events[state]:>9,}  {state.value}")
    if report.rows_with_errors:
        print_result(f"{report.rows_with_errors:>9,}  excluded")
    print_message(_describe_next_step(found, alone=alone, interrupted=interrupted))
    if results is not None:
        keys = [target.credential] if target.credential and target.origin != SANDBOX else []
        write_atomic(results, reject_secrets(export_results_csv(history, batch), keys), "results")
    return 0 if found.total and found.events.get(RequestState.ACCEPTED) == found.total else 1


def _describe_next_step(found: BatchSummary, *, alone: bool, interrupted: bool) -> str:
    reason = f" {found.reason}" if found.reason else ""
    if found.state is BatchState.DONE:
        all_of_it = found.events.get(RequestState.ACCEPTED) == found.total
        rest = "" if all_of_it else " What was not accepted is in the console (python3 run.py), under History."
        return f"Batch {found.id} is done.{rest}"
    pending = format_count(found.events.get(RequestState.PENDING, 0), "event is", "events are")
    if not alone and found.state is BatchState.SENDING:
        waits = " It goes on there." if interrupted else ""
        return f"{pending} pending at the console, batch {found.id}.{waits}"
    where = "in the console (python3 run.py), under History"
    if found.target.origin == "command line":
        arrived = sum(found.events.get(state, 0) for state in (RequestState.ACCEPTED, RequestState.UNKNOWN))
        twice = (
            ""
            if not arrived
            else f"; {format_count(arrived, 'event')} of it may have arrived and would be sent once more"
        )
        where = f"by sending the file again under the same event ids{twice}"
    return f"Batch {found.id} is {found.state.value}: {pending} pending.{reason} Go on with it {where}."
