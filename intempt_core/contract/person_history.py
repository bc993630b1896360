"""A person's events as history and the sandbox know them: what analysis reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from intempt_core.contract import (
    Interaction,
    compute_feeds,
)
from intempt_core.contract.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEvent(Interaction):
    """One event of a person that was sent, or waits to be. ``name`` and ``product`` are empty where it has none.

    ``state`` is its request's (an :class:`Outcome`, ``pending`` or ``in flight``), ``when`` (epoch ms) since when it is.
    ``because`` says why it would not count even if it is accepted; empty where it counts.
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
        """Whether the feeds go by it."""
        return self.state == Outcome.ACCEPTED and not self.reason

    @property
    def may_count(self) -> bool:
        """Whether it may have arrived, and nobody knows."""
        return self.state in (Outcome.UNKNOWN, "in flight") and not self.reason


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """A person's steps, oldest first (CONTRACT 4.7), and the names (field, id) that lead to them."""

    events: tuple[PersonEvent, ...]
    identities: tuple[tuple[str, str], ...]

    @property
    def expected(self) -> dict[str, list[str]]:
        """What each feed should show: feed → products, most recent first."""
        return compute_feeds(step for step in self.events if step.counts)


@dataclass(frozen=True, slots=True)
class ForeignEvent:
    """An event of the person that another client sent, and the target processed; ``when`` is epoch ms."""

    name: str
    product: str
    when: int
    client: str


@dataclass(frozen=True, slots=True)
class ProcessingStatus:
    """What the target itself says of a person's events, where it can be asked (the sandbox can).

    ``processed`` are ids of events that it processed, ``because`` says of others why not; an id in neither never came,
    or is forgotten. ``foreign`` are the events of other clients, oldest first.
    """

    processed: frozenset[str]
    reasons: Mapping[str, str]
    foreign: tuple[ForeignEvent, ...] = ()
