"""The check of history's file for damage, in the background, after a process that used it did not end in good order."""

import logging
import sqlite3
import threading
from contextlib import closing

from intempt_core.history.database import Database
from intempt_core.logs import write_log

STEPS_BETWEEN_LOOKS = 10_000
"""Steps of SQLite's virtual machine after which a check looks whether it has to end."""

_LOG = logging.getLogger(__name__)


class IntegrityCheck:
    """Checks the pages of SQLite's file; a database server does that itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin a check in a thread of its own, unless one runs; what it finds is ``Database.damage``."""
        if self._database.file is None or (self._thread is not None and self._thread.is_alive()):
            return
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="integrity", daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until a check that runs has ended."""
        if self._thread is not None:
            self._thread.join(seconds)

    def stop(self) -> None:
        """End a check that runs."""
        self._ending.set()
        self.wait()

    def _run(self) -> None:
        file = self._database.file
        assert file is not None  # noqa: S101  a server has no check
        write_log(_LOG, "history is checked for damage", file=str(file))
        try:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
                opened.set_progress_handler(lambda: int(self._ending.is_set()), STEPS_BETWEEN_LOOKS)
                found = str(opened.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            if self._ending.is_set():
                return
            found = self._database.describe_error(error)
            level = logging.ERROR if self._database.damage else logging.WARNING
            write_log(_LOG, "the check of history ended early", level=level, file=str(file), trouble=found)
            return
        if found == "ok":
            write_log(_LOG, "history is whole", file=str(file))
        else:
            self._database.note_damage()
            write_log(_LOG, "history is damaged", level=logging.ERROR, file=str(file), found=found)
