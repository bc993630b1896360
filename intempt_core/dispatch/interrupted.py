"""Interrupted batches: what their process left to be sent, and how another process goes on with it.

A process that is asked to end pauses its batch; one that is killed leaves it *sending*, or half recorded. Either way
history knows what never left. A batch whose process is alive is left alone: its lock says so (``process_locks.py``).
"""

from collections.abc import Collection
from pathlib import Path

from intempt_core.dispatch.alive_processes import find_sending_process, is_process_alive
from intempt_core.dispatch.process_locks import make_owner_name
from intempt_core.errors import NotAllowed
from intempt_core.history import (
    NEVER_LEFT_STATES,
    BatchSource,
    BatchState,
    BatchSummary,
    History,
    RequestState,
    UnfinishedBatch,
)
from intempt_core.planning import Policy


def stop_abandoned_recordings(history: History, data: Path) -> None:
    """Stop batches whose process ended while it recorded them; what is recorded may have been sent.

    Nobody resumes those, so what was in flight in a process that has ended is *unknown* from now on.
    """
    for found in history.queue.unfinished():
        if found.recorder and not is_process_alive(history, data, found.recorder):
            history.control.stop_recording(found.id, found.recorder)
        if found.owner and found.state is not BatchState.FORGOTTEN and not is_process_alive(history, data, found.owner):
            _settle_in_flight(history, found)


def _settle_in_flight(history: History, found: UnfinishedBatch) -> None:
    batch = history.queries.batch(found.id)
    if (batch.is_final or batch.state is BatchState.STOPPED) and batch.requests.get(RequestState.IN_FLIGHT):
        owner = make_owner_name()
        if history.queue.claim(found.id, owner, found.owner):
            history.queue.in_flight_to_unknown(found.id, owner=owner)


def list_interrupted_batches(history: History, data: Path) -> list[BatchSummary]:
    """The batches of the command line that were interrupted and have something left to send, newest first."""
    found = (history.queries.batch(one.id) for one in reversed(history.queue.unfinished()))
    return [
        batch
        for batch in found
        if batch.source is BatchSource.COMMAND and count_never_left(batch) and not _find_obstacle(history, batch, data)
    ]


def count_never_left(batch: BatchSummary) -> int:
    """How many events of a batch never left, and are sent when it is resumed."""
    return 0 if batch.is_final else sum(batch.events.get(state, 0) for state in NEVER_LEFT_STATES)


def check_resumable(history: History, batch: BatchSummary, data: Path, console: str = "") -> None:
    """Raise :class:`NotAllowed` where a batch is over, or another process may still send it.

    ``console`` is the owner's name of the running console, whose own batches may be resumed.
    """
    obstacle = _find_obstacle(history, batch, data, console)
    if obstacle:
        raise NotAllowed(f"Batch {batch.id} {obstacle}")
    if not count_never_left(batch):
        raise NotAllowed(f"Batch {batch.id} is {batch.state.value}: nothing is left to send.")


def resume_interrupted(
    history: History, data: Path, batch: str, owner: str, *, confirmed: Collection[int] = ()
) -> None:
    """Let a process go on with a batch: exactly what never left is sent, in the order of its lanes.

    What was in flight when its process ended is *unknown*: it may have arrived, and is sent again only by the policy
    *resend*. Under the others it no longer holds its lane: the policy becomes *go on*.

    Raises :class:`NotAllowed` where another process was quicker, and :class:`SentBefore` as
    :meth:`~intempt_core.history.control.BatchControl.resume` has it.
    """
    found = history.queries.batch(batch)
    if found.groups and not owner:  # workers go on with it
        policy = Policy.GO_ON if _is_held(history, batch) else None
        history.control.resume(batch, policy, (RequestState.NOT_SENT,), confirmed=confirmed)
        return
    was_alive = is_process_alive(history, data, found.owner)
    if not history.queue.claim(batch, owner, found.owner, pause="Its process ended."):
        raise NotAllowed(f"Batch {batch} was taken over by another process just now.")
    if not was_alive:
        history.queue.in_flight_to_unknown(batch, owner=owner)
    policy = Policy.GO_ON if _is_held(history, batch) else None
    history.control.resume(batch, policy, (RequestState.NOT_SENT,), confirmed=confirmed)


def _is_held(history: History, batch: str) -> bool:
    """Whether a lane is held by a request that may have arrived, and that is not tried again by itself."""
    found = history.queries.batch(batch)
    unresolved = sum(lane.unresolved for lane in history.queue.lanes(batch))
    return found.policy is not Policy.GO_ON and unresolved > found.requests.get(RequestState.NOT_SENT, 0)


def _find_obstacle(history: History, batch: BatchSummary, data: Path, console: str = "") -> str:
    """Why this batch is not to be resumed by another process, as the end of a sentence; empty where it may be."""
    if batch.is_final:
        return f"is {batch.state.value}: nothing is left to send."
    alive = is_process_alive(history, data, batch.owner)
    if batch.groups:
        alive = find_sending_process(history, data) is not None
    if batch.recorder:
        return "is being recorded."
    if batch.state is BatchState.SENDING and alive:
        return "is being sent by another process."
    if alive and (batch.groups or batch.owner != console) and batch.requests.get(RequestState.IN_FLIGHT):
        return "still waits for responses in another process. Try again in a moment."
    return ""
