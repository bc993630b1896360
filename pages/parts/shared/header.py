"""The header of every screen: the selected target and its status. And the message in the place of a traceback."""

import logging

import streamlit as st

from intempt_core.contract import FaultDocument
from intempt_core.errors import ConsoleError
from intempt_core.targets import SANDBOX, Target
from pages.parts.shared.formatting import PAGE_STYLE
from pages.parts.shared.sandbox_connection import read_active_faults
from pages.parts.shared.screen_state import TARGET_WIDGET, get_session
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import list_targets

_LOG = logging.getLogger("console")


def show_header() -> None:
    """What everybody has to know, and the target that everything on this screen is sent to.

    The target is selected here, and kept across screens.
    """
    targets = list_targets()
    known = get_session()
    if known.next_target in targets:
        st.session_state[TARGET_WIDGET] = known.next_target
    elif st.session_state.get(TARGET_WIDGET) not in targets:
        st.session_state[TARGET_WIDGET] = next(iter(targets))
    st.html(f"<style>{PAGE_STYLE}</style>")
    if notices := get_services().notices:
        with st.container(border=True, key="notices"):
            for notice in notices:
                st.text(f"◆ {notice}")
    with st.container(horizontal=True, vertical_alignment="center", key="frame"):
        with st.container(width="stretch"):
            chosen = targets[st.session_state[TARGET_WIDGET]]
            st.text(
                describe_target_status(
                    chosen, read_active_faults(chosen.base) if chosen.origin == SANDBOX else FaultDocument()
                )
            )
        st.selectbox(
            "Target",
            list(targets),
            key=TARGET_WIDGET,
            format_func=lambda name: targets[name].title,
            label_visibility="collapsed",
            width=260,
            persist_state="session",
        )
    known.next_target = None  # not sooner: a run that is broken off above is followed by one that selects it


def describe_target_status(chosen: Target, faults: FaultDocument) -> str:
    """A target's status in one line: its host, simulated failures, deduplication, whether it is production."""
    where = "Sandbox on this machine" if chosen.origin == SANDBOX else f"{chosen.title} at {chosen.host}"
    failures = [f"simulates failures: {faults.summary}"] if faults.faults else []
    deduplicates = "deduplicates" if chosen.deduplicates and faults.deduplicates else "does not deduplicate"
    return " · ".join([where, *failures, deduplicates, "PRODUCTION" if chosen.production else "not production"])


def show_exception(error: Exception) -> bool:
    """Show what went wrong as a sentence, and log the traceback; true, so that Streamlit shows nothing itself."""
    if isinstance(error, ConsoleError):
        st.error("This did not work.")
        st.text(str(error))
    else:
        _LOG.error("A screen failed.", exc_info=error)
        st.error("This screen failed, and sent nothing. The server's log holds the details.")
    return True
