"""History as dispatch uses it: many lanes' marks in one transaction, patient while it is away."""

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


FAST_RESPONSE_MS, SLOW_LANES_PER_COMMIT = 15.0, 4
"""Where answers come quickly, all lanes that wait share a transaction. Where they take longer than this there is time
for more of those: so few lanes share one, and do not all wait for each other, leave together and come back together."""

SLOW_WRITE_SECONDS, WORKER_ONLY_SECONDS = 0.05, 1.0
"""A write that took so long holds up the loop; for so long after it writes are left to the worker."""

TROUBLE_REPORT_SECONDS = 1.0
"""After so long a write that others keep waiting is said to be trouble."""

log = logging.getLogger(__name__)


class HistoryWriter:
    """One history in one event loop.

    While history is unavailable every call waits until it returns, ``trouble`` says why as long as any call waits, and
    what was to be written stays in memory: ``unwritten`` outcomes. As a lane waits for its start to be written,
    nothing is sent meanwhile. An end bounds that patience: outcomes that it gave up are counted in ``unwritten`` too.
    """

    def __init__(self, history: History, owner: str) -> None:
        self.history = history
        self.owner = owner
        self.trouble = ""
        self._troubles: dict[object, str] = {}  # by call: one that goes well says nothing of one that still waits
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._waiting: list[_PendingWrite] = []
        self._in_commit: Sequence[Transition] = ()  # those that are being written now
        self._given_up = 0
        self._commit_task: asyncio.Task[None] | None = None
        self._deadline: float | None = None  # on the monotonic clock
        self._worker_only_until = 0.0
        self._response_ms = 0.0  # how long answers take, on a moving average

    @property
    def unwritten(self) -> int:
        """Outcomes that history does not have: those that wait, and those that were given up at the end."""
        waiting = (mark for brought, _ in self._waiting for mark in brought)
        return self._given_up + _count_outcomes(chain(self._in_commit, waiting))

    async def call(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of history in the worker, again and again until history is available.

        Raises what the method raises; :class:`HistoryUnavailable` only after :meth:`set_deadline`.
        """
        loop, pause, me = asyncio.get_running_loop(), FIRST_PAUSE_SECONDS, object()
        try:
            while True:
                try:
                    return await loop.run_in_executor(self._worker, partial(method, *args, **kwargs))
                except HistoryUnavailable as error:
                    if self._is_past_deadline:
                        raise
                    self._note_trouble(me, str(error))
                await asyncio.sleep(pause)
                pause = (
                    FIRST_PAUSE_SECONDS
                    if self.history.database.lock_timeout.shortened
                    else min(pause * 2, MAX_PAUSE_SECONDS)
                )
        finally:
            self._note_trouble(me, "")

    def _note_trouble(self, call: object, sentence: str) -> None:
        """A call waits, or waits no more. History may be read while it takes no writes, so each speaks for itself."""
        if sentence:
            self._troubles[call] = sentence
        else:
            self._troubles.pop(call, None)
        before, self.trouble = self.trouble, next(iter(self._troubles.values()), "")
        if bool(before) != bool(self.trouble):
            event, level = ("history is away", logging.WARNING) if self.trouble else ("history is back", logging.INFO)
            write_log(log, event, level=level, unwritten=self.unwritten)

    async def write(self, transitions: Sequence[Transition]) -> frozenset[int]:
        """Write marks, in one transaction with those that other lanes bring; the requests whose mark did not count."""
        future: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((transitions, future))
        for mark in transitions:
            if isinstance(mark, AttemptEnd):
                self._response_ms += (mark.attempt.elapsed_ms - self._response_ms) / 16
        if self._commit_task is None or self._commit_task.done():
            self._commit_task = asyncio.create_task(self._commit_waiting())
        return await future

    async def _commit_waiting(self) -> None:
        while self._waiting:
            quick = self._response_ms < FAST_RESPONSE_MS
            if quick:
                await self._gather_ready()
            few = len(self._waiting) if quick else SLOW_LANES_PER_COMMIT
            some, self._waiting = self._waiting[:few], self._waiting[few:]
            await self._commit_group(some)
            if not quick:
                await _yield_to_loop()  # so that these leave before the next ones are written

    async def _gather_ready(self) -> None:
        """Wait for the answers that are there already: they go into the same transaction."""
        brought = 0
        while brought < len(self._waiting):
            brought = len(self._waiting)
            await _yield_to_loop()

    async def _commit_group(self, some: "list[_PendingWrite]") -> None:
        self._in_commit = marks = [mark for brought, _ in some for mark in brought]
        try:
            missed = await self._write_transitions(marks)
        except Exception as error:  # noqa: BLE001  it is raised where it belongs
            self._in_commit = ()
            if len(some) > 1 and not isinstance(error, HistoryUnavailable):
                for one in some:  # one lane's mark that cannot be written must not take the others along
                    await self._commit_group([one])
                return
            self._given_up += _count_outcomes(marks)
            for _, future in some:
                if not future.done():
                    future.set_exception(error)
            return
        self._in_commit = ()
        for _, future in some:
            if not future.done():
                future.set_result(missed)

    async def _write_transitions(self, transitions: Sequence[Transition]) -> frozenset[int]:
        """Write marks here, where that takes a millisecond: a thread of their own would wait longer for its turns.

        The worker writes them where others are writing, and for a while after a disk was slow.
        """
        began, busy = time.monotonic(), ""
        if self.history.database.supports_nowait and began >= self._worker_only_until:
            try:
                return self.history.queue.apply_transitions(transitions, owner=self.owner, nowait=True)
            except HistoryUnavailable as error:
                if self._is_past_deadline:
                    raise
                busy = str(error)
            finally:
                if time.monotonic() - began > SLOW_WRITE_SECONDS:
                    self._worker_only_until = time.monotonic() + WORKER_ONLY_SECONDS
        saying = (
            asyncio.get_running_loop().call_later(TROUBLE_REPORT_SECONDS, self._note_trouble, busy, busy)
            if busy
            else None
        )
        try:
            return await self.call(self.history.queue.apply_transitions, transitions, owner=self.owner)
        finally:
            if saying is not None:
                saying.cancel()
                self._note_trouble(busy, "")

    async def flush(self) -> None:
        """Wait until everything that was brought is written."""
        while self._commit_task is not None and not self._commit_task.done():
            await asyncio.wait({self._commit_task})

    def shorten_lock_timeout(self) -> None:
        """The process ends: no lock is waited for long."""
        self.history.database.lock_timeout.shortened = True

    def set_deadline(self, seconds: float = 0.0) -> None:
        """Be patient for so long: after that an unavailable history is raised."""
        self._deadline = time.monotonic() + seconds

    @property
    def _is_past_deadline(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def close(self) -> None:
        """Let the worker end, and history be as patient as before."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self.history.database.lock_timeout.shortened = False


def _count_outcomes(transitions: Iterable[Transition]) -> int:
    return sum(isinstance(mark, AttemptEnd) for mark in transitions)


async def _yield_to_loop() -> None:
    """Let everybody go on who can."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
