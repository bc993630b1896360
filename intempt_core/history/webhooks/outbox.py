"""The outbox of webhooks: what is due, and what came of each delivery.

Any number of processes may deliver from one database: who claims a delivery has it for a while, and where its process
ends meanwhile, another one tries again. So a receiver may get one twice, with the same id, and never none.
"""

from dataclasses import dataclass

from sqlalchemy import Row, Select, and_, func, select, update

from intempt_core.history.database import Database
from intempt_core.history.records import BatchState
from intempt_core.history.schema import batches, webhook_deliveries
from intempt_core.history.webhooks.announcements import DELIVERED, GIVEN_UP, WAITING

_IS_WAITING = webhook_deliveries.c.status == WAITING


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """What a webhook is to be told, and how far that is.

    Attributes:
        id: its number in this database.
        batch: the id of the batch that it tells of.
        target_name: the name of the batch's target.
        target_key: which place that is, as in :class:`~intempt_core.history.records.TargetSnapshot`.
        state: the state that the batch came to.
        reason: why, in sentences; it may quote the target's own words.
        occurred_at: when, in epoch ms.
        status: ``waiting``, ``delivered`` or ``given up``.
        tries: how many attempts were made.
        next_at: when it is tried next, in epoch ms, while it waits.
        changed_at: when something last came of it, in epoch ms.
        trouble: why the last attempt failed, as a sentence; empty where none did.
        body: the message, byte by byte as every attempt sends it; ``None`` before the first one.
    """

    id: int
    batch: str
    target_name: str
    target_key: str
    state: BatchState
    reason: str
    occurred_at: int
    status: str
    tries: int
    next_at: int
    changed_at: int
    trouble: str
    body: bytes | None

    @property
    def message_id(self) -> str:
        """The id by which a receiver knows a message that comes again; the same after a restored backup."""
        return f"{self.batch}-{self.state.value}-{self.occurred_at}"


class WebhookOutbox:
    """Gives out deliveries, and takes back what came of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_due(self, limit: int) -> list[WebhookDelivery]:
        """Deliveries that may be tried now, the oldest first; of one batch only the next one. Cheap."""
        earlier = webhook_deliveries.alias()
        is_next = ~(
            select(earlier.c.id)
            .where(
                earlier.c.batch == webhook_deliveries.c.batch,
                earlier.c.id < webhook_deliveries.c.id,
                earlier.c.status == WAITING,
            )
            .exists()
        )
        due = _IS_WAITING, webhook_deliveries.c.next_at <= self._database.clock(), is_next
        with self._database.reading() as connection:
            found = _select_deliveries().where(*due).order_by(webhook_deliveries.c.id).limit(limit)
            return [_make_delivery(row) for row in connection.execute(found)]

    def claim(self, delivery: WebhookDelivery, body: bytes, hold_ms: int) -> WebhookDelivery | None:
        """Have a delivery for ``hold_ms``, with its body; ``None`` where another process was quicker.

        ``body`` is kept where it has none yet.
        """
        now = self._database.clock()
        mine = and_(webhook_deliveries.c.id == delivery.id, _IS_WAITING, webhook_deliveries.c.tries == delivery.tries)
        values = {
            "tries": delivery.tries + 1,
            "next_at": now + hold_ms,
            "body": func.coalesce(webhook_deliveries.c.body, body),
        }
        with self._database.writing() as connection:
            if not connection.execute(update(webhook_deliveries).where(mine).values(values)).rowcount:
                return None
            claimed = _select_deliveries().where(webhook_deliveries.c.id == delivery.id)
            return _make_delivery(connection.execute(claimed).one())

    def note_delivered(self, delivery: WebhookDelivery) -> None:
        """Note that the receiver has taken it."""
        self._note(delivery, status=DELIVERED, trouble="")

    def note_failure(self, delivery: WebhookDelivery, trouble: str, again_ms: int | None) -> None:
        """Note why it failed, and that it is tried again after ``again_ms``, or never."""
        if again_ms is None:
            self._note(delivery, status=GIVEN_UP, trouble=trouble)
        else:
            self._note(delivery, trouble=trouble, next_at=self._database.clock() + again_ms)

    def list_for_batch(self, batch: str) -> list[WebhookDelivery]:
        """Every delivery of a batch, in order."""
        with self._database.reading() as connection:
            found = _select_deliveries().where(batches.c.id == batch).order_by(webhook_deliveries.c.id)
            return [_make_delivery(row) for row in connection.execute(found)]

    def _note(self, delivery: WebhookDelivery, **values: str | int) -> None:
        mine = and_(webhook_deliveries.c.id == delivery.id, _IS_WAITING, webhook_deliveries.c.tries == delivery.tries)
        with self._database.writing() as connection:
            changed = values | {"changed_at": self._database.clock()}
            connection.execute(update(webhook_deliveries).where(mine).values(changed))


def _select_deliveries() -> Select[tuple[object, ...]]:
    of_batch = batches.c.id.label("batch_id"), batches.c.target_name, batches.c.target_key
    return select(webhook_deliveries, *of_batch).join(batches, batches.c.number == webhook_deliveries.c.batch)


def _make_delivery(row: Row[tuple[object, ...]]) -> WebhookDelivery:
    return WebhookDelivery(
        id=row.id,
        batch=row.batch_id,
        target_name=row.target_name,
        target_key=row.target_key,
        state=BatchState(row.state),
        reason=row.reason,
        occurred_at=row.occurred_at,
        status=row.status,
        tries=row.tries,
        next_at=row.next_at,
        changed_at=row.changed_at,
        trouble=row.trouble,
        body=row.body,
    )
