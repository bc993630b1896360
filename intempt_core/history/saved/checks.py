"""The last checks of files of each shape, of several consoles, kept in the database that they share."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from intempt_core.errors import HistoryUnavailable

if TYPE_CHECKING:
    from intempt_core.history.history import History

MAX_SHAPES = 10_000
"""Most shapes of files whose checks are kept."""


class SharedChecks:
    """The checks of one database; see :class:`~intempt_core.validation.CheckDocuments`."""

    def __init__(self, open_history: "Callable[[], History]") -> None:
        self._open_history = open_history

    def read(self, shape: str) -> str:
        """The document of a shape; empty where there is none, or it cannot be read now."""
        with suppress(HistoryUnavailable):
            found = self._open_history().checks.read(shape)
            return "" if found is None else found[1]
        return ""

    def write(self, shape: str, document: str) -> None:
        """Keep the document of a shape; one that cannot be written now is not kept."""
        with suppress(HistoryUnavailable):
            self._open_history().checks.write(shape, shape, document, replaces=shape, most=MAX_SHAPES)
