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
from intempt_core.history import History, Mark, Settled
from intempt_core.logs import write_log

P = ParamSpec("P")
T = TypeVar("T")
_Brought: TypeAlias = "tuple[Sequence[Mark], asyncio.Future[frozenset[int]]]"

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds between two attempts to reach a history that is unavailable; the pause doubles."""


QUICK_MS, FEW = 15.0, 4
"""Where answers come quickly, all lanes that wait share a transaction. Where they take longer than this there is time
for more of those: so few lanes share one, and do not all wait for each other, leave together and come back together."""

SLOW_SECONDS, PATIENT_SECONDS = 0.05, 1.0
"""A write that took so long holds up the loop; for so long after it writes are left to the worker."""

SAID_SECONDS = 1.0
"""After so long a write that others keep waiting is said to be trouble."""

log = logging.getLogger(__name__)


class Ledger:
    """One history in one event loop.

    While history is unavailable every call waits until it returns, ``trouble`` says why as long as any call waits, and
    what was to be written stays in memory: ``unwritten`` outcomes. As a lane waits for its *leaving* to be written,
    nothing is sent meanwhile. An end bounds that patience: outcomes that it gave up are counted in ``unwritten`` too.
    """

    def __init__(self, history: History, owner: str) -> None:
        self.history = history
        self.owner = owner
        self.trouble = ""
        self._troubles: dict[object, str] = {}  # by call: one that goes well says nothing of one that still waits
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._waiting: list[_Brought] = []
        self._committed: Sequence[Mark] = ()  # those that are being written now
        self._given_up = 0
        self._committing: asyncio.Task[None] | None = None
        self._ends: float | None = None  # on the monotonic clock
        self._patient_until = 0.0
        self._answer_ms = 0.0  # how long answers take, on a moving average

    @property
    def unwritten(self) -> int:
        """Outcomes that history does not have: those that wait, and those that were given up at the end."""
        waiting = (mark for brought, _ in self._waiting for mark in brought)
        return self._given_up + _outcomes(chain(self._committed, waiting))

    async def ask(self, question: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Call a method of history in the worker, again and again until history is available.

        Raises what the method raises; :class:`HistoryUnavailable` only after :meth:`give_up`.
        """
        loop, pause, me = asyncio.get_running_loop(), FIRST_PAUSE, object()
        try:
            while True:
                try:
                    return await loop.run_in_executor(self._worker, partial(question, *given, **named))
                except HistoryUnavailable as error:
                    if self._is_over:
                        raise
                    self._note(me, str(error))
                await asyncio.sleep(pause)
                pause = FIRST_PAUSE if self.history.patience.shortened else min(pause * 2, LONGEST_PAUSE)
        finally:
            self._note(me, "")

    def _note(self, call: object, sentence: str) -> None:
        """A call waits, or waits no more. History may be read while it takes no writes, so each speaks for itself."""
        if sentence:
            self._troubles[call] = sentence
        else:
            self._troubles.pop(call, None)
        before, self.trouble = self.trouble, next(iter(self._troubles.values()), "")
        if bool(before) != bool(self.trouble):
            event, level = ("history is away", logging.WARNING) if self.trouble else ("history is back", logging.INFO)
            write_log(log, event, level=level, unwritten=self.unwritten)

    async def mark(self, marks: Sequence[Mark]) -> frozenset[int]:
        """Write marks, in one transaction with those that other lanes bring; the requests whose mark did not count."""
        future: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((marks, future))
        for mark in marks:
            if isinstance(mark, Settled):
                self._answer_ms += (mark.attempt.elapsed_ms - self._answer_ms) / 16
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit())
        return await future

    async def _commit(self) -> None:
        while self._waiting:
            quick = self._answer_ms < QUICK_MS
            if quick:
                await self._gathered()
            few = len(self._waiting) if quick else FEW
            some, self._waiting = self._waiting[:few], self._waiting[few:]
            await self._commit_these(some)
            if not quick:
                await _turns()  # so that these leave before the next ones are written

    async def _gathered(self) -> None:
        """Wait for the answers that are there already: they go into the same transaction."""
        brought = 0
        while brought < len(self._waiting):
            brought = len(self._waiting)
            await _turns()

    async def _commit_these(self, some: "list[_Brought]") -> None:
        self._committed = marks = [mark for brought, _ in some for mark in brought]
        try:
            missed = await self._written(marks)
        except Exception as error:  # noqa: BLE001  it is raised where it belongs
            self._committed = ()
            if len(some) > 1 and not isinstance(error, HistoryUnavailable):
                for one in some:  # one lane's mark that cannot be written must not take the others along
                    await self._commit_these([one])
                return
            self._given_up += _outcomes(marks)
            for _, future in some:
                if not future.done():
                    future.set_exception(error)
            return
        self._committed = ()
        for _, future in some:
            if not future.done():
                future.set_result(missed)

    async def _written(self, marks: Sequence[Mark]) -> frozenset[int]:
        """Write marks here, where that takes a millisecond: a thread of their own would wait longer for its turns.

        The worker writes them where others are writing, and for a while after a disk was slow.
        """
        began, busy = time.monotonic(), ""
        if self.history.takes_at_once and began >= self._patient_until:
            try:
                return self.history.mark(marks, owner=self.owner, at_once=True)
            except HistoryUnavailable as error:
                if self._is_over:
                    raise
                busy = str(error)
            finally:
                if time.monotonic() - began > SLOW_SECONDS:
                    self._patient_until = time.monotonic() + PATIENT_SECONDS
        saying = asyncio.get_running_loop().call_later(SAID_SECONDS, self._note, busy, busy) if busy else None
        try:
            return await self.ask(self.history.mark, marks, owner=self.owner)
        finally:
            if saying is not None:
                saying.cancel()
                self._note(busy, "")

    async def flushed(self) -> None:
        """Wait until everything that was brought is written."""
        while self._committing is not None and not self._committing.done():
            await asyncio.wait({self._committing})

    def hurry(self) -> None:
        """The process ends: no lock is waited for long."""
        self.history.patience.shortened = True

    def give_up(self, seconds: float = 0.0) -> None:
        """Be patient for so long: after that an unavailable history is raised."""
        self._ends = time.monotonic() + seconds

    @property
    def _is_over(self) -> bool:
        return self._ends is not None and time.monotonic() >= self._ends

    def close(self) -> None:
        """Let the worker end, and history be as patient as before."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self.history.patience.shortened = False


def _outcomes(marks: Iterable[Mark]) -> int:
    return sum(isinstance(mark, Settled) for mark in marks)


async def _turns() -> None:
    """Let everybody go on who can."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
