"""Who used an event's id before: the event itself, or another one, so that a target that deduplicates ignores it.

Two sources tell of it: history, of what was sent from here, and the sandbox, of what arrived from any client. Lines of
one order share an id and are told apart by their product (CONTRACT 2.9).
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from intempt_core.contract import EventName, GivenEvent, get_field, id_to_text, read_identities
from intempt_core.history import EventIntent, EventOccurrence, RequestState
from intempt_core.transport import SandboxArrival


@dataclass(frozen=True, slots=True)
class IdUse:
    """One use of an event id by another event.

    Attributes:
        when: When it was sent or arrived, epoch milliseconds.
        person: The first identity of the event that used it, ``None`` where it has none.
        state: The state of its request.
        arrival: Its number at the sandbox, ``None`` where the sandbox did not tell of it.
    """

    when: int
    person: str | None
    state: RequestState
    arrival: int | None = None


@dataclass(frozen=True, slots=True)
class IdUses:
    """What is known of the id of one event.

    Attributes:
        own_sightings: The sends of this very event from here.
        own_arrivals: Its arrivals at the sandbox, in their order.
        others: Uses of its id by other events that it would repeat, the first one first.
    """

    own_sightings: Sequence[EventOccurrence] = ()
    own_arrivals: Sequence[SandboxArrival] = ()
    others: Sequence[IdUse] = ()

    @property
    def certain(self) -> IdUse | None:
        """The first other event that certainly has the id."""
        return next((use for use in self.others if use.state is RequestState.ACCEPTED), None)

    @property
    def possible(self) -> IdUse | None:
        """The first other event that may have the id, where none certainly has."""
        return None if self.certain else next(iter(self.others), None)


_MAY_ARRIVE = frozenset((RequestState.ACCEPTED, RequestState.UNKNOWN, RequestState.IN_FLIGHT, RequestState.PENDING))
"""The states of requests whose events the target has, or may have soon."""


def find_id_uses(
    event: GivenEvent,
    sightings: Sequence[EventOccurrence],
    arrivals: Sequence[SandboxArrival] | None,
    *,
    is_order_line: bool = False,
    is_pseudonymous: bool = False,
) -> IdUses:
    """Find who used the id of an event before.

    ``sightings`` and ``arrivals`` are those of its id; ``arrivals`` is ``None`` where no sandbox can be asked: one that
    can knows better than history who has the id now. ``is_order_line`` says that it shares its id with other lines of
    an order; where ``is_pseudonymous`` its identities are not compared.
    """
    name, product = EventIntent.from_event(event).name, id_to_text(get_field(event.body, "data.productId"))
    ids = frozenset(read_identities(event.body).values())

    def is_same(its_name: str | None, its_product: str | None, its_ids: Set[str]) -> bool:
        is_person = is_pseudonymous or not ids.isdisjoint(its_ids) or not (ids or its_ids)
        return (its_name, its_product) == (name, product) and is_person

    def is_repeated(its_name: str | None, its_product: str | None) -> bool:
        return not is_order_line or (its_name, its_product) == (EventName.ORDERED, product)

    own = [one for one in sightings if is_same(one.name, one.product_id, frozenset(one.identities))]
    others = [
        IdUse(one.when, next(iter(one.identities), None), one.state)
        for one in reversed(sightings)
        if one not in own and one.state in _MAY_ARRIVE and is_repeated(one.name, one.product_id)
    ]
    if arrivals is None:
        return IdUses(own, (), others)
    arrived = [one for one in arrivals if is_same(one.name, one.product, frozenset(filter(None, [one.person])))]
    theirs = [
        IdUse(one.received_at, one.person, RequestState.ACCEPTED, one.seq)
        for one in arrivals
        if one not in arrived and one.processed and is_repeated(one.name, one.product)
    ]
    on_the_way = [one for one in others if one.state in (RequestState.IN_FLIGHT, RequestState.PENDING)]
    return IdUses(own, arrived, [*theirs, *on_the_way])


def find_order_lines(events: Sequence[GivenEvent]) -> frozenset[int]:
    """Find the rows (from 0) of events that are lines of one order: one payload, one id, several products."""
    lines: dict[tuple[str, str], dict[int, str | None]] = {}
    for row, event in enumerate(events):
        if event.name == EventName.ORDERED:
            id_ = id_to_text(get_field(event.body, "eventId"))
            payload = event.place.pointer.rpartition("/")[0]
            if id_ is not None:
                product = id_to_text(get_field(event.body, "data.productId"))
                lines.setdefault((payload, id_), {})[row] = product
    return frozenset(row for found in lines.values() if len(set(found.values())) > 1 for row in found)
