"""How a process gives way to others, what memory it takes, and how one is started apart from its terminal."""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

_OOM_SCORE = "900"


class DetachedOptions(TypedDict, total=False):
    """Arguments of ``subprocess.Popen`` that only one kind of system has.

    Attributes:
        start_new_session: Where there are sessions.
        creationflags: On Windows.
    """

    start_new_session: bool
    creationflags: int


def build_detached_options() -> DetachedOptions:
    """The arguments with which Ctrl+C at this process's terminal does not interrupt a process that it starts."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def can_hand_over_files() -> bool:
    """Whether a process can be given open files by a socket. Windows cannot: there a file's name is all there is."""
    return hasattr(socket, "send_fds")


def give_way(niceness: int) -> None:
    """Let this process give way to others, by so much of 19, and be the first to go where memory runs out."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.nice(niceness)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


def read_resident_bytes(process: int) -> int:
    """Resident bytes of a process; 0 where it is gone, or the system does not say."""
    if sys.platform == "win32":
        return 0
    try:
        pages = int(Path(f"/proc/{process}/statm").read_bytes().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def read_own_peak_bytes() -> int:
    """The most bytes that this process has had resident; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415  Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
