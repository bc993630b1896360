"""What people saved in the console, for a command: of its data folder, or of the database that consoles share."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from intempt_core.history import SavedDocuments
from intempt_core.settings import Settings

if TYPE_CHECKING:
    from intempt_core.history import History


@contextmanager
def open_saved_documents(settings: Settings) -> Iterator[SavedDocuments]:
    """The saved mappings, rules and catalogues; a database is opened only where one is set and something is asked."""
    with ExitStack() as closing:

        @cache
        def open_history() -> "History":
            from intempt_core.history import History  # noqa: PLC0415  what a check does not need is not loaded for it

            history = History.open(settings.history_url)
            closing.callback(history.close)
            return history

        yield SavedDocuments.from_settings(settings, open_history)
