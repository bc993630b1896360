"""Makes a Python on Linux look like one on Windows, as far as that is safe: what only Linux has is taken away.

Python imports a module of this name when it starts. What the project stands on is imported first, since it does ask at
import which system it runs on; then ``sys.platform`` is ``win32``, and Windows' own locks are ones of Linux.
"""

import asyncio
import ctypes
import importlib
import mmap
import os
import signal
import socket
import subprocess
import sys
import time
import types
from typing import Any, cast

STANDS_ON = (
    "aiohttp", "alembic.command", "asyncio", "concurrent.futures", "dbos", "getpass", "httpx", "httpx_aiohttp",
    "jsonschema_rs", "multiprocessing", "numpy", "orjson", "platform", "pyarrow.compute", "pyarrow.csv",
    "pyarrow.parquet", "pydantic", "shutil", "sqlalchemy.dialects.sqlite", "ssl",
    "starlette.applications", "tempfile", "uvicorn", "xlsxwriter", "zipfile", "zoneinfo",
)  # fmt: skip

LOCK_VIOLATION, EXCLUSIVE = 33, 0x2
last_error = 0


class Kernel:
    """The two functions of ``kernel32`` that are called, by Linux' own locks."""

    class Function:
        def __init__(self, does: Any) -> None:
            self.does = does

        def __call__(self, *given: Any) -> bool:
            return bool(self.does(*given))

    def __init__(self, flock: Any) -> None:
        def lock(handle: int, flags: int, _reserved: int, size: int, _size_high: int, _place: object) -> bool:
            global last_error  # noqa: PLW0603  as Windows has it
            assert (flags & 0x1, size) == (1, 1), "it would wait, or lock nothing"
            try:
                flock.flock(handle, (flock.LOCK_EX if flags & EXCLUSIVE else flock.LOCK_SH) | flock.LOCK_NB)
            except BlockingIOError:
                last_error = LOCK_VIOLATION
                return False
            return True

        def unlock(handle: int, _reserved: int, _size: int, _size_high: int, _place: object) -> bool:
            flock.flock(handle, flock.LOCK_UN)
            return True

        self.LockFileEx, self.UnlockFileEx = self.Function(lock), self.Function(unlock)


class ProactorEventLoop(asyncio.SelectorEventLoop):
    """The loop of Windows: it watches neither descriptors nor signals."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("add_reader", "add_writer", "add_signal_handler"):
            setattr(self, name, self._reject)

    def _reject(self, *_: object) -> None:
        raise NotImplementedError


class ProactorPolicy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return ProactorEventLoop()


def look_like_windows() -> None:
    flock = importlib.import_module("fcntl")
    for name in STANDS_ON:
        importlib.import_module(name)
    for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty"):
        cast("dict[str, None]", sys.modules)[name] = None  # an import of it fails
    for module, names in {
        os: "fork forkpty nice geteuid getuid setsid pread pwrite fstatvfs sysconf O_CLOEXEC O_NOFOLLOW killpg",
        signal: "SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGALRM pthread_sigmask",
        socket: "send_fds recv_fds",
        time: "clock_gettime CLOCK_BOOTTIME CLOCK_MONOTONIC",
        mmap: "MADV_DONTNEED",
    }.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    asyncio.ProactorEventLoop = ProactorEventLoop  # type: ignore[attr-defined]
    asyncio.set_event_loop_policy(ProactorPolicy())
    kernel = Kernel(flock)
    msvcrt = types.ModuleType("msvcrt")
    for name, value in {"get_osfhandle": lambda descriptor: descriptor, "locking": None}.items():
        setattr(msvcrt, name, value)
    sys.modules["msvcrt"] = msvcrt
    windows: dict[str, Any] = {
        "WinDLL": lambda *_, **__: kernel,
        "get_last_error": lambda: last_error,
        "WinError": lambda code: OSError(code, "Windows"),
    }
    for name, value in windows.items():
        setattr(ctypes, name, value)
    for name in ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW"):
        setattr(subprocess, name, 0)  # Linux takes no other
    sys.platform = "win32"


if os.environ.get("LOOK_LIKE_WINDOWS"):
    look_like_windows()
