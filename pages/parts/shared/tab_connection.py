"""The connection of a tab: which one a script runs for, what its browser asked for, and whether it is still there."""

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def get_tab_id() -> str:
    """The id of the tab that a script runs for; empty outside of a script."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else ""


def is_history_navigation() -> bool:
    """Whether a script runs because a person went back or forward in the browser's own history."""
    context = get_script_run_ctx(suppress_warning=True)
    return bool(context and context.is_history_navigation)


def is_tab_open(tab: str) -> bool:
    """Whether a tab's browser is connected; without a server, as in tests, every tab is open."""
    return not runtime.exists() or runtime.get_instance().is_active_session(tab)
