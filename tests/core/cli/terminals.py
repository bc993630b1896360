"""A command at a terminal of its own, for tests: what it shows there, and what it writes to standard output."""

import os
import pty
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[3]
AS_ITS_OWN = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
"""Makes the terminal of standard input the process's own: Ctrl+C and its closing come as signals."""

PLAIN_RUN = "import runpy; runpy.run_module('intempt_core', run_name='__main__')\n"


class TerminalRun:
    """A command whose standard input and error are a terminal."""

    def __init__(self, arguments: list[str], environment: dict[str, str], script: str = PLAIN_RUN) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", AS_ITS_OWN + script, *arguments],
            cwd=ROOT, env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **environment},
            stdin=slave, stdout=subprocess.PIPE, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._read = b""
        self._reader = threading.Thread(target=self._read_all, daemon=True)
        self._reader.start()

    def _read_all(self) -> None:
        with suppress(OSError):
            while found := os.read(self._master, 65_536):
                self._read += found

    @property
    def shown(self) -> str:
        """All that was written to the terminal, with what moves its cursor."""
        return self._read.decode(errors="replace")

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Wait until the terminal has shown a text."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            time.sleep(0.01)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def close(self) -> None:
        """Close the window."""
        os.close(self._master)

    def end(self, seconds: float = 90) -> tuple[int, str]:
        """Wait for its end: the exit code, and what it has written to standard output."""
        out, _ = self.process.communicate(timeout=seconds)
        self._reader.join(5)
        return self.process.returncode, out.decode()

    @property
    def is_cursor_shown(self) -> bool:
        """Whether the cursor was left as it is to be."""
        return self.shown.rfind("\x1b[?25h") >= self.shown.rfind("\x1b[?25l")
