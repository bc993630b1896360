"""The connection to this console's sandbox: one client a process, and the faults that it simulates now."""

import streamlit as st

from intempt_core.contract import FaultDocument
from intempt_core.errors import SandboxUnavailable
from intempt_core.transport import SandboxClient
from pages.parts.shared.services import get_services

FAULTS_POLL_SECONDS = 1.0
"""How old the faults in the header of every screen may be, and how long the sandbox is waited for when it is asked."""


def get_sandbox_client() -> SandboxClient:
    """The client of this console's sandbox."""
    return get_services().sandbox_client


@st.cache_data(ttl=FAULTS_POLL_SECONDS, show_spinner=False)
def read_active_faults(base: str) -> FaultDocument:  # noqa: ARG001  what the cache tells sandboxes apart by
    """The faults that the sandbox at ``base`` simulates; none where it does not respond."""
    try:
        return get_sandbox_client().read_faults(FAULTS_POLL_SECONDS)
    except SandboxUnavailable:
        return FaultDocument()
