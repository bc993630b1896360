"""Resends: the link from a batch to those that send its requests again, and what came of them there.

Each request of a resend names the one that it sends again (``requests.resend_of``). A resend may itself be sent again,
and its requests may be split, so what came of a request is looked for along the whole chain.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from intempt_core.history.database import iter_chunks
from intempt_core.history.records import HistoryCheckpoint, RequestState
from intempt_core.history.schema import batches, requests
from intempt_core.history.transitions import IS_STORED

UNRESOLVED_STATES = (RequestState.REJECTED, RequestState.UNKNOWN, RequestState.NOT_SENT, RequestState.CANCELLED)
"""The final states of requests that were not accepted, which a resend may resolve."""

_UNRESOLVED_VALUES = [state.value for state in UNRESOLVED_STATES]


@dataclass(frozen=True, slots=True)
class ResendCounts:
    """What was sent again of one batch.

    Attributes:
        batches: ids of the batches that do so, the first one first.
        resent: how many events of each state were sent again.
        resolved: how many of them were accepted then.
    """

    batches: tuple[str, ...] = ()
    resent: Mapping[RequestState, int] = field(default_factory=dict)
    resolved: Mapping[RequestState, int] = field(default_factory=dict)


NO_RESENDS = ResendCounts()
"""The counts of a batch of which nothing was sent again: of nearly every one."""


def was_resent(seen: HistoryCheckpoint) -> ColumnElement[bool]:
    """Condition on requests: not accepted, and sent again to the target by a batch that a plan has ``seen``."""
    again, its_batch = requests.alias("again"), batches.alias("its_batch")
    resend = (
        select(again.c.id)
        .join(its_batch, its_batch.c.number == again.c.batch)
        .where(again.c.resend_of == requests.c.id, again.c.batch <= seen.newest, its_batch.c.target_key == seen.target)
    )
    return and_(requests.c.state.in_(_UNRESOLVED_VALUES), resend.exists())


def read_resends(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, ResendCounts]:
    """What was sent again of the batches of some rows, by number; those of which nothing was are left out.

    A resend to another target is named, but it resolves nothing.
    """
    originals = {row.id: row for row in rows}
    linked: defaultdict[int, list[tuple[int, str, bool]]] = defaultdict(list)
    columns = batches.c.resend_of, batches.c.number, batches.c.id, batches.c.target_key
    for ids in iter_chunks(originals):
        again = select(*columns).where(batches.c.resend_of.in_(ids), IS_STORED).order_by(batches.c.number)
        for id_of_original, number, id_, target in connection.execute(again):
            original = originals[id_of_original]
            linked[original.number].append((number, id_, target == original.target_key))
    return {
        number: ResendCounts(
            tuple(id_ for _, id_, _ in found),
            *_count_resent(connection, [again for again, _, to_same_target in found if to_same_target]),
        )
        for number, found in linked.items()
    }


def _count_resent(
    connection: Connection, resends: Sequence[int]
) -> tuple[dict[RequestState, int], dict[RequestState, int]]:
    """How many events of each state these batches send again, and how many of them were accepted somewhere."""
    original, again = requests.alias("original"), requests.alias("again")
    chain = (
        select(original.c.id.label("root"), again.c.id.label("request"))
        .join(again, again.c.resend_of == original.c.id)
        .where(again.c.batch.in_(resends), original.c.state.in_(_UNRESOLVED_VALUES))
        .cte("chain", recursive=True)
    )
    following = requests.alias("following")
    chain = chain.union(
        select(chain.c.root, following.c.id).join(
            following, or_(following.c.resend_of == chain.c.request, following.c.parent == chain.c.request)
        )
    )
    sent = requests.alias("sent")
    accepted = func.sum(sent.c.events).filter(sent.c.state == RequestState.ACCEPTED.value).label("accepted")
    by_root = (
        select(original.c.state, original.c.events, accepted)
        .select_from(chain)
        .join(original, original.c.id == chain.c.root)
        .join(sent, sent.c.id == chain.c.request)
        .group_by(original.c.id, original.c.state, original.c.events)
    )
    resent: dict[RequestState, int] = {}
    resolved: dict[RequestState, int] = {}
    for row in connection.execute(by_root):
        state = RequestState(row.state)
        resent[state] = resent.get(state, 0) + row.events
        if row.accepted:
            resolved[state] = resolved.get(state, 0) + min(row.events, int(row.accepted))
    return resent, resolved
