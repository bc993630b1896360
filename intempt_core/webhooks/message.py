"""The message of a webhook: which batch came to which state, and its counts. No event, no response and no key."""

import re
from datetime import UTC, datetime

from intempt_core.contract import dump_json
from intempt_core.history import BatchSummary, WebhookDelivery

LAST_RESPONSE = "The last response:"
"""What stands in a batch's reason before the words of the target, which may repeat what was sent."""

_QUOTED = re.compile(r"“[^”]*(”|\Z)")


def build_message(batch: BatchSummary, delivery: WebhookDelivery, origin: str = "") -> bytes:
    """Build the message of a delivery as JSON.

    ``origin`` is where browsers reach the console; with it, the message has a link to the batch. The counts are those
    of now: after a *done* or *cancelled* they hardly change any more.
    """
    data = {
        "batch": batch.id,
        "name": batch.name,
        "label": batch.label,
        "target": batch.target.name,
        "production": batch.target.production,
        "state": delivery.state.value,
        "reason": clean_reason(delivery.reason),
        "confirmed_at": _format_time(batch.created_at),
        "events": {state.value: count for state, count in batch.events.items() if count},
        "planned_events": batch.planned,
        "excluded_rows": batch.excluded_rows,
    }
    if origin:
        data["link"] = f"{origin}/history?batch={batch.id}"
    message = {
        "type": f"batch.{delivery.state.value}",
        "timestamp": _format_time(delivery.occurred_at),
        "data": data,
    }
    return dump_json(message)


def clean_reason(reason: str) -> str:
    """A batch's reason without the words of a target, which may repeat an event."""
    return _QUOTED.sub("“…”", reason.partition(LAST_RESPONSE)[0]).strip()


def _format_time(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
