"""A person's history: their events as history and the sandbox know them, for analysis to explain."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from intempt_core.contract.feeds import Interaction, compute_feeds
from intempt_core.contract.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEvent(Interaction):
    """One event of a person that was sent, or is pending.

    Attributes:
        name: Its name, empty where it has none.
        product: Its product id, empty where it has none.
        event_id: Its event id, empty where it has none.
        state: Its request's: an :class:`Outcome`, ``pending`` or ``in flight``.
        when: Since when the state is, epoch milliseconds.
        timestamp: The event's own time, epoch milliseconds.
        names: The identities that it names, as (field, id).
        request: The number of its request.
        position: Its place in the request, from 0.
        batch: The id of its batch.
        reason: Why it does not count even if it is accepted, as a sentence; empty where it counts.
    """

    name: str = field(kw_only=False)
    product: str = field(kw_only=False)
    event_id: str = ""
    state: str = Outcome.ACCEPTED
    when: int = 0
    timestamp: int | None = None
    names: tuple[tuple[str, str], ...] = ()
    request: int = 0
    position: int = 0
    batch: str = ""
    reason: str = ""

    @property
    def counts(self) -> bool:
        """Whether the feeds follow from it."""
        return self.state == Outcome.ACCEPTED and not self.reason

    @property
    def may_count(self) -> bool:
        """Whether it counts if it arrived, and that is unknown."""
        return self.state in (Outcome.UNKNOWN, "in flight") and not self.reason


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """The events of a person and the identities that lead to them.

    Attributes:
        events: Oldest first, in the order of arrival (CONTRACT 4.7).
        identities: Every (field, id) by which the person is known.
    """

    events: tuple[PersonEvent, ...]
    identities: tuple[tuple[str, str], ...]

    @property
    def expected(self) -> dict[str, list[str]]:
        """What each feed should show: feed → products, most recent first."""
        return compute_feeds(event for event in self.events if event.counts)


@dataclass(frozen=True, slots=True)
class ForeignEvent:
    """An event of the person that another client sent and the target processed.

    Attributes:
        name: Its name.
        product: Its product id.
        when: When it arrived, epoch milliseconds.
        client: What the client calls itself.
    """

    name: str
    product: str
    when: int
    client: str


@dataclass(frozen=True, slots=True)
class ProcessingStatus:
    """What the target itself knows of a person's events, where it can be asked (the sandbox can).

    An id that is in neither never arrived, or was deleted since.

    Attributes:
        processed: Ids of the events that it processed.
        reasons: Event id → why it was not processed, as a sentence.
        foreign: The events of other clients, oldest first.
    """

    processed: frozenset[str]
    reasons: Mapping[str, str]
    foreign: tuple[ForeignEvent, ...] = ()
