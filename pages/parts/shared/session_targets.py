"""The targets of this tab: those that the console knows, those typed here, and the one that is selected."""

from collections.abc import Mapping

import streamlit as st

from intempt_core.history import BatchSummary
from intempt_core.targets import Target
from pages.parts.shared.screen_state import TARGET_WIDGET, get_session
from pages.parts.shared.services import get_services


def list_targets() -> Mapping[str, Target]:
    """The targets that this tab can send to, by name, the sandbox first."""
    return {**get_services().targets, **get_session().typed_targets}


def get_selected_target() -> Target:
    """The target that is selected in the header."""
    return list_targets()[st.session_state[TARGET_WIDGET]]


def find_batch_target(batch: BatchSummary) -> Target | None:
    """The target that a batch went to, if its feeds can still be read; a key typed in another tab is not lent."""
    found = list_targets().get(batch.target.name)
    return found if found and found.credential_reference == batch.target.credential_reference else None
