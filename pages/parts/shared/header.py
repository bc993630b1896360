"""The frame of every screen: product, target, heading; and the message in the place of a traceback."""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from intempt_core.contract import FaultDocument
from intempt_core.errors import ConsoleError
from intempt_core.targets import SANDBOX, Target
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.links import show_link
from pages.parts.shared.sandbox_connection import read_active_faults
from pages.parts.shared.screen_state import TARGET_WIDGET, get_session
from pages.parts.shared.screens import DOCS_FOLDER, ScreenInfo
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import list_targets

_LOG = logging.getLogger("console")
_FOLDER = Path(__file__).parent

TEST_LABEL, PRODUCTION_LABEL = "Test", "PRODUCTION"
"""The environments of a target."""

DUPLICATES_IGNORED, DUPLICATES_COUNTED = "duplicates ignored", "duplicates counted twice"
"""What a target does with an event id that it already has."""

STATUS_MEANINGS = {
    TEST_LABEL: "A target for trying things out. What you send there reaches no real customer.",
    PRODUCTION_LABEL: "What you send there changes what real customers are shown. Each send asks for its name.",
    DUPLICATES_IGNORED: (
        "An event whose event id this target already has is accepted, and then ignored. "
        "To have it take effect again, send it with a new event id."
    ),
    DUPLICATES_COUNTED: (
        "This target does not compare event ids: an event that is sent twice counts twice, "
        "for example as two orders of the same product."
    ),
}
"""What each word of the status means, in full."""


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """What everybody has to know about the selected target.

    Attributes:
        place: Where it is.
        failures: The failures that it simulates; empty where there are none.
        environment: :data:`TEST_LABEL` or :data:`PRODUCTION_LABEL`.
        duplicates: What it does with event ids that it already has.
    """

    place: str
    failures: str
    environment: str
    duplicates: str


@cache
def read_page_style() -> str:
    """The style of every page as the browser gets it, which the content security policy has to know."""
    return (_FOLDER / "page.css").read_text("utf-8").strip()


@cache
def _read_mark() -> str:
    return (_FOLDER / "pictures" / "mark.svg").read_text("utf-8")


def show_header(screen: ScreenInfo) -> None:
    """What everybody has to know, the target that everything on this screen is sent to, and what the screen is for.

    The target is selected here, and kept across screens.
    """
    st.html(f"<style>{read_page_style()}</style>")
    st.logo(_read_mark(), size="large")
    chosen = choose_target()
    if chosen.production:
        show_production_band(chosen)
    services = get_services()
    if notices := [*services.notices, *filter(None, [services.others.describe_spread(st.context.cookies)])]:
        with st.container(border=True, key="notices"):
            for notice in notices:
                st.text(f"◆ {notice}")
    faults = read_active_faults(chosen.base, chosen.project) if chosen.origin == SANDBOX else FaultDocument()
    with st.container(key="screen-head", horizontal=True, horizontal_alignment="distribute"):
        with st.container(key="screen-title", width="content"):
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                st.title(screen.title, anchor=False, width="content")
                if screen.in_navigation and DOCS_FOLDER.exists():
                    show_link("help.py", "Help", {"page": screen.help_page})
            st.text(screen.purpose)
        show_target_status(describe_target_status(chosen, faults))


def choose_target() -> Target:
    """Choose the target, in a chip that has the colour of its environment; the chosen one."""
    targets = list_targets()
    known = get_session()
    if known.next_target in targets:
        st.session_state[TARGET_WIDGET] = known.next_target
    elif st.session_state.get(TARGET_WIDGET) not in targets:
        st.session_state[TARGET_WIDGET] = next(iter(targets))
    chosen = targets[st.session_state[TARGET_WIDGET]]
    with st.container(key="frame-production" if chosen.production else "frame-test"):
        st.selectbox(
            "Target",
            list(targets),
            key=TARGET_WIDGET,
            format_func=lambda name: format_target_choice(targets[name]),
            label_visibility="collapsed",
            persist_state="session",
        )
    known.next_target = None  # not sooner: a run that is broken off above is followed by one that selects it
    return chosen


def format_target_choice(target: Target) -> str:
    """A target where it is chosen: its environment and its title."""
    return f"{get_environment_label(target)} · {target.title}"


def get_environment_label(target: Target) -> str:
    """The environment of a target."""
    return PRODUCTION_LABEL if target.production else TEST_LABEL


def show_production_band(target: Target) -> None:
    """A red band that says where events go."""
    with st.container(key="production-band"):
        st.text(f"PRODUCTION: what you send to {target.title} changes what real customers are shown.")


def describe_target_status(chosen: Target, faults: FaultDocument) -> TargetStatus:
    """What a target promises, and which failures it simulates at present."""
    return TargetStatus(
        place="Sandbox on this machine" if chosen.origin == SANDBOX else f"{chosen.title} at {chosen.host}",
        failures=f"simulates failures: {faults.summary}" if faults.faults else "",
        environment=get_environment_label(chosen),
        duplicates=DUPLICATES_IGNORED if chosen.deduplicates and faults.deduplicates else DUPLICATES_COUNTED,
    )


def show_target_status(status: TargetStatus) -> None:
    """A target's status in one line; each word that is not plain has its meaning behind a question mark."""
    with st.container(horizontal=True, vertical_alignment="center", width="content", key="target-status"):
        st.text(status.place)
        if status.failures:
            st.markdown(f":orange-badge[◆ {escape_markdown(status.failures)}]")
        for word in (status.environment, status.duplicates):
            st.text(word, help=STATUS_MEANINGS[word])


def show_exception(error: Exception) -> bool:
    """Show what went wrong as a sentence, and log the traceback; true, so that Streamlit shows nothing itself."""
    if isinstance(error, ConsoleError):
        st.error("This did not work.")
        st.text(str(error))
    else:
        _LOG.error("A screen failed.", exc_info=error)
        st.error("This screen failed, and sent nothing. The server's log holds the details.")
    return True
