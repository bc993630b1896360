"""Locks that the system releases when their process ends, however it ends.

They tell which processes are alive, and which is the console of a data folder. A lock is one on a file of a certain
name. The holder removes the file when it releases the lock; so a process that has locked a file checks that it
is still the one of that name.
"""

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from intempt_core.errors import NotAllowed
from intempt_core.platforms import is_file_at, open_lock_file, remove_lock_file, try_lock

CONSOLE_LOCK_NAME = "console.lock"
"""The lock of a data folder's console; its content says where the console is reached."""

OWNER_LOCKS_FOLDER = "owners"
"""The folder with the locks of sending processes, each named after its owner."""

LOCK_RETRY_SECONDS = 0.5
"""How long a held lock is tried again: a process that only checks it holds it for a moment."""


class ProcessLock:
    """A lock that this process holds until :meth:`release` or its end."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def release(self) -> None:
        """Release the lock and remove its file."""
        if self._descriptor >= 0:
            remove_lock_file(self._path, self._descriptor)
            self._descriptor = -1


def acquire_lock(
    path: Path, content: Mapping[str, Any] | None = None, *, timeout: float = LOCK_RETRY_SECONDS
) -> ProcessLock | None:
    """Take a lock and write ``content`` into it; ``None`` where another process holds it. Raises ``OSError``.

    It waits up to ``timeout`` seconds; with 0 it does not, and may fail for a lock that a process is only checking.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + timeout
    while True:
        descriptor = open_lock_file(path)
        taken = try_lock(descriptor)
        if taken and is_file_at(path, descriptor):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(dict(content or {})).encode())
            return ProcessLock(path, descriptor)
        os.close(descriptor)
        if not taken:
            if time.monotonic() >= until:
                return None
            time.sleep(0.02)


def is_lock_held(path: Path) -> bool:
    """Whether any process, this one too, holds the lock."""
    try:
        descriptor = open_lock_file(path, make=False)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)


def locate_owner_lock(data: Path, owner: str) -> Path:
    """The path of an owner's lock below the data folder."""
    return data / OWNER_LOCKS_FOLDER / f"{owner}.lock"


def is_owner_alive(data: Path, owner: str) -> bool:
    """Whether the process of that owner is alive; an empty name never is."""
    return bool(owner) and Path(owner).name == owner and is_lock_held(locate_owner_lock(data, owner))


@contextmanager
def hold_process_lock(data: Path) -> Iterator[str]:
    """Hold a lock of this process for a while; its name, by which others see that this process is alive."""
    name = make_owner_name()
    lock = acquire_lock(locate_owner_lock(data, name))
    try:
        yield name
    finally:
        if lock is not None:
            lock.release()


@contextmanager
def hold_data_folder(data: Path) -> Iterator[None]:
    """Keep consoles from starting on a data folder. Raises :class:`NotAllowed` where a process uses it already."""
    lock = acquire_lock(data / CONSOLE_LOCK_NAME)
    try:
        senders = [path for path in (data / OWNER_LOCKS_FOLDER).glob("*.lock") if is_lock_held(path)]
        if lock is None or senders:
            who = "A console" if lock is None else "A command that sends"
            raise NotAllowed(f"{who} is running on the data folder {data}. Stop it, and try again.")
        yield
    finally:
        if lock is not None:
            lock.release()


def make_owner_name() -> str:
    """A new name of this process in history."""
    return f"{os.getpid()}-{secrets.token_hex(8)}"


def remove_stale_locks(data: Path) -> int:
    """Remove the lock files of processes that have ended without removing them; returns how many there were."""
    removed = 0
    for path in (data / OWNER_LOCKS_FOLDER).glob("*.lock"):
        with suppress(OSError):
            if not is_lock_held(path) and (lock := acquire_lock(path)):
                lock.release()
                removed += 1
    return removed


def read_running_console(data: Path) -> dict[str, Any] | None:
    """Read what the running console of a data folder wrote (``pid``, ``url``, ``owner``); ``None`` if none runs."""
    path = data / CONSOLE_LOCK_NAME
    for _ in range(10):
        if not is_lock_held(path):
            return None
        with suppress(OSError, ValueError):
            content = json.loads(path.read_bytes())
            return content if isinstance(content, dict) else {}
        time.sleep(0.02)  # it is being written
    return {}
