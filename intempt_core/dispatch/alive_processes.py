"""Which processes are alive: by their locks in a data folder, by their leases in a database of many machines."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from intempt_core import __version__
from intempt_core.dispatch.process_locks import hold_process_lock, is_owner_alive, make_owner_name, read_running_console
from intempt_core.dispatch.workers.lease_keeper import LeaseKeeper
from intempt_core.history import History, WorkerKind, WorkerLease

SENDING_KINDS = WorkerKind.WORKER, WorkerKind.CONSOLE
"""The kinds of processes that send what others record."""


def is_process_alive(history: History, data: Path, name: str) -> bool:
    """Whether the process of that name is alive; an empty name never is."""
    return history.workers.is_alive(name) if history.workers.are_used else is_owner_alive(data, name)


@contextmanager
def hold_process_name(history: History, data: Path) -> Iterator[str]:
    """A name by which others see for a while that this process is alive."""
    if not history.workers.are_used:
        with hold_process_lock(data) as name:
            yield name
        return
    keeper = LeaseKeeper(history, make_lease(make_owner_name(), WorkerKind.COMMAND))
    keeper.start()
    try:
        yield keeper.lease.name
    finally:
        keeper.stop()


def make_lease(name: str, kind: WorkerKind, *, url: str = "", engine: str = "") -> WorkerLease:
    """The lease of this process."""
    return WorkerLease(name, kind, socket.gethostname(), os.getpid(), url, __version__, engine)


def find_sending_process(history: History, data: Path) -> Mapping[str, object] | None:
    """What sends what others record: ``url`` (of a console) and ``owner`` (empty: any); ``None`` where nothing does.

    In a data folder it is the running console, in a database of many machines its workers, or else its consoles.
    """
    if not history.workers.are_used:
        return read_running_console(data)
    alive = history.workers.list_alive(SENDING_KINDS)
    if not alive:
        return None
    return {"owner": "", "url": next((lease.url for lease in alive if lease.url), "")}
