"""Saved journeys on Compose: templates, those that were saved, and the form as one of them."""

from collections.abc import Sequence

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.journeys import JOURNEY_NAME_LENGTH, Journey, write_journey
from intempt_core.validation import escape_invisible
from pages.parts.compose.saved_state import (
    CHOSEN_FIELD,
    JOURNEY_FILE_SUFFIX,
    NAME_FIELD,
    NEW_NAME_FIELD,
    SAVE_POPOVER,
    SAVED_POPOVER,
    SavedJourneyState,
    ask_to_delete,
    delete_journey,
    list_journeys,
    open_journey_file,
    open_saved_journey,
    rename_journey,
    save_journey,
)
from pages.parts.compose.state import JOURNEY_TEMPLATES, ComposeState, fill_journey
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.links import show_copyable_link
from pages.parts.shared.screen_state import get_screen_state, make_key


def show_journey_head(screen: ComposeState) -> None:
    """How many events there are, the ways to other journeys, and what the last click on one of them did."""
    state = get_screen_state(SavedJourneyState)
    with st.container(horizontal=True, vertical_alignment="center", key="compose-journey-head"):
        named = f" · {escape_markdown(escape_invisible(screen.journey_name))}" if screen.journey_name else ""
        st.markdown(f"**Journey**{named} · {format_count(len(screen.forms), 'event')}", width="stretch")
        st.menu_button(
            "Journey templates",
            list(JOURNEY_TEMPLATES),
            key="compose-templates",
            type="tertiary",
            on_click=lambda: fill_journey(st.session_state["compose-templates"]),
        )
        show_saved_journeys(state, screen.journey_name)
        show_save_form(state)
    if state.note:
        st.text(escape_invisible(state.note))
    elif state.trouble:
        st.markdown(":red-badge[■ not done]")
        st.text(escape_invisible(state.trouble))


def show_saved_journeys(state: SavedJourneyState, opened: str) -> None:
    """The saved journeys, one of which is chosen and opened, renamed, shared or deleted."""
    popover = st.popover("Saved journeys", key=SAVED_POPOVER, type="tertiary", on_change="rerun")
    if not popover.open:
        return
    with popover:
        journeys = list_journeys()
        if journeys:
            show_chosen_journey(state, journeys, opened)
        else:
            st.text("None is saved yet. Save what is on the form, or open a file of a journey.")
        widget = make_key("compose-saved-file", state.files_chosen)
        st.file_uploader(
            "Open a file of a journey",
            ["json"],
            key=widget,
            on_change=open_journey_file,
            args=(widget,),
            max_upload_size=1,
        )


def show_chosen_journey(state: SavedJourneyState, journeys: Sequence[Journey], opened: str) -> None:
    """The choice of a saved journey, and what can be done with it."""
    by_name = {journey.name: journey for journey in journeys}
    if st.session_state.get(CHOSEN_FIELD) not in by_name:
        st.session_state[CHOSEN_FIELD] = opened if opened in by_name else journeys[0].name
    name = st.selectbox(
        f"{format_count(len(journeys), 'saved journey')}", list(by_name), key=CHOSEN_FIELD, persist_state="session"
    )
    journey = by_name[str(name)]
    events = ", ".join(event.name for event in journey.events)
    st.caption(escape_markdown(escape_invisible(f"{format_count(len(journey.events), 'event')}: {events}")))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Open", key="compose-saved-open", type="primary", on_click=open_saved_journey, args=(journey.name,))
        show_download(
            "Download",
            lambda: write_journey(journey).encode(),
            f"{journey.name}{JOURNEY_FILE_SUFFIX}",
            "application/json",
            key="compose-saved-download",
            help_="A file to keep in git, to open here, or for send --journey at the command line.",
        )
        show_copyable_link("", {"journey": journey.name}, key="compose-saved-link")
        st.button("Delete", key="compose-saved-delete", type="tertiary", on_click=ask_to_delete)
    if state.is_deleting:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch"):
                st.text(f"Delete “{journey.name}” for everybody who uses this console?")
            st.button("Delete it", key="compose-saved-delete-really", on_click=delete_journey, args=(journey.name,))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("New name", key=NEW_NAME_FIELD, max_chars=JOURNEY_NAME_LENGTH)
        st.button("Rename", key="compose-saved-rename", on_click=rename_journey, args=(journey.name,))


def show_save_form(state: SavedJourneyState) -> None:
    """The name under which the form is saved."""
    popover = st.popover("Save", key=SAVE_POPOVER, type="tertiary", on_change="rerun")
    if not popover.open:
        return
    with popover:
        st.text("Saves the person, the product and the events. Their ids and times are made at each send.")
        st.text_input(
            "Name",
            key=NAME_FIELD,
            max_chars=JOURNEY_NAME_LENGTH,
            placeholder="Added, then ordered",
            persist_state="session",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Save journey", key="compose-save-now", type="primary", on_click=save_journey)
            if state.may_replace:
                st.button("Replace it", key="compose-save-replace", on_click=save_journey, kwargs={"replacing": True})
        if state.trouble:
            st.text(escape_invisible(state.trouble))
