"""The pasted text on the Inspect screen: where it is pasted and edited, and where it stands with its problems."""

import streamlit as st

from intempt_core.readers import KEY_HINT, MAX_HAR_BYTES, MAX_PASTED_CHARS, TOO_LONG_HINT
from intempt_core.targets import MIN_SECRET_CHARACTERS
from intempt_core.validation import MAX_LINES_DRAWN, annotate_lines
from pages.parts.inspect.fixes_state import format_text, undo_last_fix
from pages.parts.inspect.state import (
    PASTE_WIDGET,
    InspectState,
    clear_text,
    edit_text,
    read_dropped_file,
    read_paste,
    read_pasted_text,
)
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.session_targets import get_selected_target
from pages.parts.shared.team_rules import show_rules_choice
from pages.parts.shared.widgets.annotated_text import show_annotated_text
from pages.parts.shared.widgets.paste_guard import guard_paste

PASTE_FILE_TYPES = ("json", "jsonl", "txt", "log", "sh", "html", "har", "ps1", "bat", "cmd", "js")
"""Suffixes of the files that can be opened."""

TEXT_WIDGET = "inspect-text"

LINES_AROUND_TROUBLE = 4
"""Lines on both sides of the one where a text cannot be read."""


def show_text(screen: InspectState) -> None:
    """The text once: where it is pasted and edited, or, when it is read, as it is with its problems.

    The part that draws lines is always there, in the same place, so that the browser has loaded it when a text comes:
    loading it then would wait until everything else on the screen is drawn.
    """
    is_read = screen.payload is not None and not screen.is_editing
    with st.container():
        if not is_read:
            show_paste_area()
    guard_paste(
        PASTE_WIDGET,
        MAX_PASTED_CHARS,
        TOO_LONG_HINT,
        lambda text: read_pasted_text(get_selected_target(), text),
        key="inspect-guard",
        min_key_characters=MIN_SECRET_CHARACTERS,
        key_hint=KEY_HINT,
        takes_anywhere=is_read,
    )
    show_text_actions(screen, is_read=is_read)
    above = st.container()
    if is_read:
        with above:
            st.caption("Annotated payload (invisible characters shown)")
        show_annotated_payload(screen)
    elif screen.trouble_line is not None and screen.text:
        show_trouble_lines(screen, screen.trouble_line)
    else:
        show_annotated_text((), {}, key=TEXT_WIDGET, label="Annotated payload")


def show_paste_area() -> None:
    """The text area to paste into."""
    st.text_area(
        "Paste or drop a request body, events, JSON lines, or a request copied as cURL, PowerShell, fetch or HAR",
        key=PASTE_WIDGET,
        height=320,
        on_change=lambda: read_paste(get_selected_target()),
        persist_state="session",
    )


def show_text_actions(screen: InspectState, *, is_read: bool) -> None:
    """The buttons that change the text."""
    to = get_selected_target()
    with st.container(horizontal=True, vertical_alignment="center", key="inspect-text-actions"):
        if is_read:
            st.button("Edit text", key="inspect-edit", on_click=edit_text)
            st.button("Format", key="inspect-format", on_click=format_text, args=(to,),
                      help="Indents the JSON. Not one digit, key or escape is changed.")  # fmt: skip
            st.button("Clear", key="inspect-clear", on_click=clear_text,
                      help="Or paste another text at once: it takes the place of this one.")  # fmt: skip
        else:
            st.button("Inspect", key="inspect-read", type="primary", on_click=read_paste, args=(to,))
        if screen.undo_texts:
            st.button("Undo", key="inspect-undo", on_click=undo_last_fix, args=(to,))
        show_rules_choice("inspect")
        with st.popover("Open a file", key="inspect-drop", type="tertiary"):
            file_key = make_key("inspect-file", screen.files_dropped)
            st.file_uploader(
                f"A text of up to {MAX_PASTED_CHARS / 1e6:.0f} MB, or a HAR file of up to {MAX_HAR_BYTES / 1e6:.0f} MB",
                PASTE_FILE_TYPES,
                key=file_key,
                max_upload_size=MAX_HAR_BYTES // 1_000_000,
                on_change=_read_uploaded_file,
                args=(file_key,),
            )


def _read_uploaded_file(file_key: str) -> None:
    """Read a file from memory: unlike an upload it never reaches the disk, for it may hold a key."""
    file = st.session_state.get(file_key)
    if file is not None:
        read_dropped_file(get_selected_target(), file.name, file.getvalue())


def show_annotated_payload(screen: InspectState) -> None:
    """The text, unchanged, with an annotation at each problem."""
    if screen.payload is None:
        return
    text = screen.payload.text
    total = text.count("\n") + 1
    first = max(1, min(screen.focus - MAX_LINES_DRAWN // 2, total - MAX_LINES_DRAWN + 1))
    titles = {problem.number: problem.issue.kind.title for problem in screen.problems[: len(screen.annotations)]}
    lines = annotate_lines(text, screen.annotations, first, MAX_LINES_DRAWN)
    show_annotated_text(
        lines,
        titles,
        key=TEXT_WIDGET,
        focus=screen.focus,
        focus_count=screen.focus_count,
        label="Annotated payload",
    )
    if total > MAX_LINES_DRAWN:
        st.caption(f"Lines {first:,} to {first + len(lines) - 1:,} of {total:,}.")


def show_trouble_lines(screen: InspectState, line: int) -> None:
    """The lines around the one where the text cannot be read."""
    first = max(1, line - LINES_AROUND_TROUBLE)
    lines = annotate_lines(screen.text, (), first, 2 * LINES_AROUND_TROUBLE + 1)
    show_annotated_text(
        lines,
        {},
        key=TEXT_WIDGET,
        focus=line,
        focus_count=screen.focus_count,
        label="The lines around the one that cannot be read",
    )
