"""What screens, checks and exports ask. Nothing here writes."""

from collections.abc import Iterable, Iterator

from intempt_core.history.database import Database
from intempt_core.history.records import (
    Arrival,
    AttemptRecord,
    BatchFilter,
    BatchSummary,
    Page,
    RecordedEvent,
    RequestIntent,
    RequestRecord,
    RequestState,
    RequestSummary,
    RowOutcome,
)


class Reading(Database):
    """Questions."""

    def batches(self, where: BatchFilter | None = None, *, page: int = 1, size: int = 50) -> Page[BatchSummary]:
        """Batches, newest first."""
        raise NotImplementedError

    def batch(self, batch: str) -> BatchSummary:
        """One batch with its counts. Cheap: may be asked every second. Raises :class:`NotFound`."""
        raise NotImplementedError

    def target_names(self) -> list[str]:
        """Names of the targets that batches went to, sorted."""
        raise NotImplementedError

    def requests(
        self, batch: str, state: RequestState | None = None, *, page: int = 1, size: int = 100
    ) -> Page[RequestSummary]:
        """A batch's requests in the order of recording; of one state where given."""
        raise NotImplementedError

    def request(self, request: int | str) -> RequestRecord:
        """One request whole. Raises :class:`NotFound`, also for what is no number."""
        raise NotImplementedError

    def attempts(self, request: int) -> list[AttemptRecord]:
        """A request's attempts, first one first."""
        raise NotImplementedError

    def events_of(self, request: int) -> list[RecordedEvent]:
        """A request's events in the body's order; none for a split one."""
        raise NotImplementedError

    def rows(self, batch: str) -> Iterator[RowOutcome]:
        """One outcome for every row of the input, in row order, those that stayed behind as well; memory stays flat."""
        raise NotImplementedError

    def bodies(self, batch: str, states: Iterable[RequestState]) -> Iterator[RequestIntent]:
        """The batch's requests in those states, byte-identical and in their order, to be recorded again as a resend."""
        raise NotImplementedError

    def sent_ids(self, target: str, ids: Iterable[str]) -> dict[str, str]:
        """What became of events of these ids at a target (a ``key``): ``accepted on 2026-11-22 12:03 UTC``.

        Ids that were never sent there, or certainly never arrived, are not among the answers.
        """
        raise NotImplementedError

    def same_file(self, digest: str, target: str) -> list[BatchSummary]:
        """Batches of the same file (SHA-256 of its bytes) to the same target (a ``key``), newest first."""
        raise NotImplementedError

    def interactions(self, target: str, field: str, value: str, *, limit: int = 10_000) -> list[Arrival]:
        """The last ``limit`` accepted events of a person at a target (a ``key``), oldest first (CONTRACT 4.7).

        ``field`` is one of :data:`~intempt_core.events.IDENTITIES`. Events that miss what they need are not processed
        (CONTRACT 2.6) and not among them; where the target deduplicates, a repeated event id counts once (CONTRACT 2.2,
        2.9).
        """
        raise NotImplementedError
