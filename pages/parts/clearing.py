"""Old batches are deleted from the History screen: a plan first, then in the background, watched while it goes."""

import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import streamlit as st

from intempt_core import ConsoleError
from intempt_core.history import DeletionProgress, History, DeletionPreview
from pages.parts.house import house
from pages.parts.look import counted, weight, zone
from pages.parts.session import key, value

AGES = {"1 week": 7, "1 month": 30, "3 months": 91, "6 months": 182, "1 year": 365}
"""How old a batch must be, in words and in days."""

WATCH_SECONDS = 0.5

log = logging.getLogger(__name__)


@dataclass
class Clearing:
    """The one deletion that goes on in this process, or the last one that did."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    meant: DeletionPreview | None = None
    so_far: DeletionProgress = field(default_factory=lambda: DeletionProgress(0, 0))
    over: bool = True
    trouble: str = ""

    def begin(self, history: History, before: int) -> None:
        """Delete what is older than ``before`` (epoch ms), unless a deletion goes on already."""
        with self.turn:
            if not self.over:
                return
            self.meant, self.so_far, self.over, self.trouble = history.preview_deletion(before), DeletionProgress(0, 0), False, ""
        threading.Thread(target=self._run, args=(history, before), name="clearing", daemon=True).start()

    def _run(self, history: History, before: int) -> None:
        try:
            self.so_far = history.delete_before(before, lambda so_far: setattr(self, "so_far", so_far))
        except ConsoleError as error:
            self.trouble = f"{error} What is left goes with the next deletion; nobody sees it any more."
        except Exception:
            log.exception("Deleting old batches broke off.")
            self.trouble = "Deleting broke off by an error of the console. What is left goes with the next deletion."
        finally:
            self.over = True


@st.cache_resource(show_spinner=False)
def clearing() -> Clearing:
    """This process's deletion."""
    return Clearing()


def old_batches() -> None:
    """Delete old batches, where there are any: folded until it is wanted; while one goes on, how far it is."""
    if clearing().meant is not None:
        watched()
    if not house().history.has_batches():
        return
    opened = st.popover("Delete old batches", key="history-clear", on_change="rerun")
    if opened.open:
        with opened:
            choice()


def choice() -> None:
    """How old, what that takes along, and the button."""
    age = st.segmented_control("Older than", list(AGES), default="3 months", required=True, key="history-clear-age")
    before = int((datetime.now(zone()) - timedelta(days=AGES[age or "3 months"])).timestamp() * 1000)
    meant = house().history.preview_deletion(before)
    if meant.batches:
        st.text(
            f"{counted(meant.batches, 'batch', 'batches')} with {counted(meant.events, 'event')}, "
            f"from {day(meant.oldest)} to {day(meant.newest)}, with every request and answer."
        )
        st.text(
            "They are gone for good: no search finds them, links to them lead nowhere, and their files and event ids"
            " count as never sent."
        )
    else:
        st.text(f"No batch that is over is older than {age}.")
    if meant.kept:
        st.text(
            f"Not among them: {counted(meant.kept, 'older batch', 'older batches')} that still"
            f" {'moves or waits' if meant.kept == 1 else 'move or wait'} for a decision."
        )
    if meant.batches:
        st.button(
            f"Delete {counted(meant.batches, 'batch', 'batches')} for good",
            key="history-clear-go",
            on_click=go,
            args=(before, meant, value("history-clear-age")),
        )


def go(before: int, drawn: DeletionPreview, age: str) -> None:
    """Begin, with what one saw: a batch that was over since then stays for the next time."""
    if value("history-clear-age") == age and house().history.preview_deletion(before) == drawn:
        clearing().begin(house().history, before)


def day(ms: int) -> str:
    """The day of a time."""
    return f"{datetime.fromtimestamp(ms / 1000, zone()):%Y-%m-%d}"


def watched() -> None:
    """How far the deletion is, looked at again and again; then what it gave back, and the list is drawn anew."""
    going = not clearing().over

    @st.fragment(run_every=WATCH_SECONDS if going else None)
    def progress() -> None:
        found = clearing()
        told(found)
        if going and found.over:
            st.rerun()

    with st.container(key=key("history", "cleared")):
        progress()


def told(found: Clearing) -> None:
    """The deletion in a sentence."""
    events = found.meant.events if found.meant else 0
    if found.trouble:
        st.text(f"Deleted {counted(found.so_far.events, 'event')}, then it broke off. {found.trouble}")
    elif not found.over:
        st.progress(min(1.0, found.so_far.events / events) if events else 1.0)
        st.text(f"Deleting old batches: {found.so_far.events:,} of {counted(events, 'event')}. Sending goes on.")
    else:
        gone = found.so_far
        space = (
            f"{weight(gone.freed)} of disk space are free again."
            if gone.freed or not gone.reusable
            else f"{weight(gone.reusable)} of the database stay on the disk and are filled by later batches."
        )
        st.text(f"Deleted {counted(gone.batches, 'batch', 'batches')} with {counted(gone.events, 'event')}. {space}")
