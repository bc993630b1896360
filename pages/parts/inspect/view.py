"""What the Inspect screen says of a text as a whole: what it was recognised as, or why it cannot be read."""

import streamlit as st

from intempt_core.readers import ListedRequest
from intempt_core.validation import escape_invisible
from pages.parts.inspect.problems_view import format_problem_counts
from pages.parts.inspect.state import PASTE_WIDGET, REQUEST_WIDGET, InspectState, choose_request, read_paste
from pages.parts.shared.empty_state import FirstStep, show_empty_state
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.session_targets import get_selected_target

REQUESTS_PER_PAGE = 20
"""Requests of a text on one page of their list."""

EXAMPLE_PAYLOAD = """{
  "track": [
    {
      "name": "Added to cart",
      "payload": [
        {"eventId": "evt_1", "userId": "user_123", "data": {"productID": "SKU_987"}}
      ]
    }
  ]
}"""


def show_inspect_intro(screen: InspectState) -> None:
    """Without a readable text: what this screen is for, or why the text cannot be read."""
    if screen.trouble:
        st.markdown(f":red-badge[■ {'Invalid JSON' if screen.is_bad_json else 'cannot be read'}]")
        st.text(escape_invisible(screen.trouble))
        if screen.note:
            st.text(screen.note)
        show_requests(screen)
        return
    show_empty_state(
        "Paste what an application sent, and see what is wrong with it, where, and how to fix it. A command is read "
        "and never run. A key in it is masked at once, and not stored.",
        FirstStep("Try an example", on_click=_fill_example, key="inspect-example"),
        "code",
    )


def _fill_example() -> None:
    st.session_state[PASTE_WIDGET] = EXAMPLE_PAYLOAD
    read_paste(get_selected_target())


def show_recognition(screen: InspectState) -> None:
    """What the text was recognised as, and how many problems it has."""
    if screen.payload is None:
        return
    st.text(f"Recognised: {screen.payload.recognised}")
    if screen.case is not None:
        st.text(
            escape_invisible(
                f"From a case file made {screen.case.made_at}; its identities are {screen.case.identities}."
            )
        )
        with st.expander("More from the case file", type="compact", key="inspect-case"):
            for fact in screen.case.facts:
                st.text(escape_invisible(fact))
    for note in (*screen.payload.notes, *([screen.note] if screen.note else [])):
        st.text(escape_invisible(note))
    show_requests(screen)
    st.markdown(format_problem_counts(screen))


def show_requests(screen: InspectState) -> None:
    """The requests of a text that holds several, and the choice of one."""
    if len(screen.requests) < 2:
        return
    requests = {one.number: one for one in screen.requests}
    st.selectbox(
        "Request",
        [None, *requests],
        format_func=lambda number: (
            "Those that go to a track path" if number is None else _format_request(requests[number])
        ),
        key=REQUEST_WIDGET,
        on_change=lambda: choose_request(get_selected_target()),
    )
    with st.expander(f"All {len(requests):,} requests", type="compact", key="inspect-requests"):
        page = (
            st.pagination(-(-len(requests) // REQUESTS_PER_PAGE), key="inspect-requests-page")
            if (len(requests) > REQUESTS_PER_PAGE)
            else 1
        )
        for one in screen.requests[(page - 1) * REQUESTS_PER_PAGE : page * REQUESTS_PER_PAGE]:
            st.text(("● " if one.is_read else "– ") + _format_request(one))
            if one.remark and not one.is_read:
                st.caption(escape_markdown(escape_invisible(one.remark)))


def _format_request(one: ListedRequest) -> str:
    parts = [f"{one.number}", one.method, one.url or "no address", one.status]
    return escape_invisible(" · ".join(part for part in parts if part))
