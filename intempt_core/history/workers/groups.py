"""Groups of lanes: which worker may send which part of a batch, and what becomes of that when it dies.

Only the owner of a group may make its requests *in flight*: ``postgresql_bulk`` reads the owner in the transaction that
writes, and locks it there, so that a takeover comes before or after that transaction and never in between. The epoch
goes up whenever a group loses its owner, so what a worker still writes for a former epoch is recognised, even where it
owns the group again by then.

    unowned, epoch n ──claim(n)──▶ owned, epoch n ──release, takeover──▶ unowned, epoch n + 1
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)

from intempt_core.history.database import Database
from intempt_core.history.dialects.conflicts import retry_conflicts
from intempt_core.history.lost_requests import settle_lost_requests
from intempt_core.history.records import BatchState
from intempt_core.history.schema import IS_UNRESOLVED, batches, lane_groups, requests, unable_workers, workers
from intempt_core.history.throughput import ThroughputLog
from intempt_core.history.upkeep.observer import ObservedAttempt
from intempt_core.history.workers.leases import WorkerKind, is_alive
from intempt_core.planning import Policy

MAX_LANES = 64
"""Most lanes of a batch that has groups: the bound of ``CONSOLE_LANES``."""

MAX_GROUPS = 32
"""Most groups of a batch: enough for several workers, few enough that a group has work for a while."""

TAKEOVER_LOCK = 1_953_653_092
"""The advisory lock of who takes over, held until that transaction ends."""


@dataclass(frozen=True, slots=True)
class LaneGroup:
    """A group of lanes that may be claimed.

    Attributes:
        batch: the batch's id.
        number: the group's number in its batch, from 0.
        epoch: how often it has lost its owner.
    """

    batch: str
    number: int
    epoch: int


@dataclass(frozen=True, slots=True)
class SharedWork:
    """What is to be done for the batches that all workers send.

    Attributes:
        open: groups without an owner that have something to send.
        settled: batches in which nothing more is sent by itself, and that no worker sends or records.
    """

    open: Sequence[LaneGroup]
    settled: Sequence[str]


@dataclass(frozen=True, slots=True)
class Takeover:
    """What was taken from a worker that is dead.

    Attributes:
        batch: the batch's id.
        owner: the worker that had it.
        groups: how many groups it had.
        unknown: how many requests were in flight.
    """

    batch: str
    owner: str
    groups: int
    unknown: int


class LaneGroups:
    """The groups of all batches that workers share."""

    def __init__(self, database: Database, throughput: ThroughputLog) -> None:
        self._database, self._throughput = database, throughput

    def count_groups(self, lanes: int) -> int:
        """In how many groups the lanes of a new batch are that all workers send; 0 in a file, which none shares."""
        return min(lanes, MAX_GROUPS) if self._database.file is None and lanes <= MAX_LANES else 0

    @retry_conflicts
    def claim(self, group: LaneGroup, owner: str) -> bool:
        """Make a worker the owner of a group that has none; whether it is.

        It is not where the epoch has changed, the batch is not being sent, the worker is dead or drains, or it is a
        console while there are workers.
        """
        other = workers.alias()
        is_worker_there = exists(
            select(other.c.name).where(other.c.kind == WorkerKind.WORKER.value, is_alive(other), not_(other.c.draining))
        )
        may_own = exists(
            select(workers.c.name).where(
                workers.c.name == owner,
                is_alive(workers),
                not_(workers.c.draining),
                or_(workers.c.kind == WorkerKind.WORKER.value, not_(is_worker_there)),
            )
        )
        is_unable = exists(
            select(unable_workers.c.worker).where(
                unable_workers.c.worker == owner, unable_workers.c.batch == lane_groups.c.batch
            )
        )
        claimed = (
            update(lane_groups)
            .where(
                lane_groups.c.batch == batches.c.number,
                batches.c.id == group.batch,
                batches.c.state == BatchState.SENDING.value,
                lane_groups.c.number == group.number,
                lane_groups.c.epoch == group.epoch,
                lane_groups.c.owner == literal(""),
                may_own,
                not_(is_unable),
            )
            .values(owner=owner)
        )
        with self._database.writing() as connection:
            return connection.execute(claimed).rowcount == 1

    @retry_conflicts
    def release(self, group: LaneGroup, owner: str) -> bool:
        """Let a group go; whether it was this owner's. What is in flight in it is *unknown* then."""
        with self._database.writing() as connection:
            mine = _read_owned(connection, batches.c.id == group.batch, lane_groups.c.owner == owner)
            some = [row for row in mine if (row.number, row.epoch) == (group.number, group.epoch)]
            _, observed = self._take(connection, some)
        self._note(observed)
        return bool(some)

    @retry_conflicts
    def renew_epoch(self, group: LaneGroup) -> bool:
        """Give a group without an owner a new epoch: what was to claim it never will; whether it had the old one."""
        changed = (
            update(lane_groups)
            .where(
                lane_groups.c.batch == select(batches.c.number).where(batches.c.id == group.batch).scalar_subquery(),
                lane_groups.c.number == group.number,
                lane_groups.c.epoch == group.epoch,
                lane_groups.c.owner == literal(""),
            )
            .values(epoch=lane_groups.c.epoch + 1)
        )
        with self._database.writing() as connection:
            return connection.execute(changed).rowcount == 1

    def find_abandoned(self) -> list[str]:
        """The batches that are being sent and of which dead workers own groups."""
        asked = (
            select(batches.c.id)
            .distinct()
            .join(lane_groups, lane_groups.c.batch == batches.c.number)
            .where(batches.c.state == BatchState.SENDING.value, *_IS_ABANDONED)
        )
        with self._database.reading() as connection:
            return list(connection.execute(asked).scalars())

    @retry_conflicts
    def take_over(self) -> list[Takeover]:
        """Take every group of dead workers from them, in one transaction (ARCHITECTURE, takeover).

        What was in flight in them is *unknown*. Nothing is done while another process takes over.
        """
        with self._database.writing() as connection:
            if not connection.execute(select(func.pg_try_advisory_xact_lock(TAKEOVER_LOCK))).scalar():
                return []
            found, observed = self._take(connection, _read_owned(connection, *_IS_ABANDONED))
            connection.execute(delete(workers).where(not_(is_alive(workers))))
        self._note(observed)
        return found

    def find_work(self, batch: str = "") -> SharedWork:
        """What is to be done for the batches that are being sent, or one of them; cheap: it is asked every second."""
        sending = and_(batches.c.state == BatchState.SENDING.value, batches.c.groups > 0)
        if batch:
            sending = and_(sending, batches.c.id == batch)
        with self._database.reading() as connection:
            found = connection.execute(
                select(batches.c.number, batches.c.id, batches.c.policy, batches.c.groups, batches.c.recorder)
                .where(sending)
                .order_by(batches.c.number)
            ).all()
            if not found:
                return SharedWork((), ())
            numbers = [row.number for row in found]
            lanes = _read_open_lanes(connection, numbers, {row.number: Policy(row.policy) for row in found})
            groups = connection.execute(
                select(lane_groups).where(lane_groups.c.batch.in_(numbers)).order_by(lane_groups.c.number)
            ).all()
        owned = {row.batch for row in groups if row.owner}
        ids = {row.number: row.id for row in found}
        wanted = {(row.number, lane % row.groups) for row in found for lane in lanes[row.number]}
        return SharedWork(
            [
                LaneGroup(ids[row.batch], row.number, row.epoch)
                for row in groups
                if not row.owner and (row.batch, row.number) in wanted
            ],
            [row.id for row in found if not row.recorder and row.number not in owned and not lanes[row.number]],
        )

    def count_owned(self, owner: str) -> int:
        """How many groups a worker owns."""
        mine = select(func.count()).select_from(lane_groups).where(lane_groups.c.owner == owner)
        with self._database.reading() as connection:
            return int(connection.execute(mine).scalar_one())

    def list_owners(self, batch: str) -> dict[str, int]:
        """How many groups of a batch each worker owns that owns any."""
        owned = (
            select(lane_groups.c.owner, func.count())
            .join(batches, batches.c.number == lane_groups.c.batch)
            .where(batches.c.id == batch, lane_groups.c.owner != literal(""))
            .group_by(lane_groups.c.owner)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(owned)}

    @retry_conflicts
    def note_unable(self, batch: str, worker: str, reason: str) -> bool:
        """Note that a worker cannot send a batch, and why; whether no other one that is alive can, either."""
        number = select(batches.c.number).where(batches.c.id == batch).scalar_subquery()
        is_unable = exists(
            select(unable_workers.c.worker).where(
                unable_workers.c.worker == workers.c.name, unable_workers.c.batch == number
            )
        )
        with self._database.writing() as connection:
            mine = unable_workers.c.batch == number, unable_workers.c.worker == worker
            connection.execute(delete(unable_workers).where(*mine))
            found = connection.execute(select(batches.c.number).where(batches.c.id == batch)).scalar()
            if found is not None and connection.execute(select(workers.c.name).where(workers.c.name == worker)).first():
                connection.execute(insert(unable_workers), [{"batch": found, "worker": worker, "reason": reason}])
            same_kind = select(workers.c.kind).where(workers.c.name == worker).scalar_subquery()
            able = select(workers.c.name).where(
                is_alive(workers), not_(workers.c.draining), workers.c.kind == same_kind, not_(is_unable)
            )
            return connection.execute(able.limit(1)).first() is None

    def _note(self, observed: Sequence[ObservedAttempt]) -> None:
        if self._database.observer is not None and observed:
            self._database.observer.note_attempts(observed)

    def _take(self, connection: Connection, owned: Sequence[Any]) -> tuple[list[Takeover], list[ObservedAttempt]]:
        """Take groups from their owners; what is in flight in them is unknown."""
        if not owned:
            return [], []
        keys = [(row.batch, row.number) for row in owned]
        connection.execute(
            update(lane_groups)
            .where(tuple_(lane_groups.c.batch, lane_groups.c.number).in_(keys))
            .values(owner="", epoch=lane_groups.c.epoch + 1)
        )
        by_batch: dict[tuple[int, str, str, int, str, str], list[int]] = defaultdict(list)
        for row in owned:
            by_batch[row.batch, row.id, row.owner, row.groups, row.policy, row.state].append(row.number)
        taken, observed = list[Takeover](), list[ObservedAttempt]()
        for (number, batch, owner, groups, policy, state), some in by_batch.items():
            of_group = requests.c.batch == number, (requests.c.lane % groups).in_(some)
            lost = settle_lost_requests(
                connection,
                self._throughput,
                and_(*of_group),
                policy=Policy(policy),
                state=BatchState(state),
                now=self._database.clock(),
            )
            taken.append(Takeover(batch, owner, len(some), len(lost)))
            observed += lost
        return taken, observed


_IS_ABANDONED = (
    lane_groups.c.owner != literal_column("''"),
    not_(exists(select(workers.c.name).where(workers.c.name == lane_groups.c.owner, is_alive(workers)))),
)
"""Conditions on groups: their owner is dead."""


def _read_owned(connection: Connection, *conditions: Any) -> Sequence[Any]:
    """Read groups with what is needed of their batches, and lock them until the transaction ends."""
    asked = (
        select(
            lane_groups.c.batch,
            lane_groups.c.number,
            lane_groups.c.owner,
            lane_groups.c.epoch,
            batches.c.id,
            batches.c.groups,
            batches.c.policy,
            batches.c.state,
        )
        .join(batches, batches.c.number == lane_groups.c.batch)
        .where(*conditions)
        .order_by(lane_groups.c.batch, lane_groups.c.number)
        .with_for_update(of=lane_groups)
    )
    return connection.execute(asked).all()


_PENDING_LANES = text("""\
SELECT given.number, numbered.lane
FROM unnest(CAST(:numbers AS bigint[])) AS given(number), generate_series(0, :most) AS numbered(lane)
WHERE EXISTS (
    SELECT FROM requests
    WHERE requests.batch = given.number AND requests.state = 'pending' AND requests.lane = numbered.lane
)""")
"""The lanes that have pending requests: one look into the index for each, however many requests they have."""


def _read_open_lanes(
    connection: Connection, numbers: Sequence[int], policies: Mapping[int, Policy]
) -> dict[int, set[int]]:
    """The lanes of batches that have something to send, and are not held until a person decides."""
    found: dict[int, set[int]] = {number: set() for number in numbers}
    for number, lane in connection.execute(_PENDING_LANES, {"numbers": list(numbers), "most": MAX_LANES}):
        found[number].add(lane)
    unresolved = (
        select(
            requests.c.batch,
            requests.c.lane,
            func.bool_or(requests.c.retry_at.is_not(None)),
            func.bool_or(requests.c.retry_at.is_(None)),
        )
        .where(requests.c.batch.in_(numbers), IS_UNRESOLVED)
        .group_by(requests.c.batch, requests.c.lane)
    )
    for number, lane, is_tried_again, is_held in connection.execute(unresolved):
        if is_tried_again:
            found[number].add(lane)
        if is_held and policies[number] is not Policy.GO_ON:
            found[number].discard(lane)
    return found
