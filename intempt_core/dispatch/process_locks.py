"""Locks that the system lets go of when their process ends, however it ends: who is alive, and who is the console.

A lock is an ``flock`` on a file. Its name is what counts, and a lock file is removed by whoever lets go of it; so a
holder makes sure that the file it has locked is still the one of that name.
"""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

CONSOLE_LOCK_NAME = "console.lock"
"""Held by the console of a data folder; says where it is reached."""

OWNER_LOCKS_FOLDER = "owners"
"""The folder of the locks that sending processes hold, each under its owner's name."""

LOCK_RETRY_SECONDS = 0.5
"""How long a lock that is held is tried for: somebody who only looks holds it for a moment."""


class ProcessLock:
    """A lock that this process holds until :meth:`release` or its end."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def release(self) -> None:
        """Let go; the file goes too."""
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


def acquire_lock(
    path: Path, content: Mapping[str, Any] | None = None, *, timeout: float = LOCK_RETRY_SECONDS
) -> ProcessLock | None:
    """Take a lock and write into it what it ``says``; ``None`` where another process holds it. Raises ``OSError``.

    It sleeps up to ``patience`` seconds; with 0 it never does, and may miss a lock that somebody only looks at.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + timeout
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        taken = _try_flock(descriptor, fcntl.LOCK_EX)
        if taken and _is_locked_file(path, descriptor):
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
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def locate_owner_lock(data: Path, owner: str) -> Path:
    """Where the lock of an owner is, below the data folder."""
    return data / OWNER_LOCKS_FOLDER / f"{owner}.lock"


def is_owner_alive(data: Path, owner: str) -> bool:
    """Whether the process of that owner is still there; nobody's name is never alive."""
    return bool(owner) and Path(owner).name == owner and is_lock_held(locate_owner_lock(data, owner))


def remove_stale_locks(data: Path) -> None:
    """Remove the lock files of owners that are gone."""
    for path in (data / OWNER_LOCKS_FOLDER).glob("*.lock"):
        with suppress(OSError):
            if not is_lock_held(path) and (lock := acquire_lock(path)):
                lock.release()


def read_running_console(data: Path) -> dict[str, Any] | None:
    """What the running console of a data folder says of itself (``pid``, ``url``, ``owner``); ``None`` if none runs."""
    path = data / CONSOLE_LOCK_NAME
    for _ in range(10):
        if not is_lock_held(path):
            return None
        with suppress(OSError, ValueError):
            said = json.loads(path.read_bytes())
            return said if isinstance(said, dict) else {}
        time.sleep(0.02)  # it is just being written
    return {}


def _try_flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_locked_file(path: Path, descriptor: int) -> bool:
    try:
        there, here = path.stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
