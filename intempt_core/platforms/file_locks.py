"""Locks on files that the system releases when their process ends, however it ends; one holder, or many that look.

On Linux and macOS they are ``flock``: a lock belongs to the open file, so that a process sees its own as another's
through a second descriptor. On Windows they are ``LockFileEx``, which the ``msvcrt`` module cannot ask for a lock that
several share; there a lock keeps others from reading what it covers, and so covers a byte far behind every content.
The package ``filelock`` has neither shared locks nor a file whose content says who holds it.

No child inherits a descriptor that is opened here.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    _EXCLUSIVE, _AT_ONCE = 0x2, 0x1
    _LOCK_VIOLATION = 33
    _LOCKED_BYTE_HIGH = 0x1
    """The upper half of the offset of the byte that is locked: 4 GB, behind every content."""

    class _Overlapped(ctypes.Structure):
        """Windows' ``OVERLAPPED``: here the offset of the bytes to be locked."""

        _fields_ = (
            ("internal", ctypes.c_size_t),
            ("internal_high", ctypes.c_size_t),
            ("offset", wintypes.DWORD),
            ("offset_high", wintypes.DWORD),
            ("event", wintypes.HANDLE),
        )

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _lock_file = _kernel.LockFileEx
    _lock_file.argtypes = (wintypes.HANDLE, *[wintypes.DWORD] * 4, ctypes.POINTER(_Overlapped))
    _lock_file.restype = wintypes.BOOL
    _unlock_file = _kernel.UnlockFileEx
    _unlock_file.argtypes = (wintypes.HANDLE, *[wintypes.DWORD] * 3, ctypes.POINTER(_Overlapped))
    _unlock_file.restype = wintypes.BOOL

    def try_lock(descriptor: int, *, shared: bool = False) -> bool:
        """Lock an open file without waiting; whether that went. Raises ``OSError`` where the file cannot be locked.

        ``shared`` goes along with other shared locks, and with no other.
        """
        flags = _AT_ONCE | (0 if shared else _EXCLUSIVE)
        place = _Overlapped(offset_high=_LOCKED_BYTE_HIGH)
        if _lock_file(msvcrt.get_osfhandle(descriptor), flags, 0, 1, 0, ctypes.byref(place)):
            return True
        code = ctypes.get_last_error()
        if code == _LOCK_VIOLATION:
            return False
        raise ctypes.WinError(code)

    def unlock(descriptor: int) -> None:
        """Release the lock of an open file. Raises ``OSError``."""
        place = _Overlapped(offset_high=_LOCKED_BYTE_HIGH)
        if not _unlock_file(msvcrt.get_osfhandle(descriptor), 0, 1, 0, ctypes.byref(place)):
            raise ctypes.WinError(ctypes.get_last_error())

else:
    import fcntl

    def try_lock(descriptor: int, *, shared: bool = False) -> bool:
        """Lock an open file without waiting; whether that went. Raises ``OSError`` where the file cannot be locked.

        ``shared`` goes along with other shared locks, and with no other.
        """
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(descriptor: int) -> None:
        """Release the lock of an open file. Raises ``OSError``."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


_BINARY: int = getattr(os, "O_BINARY", 0)
_NOT_INHERITED: int = getattr(os, "O_CLOEXEC", 0)  # elsewhere Python sees to it
_OPEN_FILES_HAVE_THEIR_NAME = sys.platform == "win32"
"""Whether a file that a process has open can be neither removed nor replaced."""


def open_lock_file(path: Path, *, make: bool = True) -> int:
    """Open a file to lock it; its descriptor. Where it is only looked at, it is not made. Raises ``OSError``."""
    purpose = os.O_RDWR | os.O_CREAT if make else os.O_RDONLY
    return os.open(path, purpose | _NOT_INHERITED | _BINARY, 0o600)


def is_file_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one of that path: another process may have removed or replaced it."""
    try:
        there, here = path.stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return _OPEN_FILES_HAVE_THEIR_NAME or (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def remove_lock_file(path: Path, descriptor: int) -> None:
    """Remove a file that this process holds locked, and release it.

    Where an open file cannot be removed it is closed first; one that another process has opened meanwhile stays.
    """
    if _OPEN_FILES_HAVE_THEIR_NAME:
        os.close(descriptor)
        with suppress(OSError):
            path.unlink()
    else:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def read_start(descriptor: int, size: int) -> bytes:
    """Read the first bytes of an open file that this process holds locked. Raises ``OSError``."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, size)


def write_start(descriptor: int, content: bytes) -> None:
    """Write over the first bytes of an open file that this process holds locked. Raises ``OSError``."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, content)
