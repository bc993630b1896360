"""Saved journeys on Compose: the callbacks that save, open, rename and delete them, and the link that opens one.

Opening a journey fills the form and sends nothing: its events get their ids at once, and their times when they are
sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from intempt_core.contract import Json, format_count, now_ms
from intempt_core.errors import ConsoleError, JourneyError
from intempt_core.journeys import (
    TIME_FIELD,
    Journey,
    build_journey_events,
    make_journey,
    parse_journey,
    write_journey,
)
from pages.parts.compose.form import TIME_NOW
from pages.parts.compose.state import ComposeState, replace_events
from pages.parts.shared.links import holds_key
from pages.parts.shared.screen_state import get_screen_state, read_widget, set_widget
from pages.parts.shared.send_flow import make_event_id
from pages.parts.shared.services import get_services

SAVE_POPOVER, SAVED_POPOVER = "compose-save", "compose-saved"
NAME_FIELD, CHOSEN_FIELD, NEW_NAME_FIELD = "compose-save-name", "compose-saved-chosen", "compose-saved-name"
JOURNEY_FILE_SUFFIX = ".journey.json"


@dataclass
class SavedJourneyState:
    """What one tab does with saved journeys.

    Attributes:
        note: What became of the last click, as a sentence.
        trouble: Why the last click did nothing, as a sentence.
        may_replace: Whether *Save* found another journey of that name, which a person may replace.
        is_deleting: Whether a person is asked whether the chosen journey is to be deleted.
        files_chosen: How many files were chosen, for the key of the next file input.
    """

    note: str = ""
    trouble: str = ""
    may_replace: bool = False
    is_deleting: bool = False
    files_chosen: int = 0

    def forget(self) -> None:
        """Forget what the last click did."""
        self.note, self.trouble, self.may_replace, self.is_deleting = "", "", False, False


def list_journeys() -> list[Journey]:
    """The saved journeys, by name; none where they cannot be read, which the screen then says."""
    state = get_screen_state(SavedJourneyState)
    try:
        return get_services().history.journeys.all()
    except ConsoleError as error:
        state.trouble = str(error)
        return []


def ask_for_name() -> None:
    """Ask for the name that what is on the form is saved under."""
    set_widget(SAVE_POPOVER, True)


def save_journey(*, replacing: bool = False) -> None:
    """Save what is on the form under the typed name, in the place of the journey that was opened under that name."""

    def save(state: SavedJourneyState) -> None:
        name = (read_widget(NAME_FIELD) or "").strip()
        form = get_screen_state(ComposeState)
        journey = make_journey(name, form.read_events())
        if holds_key(write_journey(journey)):
            raise JourneyError("The journey holds a target's key, so it is not saved. Remove the key from it.")
        is_known = any(_is_same_name(one.name, name) for one in list_journeys())
        state.may_replace = is_known and not replacing and not _is_same_name(name, form.journey_name)
        if state.may_replace:
            raise JourneyError(f"A journey is saved as “{name}” already.")
        get_services().history.journeys.save(journey, replaces=name if is_known else "")
        form.journey_name = name
        state.note = f"Saved as “{name}”: {format_count(len(journey.events), 'event')}."
        set_widget(CHOSEN_FIELD, name)
        set_widget(SAVE_POPOVER, False)

    _attempt(save)


def _is_same_name(one: str, other: str) -> bool:
    return bool(one) and " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def open_journey(journey: Journey) -> None:
    """Fill the form with a journey; nothing is sent."""
    now = now_ms()
    timed = [TIME_FIELD in {**journey.person, **journey.product, **event.values} for event in journey.events]
    made: list[tuple[Json, Json]] = [
        (name, body if has_time else {key: value for key, value in body.items() if key != TIME_FIELD})
        for (name, body), has_time in zip(build_journey_events(journey, {}, now, make_event_id), timed, strict=True)
    ]
    replace_events(made)
    for form, has_time in zip(get_screen_state(ComposeState).forms, timed, strict=True):
        if not has_time:
            form.put("when", TIME_NOW)
    set_widget(NAME_FIELD, journey.name)
    set_widget(SAVED_POPOVER, False)


def open_saved_journey(name: str) -> None:
    """Fill the form with a saved journey."""

    def open_(state: SavedJourneyState) -> None:
        open_journey(get_services().history.journeys.get(name))
        get_screen_state(ComposeState).journey_name = name
        state.note = f"Opened the journey “{name}”. Nothing was sent."

    _attempt(open_)


def open_journey_file(widget: str) -> None:
    """Fill the form with the journey in a file; it is saved when a person saves it."""
    file = read_widget(widget)
    if file is None:
        return

    def open_(state: SavedJourneyState) -> None:
        state.files_chosen += 1
        try:
            text = file.getvalue().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise JourneyError(f"{file.name} is not UTF-8 (byte {error.start:,}). Save it as UTF-8.") from error
        name = file.name.removesuffix(".json").removesuffix(".journey")
        open_journey(parse_journey(text, name))
        state.note = f"Opened the file {file.name}. Nothing was sent; save it to keep it here."

    _attempt(open_)


def rename_journey(name: str) -> None:
    """Give a saved journey the typed name."""

    def rename(state: SavedJourneyState) -> None:
        new = (read_widget(NEW_NAME_FIELD) or "").strip()
        store = get_services().history.journeys
        store.save(replace(store.get(name), name=new), replaces=name)
        form = get_screen_state(ComposeState)
        if _is_same_name(form.journey_name, name):
            form.journey_name = new
            set_widget(NAME_FIELD, new)
        set_widget(CHOSEN_FIELD, new)
        set_widget(NEW_NAME_FIELD, "")
        state.note = f"“{name}” is called “{new}” now."

    _attempt(rename)


def ask_to_delete() -> None:
    """Ask whether the chosen journey is to be deleted."""
    state = get_screen_state(SavedJourneyState)
    state.forget()
    state.is_deleting = True


def delete_journey(name: str) -> None:
    """Delete a saved journey; what is on the form stays."""

    def delete(state: SavedJourneyState) -> None:
        get_services().history.journeys.delete(name)
        form = get_screen_state(ComposeState)
        if _is_same_name(form.journey_name, name):
            form.journey_name = ""
        st.session_state.pop(CHOSEN_FIELD, None)
        state.note = f"Deleted “{name}”. What is on the form stays."

    _attempt(delete)


def _attempt(action: Callable[[SavedJourneyState], None]) -> None:
    """Do what a button says; what does not work is said beside it and changes nothing."""
    state = get_screen_state(SavedJourneyState)
    state.forget()
    try:
        action(state)
    except ConsoleError as error:
        state.trouble = str(error)
