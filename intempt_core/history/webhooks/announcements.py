"""Announcements of a batch's state: a row for its webhook, in the transaction that changes the state.

So it is told once for each change that was committed, whichever process made it, and for none that was not.
"""

from sqlalchemy import BigInteger, ColumnElement, Connection, insert, literal, select

from intempt_core.history.records import BatchState
from intempt_core.history.schema import batches, make_storable, webhook_deliveries

ANNOUNCED_STATES = frozenset({BatchState.DONE, BatchState.CANCELLED, BatchState.STOPPED, BatchState.PAUSED})
"""The states of a batch that a webhook is told of."""

WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given up"
"""The values of a delivery's status."""


def announce_state(
    connection: Connection, *which: ColumnElement[bool], state: BatchState, reason: str, now: int
) -> None:
    """Announce that batches of a condition change their state: those among them whose target has a webhook.

    It is called before their rows are changed, with the condition under which they are.
    """
    if state not in ANNOUNCED_STATES:
        return
    moment = literal(now, BigInteger)  # as a number of any size: as another one it is too large for PostgreSQL
    values = {
        "batch": batches.c.number,
        "state": literal(state.value),
        "reason": literal(make_storable(reason)),
        "occurred_at": moment,
        "status": literal(WAITING),
        "tries": literal(0),
        "next_at": moment,
        "changed_at": moment,
        "trouble": literal(""),
    }
    told = select(*values.values()).where(*which, batches.c.announces)
    connection.execute(insert(webhook_deliveries).from_select(list(values), told))
