"""Requests whose process ended, or lost them, before their responses came: they may have arrived."""

from sqlalchemy import ColumnElement, Connection, literal_column, select

from intempt_core.contract import Outcome
from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.schema import requests
from intempt_core.history.throughput import ThroughputLog, make_new_attempt
from intempt_core.history.transitions import (
    FINAL_BATCH_STATES,
    make_unseen_attempt,
    read_request_snapshots,
    write_request_snapshots,
)
from intempt_core.history.upkeep.observer import ObservedAttempt
from intempt_core.planning import Policy

IS_IN_FLIGHT: ColumnElement[bool] = requests.c.state == literal_column("'in flight'")
"""Condition on requests, in the words by which the partial index is used."""


def settle_lost_requests(
    connection: Connection,
    throughput: ThroughputLog,
    which: ColumnElement[bool],
    *,
    policy: Policy,
    state: BatchState,
    now: int,
) -> list[ObservedAttempt]:
    """Make those requests of a condition *unknown* that are *in flight*, each with an attempt that says so.

    Returns them, for who observes. Under :attr:`Policy.RESEND` they are tried again, unless ``state``, their batch's,
    is a final one.
    """
    again = policy is Policy.RESEND and state not in FINAL_BATCH_STATES
    in_flight = select(requests.c.id).where(which, IS_IN_FLIGHT)
    snapshots = read_request_snapshots(connection, connection.execute(in_flight).scalars())
    lost = [make_new_attempt(snapshot, make_unseen_attempt(snapshot.updated_at)) for snapshot in snapshots.values()]
    ids = throughput.write_new_attempts(connection, lost)
    write_request_snapshots(
        connection,
        [
            snapshot._replace(
                state=RequestState.UNKNOWN.value,
                doubt=True,
                tries=snapshot.tries + 1,
                retry_at=now if again else None,
                last_attempt=id_,
                updated_at=now,
            )
            for snapshot, id_ in zip(snapshots.values(), ids, strict=True)
        ],
    )
    settled = "" if again else RequestState.UNKNOWN.value
    return [ObservedAttempt(Outcome.UNKNOWN.value, None, one.events, settled) for one in snapshots.values()]
