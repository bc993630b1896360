"""Which errors of a database are trouble of the machine, and which are mistakes of this program."""

import sqlite3

from sqlalchemy import exc

from intempt_core.errors import HistoryConflict, HistoryUnavailable
from intempt_core.history.dialects.postgresql_server import CONFLICT_STATES, find_state, is_own_mistake

_OWN_MISTAKES = (
    exc.IntegrityError,
    exc.ProgrammingError,
    exc.DataError,
    exc.NotSupportedError,
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
)


def find_trouble(error: Exception) -> type[HistoryUnavailable] | None:
    """What an error is raised as; ``None`` for a mistake of this program, and for what is no error of a database.

    Errors come from SQLAlchemy, or from the driver where that is called without it.
    """
    state = find_state(getattr(error, "orig", error))
    if state is not None:
        if is_own_mistake(state):
            return None
        return HistoryConflict if state in CONFLICT_STATES else HistoryUnavailable
    is_trouble = isinstance(error, (exc.DBAPIError, sqlite3.DatabaseError)) and not isinstance(error, _OWN_MISTAKES)
    return HistoryUnavailable if is_trouble else None
