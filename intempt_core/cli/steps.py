"""A word on standard error for each step of a command: which one it is, how far it is, and how long it has taken.

At a terminal it is a line that is written over (``live_lines.py``). Elsewhere it is a plain line now and then, so that
a step that takes long is named in a log; at a terminal without cursor control (``TERM=dumb``) the first one comes soon.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO, cast

from intempt_core.cli.live_lines import SHOW_CURSOR, LiveLines
from intempt_core.cli.output import sanitize_text
from intempt_core.platforms import enable_cursor_control

PLAIN_LINE_SECONDS = 5.0
"""How often a step is named where there is no terminal."""

DUMB_LINE_SECONDS = 1.0
"""How soon a step is named at a terminal that cannot move its cursor; then as elsewhere."""

REFRESHES_PER_SECOND = 4
"""How often the line at a terminal is written again."""

LIVE_UPDATE_SECONDS, PLAIN_UPDATE_SECONDS = 0.25, 1.0
"""How often a new detail is wanted: what costs something to find out is not asked for more often."""

BAR_WIDTH = 40
"""Characters of a step's bar."""

MAX_NAME_LENGTH = 40
"""Characters of a file's name in a step."""

_DUMB_TERMINALS = ("dumb", "unknown")


class StepDisplay:
    """Shows one step after another. Used as a context, at whose end the terminal is as it was, however it ends."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        is_terminal = out.isatty()
        is_dumb = os.environ.get("TERM", "").lower() in _DUMB_TERMINALS
        self._is_live = is_terminal and not is_dumb and enable_cursor_control()
        self._first_line = DUMB_LINE_SECONDS if is_terminal else PLAIN_LINE_SECONDS
        self._was_live = False
        self._word, self._detail, self._trouble, self._done, self._total = "", "", "", 0, 0
        self._began = self._updated = 0.0

    def __enter__(self) -> "StepDisplay":
        """Nothing is shown yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Show the cursor again, wherever an interrupt has come."""
        if self._was_live:
            _GuardedStream(self._out).write(SHOW_CURSOR)

    @contextlib.contextmanager
    def step(self, word: str, detail: str = "") -> Iterator[None]:
        """Name a step for as long as it takes; whatever is printed meanwhile would be written into its line."""
        self._word, self._trouble = word, ""
        self._detail, self._done, self._total = detail, 0, 0
        self._began, self._updated = time.monotonic(), 0.0
        with self._show_live() if self._is_live else self._print_lines():
            yield

    @property
    def is_due(self) -> bool:
        """Whether it is time for a new detail of the step."""
        every = LIVE_UPDATE_SECONDS if self._is_live else PLAIN_UPDATE_SECONDS
        return time.monotonic() >= self._updated + every

    def update(self, detail: str, done: int = 0, total: int = 0) -> None:
        """Say where the step is; with a ``total``, a bar shows it too."""
        self._detail, self._trouble, self._done, self._total = detail, "", done, total
        self._updated = time.monotonic()

    def note(self, trouble: str) -> None:
        """Say what holds the step up, until there is something new."""
        self._trouble = trouble

    def _format_line(self, seconds: float) -> str:
        line = f"{self._word}: {self._detail}" if self._detail else self._word
        return sanitize_text(f"{line} · {seconds:,.0f} s", self._out)

    # ── at a terminal ────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _show_live(self) -> Iterator[None]:
        self._was_live = True
        with LiveLines(cast("TextIO", _GuardedStream(self._out)), self._render, REFRESHES_PER_SECOND):
            yield

    def _render(self) -> list[str]:
        seconds = time.monotonic() - self._began
        is_utf = (self._out.encoding or "").lower().startswith("utf")
        turns, full, empty = ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "━", "┄") if is_utf else ("|/-\\", "#", "-")
        lines = [f"{turns[int(seconds * REFRESHES_PER_SECOND) % len(turns)]} {self._format_line(seconds)}"]
        if total := self._total:
            done = min(BAR_WIDTH * self._done // total, BAR_WIDTH)
            lines.append(full * done + empty * (BAR_WIDTH - done))
        if trouble := self._trouble:
            lines.append(sanitize_text(trouble, self._out))
        return lines

    # ── elsewhere ────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _print_lines(self) -> Iterator[None]:
        is_over = threading.Event()

        def print_now_and_then() -> None:
            wait = self._first_line
            while not is_over.wait(wait):
                wait = PLAIN_LINE_SECONDS
                line = self._format_line(time.monotonic() - self._began)
                trouble = sanitize_text(f" · {self._trouble}", self._out) if self._trouble else ""
                _GuardedStream(self._out).write(f"{line}{trouble}\n")

        printing = threading.Thread(target=print_now_and_then, name="steps", daemon=True)
        try:
            printing.start()
            yield
        finally:
            is_over.set()
            printing.join(PLAIN_LINE_SECONDS)  # unless nobody takes what it prints


class _GuardedStream:
    """A stream that nobody may read any more: writing to it never fails, and the work goes on."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.encoding = out.encoding

    def write(self, text: str) -> int:
        """Write at once."""
        with contextlib.suppress(OSError):
            self._out.write(text)
            self._out.flush()
        return len(text)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def fileno(self) -> int:
        """The number by which the system knows it."""
        return self._out.fileno()


def shorten_name(name: str) -> str:
    """A file's name as a step has it."""
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1]}…"
