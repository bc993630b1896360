"""Open files that are handed from process to process."""

import os
from contextlib import suppress
from typing import IO


class OpenFile:
    """An open file that another process can be given; it is closed when nothing refers to it any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def copy(cls, file: "IO[bytes] | OpenFile") -> "OpenFile":
        """Open a file once more."""
        return cls(os.dup(file.fileno()))

    def fileno(self) -> int:
        """Its descriptor."""
        return self._descriptor

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)
