"""A few lines at a terminal that are written over again and again, until they are taken away."""

import os
import threading
import unicodedata
from collections.abc import Callable, Sequence
from typing import TextIO

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"

_ERASE_LINE, _UP = "\x1b[2K", "\x1b[1A"
_USUAL_WIDTH = 80


class LiveLines:
    """Lines that a thread writes over, so many times a second. Used as a context, at whose end nothing of them is left.

    ``render`` gives the lines as they are now, printable texts; what is wider than the terminal is cut off, for a line
    that went on in the next one could not be written over. ``out`` is the terminal.
    """

    def __init__(self, out: TextIO, render: Callable[[], Sequence[str]], per_second: float) -> None:
        self._out, self._render, self._pause = out, render, 1 / per_second
        self._drawn = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write_again, name="live-lines", daemon=True)

    def __enter__(self) -> None:
        self._out.write(HIDE_CURSOR)
        self._write()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._thread.ident is not None:  # an interrupt may come before it has been started
            self._thread.join()
        self._write()  # where they have come to at last
        self._out.write(self._erase() + SHOW_CURSOR)

    def _write_again(self) -> None:
        while not self._is_over.wait(self._pause):
            self._write()

    def _write(self) -> None:
        width = read_terminal_width(self._out)
        lines = [cut_to_width(line, width - 1) for line in self._render()]
        text = self._erase() + "\n".join(lines)
        self._drawn = len(lines)
        self._out.write(text)

    def _erase(self) -> str:
        """What takes the lines away and leaves the cursor where the first of them began."""
        return f"\r{_ERASE_LINE}" + f"{_UP}{_ERASE_LINE}" * max(self._drawn - 1, 0) if self._drawn else ""


def read_terminal_width(out: TextIO) -> int:
    """Columns of a terminal; 80 where it does not say."""
    try:
        return os.get_terminal_size(out.fileno()).columns or _USUAL_WIDTH
    except (OSError, ValueError):
        return _USUAL_WIDTH


def cut_to_width(line: str, width: int) -> str:
    """A line that takes ``width`` columns at the most; of one that is longer the rest is left out."""
    taken = 0
    for place, char in enumerate(line):
        taken += _measure(char)
        if taken > width:
            return line[:place]
    return line


def _measure(char: str) -> int:
    """Columns of a character: two for those of East Asia and most emoji, none for what is put on the one before."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
