"""The results of a tab's tasks: what was worked out of its files, here or in a process of its own."""

from typing import Any

import streamlit as st

from intempt_core.workers import FileTask
from pages.parts.shared.screen_state import get_session
from pages.parts.shared.services import get_services
from pages.parts.shared.tab_connection import get_tab_id

_WORK_LABELS = {
    "read": "Reading the file",
    "checked": "Checking every row",
    "previewed": "Looking for the cells that change",
    "planned": "Planning the requests",
    "exported": "Making the file",
    "made a catalogue": "Making the catalogue",
}
"""What is shown while something is done with a file."""


def fetch_result(task: FileTask) -> Any:
    """The result of a task; while a process works on it the screen says so, and the tab may do something else.

    Any: of the task's own type.
    """
    results = get_services().results
    if results.is_ready(task):
        return results.fetch(task, get_tab_id())
    with st.spinner(_WORK_LABELS[task.verb], show_time=True):
        return results.fetch(task, get_tab_id(), while_waiting=get_session)  # what Streamlit may interrupt
