"""Sending a plan and waiting for its outcome, for the command line and for scripts."""

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

from intempt_core.contract import Json
from intempt_core.dispatch.dispatcher import Dispatcher
from intempt_core.dispatch.environment import SendingEnvironment
from intempt_core.dispatch.progress import Progress
from intempt_core.dispatch.sending_process import SendingProcess
from intempt_core.errors import NotAllowed
from intempt_core.history import (
    BatchIntent,
    BatchSource,
    BatchState,
    BatchSummary,
    ExcludedRow,
    History,
    HistoryCheckpoint,
    TargetSnapshot,
    make_request_blocks,
)
from intempt_core.planning import Plan, Policy
from intempt_core.settings import Settings
from intempt_core.targets import Target, derive_target_key


def make_batch_intent(
    plan: Plan,
    target: Target,
    *,
    label: str = "",
    name: str = "",
    rows: int | None = None,
    policy: Policy | None = None,
    source: BatchSource = BatchSource.COMMAND,
    digest: str = "",
    mapping: str = "",
    owner: str = "",
    recorder: str = "",
    supersedes: Collection[int] = (),
    notes: Mapping[str, Json] | None = None,
    resend_of: str = "",
    seen: HistoryCheckpoint | None = None,
    groups: int = 0,
) -> BatchIntent:
    """Make the intent that history records for a plan.

    By default ``policy`` is the target's, and ``rows`` are as many as the plan's events. The rest is as in
    :class:`~intempt_core.history.BatchIntent`.
    """
    return BatchIntent(
        source=source,
        label=label,
        name=name,
        target=TargetSnapshot.from_target(target),
        policy=policy or Policy(target.default_policy),
        rows=plan.events if rows is None else rows,
        digest=digest,
        mapping=mapping,
        notes=notes or {},
        resend_of=resend_of,
        owner=owner,
        persons=plan.persons,
        lanes=plan.lanes,
        seen=seen,
        events=plan.events,
        recorder=recorder,
        supersedes=supersedes,
        groups=groups,
    )


def send_plan(
    plan: Plan,
    target: Target,
    *,
    history: History | None = None,
    settings: Settings | None = None,
    label: str = "script",
    policy: Policy | None = None,
    excluded: Iterable[ExcludedRow] = (),
    seen: HistoryCheckpoint | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> BatchSummary:
    """Record a plan, send it from this process, and wait until the batch is no longer active; returns it as it then is.

    By default ``settings`` are the environment's, and ``history`` is that of their data folder. ``on_progress`` is
    called four times a second. Interrupted (Ctrl+C), it waits for responses, pauses the batch and raises again.

    ``seen`` is what the plan has seen of history (``history.repeats.checkpoint``), by default what is there now: where
    some of its events went or are going to the target since, :class:`SentBefore` is raised and nothing is sent.
    """
    settings = settings or Settings.from_environment(os.environ)
    opened = history or History.open(settings.history_url)
    try:
        dispatcher = Dispatcher(opened, SendingEnvironment(settings, lambda _: target), adopts=False)
        dispatcher.start()
        try:
            seen = seen or opened.repeats.checkpoint(derive_target_key(target))
            intent = make_batch_intent(plan, target, label=label, policy=policy, owner=dispatcher.owner, seen=seen)
            batch = opened.recorder.record(
                intent, make_request_blocks(plan), excluded, on_progress=wake_once(dispatcher)
            )
            wait_for_batch(dispatcher, batch, on_progress)
        finally:
            dispatcher.stop()
        return opened.queries.batch(batch)
    finally:
        if history is None:
            opened.close()


def wake_once(dispatcher: Dispatcher | SendingProcess) -> Callable[[str, int], None]:
    """Something to call whenever more of a batch is recorded: the first time, a dispatcher begins to send it."""
    is_awake = False

    def wake(_batch: str, _recorded: int) -> None:
        nonlocal is_awake
        if not is_awake:
            is_awake = True
            dispatcher.wake()

    return wake


def wait_for_batch(
    dispatcher: Dispatcher | SendingProcess, batch: str, on_progress: Callable[[Progress], None], seconds: float = 0.25
) -> None:
    """Wait until a batch is no longer active. Interrupted, it pauses the batch and raises again."""
    try:
        while True:
            progress = dispatcher.progress(batch)
            on_progress(progress)
            if not progress.is_active:
                return
            time.sleep(seconds)
    except KeyboardInterrupt:
        pause_interrupted(dispatcher, batch)
        raise


def pause_interrupted(dispatcher: Dispatcher | SendingProcess, batch: str) -> None:
    """Pause a batch that a person interrupts, if it is still being sent."""
    if dispatcher.progress(batch).state is BatchState.SENDING:
        with suppress(NotAllowed):  # it is done by now
            dispatcher.pause(batch, "It was interrupted at the command line.")
