"""Intent, written before the first byte leaves."""

from collections.abc import Iterable, Iterator

from intempt_core.history.database import Database
from intempt_core.history.records import Intent, LeftBehind, RequestIntent
from intempt_core.plan import Plan


def requests_of(plan: Plan) -> Iterator[RequestIntent]:
    """A plan as history records it, one request after another; bodies are made here."""
    raise NotImplementedError


class Recording(Database):
    """Intent comes in."""

    def record(self, intent: Intent, requests: Iterable[RequestIntent], left_behind: Iterable[LeftBehind] = ()) -> str:
        """Write down a batch and return its id; memory stays flat, however long the iterables are.

        The batch is *recording* until the last request is in, then *sending*: nobody sends half a batch. Where an
        iterable raises, or history fails, the batch is cancelled (as far as that can be written) and the error goes on.
        """
        raise NotImplementedError
