"""Old batches are deleted from the History screen: a plan first, then in the background, watched while it goes."""

import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import streamlit as st

from intempt_core.errors import ConsoleError
from intempt_core.history import DeletionPreview, DeletionProgress, History
from pages.parts.shared.formatting import format_quantity, format_size
from pages.parts.shared.screen_state import make_key, read_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_browser_zone

RETENTION_AGES = {"1 week": 7, "1 month": 30, "3 months": 91, "6 months": 182, "1 year": 365}
"""How old a batch must be, in words and in days."""

DELETION_WATCH_SECONDS = 0.5

_LOG = logging.getLogger(__name__)


@dataclass
class BatchDeletion:
    """The one deletion that goes on in this process, or the last one that did."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    planned: DeletionPreview | None = None
    so_far: DeletionProgress = field(default_factory=lambda: DeletionProgress(0, 0))
    is_finished: bool = True
    trouble: str = ""

    def begin(self, history: History, before: int) -> None:
        """Delete what is older than ``before`` (epoch ms), unless a deletion goes on already."""
        with self.lock:
            if not self.is_finished:
                return
            self.planned, self.so_far, self.is_finished, self.trouble = (
                history.preview_deletion(before),
                DeletionProgress(0, 0),
                False,
                "",
            )
        threading.Thread(target=self._run, args=(history, before), name="clearing", daemon=True).start()

    def _run(self, history: History, before: int) -> None:
        try:
            self.so_far = history.delete_before(before, lambda so_far: setattr(self, "so_far", so_far))
        except ConsoleError as error:
            self.trouble = f"{error} What is left goes with the next deletion; nobody sees it any more."
        except Exception:
            _LOG.exception("Deleting old batches broke off.")
            self.trouble = "Deleting broke off by an error of the console. What is left goes with the next deletion."
        finally:
            self.is_finished = True


@st.cache_resource(show_spinner=False)
def get_deletion() -> BatchDeletion:
    """This process's deletion."""
    return BatchDeletion()


def show_old_batches() -> None:
    """Delete old batches, where there are any: folded until it is wanted; while one goes on, how far it is."""
    if get_deletion().planned is not None:
        watch_deletion()
    if not get_services().history.has_batches():
        return
    opened = st.popover("Delete old batches", key="history-clear", on_change="rerun")
    if opened.open:
        with opened:
            show_deletion_choice()


def show_deletion_choice() -> None:
    """How old, what that takes along, and the button."""
    age = st.segmented_control(
        "Older than", list(RETENTION_AGES), default="3 months", required=True, key="history-clear-age"
    )
    before = int(
        (datetime.now(get_browser_zone()) - timedelta(days=RETENTION_AGES[age or "3 months"])).timestamp() * 1000
    )
    meant = get_services().history.preview_deletion(before)
    if meant.batches:
        st.text(
            f"{format_quantity(meant.batches, 'batch', 'batches')} with {format_quantity(meant.events, 'event')}, "
            f"from {format_day(meant.oldest)} to {format_day(meant.newest)}, with every request and answer."
        )
        st.text(
            "They are gone for good: no search finds them, links to them lead nowhere, and their files and event ids"
            " count as never sent."
        )
    else:
        st.text(f"No batch that is over is older than {age}.")
    if meant.kept:
        st.text(
            f"Not among them: {format_quantity(meant.kept, 'older batch', 'older batches')} that still"
            f" {'moves or waits' if meant.kept == 1 else 'move or wait'} for a decision."
        )
    if meant.batches:
        st.button(
            f"Delete {format_quantity(meant.batches, 'batch', 'batches')} for good",
            key="history-clear-go",
            on_click=start_deletion,
            args=(before, meant, read_widget("history-clear-age")),
        )


def start_deletion(before: int, drawn: DeletionPreview, age: str) -> None:
    """Begin, with what one saw: a batch that was over since then stays for the next time."""
    if read_widget("history-clear-age") == age and get_services().history.preview_deletion(before) == drawn:
        get_deletion().begin(get_services().history, before)


def format_day(ms: int) -> str:
    """The day of a time."""
    return f"{datetime.fromtimestamp(ms / 1000, get_browser_zone()):%Y-%m-%d}"


def watch_deletion() -> None:
    """How far the deletion is, looked at again and again; then what it gave back, and the list is drawn anew."""
    going = not get_deletion().is_finished

    @st.fragment(run_every=DELETION_WATCH_SECONDS if going else None)
    def progress() -> None:
        found = get_deletion()
        show_deletion_progress(found)
        if going and found.is_finished:
            st.rerun()

    with st.container(key=make_key("history", "cleared")):
        progress()


def show_deletion_progress(found: BatchDeletion) -> None:
    """The deletion in a sentence."""
    events = found.planned.events if found.planned else 0
    if found.trouble:
        st.text(f"Deleted {format_quantity(found.so_far.events, 'event')}, then it broke off. {found.trouble}")
    elif not found.is_finished:
        st.progress(min(1.0, found.so_far.events / events) if events else 1.0)
        st.text(
            f"Deleting old batches: {found.so_far.events:,} of {format_quantity(events, 'event')}. Sending goes on."
        )
    else:
        gone = found.so_far
        space = (
            f"{format_size(gone.freed)} of disk space are free again."
            if gone.freed or not gone.reusable
            else f"{format_size(gone.reusable)} of the database stay on the disk and are filled by later batches."
        )
        st.text(
            f"Deleted {format_quantity(gone.batches, 'batch', 'batches')} with {format_quantity(gone.events, 'event')}. {space}"
        )
