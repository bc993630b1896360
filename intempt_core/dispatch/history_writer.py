"""History as dispatch uses it: transitions of many lanes in one transaction, and waiting while it is unavailable."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import ParamSpec, TypeAlias, TypeVar

from intempt_core.errors import HistoryUnavailable
from intempt_core.history import AttemptEnd, History, Transition
from intempt_core.logs import write_log

P = ParamSpec("P")
T = TypeVar("T")
_PendingWrite: TypeAlias = "tuple[Sequence[Transition], asyncio.Future[frozenset[int]]]"

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 2.0
"""Seconds between two attempts to reach a history that is unavailable; the pause doubles."""


FAST_RESPONSE_MS = 15.0
"""Where responses come faster than this, a transaction waits for the lanes whose responses are there already, and what
it lets go is sent together. Where they come slower, it is written at once, and each lane sends before the next one
prepares its request: the first of sixteen does not wait for fifteen, and their responses do not come together."""

SLOW_WRITE_SECONDS, WORKER_ONLY_SECONDS = 0.05, 1.0
"""After a write in the event loop that took so long, all writes are left to the worker thread for a while."""

BUSY_POLL_SECONDS, BUSY_POLL_PAUSE_SECONDS = 0.25, 0.001
"""How long the event loop itself tries to write while others do, and how often."""

TROUBLE_REPORT_SECONDS = 1.0
"""How long a write may wait for other writers before that is reported as trouble."""

log = logging.getLogger(__name__)


class HistoryWriter:
    """Reads and writes history from one event loop, and waits while it is unavailable.

    Until history returns, what is to be written stays in memory. As a lane waits until the start of its next request
    is written, nothing is sent meanwhile. :meth:`set_deadline` ends the waiting.

    Attributes:
        history: the history.
        owner: the process for which it writes.
        trouble: why calls are waiting, in a sentence; empty while none is.
    """

    def __init__(self, history: History, owner: str) -> None:
        self.history = history
        self.owner = owner
        self.trouble = ""
        self._troubles: dict[object, str] = {}  # by call: that one succeeds does not mean that another no longer waits
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._waiting: list[_PendingWrite] = []
        self._in_commit: Sequence[Transition] = ()  # the transitions that are being written
        self._given_up = 0
        self._commit_task: asyncio.Task[None] | None = None
        self._deadline: float | None = None  # on the monotonic clock
        self._worker_only_until = 0.0
        self._busy = ""  # why the last write in the event loop failed
        self._response_ms = 0.0  # how long responses take, as a moving average

    @property
    def unwritten(self) -> int:
        """Outcomes that history does not have: those that wait to be written, and those given up at the end."""
        return self._given_up + _count_outcomes(chain(self._in_commit, _join_groups(self._waiting)))

    async def call(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of history in the worker thread, repeatedly until history is available.

        Raises what the method raises; :class:`HistoryUnavailable` only after the deadline.
        """
        loop, pause, call_id = asyncio.get_running_loop(), FIRST_PAUSE_SECONDS, object()
        try:
            while True:
                try:
                    return await loop.run_in_executor(self._worker, partial(method, *args, **kwargs))
                except HistoryUnavailable as error:
                    if self._is_past_deadline:
                        raise
                    self._note_trouble(call_id, str(error))
                await asyncio.sleep(pause)
                pause = (
                    FIRST_PAUSE_SECONDS
                    if self.history.database.lock_timeout.shortened
                    else min(pause * 2, MAX_PAUSE_SECONDS)
                )
        finally:
            self._note_trouble(call_id, "")

    def _note_trouble(self, call: object, sentence: str) -> None:
        """Note why a call waits; empty: it no longer does. Reads may succeed while writes fail, so each is noted."""
        if sentence:
            self._troubles[call] = sentence
        else:
            self._troubles.pop(call, None)
        before, self.trouble = self.trouble, next(iter(self._troubles.values()), "")
        if bool(before) != bool(self.trouble):
            event, level = (
                ("history is unavailable", logging.WARNING)
                if self.trouble
                else ("history is available again", logging.INFO)
            )
            write_log(log, event, level=level, unwritten=self.unwritten)

    async def write(self, transitions: Sequence[Transition]) -> frozenset[int]:
        """Write transitions, together with other lanes'; returns the requests whose transition was not valid."""
        future: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((transitions, future))
        for transition in transitions:
            if isinstance(transition, AttemptEnd):
                self._response_ms += (transition.attempt.elapsed_ms - self._response_ms) / 16
        if self._commit_task is None or self._commit_task.done():
            self._commit_task = asyncio.create_task(self._commit_waiting())
        return await future

    async def _commit_waiting(self) -> None:
        while self._waiting:
            are_quick = self._response_ms < FAST_RESPONSE_MS
            if are_quick:
                await self._gather_ready()
            some, self._waiting = self._waiting, []
            await self._commit_group(some, in_turn=not are_quick)

    async def _gather_ready(self) -> None:
        """Let lanes go on whose responses are there already: their outcomes go into the same transaction."""
        count = 0
        while count < len(self._waiting):
            count = len(self._waiting)
            await _yield_to_loop()

    async def _commit_group(self, some: "list[_PendingWrite]", *, in_turn: bool = False) -> None:
        """Write what some lanes wait for, and what others begin to wait for while the lock is waited for.

        With ``in_turn`` the lanes go on one after another, each after the one before has had its turn of the loop.
        """
        self._in_commit = _join_groups(some)
        try:
            invalid = await self._write_in_turn(some)
            if invalid is None:
                invalid = await self._write_transitions(self._in_commit)
        except Exception as error:  # noqa: BLE001  it is raised in the calls that wait
            failed, self._in_commit = self._in_commit, ()
            if len(some) > 1 and not isinstance(error, HistoryUnavailable):
                for one in some:  # a transition that cannot be written must not keep others from being written
                    await self._commit_group([one], in_turn=in_turn)
                return
            self._given_up += _count_outcomes(failed)
            for _, future in some:
                if not future.done():
                    future.set_exception(error)
            return
        self._in_commit = ()
        waiting = [future for _, future in some if not future.done()]
        try:
            while in_turn and len(waiting) > 1:
                _set_result(waiting.pop(0), invalid)
                await asyncio.sleep(0)
        finally:  # also where this is cancelled: what is written is written
            for future in waiting:
                _set_result(future, invalid)
        if in_turn:
            await _yield_to_loop()  # so that the last one is sent before more is written

    async def _write_in_turn(self, some: "list[_PendingWrite]") -> frozenset[int] | None:
        """Write in the event loop, which takes a millisecond: a thread would wait longer for its turn.

        While others write it is tried again every millisecond, for a recording lets others in for a few of them; what
        waits by then is written too. ``None`` where that is in vain for long, and for a while after the disk was slow:
        then the worker thread writes.
        """
        began = time.monotonic()
        if not self.history.database.supports_nowait or began < self._worker_only_until:
            return None
        self._busy = ""
        while True:
            tried = time.monotonic()
            try:
                return self.history.queue.apply_transitions(self._in_commit, owner=self.owner, nowait=True)
            except HistoryUnavailable as error:
                if self._is_past_deadline:
                    raise
                self._busy = str(error)
            finally:
                if time.monotonic() - tried > SLOW_WRITE_SECONDS:
                    self._worker_only_until = time.monotonic() + WORKER_ONLY_SECONDS
            if not await self._wait_for_lock(until=began + BUSY_POLL_SECONDS):
                return None
            some += self._waiting
            self._waiting, self._in_commit = [], _join_groups(some)

    async def _wait_for_lock(self, until: float) -> bool:
        """Wait until nobody else writes, or a time of the monotonic clock; whether it came to a try."""
        while time.monotonic() <= until:
            await asyncio.sleep(BUSY_POLL_PAUSE_SECONDS)
            try:
                if not self.history.database.is_locked():
                    return True
            except HistoryUnavailable:
                return True  # the write itself says why
        return False

    async def _write_transitions(self, transitions: Sequence[Transition]) -> frozenset[int]:
        """Write transitions in the worker thread, which waits for others that write."""
        busy, self._busy = self._busy, ""
        report = (
            asyncio.get_running_loop().call_later(TROUBLE_REPORT_SECONDS, self._note_trouble, busy, busy)
            if busy
            else None
        )
        try:
            return await self.call(self.history.queue.apply_transitions, transitions, owner=self.owner)
        finally:
            if report is not None:
                report.cancel()
                self._note_trouble(busy, "")

    async def flush(self) -> None:
        """Wait until all transitions are written."""
        while self._commit_task is not None and not self._commit_task.done():
            await asyncio.wait({self._commit_task})

    def shorten_lock_timeout(self) -> None:
        """Wait for no lock for long: the process ends."""
        self.history.database.lock_timeout.shortened = True

    def set_deadline(self, seconds: float = 0.0) -> None:
        """Stop waiting for history after so many seconds: then it raises where it is unavailable."""
        self._deadline = time.monotonic() + seconds

    @property
    def _is_past_deadline(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def close(self) -> None:
        """End the worker thread, and wait for locks as long as before."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self.history.database.lock_timeout.shortened = False


def _set_result(future: "asyncio.Future[frozenset[int]]", invalid: frozenset[int]) -> None:
    if not future.done():  # its lane may have been cancelled meanwhile
        future.set_result(invalid)


def _join_groups(some: "Iterable[_PendingWrite]") -> list[Transition]:
    return [transition for group, _ in some for transition in group]


def _count_outcomes(transitions: Iterable[Transition]) -> int:
    return sum(isinstance(transition, AttemptEnd) for transition in transitions)


async def _yield_to_loop() -> None:
    """Let every task run that can."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
