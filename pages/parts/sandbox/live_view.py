"""What reached the sandbox: the live rows, one event, one request."""

import json
from datetime import datetime

import streamlit as st

from intempt_core.contract import EventName, LiveFilter, format_count
from intempt_core.errors import SandboxUnavailable
from intempt_core.sandbox import KEPT_BODY_BYTES, KEPT_REQUESTS, SEARCHED_EVENTS
from intempt_core.targets import SANDBOX
from intempt_core.transport import KeptRequest, LiveRow
from pages.parts.sandbox.state import (
    ANY_EVENT,
    FILTER_NAME,
    FILTER_SHOWN,
    FILTER_TEXT,
    LIVE_ROWS,
    clear_live_rows,
    compute_event_rate,
    get_sandbox_state,
    read_live_rows,
    return_to_rows,
    toggle_pause,
)
from pages.parts.shared.formatting import format_moment, format_size, show_raw_text
from pages.parts.shared.sandbox_connection import get_sandbox_client
from pages.parts.shared.screen_state import make_key, read_widget, translate_former_state
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_browser_zone, get_zone_name

LIVE_POLL_SECONDS = 1.0
"""How often the live rows are read."""

LIVE_TABLE_HEIGHT = 560
"""Height of the live rows in pixels; more rows scroll."""


def update_sandbox_link(seq: str | None, request: str | None) -> None:
    """Write what is open into the browser's address: a link within the screen drops it."""
    if request or seq:
        st.query_params.from_dict({"request": request} if request else {"event": seq or ""})


def show_sandbox_filters() -> None:
    """The filters by kind and event, the search, and the pause button; all but the last are part of the link."""
    translate_former_state(FILTER_SHOWN)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Show",
            [shown.value for shown in LiveFilter],
            key=FILTER_SHOWN,
            bind="query-params",
            width=170,
            on_change=clear_live_rows,
        )
        st.selectbox(
            "Event",
            [ANY_EVENT, *(name.value for name in EventName)],
            key=FILTER_NAME,
            bind="query-params",
            width=190,
            on_change=clear_live_rows,
        )
        st.text_input(
            "Search",
            key=FILTER_TEXT,
            placeholder="Part of an id, a client, a path",
            help=f"Searches the last {SEARCHED_EVENTS:,} events.",
            bind="query-params",
            width="stretch",
            on_change=clear_live_rows,
        )
        paused = get_sandbox_state().paused
        st.button("Resume" if paused else "Pause", key="sandbox-pause", on_click=toggle_pause)


def watch_live_rows() -> None:
    """The last rows, read every second; while paused they do not change, and can be opened."""
    paused = get_sandbox_state().paused

    @st.fragment(run_every=None if paused else LIVE_POLL_SECONDS)
    def rows() -> None:
        seen = read_live_rows()
        if seen is None:
            st.markdown(":red-badge[■ the sandbox does not respond]")
            st.text(get_sandbox_state().trouble)
        elif seen.rows:
            st.caption(_format_live_headline(seen.received, paused=paused))
            _show_live_rows(seen.rows, paused=paused)
        else:
            _show_no_rows(seen.received)

    rows()


def _format_live_headline(received: int, *, paused: bool) -> str:
    hint = "Paused: select a row to open it."
    if not paused:
        hint = f"{compute_event_rate():,.0f} per second. Pause to open a row."
    last = f"The last {LIVE_ROWS} rows that match, times in {get_zone_name()}."
    return f"{format_count(received, 'event')} received · {hint} {last}"


def _show_live_rows(rows: tuple[LiveRow, ...], *, paused: bool) -> None:
    shown = [
        {
            "Time": datetime.fromtimestamp(row.received_at / 1000, get_browser_zone()).strftime("%H:%M:%S.%f")[:-3],
            "Event or request": format_row_name(row),
            "Person": row.person or "",
            "Product": row.product or "",
            "Result": format_row_verdict(row),
            "Client": f"{row.client or '(unnamed)'} from {row.address or '(no address)'}",
        }
        for row in rows
    ]
    widths = {"Time": 100, "Event or request": 170, "Person": 170, "Product": 150, "Result": 360, "Client": 220}
    columns = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    alt = "The last events and requests that reached the sandbox, newest first"
    if not paused:  # a row that moves cannot be opened: the click would hit another one
        st.dataframe(
            shown, hide_index=True, height=LIVE_TABLE_HEIGHT, column_config=columns, alt=alt, key="sandbox-rows"
        )
        return
    found = get_sandbox_state()
    chosen = st.dataframe(
        shown, hide_index=True, height=LIVE_TABLE_HEIGHT, column_config=columns, alt=alt,
        key=make_key("sandbox-rows-paused", found.rows_opened), on_select="rerun", selection_mode="single-row",
    )  # fmt: skip
    if chosen.selection.rows and chosen.selection.rows[0] < len(rows):
        _open_row(rows[chosen.selection.rows[0]])


def _open_row(row: LiveRow) -> None:
    filters = {name: read_widget(name) for name in (FILTER_SHOWN, FILTER_NAME, FILTER_TEXT)}
    found = get_sandbox_state()
    found.rows_opened += 1  # a new key: on the way back no row is selected
    found.filters = {n: text for n, text in filters.items() if text not in (None, "", ANY_EVENT, LiveFilter.EVERYTHING)}
    st.query_params.from_dict({"event": str(row.seq)} if row.seq is not None else {"request": str(row.request)})
    st.rerun()


def format_row_name(row: LiveRow) -> str:
    """The name of an event, or the purpose of a request without events."""
    if row.seq is not None or row.name is None:
        return row.name or "(no name)"
    steps = row.name.partition("?")[0].split("/")
    match steps:
        case ["POST ", "v1", *_, "track"]:
            return "track request"
        case ["POST ", "v1", *_, "feeds", feed, "data"]:
            return f"feed {feed}"
        case ["POST ", "v1", *_, "consents", "data"]:
            return "consent"
        case _:
            return row.name


def format_row_verdict(row: LiveRow) -> str:
    """What became of an event or a request, with the shapes of every screen."""
    simulated = f", simulated: {row.fault}" if row.fault else ""
    if row.processed is None and row.status is not None and row.status < 300:
        return f"○ responded {row.status}{simulated}"
    if row.processed is None:
        reason = "" if row.fault else f". {row.because}"
        return f"■ {'rejected, ' + str(row.status) if row.status else 'no response'}{simulated}{reason}"
    return ("● processed" if row.processed else f"◆ not processed. {row.because}") + simulated


def _show_no_rows(received: int) -> None:
    if (
        received
        or read_widget(FILTER_TEXT)
        or read_widget(FILTER_NAME) not in (None, ANY_EVENT)
        or read_widget(FILTER_SHOWN) not in (None, LiveFilter.EVERYTHING)
    ):
        st.text("Nothing matches these filters yet. Rows appear here as they arrive.")
        return
    st.text(
        "Nothing has reached the sandbox yet. Everything that is sent to it, from here or by any program, appears here."
    )
    st.page_link("compose.py", label="Compose the first event")
    st.text("Or from a shell:")
    show_raw_text(build_curl_example())


def build_curl_example() -> str:
    """A command that sends one event to this sandbox."""
    target = get_services().targets[SANDBOX]
    event = {"eventId": "evt_1", "userId": "user_123", "data": {"productId": "SKU_987"}}
    body = json.dumps({"track": [{"name": "Product viewed", "payload": [event]}]})
    return f"curl -u sandbox:sandbox -H 'Content-Type: application/json' \\\n  {target.track_url} \\\n  -d '{body}'"


def show_sandbox_event(text: str) -> None:
    """One event: what it is, its outcome, and the request that brought it."""
    _show_back_button()
    seq = int(text) if text.isdecimal() and len(text) < 16 else 0
    try:
        event = get_sandbox_client().read_event(seq)
    except SandboxUnavailable as error:
        st.text(str(error))
        return
    st.markdown(":green-badge[● processed]" if event["processed"] else ":orange-badge[◆ not processed]")
    if event["because"]:
        st.text(event["because"])
    st.text(f"{event['name'] or '(no name)'} · {format_moment(event['received_at'])}, {get_zone_name()}")
    st.caption("The event as the sandbox stores it")
    show_raw_text(json.dumps(event["event"], ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace").decode())
    try:
        _show_kept_request(get_sandbox_client().read_request(event["request"]))
    except SandboxUnavailable as error:
        st.text(str(error))


def show_sandbox_request(text: str) -> None:
    """One request as it arrived, and the response."""
    _show_back_button()
    try:
        _show_kept_request(get_sandbox_client().read_request(int(text) if text.isdecimal() and len(text) < 16 else 0))
    except SandboxUnavailable as error:
        st.text(str(error))


def _show_kept_request(request: KeptRequest) -> None:
    response = f"responded {request.status}" if request.status else "no response"
    client = f"{request.client or '(unnamed)'} at {request.address or '(no address)'}"
    st.text(
        f"Request {request.id}: {response}, {format_count(request.events, 'event')} stored,"
        f" {format_size(request.size)}, from {client}, {format_moment(request.received_at)}."
    )
    if request.fault:
        st.text(f"Simulated failure: {request.fault}.")
    if request.message:
        st.text(f"Rejected: {request.message}")
    st.caption(
        f"The request as it arrived, without its credential. The last {KEPT_REQUESTS:,} are kept."
        " Those without the key are counted apart."
    )
    show_raw_text(request.text, 420)
    if not request.whole:
        st.caption(f"The first {format_size(KEPT_BODY_BYTES)} of its body at most; the sandbox keeps no more.")
    if request.events > 1 and request.first is not None:
        last = request.first + request.events - 1
        st.caption(f"Its events have the numbers {request.first} to {last}.")


def _show_back_button() -> None:
    st.button("← All rows", key="sandbox-back", type="tertiary", on_click=return_to_rows)
