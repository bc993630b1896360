"""What stands on every screen: the target, and a sentence in the place of a traceback."""

import logging

import streamlit as st

from intempt_core import ConsoleError, Target
from intempt_core.sandbox.faults import FaultDocument
from intempt_core.targets import SANDBOX
from pages.parts import watching
from pages.parts.house import house
from pages.parts.look import STYLE
from pages.parts.session import TARGET, session

_LOG = logging.getLogger("console")


def header() -> None:
    """The target that everything on this screen goes to, changed here and kept while one moves about."""
    targets = {**house().targets, **session().typed}
    known = session()
    if known.wanted in targets:
        st.session_state[TARGET] = known.wanted
    elif st.session_state.get(TARGET) not in targets:
        st.session_state[TARGET] = next(iter(targets))
    known.wanted = None
    st.html(STYLE)
    with st.container(horizontal=True, vertical_alignment="center", key="frame"):
        with st.container(width="stretch"):
            chosen = targets[st.session_state[TARGET]]
            st.text(standing(chosen, watching.failing(chosen.base) if chosen.origin == SANDBOX else FaultDocument()))
        st.selectbox(
            "Target",
            list(targets),
            key=TARGET,
            format_func=lambda name: targets[name].title,
            label_visibility="collapsed",
            width=260,
            persist_state="session",
        )


def target() -> Target:
    """The target that is chosen."""
    name = st.session_state[TARGET]
    return session().typed.get(name) or house().targets[name]


def standing(chosen: Target, faults: FaultDocument) -> str:
    """What a target is now, in one line: where, what fails on purpose, whether it deduplicates, is production."""
    where = "Sandbox on this machine" if chosen.origin == SANDBOX else f"{chosen.title} at {chosen.host}"
    fails = [f"fails on purpose: {faults.summary}"] if faults.faults else []
    deduplicates = "deduplicates" if chosen.deduplicates and faults.deduplicates else "does not deduplicate"
    return " · ".join([where, *fails, deduplicates, "PRODUCTION" if chosen.production else "not production"])


def sorry(error: Exception) -> bool:
    """Say what went wrong in a sentence; the traceback goes to the log. Tells Streamlit that it is dealt with."""
    if isinstance(error, ConsoleError):
        st.error("This did not work.")
        st.text(str(error))
    else:
        _LOG.error("a screen failed", exc_info=error)
        st.error("This screen failed, and nothing was sent by it. The server's log says where.")
    return True
