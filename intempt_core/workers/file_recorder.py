"""The recording of a large file in a process of its own: begun, watched, and stopped where that process is gone.

The console neither reads the file's rows nor waits for them: it sends what is recorded while the rest is.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING

from intempt_core.errors import ConsoleError, HistoryUnavailable, NotFound
from intempt_core.logs import write_log
from intempt_core.workers.worker_process import WorkerProcess

if TYPE_CHECKING:
    from intempt_core.history import BatchIntent, History

FIRST_POLL_SECONDS = 0.02
"""How often it is looked whether the first piece is recorded, so that it can be sent."""

RETRY_SECONDS = 1.0
"""Pause between two attempts to stop a batch while history is unavailable."""

END_SECONDS = 5.0
"""How long a console that ends waits for its recordings."""

_log = logging.getLogger(__name__)


class FileRecorder:
    """The recordings of this console that processes of their own carry out."""

    def __init__(self, history: "History", wake: Callable[[], object]) -> None:
        """Have ``wake`` called when there is something new to send, or to see, in ``history``."""
        self._history, self._wake = history, wake
        self._watching: dict[Thread, WorkerProcess] = {}
        self._lock, self._stopping = Lock(), Event()

    def record(self, intent: "BatchIntent", worker: WorkerProcess) -> str:
        """Wait until a process has recorded the first piece of a batch, and return the batch's id.

        From then on it is watched: where it ends before all of the batch is recorded, the batch is *stopped*.

        Raises what the process raised where it has recorded nothing: as
        :meth:`~intempt_core.history.recorder.Recorder.record` has it, and :class:`ReadError` where it was ended.
        """
        watch = Thread(target=self._watch, args=(intent, worker, time.monotonic()), name="recording", daemon=True)
        with self._lock:
            self._watching[watch] = worker
            watch.start()
        while True:
            is_over = worker.done.wait(FIRST_POLL_SECONDS)  # before the look: what it has recorded is then found
            is_begun = self._is_begun(intent.id)
            if is_over and not is_begun:
                worker.result()  # it raises, unless all is recorded and history could not be asked just now
            if is_over or is_begun:
                self._wake()
                return intent.id

    @property
    def is_recording(self) -> bool:
        """Whether a process still records something."""
        return bool(self._watching)

    def stop(self) -> None:
        """End every process; what it has recorded stays, in a batch that is *stopped*."""
        self._stopping.set()
        with self._lock:
            watching = dict(self._watching)
        for worker in watching.values():
            worker.end()
        for watch in watching:
            watch.join(END_SECONDS)

    def _is_begun(self, batch: str) -> bool:
        try:
            return self._history.queue.has_batch(batch)
        except HistoryUnavailable:  # the process tells, or waits for it
            return False

    def _watch(self, intent: "BatchIntent", worker: WorkerProcess, began: float) -> None:
        try:
            worker.done.wait()
            try:
                worker.result()
            except ConsoleError as error:
                write_log(_log, "a recording ended", level=logging.WARNING, batch=intent.id, reason=str(error))
            except Exception:  # noqa: BLE001  what it recorded is to be stopped, whatever went wrong
                _log.exception("a recording failed", extra={"facts": {"batch": intent.id}})
            self._stop_unless_whole(intent)
            self._wake()
            self._tell_observer(intent, time.monotonic() - began)
        finally:
            with self._lock:
                self._watching.pop(current_thread(), None)

    def _tell_observer(self, intent: "BatchIntent", seconds: float) -> None:
        """Tell the observer of this process, which did not see the other one record."""
        observer = self._history.database.observer
        if observer is not None:
            with suppress(HistoryUnavailable, NotFound):
                found = self._history.queries.batch(intent.id)
                observer.note_recording(found.planned - found.unrecorded, seconds)

    def _stop_unless_whole(self, intent: "BatchIntent") -> None:
        """Stop the batch, if its recording is still said to go on; history that is unavailable is waited for."""
        while True:
            try:
                self._history.control.stop_recording(intent.id, intent.recorder or intent.owner)
            except NotFound:
                return
            except HistoryUnavailable:
                if self._stopping.is_set():
                    return  # the next console finds that this one is gone
                time.sleep(RETRY_SECONDS)
            else:
                return
