"""A clock that counts from the machine's start, is the same in all its processes and never goes back."""

import struct
import sys
import time
from contextlib import suppress
from pathlib import Path

BOOT_ID_BYTES = 36
"""The size of what :func:`read_boot_id` gives."""

SAME_START_SECONDS = 30.0
"""By how much two readings of the same start may differ where the system has no name for it: clocks are set."""

_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
_MOMENT = struct.Struct("<4xd24x")
_MOMENT_MARK = bytes(4)


def read_boot_clock() -> float:
    """Seconds since the machine was started, also those that it slept."""
    if sys.platform == "win32":
        return time.perf_counter()  # its monotonic() has steps of a sixty-fourth of a second
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def read_boot_id() -> bytes:
    """What tells this start of the machine from others; where the system has no name for it, the moment of it."""
    with suppress(OSError):
        return _BOOT_ID_FILE.read_bytes().strip()[:BOOT_ID_BYTES].ljust(BOOT_ID_BYTES, b"\0")
    return _MOMENT.pack(time.time() - read_boot_clock())


def is_same_start(one: bytes, other: bytes) -> bool:
    """Whether two readings of :func:`read_boot_id` are of the same start of the machine."""
    if one.startswith(_MOMENT_MARK) and other.startswith(_MOMENT_MARK):
        (first,), (second,) = _MOMENT.unpack(one), _MOMENT.unpack(other)
        return bool(abs(first - second) < SAME_START_SECONDS)
    return one == other
