"""A task in a process of its own: started, watched and ended from here.

The process is a new one and no copy of the console's, so that it has none of its locks and connections, and none of
its keys: of the environment it is given only what a program needs to run.
"""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event, Semaphore, Thread

from intempt_core.errors import ReadError
from intempt_core.logs import write_log
from intempt_core.platforms import build_detached_options, can_hand_over_files, read_resident_bytes
from intempt_core.settings import Settings, build_python_path
from intempt_core.workers.file_tasks import FileTask
from intempt_core.workers.messages import OUT_OF_MEMORY_EXIT, TaskOrder, TaskReply, receive_message, send_message
from intempt_core.workers.stored_results import StoredResult
from intempt_core.workers.task_work import work_out_task

WATCH_SECONDS = 0.05
"""How often a process's memory is looked at."""

NICENESS = 15
"""How much a process gives way to others, of 19."""

_INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TZDIR",
    "VIRTUAL_ENV",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
)
"""The variables of the environment that the process is given."""

_log = logging.getLogger(__name__)


class WorkerProcess:
    """One task in a process of its own.

    It begins at once, or when one of the ``slots`` is free. :attr:`done` is set when there is a result, or a reason why
    there is none. It gives way to other processes by its ``niceness``, of 19.
    """

    def __init__(
        self,
        task: FileTask,
        given: Sequence[StoredResult],
        settings: Settings,
        folder: Path,
        slots: Semaphore,
        *,
        niceness: int = NICENESS,
    ) -> None:
        self.task = task
        self.done = Event()
        self._niceness = niceness
        self._given, self._settings, self._folder, self._slots = given, settings, folder, slots
        self._limit = settings.reading_mb * 1_000_000
        self._ended = False
        self._result: StoredResult | None = None
        self._trouble: BaseException | None = None
        Thread(target=self._run, name=f"worker-{task.verb}", daemon=True).start()

    def result(self) -> StoredResult:
        """The result. Raises what the task raised, or :class:`ReadError` with the reason why there is none."""
        self.done.wait()
        if self._result is None:
            raise self._trouble or ReadError(f"{self.task.file_name} was not {self.task.verb}.")
        return self._result

    def end(self) -> None:
        """End the process: nobody waits for its result any more."""
        self._ended = True

    def _run(self) -> None:
        try:
            while not self._slots.acquire(timeout=WATCH_SECONDS):
                if self._ended:
                    return
            try:
                self._result = self._start_and_watch() if can_hand_over_files() else self._work_here()
            finally:
                self._slots.release()
        except BaseException as error:  # noqa: BLE001  it is raised where the result is asked for
            self._trouble = error
        finally:
            self.done.set()

    def _work_here(self) -> StoredResult:
        """Work it out in this process: on some systems no other can be given the files of results."""
        try:
            return work_out_task(self.task, self._settings, self._given, self._folder)
        except MemoryError:
            raise self._build_memory_error() from None

    def _start_and_watch(self) -> StoredResult | None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            process = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-P", "-m", "intempt_core.workers.child", str(theirs.fileno()), str(self._niceness)],
                pass_fds=(theirs.fileno(),),
                env=_build_environment(os.environ, self._folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **build_detached_options(),  # what interrupts the console at a terminal does not interrupt it first
            )
            theirs.close()
            try:
                return self._converse(process, ours)
            finally:
                process.kill()
                process.wait()

    def _converse(self, process: "subprocess.Popen[bytes]", connection: socket.socket) -> StoredResult | None:
        try:
            self._send_order(connection)
            while not select.select([connection], [], [], WATCH_SECONDS)[0]:
                if self._ended:
                    return None
                if read_resident_bytes(process.pid) > self._limit:
                    raise self._build_memory_error()
            reply, files = receive_message(connection)
        except (EOFError, OSError):
            raise self._build_exit_error(process.wait()) from None
        return self._read_reply(reply, StoredResult(reply.head, files))

    def _send_order(self, connection: socket.socket) -> None:
        heads = tuple(one.head for one in self._given)
        counts = tuple(len(one.files) for one in self._given)
        order = TaskOrder(self.task, self._settings, heads, counts, self._folder, self._limit)
        send_message(connection, order, [file for one in self._given for file in one.files])

    def _read_reply(self, reply: TaskReply, stored: StoredResult) -> StoredResult:
        if reply.head:
            return stored
        if reply.sentence:
            raise reply.rebuild_error()
        write_log(_log, "a worker failed", level=logging.ERROR, task=self.task.verb, reason=reply.error)
        raise RuntimeError(f"A file could not be {self.task.verb}: {reply.error}")

    def _build_memory_error(self) -> ReadError:
        write_log(_log, "a worker took too much memory", task=self.task.verb, limit=self._limit)
        return ReadError(
            f"{self.task.file_name} cannot be {self.task.verb}: that takes more than {self._settings.reading_mb:,} MB"
            " of memory. Cut it into several files, or allow more by CONSOLE_READING_MB."
        )

    def _build_exit_error(self, code: int) -> ReadError:
        if code == OUT_OF_MEMORY_EXIT:
            return self._build_memory_error()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        write_log(_log, "a worker ended", level=logging.ERROR, task=self.task.verb, code=code)
        return ReadError(
            f"{self.task.file_name} could not be {self.task.verb}: the process that did it {how}. Where the machine has"
            " little memory it is ended so. Cut the file into several, then take them one after another."
        )


def _build_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    given = {name: environment[name] for name in _INHERITED if name in environment}
    return {
        **given,
        "PYTHONPATH": build_python_path(environment),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(folder),
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
