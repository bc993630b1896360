"""What dispatch needs: batches to claim, requests to take, outcomes to write."""

from collections.abc import Collection, Sequence

from intempt_core.client import Attempt
from intempt_core.history.database import Database
from intempt_core.history.records import BatchState, Half, LaneState, Mark, RequestState, Unfinished, Work
from intempt_core.plan import Policy


class Working(Database):
    """Work goes out, outcomes come in."""

    def unfinished(self) -> list[Unfinished]:
        """Batches that are not over, cancelled ones with requests on their way among them; oldest first.

        Cheap: may be asked every second.
        """
        raise NotImplementedError

    def claim(self, batch: str, owner: str, expected: str) -> bool:
        """Make ``owner`` the batch's owner if ``expected`` (empty: nobody) still is; else ``False``."""
        raise NotImplementedError

    def lanes(self, batch: str) -> list[LaneState]:
        """The batch's lanes in order, all of them, those that are through as well."""
        raise NotImplementedError

    def take(self, batch: str, lane: int, limit: int) -> list[Work]:
        """The lane's next requests in their order: pending, and those to be tried again, however long they still wait.

        Nothing is changed by taking. While a request of the lane is leaving it is not among them.
        """
        raise NotImplementedError

    def mark(self, marks: Sequence[Mark], *, owner: str) -> frozenset[int]:
        """Write many marks, of any batches, in one transaction; returns the requests whose mark did **not** count.

        A *leaving* counts for a request that :meth:`take` gives, in a *sending* batch of this owner: one that did not
        count must not be sent. A *settled* counts for a *leaving* request of this owner; otherwise its attempt is
        kept as evidence, and the request stays what it is. Marks may be repeated after an error: an attempt that is
        already written is not written twice.
        """
        raise NotImplementedError

    def split(self, request: int, attempt: Attempt, halves: Sequence[Half], *, owner: str) -> list[Work]:
        """Let halves take over a *leaving* request that was too large (CONTRACT 3.4), and return them in their order.

        They are pending, in the same lane, right after their parent's place. Raises :class:`NotAllowed` where the
        request is not leaving, not this owner's, or the halves do not hold its events.
        """
        raise NotImplementedError

    def leaving_to_unknown(self, batch: str, *, owner: str) -> int:
        """What a gone process left *leaving* is *unknown* (DESIGN); returns how many requests.

        ``owner`` must own the batch by now. Each gets an attempt that says so. Under :attr:`Policy.RESEND` they are tried again.
        """
        raise NotImplementedError

    def set_state(
        self,
        batch: str,
        state: BatchState,
        reason: str = "",
        *,
        expected: BatchState | None = None,
        owner: str | None = None,
    ) -> None:
        """Change a batch's state, if the drawing allows it from where it stands.

        ``expected`` and ``owner``, where given, must be what the batch has. Cancelling takes along what is pending; a
        request that is on its way still gets its outcome. Raises :class:`NotAllowed` with a sentence, :class:`NotFound`.
        """
        raise NotImplementedError

    def set_policy(self, batch: str, policy: Policy, again: Collection[RequestState] = ()) -> int:
        """A person's decision for the rest of a batch that is not over; returns how many requests are tried again.

        ``again`` names the states whose requests are: :attr:`RequestState.UNKNOWN`, :attr:`RequestState.UNSENT`.
        A batch that stands is then set going with :meth:`set_state`.
        """
        raise NotImplementedError
