"""The check of history's file for damage, in the background, after a process that used it did not end in good order."""

import logging
import sqlite3
from contextlib import closing

from intempt_core.history.database import Database
from intempt_core.history.upkeep.background import BackgroundWork
from intempt_core.logs import write_log

STEPS_BETWEEN_LOOKS = 10_000
"""Steps of SQLite's virtual machine after which a check looks whether it has to end."""

_LOG = logging.getLogger(__name__)


class IntegrityCheck(BackgroundWork):
    """Checks the pages of SQLite's file; what it finds is ``Database.damage``. A database server does that itself."""

    def __init__(self, database: Database) -> None:
        super().__init__("integrity")
        self._database = database

    def _is_due(self) -> bool:
        return self._database.file is not None

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
