"""The thread that delivers what history's outbox has. Any number of processes may have one for the same database."""

import logging
import random
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from intempt_core.errors import HistoryError, HistoryUnavailable
from intempt_core.history import DELIVERED, History, WebhookDelivery
from intempt_core.logs import write_log
from intempt_core.webhooks.delivery import DeliveryResult, Webhook, open_client, post_message
from intempt_core.webhooks.message import build_message

POLL_SECONDS = 1.0
"""How often the outbox is looked at."""

END_SECONDS = 2.0
"""How long a process that ends waits for an attempt."""

ATTEMPT_SECONDS = 30.0
"""How long an attempt is waited for: a receiver that responds a byte at a time does not hold up the others."""

HOLD_SECONDS = 60.0
"""How long a process has a delivery that it claimed: longer than an attempt takes, so that no other one tries too."""

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 5.0, 3_600.0
"""The pause after the first attempt that failed, which doubles, and the longest; up to half of it is left out."""

GIVE_UP_SECONDS = 86_400.0
"""How long after its event a message is tried."""

DUE_AT_ONCE = 100
"""Messages that are looked at together."""

AT_ONCE = 4
"""Messages that are posted at the same time: one receiver that does not respond does not hold up the others."""

UNKNOWN_WEBHOOK = "No process of the console has a description of this target with a webhook any more."
"""Why a message is given up that no process could deliver."""

log = logging.getLogger(__name__)


class WebhookDeliverer:
    """Delivers messages: as a thread from :meth:`start` to :meth:`stop`, or by :meth:`deliver_due`."""

    def __init__(
        self,
        history: History,
        find_webhook: Callable[[WebhookDelivery], Webhook | None],
        *,
        origin: str = "",
        jitter: Callable[[], float] = random.random,
        attempt_seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        """Make a deliverer that is not started yet.

        Args:
            history: where messages come from.
            find_webhook: the webhook of a batch's target; ``None`` where this process knows none.
            origin: where browsers reach the console, for links to batches; empty where that is not known.
            jitter: a number from 0 to 1, by which attempts are spread.
            attempt_seconds: how long an attempt is waited for; one that takes longer goes on by itself.
        """
        self._history, self._find_webhook, self._origin, self._jitter = history, find_webhook, origin, jitter
        self._attempt_seconds = attempt_seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Look at the outbox from now on, in a thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Deliver nothing more. An attempt that goes on is not waited for long; its message may be sent again later."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(END_SECONDS)
            self._thread = None

    def deliver_due(self) -> int:
        """Try once what is due, and return how many attempts were made. Raises :class:`HistoryUnavailable`."""
        found = [(one, self._find_webhook(one)) for one in self._history.webhooks.list_due(DUE_AT_ONCE)]
        # Another process may know the webhooks that this one does not.
        due = [(one, webhook) for one, webhook in found if webhook is not None or self._is_late(one)]
        for start in range(0, len(due), AT_ONCE):
            posting = [
                threading.Thread(target=self._deliver, args=one, name="webhook", daemon=True)
                for one in due[start : start + AT_ONCE]
            ]
            for thread in posting:
                thread.start()
            until = time.monotonic() + self._attempt_seconds
            for thread in posting:
                thread.join(max(until - time.monotonic(), 0))
        return len(due)

    def deliver_batch(self, batch: str, seconds: float) -> bool:
        """Try to deliver what a batch has told so far, for some seconds; whether all of it is delivered."""
        until = time.monotonic() + seconds
        while True:
            self.deliver_due()
            if all(one.status == DELIVERED for one in self._history.webhooks.list_for_batch(batch)):
                return True
            if time.monotonic() >= until or self._stopping.wait(min(POLL_SECONDS, seconds)):
                return False

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                while self.deliver_due() and not self._stopping.is_set():
                    pass
            except HistoryUnavailable:
                continue  # who sends says so
            except Exception:  # the next look may succeed; if this ended, nothing would ever be told again
                log.exception("delivering to webhooks failed")

    def _deliver(self, delivery: WebhookDelivery, webhook: Webhook | None) -> None:
        """Try one delivery; without its webhook it is given up."""
        try:
            body = delivery.body or build_message(self._history.queries.batch(delivery.batch), delivery, self._origin)
            claimed = self._history.webhooks.claim(delivery, body, int(HOLD_SECONDS * 1000))
            if claimed is None or claimed.body is None:
                return
            if webhook is None:
                result = DeliveryResult(delivery.trouble or UNKNOWN_WEBHOOK, is_final=True)
            else:
                seconds = self._history.database.clock() // 1000
                with open_client() as client:
                    result = post_message(client, webhook, claimed.message_id, seconds, claimed.body)
            self._note(claimed, result)
        except HistoryError:
            return  # history is away, or the batch was deleted: what is still there is tried again when its time comes
        except Exception:
            log.exception("delivering to a webhook failed")

    def _note(self, delivery: WebhookDelivery, result: DeliveryResult) -> None:
        state, tries = delivery.state.value, delivery.tries
        if not result.trouble:
            self._history.webhooks.note_delivered(delivery)
            write_log(log, "webhook was told", batch=delivery.batch, state=state, tries=tries)
            return
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, 20), MAX_PAUSE_SECONDS)
        wait = max(pause * (1 - self._jitter() / 2), result.wait_seconds)
        given_up = result.is_final or self._is_late(delivery)
        self._history.webhooks.note_failure(delivery, result.trouble, None if given_up else int(wait * 1000))
        write_log(
            log,
            "webhook was not told",
            level=logging.WARNING,
            batch=delivery.batch,
            state=state,
            tries=tries,
            given_up=given_up,
            reason=result.trouble,
        )

    def _is_late(self, delivery: WebhookDelivery) -> bool:
        return self._history.database.clock() - delivery.occurred_at > GIVE_UP_SECONDS * 1000
