"""What a screen has to say where other processes share this console's database: one sandbox for all, a sticky proxy."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from intempt_core.errors import HistoryUnavailable
from intempt_core.history import History, WorkerKind, WorkerLease
from intempt_core.settings import Settings
from intempt_core.web import find_other_consoles

LOOK_AGAIN_SECONDS = 2.0
"""How long what is known of other processes is believed."""


class OtherProcesses:
    """The other processes of a database that machines share, looked up now and then; none where history is a file.

    Attributes:
        name: The name of this process among them.
    """

    def __init__(self, history: History, settings: Settings, name: str) -> None:
        self._history, self._settings, self.name = history, settings, name
        self._read_at, self._alive = -LOOK_AGAIN_SECONDS, list[WorkerLease]()

    @property
    def shares_database(self) -> bool:
        """Whether others may share this console's database."""
        return self._history.workers.are_used

    def list_alive(self) -> Sequence[WorkerLease]:
        """The other consoles and workers that are alive; those of a moment ago where the database is away."""
        if self.shares_database and time.monotonic() - self._read_at >= LOOK_AGAIN_SECONDS:
            with suppress(HistoryUnavailable):
                found = self._history.workers.list_alive((WorkerKind.CONSOLE, WorkerKind.WORKER))
                self._alive = [one for one in found if one.name != self.name]
            self._read_at = time.monotonic()
        return self._alive

    def describe_sandboxes(self) -> str:
        """That each process has a sandbox of its own, as sentences; empty where there is one for all."""
        if self._settings.sandbox or not (alive := self.list_alive()):
            return ""
        return (
            f"Others send from this database too ({alive[0].title}), and it is not said which sandbox all of them use:"
            " this console serves its own, which they may not reach. Set CONSOLE_SANDBOX to the address of one, the"
            " same for every console and worker, such as http://10.0.0.5:8501/sandbox."
        )

    def describe_spread(self, cookies: Mapping[str, str]) -> str:
        """That requests of a browser reach other consoles than its socket, as sentences; empty where they do not."""
        reached = find_other_consoles(cookies, self.name) if self.shares_database else set()
        others = [one for one in self.list_alive() if one.name in reached] if reached else []
        if not others:
            return ""
        return (
            f"Requests of this browser also reach another console ({others[0].title}). What a screen shows is in the"
            " memory of one, so that files and downloads may be missing here and there. Let the proxy in front of the"
            " consoles keep each browser at one of them (sticky sessions); docs/operations.md says how."
        )
