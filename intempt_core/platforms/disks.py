"""How much of a disk is free."""

import os
import shutil
import sys
import tempfile
from typing import IO


def measure_free_bytes(file: IO[bytes]) -> int:
    """The bytes that may still be written to the disk of a temporary file. Raises ``OSError``."""
    if sys.platform == "win32":
        return shutil.disk_usage(tempfile.gettempdir()).free
    disk = os.fstatvfs(file.fileno())
    return disk.f_bavail * disk.f_frsize
