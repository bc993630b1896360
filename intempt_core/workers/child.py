"""The process that runs one task: ``python -m intempt_core.workers.child DESCRIPTOR NICENESS``.

It gives way to other processes, uses one thread for a computation, is the first to go where the machine runs out
of memory, and ends as soon as the console that started it is gone.
"""

import os
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path

from intempt_core.platforms import give_way, read_own_peak_bytes
from intempt_core.readers import OpenFile
from intempt_core.workers.messages import (
    OUT_OF_MEMORY_EXIT,
    TaskOrder,
    TaskReply,
    receive_message,
    send_message,
)

_WATCH_SECONDS = 0.1
_STATM = Path("/proc/self/statm")


def main() -> None:
    """Receive one order, do it, and send the reply."""
    give_way(int(sys.argv[2]))
    connection = socket.socket(fileno=int(sys.argv[1]))
    order, files = receive_message(connection)
    _watch_own_memory(order.memory_limit)
    threading.Thread(target=_end_with_console, args=(connection,), daemon=True).start()
    reply, own = _do_order(order, files)
    send_message(connection, reply, own)
    sys.stdout.flush()
    os._exit(0)  # at once: there is nothing to clean up, and much to free


def _do_order(order: TaskOrder, files: list[OpenFile]) -> tuple[TaskReply, tuple[OpenFile, ...]]:
    try:
        import pyarrow as pa  # noqa: PLC0415  after giving way

        from intempt_core.errors import ConsoleError  # noqa: PLC0415
        from intempt_core.workers.stored_results import StoredResult  # noqa: PLC0415
        from intempt_core.workers.task_work import work_out_task  # noqa: PLC0415

        pa.set_cpu_count(1)
        pa.set_io_thread_count(1)
        given, at = [], 0
        for head, count in zip(order.heads, order.file_counts, strict=True):
            given.append(StoredResult(head, files[at : at + count]))
            at += count
    except Exception as error:  # noqa: BLE001  whatever it is, the console is told
        return TaskReply(error=_describe_error(error)), ()
    try:
        stored = work_out_task(order.task, order.settings, given, order.folder)
    except ConsoleError as error:
        return TaskReply.from_error(error), ()
    except MemoryError:
        os._exit(OUT_OF_MEMORY_EXIT)
    except Exception as error:  # noqa: BLE001  whatever it is, the console is told
        return TaskReply(error=_describe_error(error)), ()
    return TaskReply(head=stored.head), stored.files


def _describe_error(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    where = ", ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {where}"


def _watch_own_memory(limit: int) -> None:
    """End this process where it has taken too much, on systems where the console cannot see that."""
    if _STATM.exists():
        return

    def watch() -> None:
        while read_own_peak_bytes() <= limit:
            time.sleep(_WATCH_SECONDS)
        os._exit(OUT_OF_MEMORY_EXIT)

    threading.Thread(target=watch, daemon=True).start()


def _end_with_console(connection: socket.socket) -> None:
    """End this process when the console has closed its end of the socket, or is gone."""
    with suppress(OSError):
        connection.recv(1)
    os._exit(1)


if __name__ == "__main__":
    main()
