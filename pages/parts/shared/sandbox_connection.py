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
def read_active_faults(base: str, project: str) -> FaultDocument:  # noqa: ARG001  ``base`` tells sandboxes apart
    """The faults that a request to a project of the sandbox at ``base`` may meet: those of the project, then those of
    everything; none where it does not respond.
    """
    try:
        everything = get_sandbox_client().read_faults(FAULTS_POLL_SECONDS)
        own = get_sandbox_client().read_faults(FAULTS_POLL_SECONDS, project=project)
    except SandboxUnavailable:
        return FaultDocument()
    return everything.model_copy(
        update={
            "faults": [*own.faults, *everything.faults],
            "deduplicates": everything.deduplicates and own.deduplicates,
        }
    )
