"""What the webhook of a batch's target was told of the batch."""

import streamlit as st

from intempt_core.contract import format_count, now_ms
from intempt_core.history import DELIVERED, GIVEN_UP, WAITING, BatchSummary, WebhookDelivery
from pages.parts.shared.formatting import format_moment
from pages.parts.shared.services import get_services

WATCH_SECONDS = 2.0
"""How often it is looked at while something is to be delivered."""


def show_webhook(batch: BatchSummary) -> None:
    """A line for each state that was to be told; nothing where the target had no webhook."""
    if not batch.target.announces:
        return
    outbox = get_services().history.webhooks
    is_waiting = any(one.status == WAITING for one in outbox.list_for_batch(batch.id))

    @st.fragment(run_every=WATCH_SECONDS if is_waiting else None)
    def lines_of() -> None:
        told = outbox.list_for_batch(batch.id)
        with st.container(gap="xxsmall", key="history-webhook"):
            if not told:
                st.text("Webhook: it is told when this batch has ended, stopped or was paused.")
            for one in told:
                st.text(describe_delivery(one, now_ms()))

    lines_of()


def describe_delivery(delivery: WebhookDelivery, now: int) -> str:
    """What came of telling a webhook that a batch changed its state, as a sentence or two."""
    what = f"Webhook: “{delivery.state.value}”"
    changed = format_moment(delivery.changed_at).partition(" (")[0]
    attempts = format_count(delivery.tries, "attempt")
    if delivery.status == DELIVERED:
        return f"{what} was delivered at {changed} ({attempts})."
    if delivery.status == GIVEN_UP:
        return f"{what} was NOT delivered and is given up ({attempts}). {delivery.trouble}"
    if not delivery.trouble:
        return f"{what} is being delivered."
    wait = max(delivery.next_at - now, 0) // 1000
    again = f"Tried again in {format_count(wait, 'second')}." if wait else "Tried again now."
    return f"{what} is not delivered yet ({attempts}). {delivery.trouble} {again}"
