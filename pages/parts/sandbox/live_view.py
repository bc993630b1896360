"""What reached the sandbox: the live rows, one event, one request."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from intempt_core.contract import (
    ADDS_TO_FEED,
    FEED_IDENTITY_TYPES,
    IDENTITY_FIELDS,
    REMOVES_FROM_FEED,
    EventName,
    LiveFilter,
    format_count,
)
from intempt_core.errors import SandboxUnavailable
from intempt_core.sandbox import KEPT_BODY_BYTES, KEPT_REQUESTS, SEARCHED_EVENTS
from intempt_core.targets import SANDBOX
from intempt_core.transport import KeptRequest, LiveRow
from intempt_core.validation import escape_invisible
from pages.parts.sandbox.state import (
    ANY_EVENT,
    FILTER_NAME,
    FILTER_SHOWN,
    FILTER_TEXT,
    LIVE_ROWS,
    OWN_READS_WIDGET,
    clear_live_rows,
    compute_event_rate,
    get_sandbox_state,
    read_live_rows,
    return_to_rows,
    toggle_pause,
)
from pages.parts.shared.empty_state import FirstStep, show_empty_state
from pages.parts.shared.formatting import format_moment, format_size, format_zoned_moment, show_raw_text
from pages.parts.shared.links import show_link
from pages.parts.shared.sandbox_connection import get_sandbox_client
from pages.parts.shared.sandbox_events import show_event_actions
from pages.parts.shared.screen_state import read_widget, translate_former_state
from pages.parts.shared.screens import set_title
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_browser_zone, get_zone_name
from pages.parts.shared.widgets.link_table import TableCell, TableColumn, TableRow, show_link_table

LIVE_POLL_SECONDS = 1.0
"""How often the live rows are read."""

COLUMNS = (
    TableColumn("Time", is_clock=True),
    TableColumn("Event or request"),
    TableColumn("User"),
    TableColumn("Product"),
    TableColumn("Result"),
    TableColumn("Client"),
)
MAX_NUMBER_LENGTH = 15
"""Digits of the number of an event or request at the most."""

MAX_EVENTS_LINKED = 10
"""Events of a request that have a link; the others are reached by their number in the address."""


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
    st.checkbox(
        "Show this console's own reads of feeds",
        key=OWN_READS_WIDGET,
        persist_state="session",
        on_change=clear_live_rows,
    )


def watch_live_rows() -> None:
    """The last rows, read every second; while paused they do not change. Any row can be opened at any time."""
    paused = get_sandbox_state().paused

    @st.fragment(run_every=None if paused else LIVE_POLL_SECONDS)
    def rows() -> None:
        seen = read_live_rows()
        if seen is None:
            st.markdown(":red-badge[■ the sandbox does not respond]")
            st.text(get_sandbox_state().trouble)
        elif seen.rows:
            st.caption(_format_live_headline(seen.received, paused=paused))
            _show_live_rows(seen.rows)
        else:
            _show_no_rows(seen.received)

    rows()


def _format_live_headline(received: int, *, paused: bool) -> str:
    rate = "Paused" if paused else f"{compute_event_rate():,.0f} per second"
    last = f"The last {LIVE_ROWS} rows that match, times in {get_zone_name()}."
    return f"{format_count(received, 'event')} received · {rate} · {last}"


def _show_live_rows(rows: tuple[LiveRow, ...]) -> None:
    used = show_link_table(
        "The last events and requests that reached the sandbox, newest first",
        COLUMNS,
        [_build_row(row) for row in rows],
        opens="event",
        link_column=1,
        is_live=True,
        key="sandbox-rows",
    )
    if used.opened is not None:
        _open_row(*used.opened)


def _build_row(row: LiveRow) -> TableRow:
    at = datetime.fromtimestamp(row.received_at / 1000, get_browser_zone()).strftime("%H:%M:%S.%f")[:-3]
    texts = (
        at, format_row_name(row), row.person or "", row.product or "", format_row_verdict(row),
        f"{row.client or '(unnamed)'} from {row.address or '(no address)'}",
    )  # fmt: skip
    time, name, user, product, verdict, client = map(escape_invisible, texts)
    colour = {"●": "green", "◆": "orange", "■": "red"}.get(verdict[:1], "gray")
    cells = (
        TableCell(time),
        TableCell(name),
        TableCell(user, is_fixed=True),
        TableCell(product, is_fixed=True),
        TableCell(badges=((verdict, colour),)),
        TableCell(client),
    )
    kind, number = ("event", row.seq) if row.seq is not None else ("request", row.request)
    return TableRow(str(number), f"{name} at {time}", cells, opens=kind)


def _open_row(kind: str, number: str) -> None:
    """Open what a row of the browser names; nothing else is taken from it."""
    if not number.isdecimal() or len(number) > MAX_NUMBER_LENGTH:
        return
    filters = {name: read_widget(name) for name in (FILTER_SHOWN, FILTER_NAME, FILTER_TEXT)}
    found = get_sandbox_state()
    found.filters = {n: text for n, text in filters.items() if text not in (None, "", ANY_EVENT, LiveFilter.EVERYTHING)}
    st.query_params.from_dict({kind: number})
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
    show_empty_state(
        "Nothing has reached the sandbox yet. Everything that is sent to it, from here or by any program, appears"
        " here.",
        FirstStep("Compose the first event", page="compose.py"),
        "stream",
    )
    st.text("Or from a shell:")
    show_raw_text(build_curl_example())


def build_curl_example() -> str:
    """A command that sends one event to this sandbox."""
    target = get_services().targets[SANDBOX]
    event = {"eventId": "evt_1", "userId": "user_123", "data": {"productId": "SKU_987"}}
    body = json.dumps({"track": [{"name": "Product viewed", "payload": [event]}]})
    return f"curl -u sandbox:sandbox -H 'Content-Type: application/json' \\\n  {target.track_url} \\\n  -d '{body}'"


def show_sandbox_event(text: str) -> None:
    """One event: its outcome, the ways to everything that it has to do with, and the request that brought it."""
    _show_back_button()
    seq = _parse_number(text)
    try:
        event = get_sandbox_client().read_event(seq)
    except SandboxUnavailable as error:
        st.text(str(error))
        return
    set_title(f"Event {seq}")
    st.markdown(":green-badge[● processed]" if event["processed"] else ":orange-badge[◆ ignored]")
    if event["because"]:
        st.text(escape_invisible(event["because"]))
    st.text(f"{event['name'] or '(no name)'} · {format_zoned_moment(event['received_at'])}")
    _show_event_links(seq, event)
    st.caption("The event as the sandbox stores it")
    show_raw_text(json.dumps(event["event"], ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace").decode())
    try:
        _show_kept_request(get_sandbox_client().read_request(event["request"]))
    except SandboxUnavailable as error:
        st.text(str(error))


def _show_event_links(seq: int, event: Mapping[str, Any]) -> None:
    """The ways from an event to the user's feeds, to the event that it repeats, to History, Inspect and Compose."""
    with st.container(horizontal=True, vertical_alignment="center", key="sandbox-links"):
        if event["repeat_of"] is not None:
            first = str(event["repeat_of"])
            show_link("sandbox.py", f"Repeat of event {first}", {"event": first})
        if feeds := find_feeds_question(event):
            show_link("feeds.py", "User's feeds", feeds)
        event_id = event["eventId"]
        if event_id and get_services().history.events.occurrences([event_id]):
            show_link("history.py", "Sent from here, in History", {"event": event_id})
        show_event_actions(seq, key="sandbox-event")


def find_feeds_question(event: Mapping[str, Any]) -> dict[str, str]:
    """What Feeds is asked about an event: its user, and why its product is not in the feed that it would change.

    Empty where the event names nobody, or belongs to a project of which this console reads no feeds. Any: JSON.
    """
    target = get_services().targets[SANDBOX]
    by = next((field for field in (*FEED_IDENTITY_TYPES, *IDENTITY_FIELDS) if event[field]), "")
    if not by or (event["org"], event["project"]) != (target.org, target.project):
        return {}
    asked = {"target": SANDBOX, "by": by, "person": event[by]}
    feed = ADDS_TO_FEED.get(event["name"]) or REMOVES_FROM_FEED.get(event["name"])
    return asked if feed is None or not event["productId"] else asked | {"product": event["productId"], "feed": feed}


def show_sandbox_request(text: str) -> None:
    """One request as it arrived, and the response."""
    _show_back_button()
    number = _parse_number(text)
    set_title(f"Request {number}")
    try:
        _show_kept_request(get_sandbox_client().read_request(number))
    except SandboxUnavailable as error:
        st.text(str(error))


def _parse_number(text: str) -> int:
    """The number in a link; 0, which nothing has, where it is none."""
    return int(text) if text.isdecimal() and len(text) <= MAX_NUMBER_LENGTH else 0


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
    if request.events and request.first is not None:
        last = request.first + request.events - 1
        with st.container(horizontal=True, vertical_alignment="center"):
            if request.events > 1:
                st.caption(f"Its events have the numbers {request.first} to {last}.")
            for number in range(request.first, min(last, request.first + MAX_EVENTS_LINKED - 1) + 1):
                show_link("sandbox.py", f"Event {number}", {"event": str(number)})


def _show_back_button() -> None:
    st.button("← All rows", key="sandbox-back", type="tertiary", on_click=return_to_rows)
