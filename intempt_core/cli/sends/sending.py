"""How a batch is sent from the command line: by this process, or by the console that runs on the same data."""

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from intempt_core import sandbox, web
from intempt_core.cli.output import print_message
from intempt_core.cli.steps import StepDisplay
from intempt_core.contract import format_count
from intempt_core.dispatch import (
    Dispatcher,
    Progress,
    SendingEnvironment,
    SendingProcess,
    find_sending_process,
    hold_process_name,
    pause_interrupted,
    stop_abandoned_recordings,
    wait_for_batch,
    wake_once,
)
from intempt_core.errors import ConsoleError, CredentialError, HistoryUnavailable
from intempt_core.history import History, count_settled
from intempt_core.settings import Settings
from intempt_core.targets import SANDBOX, Target, describe_missing_key, sandbox_target
from intempt_core.webhooks import WebhookDeliverer, find_webhook

POLL_SECONDS = 0.25
"""How often the outcome of a batch is looked for that the console sends."""

OWN_PROCESS_BYTES = 4_000_000
"""Bytes of a file from which on a process of its own sends it, while this one still records it."""

BeginBatch: TypeAlias = Callable[[str, str, Callable[[str, int], None]], str]
"""What begins a batch for an owner, as a recorder of a name, and tells how far it is recorded; it returns the id."""


@dataclass(frozen=True)
class SendResult:
    """How sending a batch ended for this command.

    Attributes:
        batch: The id of the batch.
        is_here: Whether this process sent it.
        is_interrupted: Whether a person or the system ended it early.
    """

    batch: str
    is_here: bool
    is_interrupted: bool = False


WEBHOOK_SECONDS = 10.0
"""How long a command tries to tell a webhook what became of its batch."""


@dataclass(frozen=True)
class BatchSender:
    """Sends a batch to a target, once it is recorded or resumed.

    Attributes:
        history: The history of the data folder.
        settings: The settings of this process.
        target: Where it is sent.
        console: What the running console has written; ``None`` where this process sends.
        steps: What shows how far it is.
        process: The process beside this one that sends in its place; ``None`` where it does so itself.
    """

    history: History
    settings: Settings
    target: Target
    console: Mapping[str, Any] | None
    steps: StepDisplay
    process: SendingProcess | None = None

    @property
    def console_owner(self) -> str:
        """The owner's name of the console that sends; empty where this process does."""
        return "" if self.console is None else str(self.console.get("owner", ""))

    def send(self, begin: BeginBatch, *, wait: bool) -> SendResult:
        """Have a batch sent: ``begin`` records or resumes it for the owner that it is given, and returns its id.

        While it records, it calls what it is given as well, with the id and how many events are recorded.

        Interrupted, requests in flight arrive and every outcome is written; interrupted while it begins, it raises.
        """
        if self.console is not None:
            return self._send_at_console(begin, wait=wait)
        result = self._send_here(begin)
        if self.target.webhook:
            self._tell_webhook(result.batch)
        return result

    def _tell_webhook(self, batch: str) -> None:
        """Tell the target's webhook what became of a batch that this process sent; a console tells it later if not."""
        webhooks = WebhookDeliverer(self.history, lambda one: find_webhook([self.target], one, os.environ))
        with contextlib.suppress(HistoryUnavailable), webhooks, self.steps.step("Telling the webhook"):
            if not webhooks.deliver_batch(batch, WEBHOOK_SECONDS):
                trouble = [one.trouble for one in self.history.webhooks.list_for_batch(batch) if one.trouble]
                print_message(
                    f"The webhook at {self.target.webhook_host} was not told yet. {''.join(trouble[-1:])} A console"
                    " that runs on this history goes on trying for a day."
                )

    def _send_here(self, begin: BeginBatch) -> SendResult:
        dispatcher = self._start_dispatcher()
        try:
            wake, batch = wake_once(dispatcher), ""

            def show(recording: str, recorded: int) -> None:
                nonlocal batch
                batch = recording
                wake(recording, recorded)
                if self.steps.is_due:
                    with contextlib.suppress(HistoryUnavailable):  # what records says so, and waits
                        self._show(dispatcher.progress(recording))

            try:
                with self.steps.step("Recording"):
                    batch = begin(dispatcher.owner, "", show)
                dispatcher.wake()
                with self.steps.step("Sending"):
                    wait_for_batch(dispatcher, batch, self._show)
            except KeyboardInterrupt:
                batch = batch or self._find_batch(dispatcher.owner)
                if not batch:
                    print_message("Nothing was sent.")
                    raise
                print_message("Interrupted: waiting for what is in flight …")
                pause_interrupted(dispatcher, batch)
                return SendResult(batch, is_here=True, is_interrupted=True)
            return SendResult(batch, is_here=True)
        finally:
            with self.steps.step("Waiting for responses"):
                dispatcher.stop()

    def _find_batch(self, owner: str) -> str:
        """The batch of an owner that was interrupted as it began; empty where there is none."""
        return next((found.id for found in self.history.queue.unfinished() if found.owner == owner), "")

    def _show(self, progress: Progress) -> None:
        if self.steps.is_due or not progress.is_active:
            self.steps.update(*describe_progress(progress))
            self.steps.note(progress.reason)

    def _start_dispatcher(self) -> Dispatcher | SendingProcess:
        if self.process is not None:
            self.process.start(self.history, self.settings, self.target)
            return self.process
        dispatcher = Dispatcher(self.history, SendingEnvironment(self.settings, lambda _: self.target), adopts=False)
        dispatcher.start()
        return dispatcher

    def _send_at_console(self, begin: BeginBatch, *, wait: bool) -> SendResult:
        with hold_process_name(self.history, self.settings.data) as recorder, self.steps.step("Recording"):
            batch = begin(self.console_owner, recorder, self._show_recorded)
        senders = "The workers send" if self.history.workers.are_used else "The console sends"
        print_message(f"{senders} it: batch {batch}.")
        try:
            if wait:
                with self.steps.step("Sending"):
                    has_ended = self._wait_for_console(batch)
                if not has_ended:
                    print_message(self._describe_missing_sender())
        except KeyboardInterrupt:
            return SendResult(batch, is_here=False, is_interrupted=True)
        return SendResult(batch, is_here=False)

    def _describe_missing_sender(self) -> str:
        if self.history.workers.are_used:
            return "No worker and no console is there any more. The next one that is started goes on with this batch."
        return "The console is gone. When it is started again it goes on with this batch."

    def _show_recorded(self, batch: str, _recorded: int) -> None:
        if self.steps.is_due:
            with contextlib.suppress(HistoryUnavailable):  # what records says so, and waits
                self._show(self._read_progress(batch))

    def _read_progress(self, batch: str) -> Progress:
        found = self.history.queries.batch(batch)
        return Progress(found.state, found.events, reason=found.reason, unrecorded=found.unrecorded)

    def _wait_for_console(self, batch: str) -> bool:
        """Wait for the end of what the console sends; whether it came, or the console is gone."""
        while True:
            progress = self._read_progress(batch)
            self._show(progress)
            if not progress.is_active:
                return True
            if find_sending_process(self.history, self.settings.data) is None:
                return False
            time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def prepare_sending(file: Path | None, console: Mapping[str, Any] | None) -> Iterator[SendingProcess | None]:
    """A process that will send a large file, started while this one still reads it; ``None`` where none is needed."""
    try:
        is_large = file is not None and file.stat().st_size >= OWN_PROCESS_BYTES
    except OSError:
        is_large = False  # what reads it says what is wrong
    if console is not None or not is_large:
        yield None
        return
    process = SendingProcess()
    try:
        yield process
    finally:
        process.stop()


@contextlib.contextmanager
def open_history(settings: Settings) -> Iterator[History]:
    """The history of the data folder; batches that a process left half recorded are stopped in it."""
    with contextlib.suppress(OSError):  # what opens a file there says what is wrong
        web.make_private_folder(settings.data)
    with contextlib.closing(History.open(settings.history_url, traces=[settings.engine_file])) as history:
        for notice in history.notices:
            print_message(notice)
        stop_abandoned_recordings(history, settings.data)
        yield history


@contextlib.contextmanager
def open_sender(
    history: History,
    settings: Settings,
    target: Target,
    console: Mapping[str, Any] | None,
    *,
    steps: StepDisplay,
    process: SendingProcess | None = None,
) -> Iterator[BatchSender]:
    """What sends to a target: the running console, or this process, which brings up the sandbox where it is that.

    A target that was given as a URL has its key in this process only, so no other could send to it.
    """
    if console is not None and target.origin != "command line":
        yield BatchSender(history, settings, _require_key(target), console, steps)
    elif target.name == SANDBOX and target.origin == SANDBOX:
        with _serve_sandbox(settings) as url:
            yield BatchSender(history, settings, sandbox_target(url), None, steps, process)
    else:
        yield BatchSender(history, settings, _require_key(target), None, steps, process)


def _require_key(target: Target) -> Target:
    if target.credential is None:
        raise CredentialError(describe_missing_key(target))
    return target


@contextlib.contextmanager
def _serve_sandbox(settings: Settings) -> Iterator[str]:
    """Serve the sandbox of the data folder while this process sends; its URL."""
    with contextlib.ExitStack() as opened:
        try:
            web.make_private_folder(settings.data)
            middleware = web.build_sandbox_middleware(())
            url = opened.enter_context(
                sandbox.run_sandbox(
                    settings.sandbox_file,
                    middleware=middleware,
                    max_store_bytes=settings.sandbox_mb * 1_000_000,
                    configure=web.limit_slow_connections,
                )
            )
        except OSError as error:
            raise HistoryUnavailable(f"The sandbox cannot be started in {settings.data}: {error.strerror}.") from None
        yield url


def confirm_send(args: argparse.Namespace, target: Target, events: int, terminal: TextIO) -> bool:
    """Whether sending is confirmed: by ``--yes``, or by a person; a production target wants its name typed."""
    if args.yes:
        return True
    if not terminal.isatty():
        raise ConsoleError("There is no terminal to ask at. Say --yes to send without a question.")
    if target.production:
        print_message(f"This is PRODUCTION. Type {target.name} to send {format_count(events, 'event')}:")
        return terminal.readline().strip() == target.name
    print_message(f"Send {format_count(events, 'event')}? [y/N]")
    return terminal.readline().strip().lower() in ("y", "yes")


def describe_progress(progress: Progress) -> tuple[str, int, int]:
    """Where a batch is, in words; how many of its events have an outcome, and how many it has."""
    recorded, settled = sum(progress.counts.values()), count_settled(progress.counts)
    total = recorded + progress.unrecorded
    pace = f" · {progress.rate:,.0f} events per second" if progress.rate else ""
    left = f" · {progress.seconds_left:,.0f} s left" if progress.seconds_left is not None else ""
    pace = f" · {recorded:,} recorded{pace}" if progress.unrecorded else pace
    return f"{settled:,} of {format_count(total, 'event')}{pace}{left}", settled, total
