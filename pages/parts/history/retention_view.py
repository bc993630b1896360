"""Deleting old batches: a preview, then a deletion in the background whose progress is shown."""

from datetime import datetime, timedelta

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.errors import ConsoleError
from intempt_core.history import BackgroundDeletion, DeletionPreview
from pages.parts.shared.formatting import format_size
from pages.parts.shared.screen_state import make_key, read_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_browser_zone

RETENTION_AGES = {"1 week": 7, "1 month": 30, "3 months": 91, "6 months": 182, "1 year": 365}
"""The age of batches to delete, in days by label."""

DELETION_WATCH_SECONDS = 0.5
"""How often the progress of a deletion is read."""


def show_old_batches() -> None:
    """The button that opens the choices for deleting old batches, and the progress of a deletion."""
    if get_services().history.retention.deletion.planned is not None:
        watch_deletion()
    if not get_services().history.retention.has_batches():
        return
    opened = st.popover("Delete old batches", key="history-clear", on_change="rerun")
    if opened.open:
        with opened:
            show_deletion_choice()


def show_deletion_choice() -> None:
    """The age of the batches to delete, what would be deleted, and the button."""
    age = st.segmented_control(
        "Older than", list(RETENTION_AGES), default="3 months", required=True, key="history-clear-age"
    )
    before = int(
        (datetime.now(get_browser_zone()) - timedelta(days=RETENTION_AGES[age or "3 months"])).timestamp() * 1000
    )
    preview = get_services().history.retention.preview_deletion(before)
    if preview.batches:
        st.text(
            f"{format_count(preview.batches, 'batch', 'batches')} with {format_count(preview.events, 'event')}, "
            f"from {format_day(preview.oldest)} to {format_day(preview.newest)}, with every request and response."
        )
        st.text(
            "They are deleted permanently: searches and links no longer find them, and their files and event ids count"
            " as never sent."
        )
    else:
        st.text(f"No finished batch is older than {age}.")
    if preview.kept:
        st.text(
            f"Not deleted: {format_count(preview.kept, 'older batch', 'older batches')} that"
            f" {'is' if preview.kept == 1 else 'are'} active or waiting for a decision."
        )
    if preview.batches:
        st.button(
            f"Delete {format_count(preview.batches, 'batch', 'batches')} permanently",
            key="history-clear-go",
            on_click=start_deletion,
            args=(before, preview, read_widget("history-clear-age")),
        )


def start_deletion(before: int, drawn: DeletionPreview, age: str) -> None:
    """Delete what was previewed; nothing if the preview has changed since it was drawn."""
    if read_widget("history-clear-age") == age and get_services().history.retention.preview_deletion(before) == drawn:
        get_services().history.retention.deletion.start(before)


def format_day(ms: int) -> str:
    """The day of a time (epoch milliseconds) in the browser's time zone."""
    return f"{datetime.fromtimestamp(ms / 1000, get_browser_zone()):%Y-%m-%d}"


def watch_deletion() -> None:
    """Show the progress of the deletion until it has finished, then draw the whole screen again."""
    running = not get_services().history.retention.deletion.is_finished

    @st.fragment(run_every=DELETION_WATCH_SECONDS if running else None)
    def progress() -> None:
        found = get_services().history.retention.deletion
        show_deletion_progress(found)
        if running and found.is_finished:
            st.rerun()

    with st.container(key=make_key("history", "deletion")):
        progress()


def show_deletion_progress(found: BackgroundDeletion) -> None:
    """The progress or the result of the deletion."""
    events = found.planned.events if found.planned else 0
    if found.error is not None:
        why = str(found.error) if isinstance(found.error, ConsoleError) else "An internal error occurred."
        st.text(
            f"Deleted {format_count(found.progress.events, 'event')}, then stopped. {why} The next deletion removes"
            " the rest, which is no longer shown."
        )
    elif not found.is_finished:
        st.progress(min(1.0, found.progress.events / events) if events else 1.0)
        st.text(
            f"Deleting old batches: {found.progress.events:,} of {format_count(events, 'event')}. Sending continues."
        )
    else:
        deleted = found.progress
        space = (
            f"{format_size(deleted.freed)} of disk space freed."
            if deleted.freed or not deleted.reusable
            else f"{format_size(deleted.reusable)} of the database file will be reused by later batches."
        )
        batches = format_count(deleted.batches, "batch", "batches")
        st.text(f"Deleted {batches} with {format_count(deleted.events, 'event')}. {space}")
