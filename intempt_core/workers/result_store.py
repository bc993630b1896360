"""The results of tasks: each is worked out once, kept while a tab needs it, and given back when the tab is closed.

Small files are worked on here. The result of a large one comes from a process of its own, lies on disk, and is mapped
when it is asked for. When the last tab that holds a result is closed, its process is ended or its memory given back;
what lies on disk stays for a while, so that a tab that comes back maps it again.
"""

import gc
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, RLock, Semaphore
from typing import Any

from intempt_core.arrays import release_unused_memory
from intempt_core.errors import TableTooLarge
from intempt_core.workers.file_tasks import FileContext, FileTask
from intempt_core.workers.stored_results import StoredResult
from intempt_core.workers.worker_process import WorkerProcess

SMALL_FILE_BYTES = 4_000_000
"""Bytes up to which a file is worked on in this process: that is done before another one has started."""

WORKERS_AT_ONCE = 2
"""Processes that run at the same time; more files wait for their turn."""

RESULTS_PER_TAB = 8
"""Results that a tab holds; of more the ones that were asked for longest ago are let go."""

CLOSED_TAB_SECONDS = 15.0
"""Seconds after which a tab whose connection is closed counts as closed: a network may fail for a moment."""

SWEEP_SECONDS = 3.0
"""How often closed tabs are looked for."""

STORED_KEEP_SECONDS = 86_400.0
"""Seconds after which a stored result goes that no tab holds."""

MAX_STORED_BYTES = 10_000_000_000
"""Bytes of stored results on disk; of more those that no tab holds go, the oldest first."""

RESERVED_DISK_BYTES = 1_000_000_000
"""Bytes of the disk that stay free where results that no tab holds can go."""

RETRY_SECONDS = 60.0
"""Seconds for which a reason why there is no result stands: a screen that is drawn again does not try again at once."""

WAIT_SECONDS = 0.2
"""How often the one who waits for a result may do something else."""


@dataclass(eq=False)
class _Entry:
    """A result, or what is on its way to one.

    Attributes:
        holders: The tabs that hold it.
        value: The result in memory; ``None`` where it is not.
        stored: The result on disk; ``None`` for one that is worked out in this process.
        worker: The process that works it out.
        trouble: Why there is none, and since when.
        asked: When it was asked for last.
        lock: Held while it is worked out, or mapped.
    """

    holders: set[str] = field(default_factory=set)
    value: object = None
    stored: StoredResult | None = None
    worker: WorkerProcess | None = None
    trouble: tuple[Exception, float] | None = None
    asked: float = 0.0
    lock: RLock = field(default_factory=RLock)


class ResultStore:
    """The results of all tabs of this console."""

    def __init__(
        self,
        context: FileContext,
        folder: Path,
        *,
        is_tab_open: Callable[[str], bool],
        small_bytes: int = SMALL_FILE_BYTES,
        clock: Callable[[], float] = time.monotonic,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._context, self._folder, self._is_tab_open = context, folder, is_tab_open
        self._small_bytes, self._clock, self._free_bytes = small_bytes, clock, free_bytes
        self._slots = Semaphore(WORKERS_AT_ONCE)
        self._entries: dict[str, _Entry] = {}
        self._tabs: dict[str, OrderedDict[str, None]] = {}
        self._closed_since: dict[str, float] = {}
        self._lock = Lock()
        self._stopping = Event()

    # ── for tabs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def fetch(self, task: FileTask, tab: str, while_waiting: Callable[[], object] = lambda: None) -> Any:
        """The result of a task for a tab, worked out where nobody did before. Any: of the task's own type.

        ``while_waiting`` is called every :data:`WAIT_SECONDS` while a process works; what it raises ends the waiting,
        and the process goes on for as long as the tab is open. Raises what the task raises.
        """
        entry = self._prepare(task, tab, while_waiting)
        with entry.lock:
            if entry.value is None and entry.stored is not None:
                entry.value = entry.stored.load()
            return entry.value

    def is_stored(self, task: FileTask) -> bool:
        """Whether a result is on disk, of a process of its own."""
        entry = self._entries.get(task.key)
        return entry is not None and entry.stored is not None

    def start_process(self, task: FileTask, tab: str, niceness: int) -> WorkerProcess | None:
        """A process of its own for a task whose result is not kept, and that goes on when the tab is closed.

        ``None`` where what it is given is in this process: then it is worked on here as well. Raises what the tasks
        raise that it is given the results of.
        """
        given = [self._prepare(one, tab, lambda: None).stored for one in task.inputs]
        stored = [one for one in given if one is not None]
        if len(stored) < len(given):
            return None
        return WorkerProcess(task, stored, self._context.settings, self._folder, Semaphore(1), niceness=niceness)

    def is_ready(self, task: FileTask) -> bool:
        """Whether a result is here, or on disk."""
        entry = self._entries.get(task.key)
        return entry is not None and (entry.value is not None or entry.stored is not None)

    def let_go(self, task: FileTask, tab: str) -> None:
        """A tab does not need a result any more; a reason why there is none is forgotten with it."""
        with self._lock:
            self._tabs.get(tab, OrderedDict()).pop(task.key, None)
            self._let_go(task.key, tab)

    def let_go_all(self, tab: str) -> None:
        """A tab needs none of its results any more."""
        with self._lock:
            for key in self._tabs.pop(tab, OrderedDict()):
                self._let_go(key, tab)

    def _prepare(self, task: FileTask, tab: str, while_waiting: Callable[[], object]) -> _Entry:
        """The result of a task, in memory or on disk."""
        entry = self._hold(task.key, tab)
        if entry.value is None and entry.stored is None:
            if entry.trouble is not None and self._clock() - entry.trouble[1] < RETRY_SECONDS:
                raise entry.trouble[0]
            given = [self._prepare(one, tab, while_waiting) for one in task.inputs]
            try:
                self._work_out(task, entry, given, while_waiting)
            except Exception as error:
                entry.worker, entry.trouble = None, (error, self._clock())
                raise
        return entry

    def _hold(self, key: str, tab: str) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            entry.holders.add(tab)
            entry.asked = self._clock()
            held = self._tabs.setdefault(tab, OrderedDict())
            held[key] = None
            held.move_to_end(key)
            while len(held) > RESULTS_PER_TAB:
                oldest, _ = held.popitem(last=False)
                self._let_go(oldest, tab)
            return entry

    def _work_out(
        self, task: FileTask, entry: _Entry, given: Sequence[_Entry], while_waiting: Callable[[], object]
    ) -> None:
        with entry.lock:
            if entry.value is not None or entry.stored is not None:
                return
            if entry.worker is None:
                stored = [one.stored for one in given if one.stored is not None]
                if not stored and task.file_bytes <= self._small_bytes:
                    with suppress(TableTooLarge):  # a small file that becomes a large table is one for a process
                        entry.value = task.run(self._context, [one.value for one in given])
                        return
                self._make_space()
                entry.worker = WorkerProcess(task, stored, self._context.settings, self._folder, self._slots)
            worker = entry.worker
        while not worker.done.wait(WAIT_SECONDS):
            while_waiting()
        with entry.lock:
            if entry.stored is None:
                entry.stored = worker.result()
                entry.worker = None

    # ── giving back ──────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Look for closed tabs from now on, until :meth:`stop`."""
        threading.Thread(target=self._sweep_until_stopped, name="results", daemon=True).start()

    def stop(self) -> None:
        """End every process, and let everything go."""
        self._stopping.set()
        with self._lock:
            for entry in self._entries.values():
                if entry.worker is not None:
                    entry.worker.end()
            self._entries.clear()
            self._tabs.clear()

    def _sweep_until_stopped(self) -> None:
        while not self._stopping.wait(SWEEP_SECONDS):
            self.sweep()

    def sweep(self) -> None:
        """Let go what tabs hold that are closed, and what has been on disk for long."""
        now, open_tabs = self._clock(), len(self._tabs)
        with self._lock:
            for tab in list(self._tabs):
                if self._is_tab_open(tab):
                    self._closed_since.pop(tab, None)
                elif now - self._closed_since.setdefault(tab, now) >= CLOSED_TAB_SECONDS:
                    for key in self._tabs.pop(tab):
                        self._let_go(key, tab)
                    del self._closed_since[tab]
            self._drop_stored(lambda entry: now - entry.asked > STORED_KEEP_SECONDS)
        if len(self._tabs) < open_tabs:  # what a tab has drawn of a file is as large as the file, and freed in pieces
            gc.collect()
            release_unused_memory()

    def _let_go(self, key: str, tab: str) -> None:
        """What one tab held: where no other does, its process is ended, and its memory given back."""
        entry = self._entries.get(key)
        if entry is None:
            return
        entry.holders.discard(tab)
        if entry.holders:
            return
        entry.value = None
        if entry.stored is not None:
            entry.stored.release_memory()
            return
        if entry.worker is not None:
            entry.worker.end()
        del self._entries[key]

    def _make_space(self) -> None:
        """Drop stored results that no tab holds, the oldest first, where there are too many or the disk is full."""
        with self._lock:
            sizes: dict[tuple[int, int], int] = {}
            for entry in self._entries.values():
                if entry.stored is not None:
                    sizes |= entry.stored.file_sizes()
            excess = sum(sizes.values()) - MAX_STORED_BYTES
            with suppress(OSError):
                excess = max(excess, RESERVED_DISK_BYTES - self._free_bytes(self._folder))
            if excess > 0:
                self._drop_stored(lambda _: True)

    def _drop_stored(self, is_droppable: Callable[[_Entry], bool]) -> None:
        for key, entry in list(self._entries.items()):
            if entry.stored is not None and not entry.holders and is_droppable(entry):
                del self._entries[key]
