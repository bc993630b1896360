"""The pieces of the Sandbox screen that show what reached it: the live rows, one event, one request."""

import json
from datetime import datetime

import streamlit as st

from intempt_core import SandboxUnavailable
from intempt_core.events import EventName
from intempt_core.instrument import KeptRequest, LiveRow
from intempt_core.sandbox.digest import KEPT_REQUESTS, KEPT_BODY_BYTES
from intempt_core.sandbox.live import SHOW_EVERYTHING, SEARCHED_EVENTS, LIVE_FILTERS
from intempt_core.targets import SANDBOX
from pages.parts import watching
from pages.parts.house import house
from pages.parts.look import counted, moment, raw, weight, zone, zone_name
from pages.parts.session import key, value
from pages.parts.watching import ANY, NAME, ROWS, TEXT

EVERY_SECONDS = 1.0
"""How often the live rows are looked up."""

HEIGHT = 560
"""Pixels of the live rows; what is below scrolls."""


def keep_link(seq: str | None, request: str | None) -> None:
    """Write what is open into the browser's address, where a link within the page leaves it out."""
    if request or seq:
        st.query_params.from_dict({"request": request} if request else {"event": seq or ""})


def filters() -> None:
    """What is shown, which event, the search, and whether it moves; all but the last stand in the link."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Show", list(LIVE_FILTERS), key=watching.SHOWN, bind="query-params", width=170,
                     on_change=watching.refilter)  # fmt: skip
        st.selectbox("Event", [ANY, *(name.value for name in EventName)], key=NAME, bind="query-params", width=190,
                     on_change=watching.refilter)  # fmt: skip
        st.text_input(
            "Search",
            key=TEXT,
            placeholder="Part of an id, a client, a path",
            help=f"Looks at the last {SEARCHED_EVENTS:,} events.",
            bind="query-params",
            width="stretch",
            on_change=watching.refilter,
        )
        paused = watching.watching().paused
        st.button("Go on" if paused else "Pause", key="sandbox-pause", on_click=watching.pause)


def watch() -> None:
    """The last rows, looked up again and again; while paused they stand still and can be opened."""
    paused = watching.watching().paused

    @st.fragment(run_every=None if paused else EVERY_SECONDS)
    def rows() -> None:
        seen = watching.look()
        if seen is None:
            st.markdown(":red-badge[■ the sandbox is silent]")
            st.text(watching.watching().trouble)
        elif seen.rows:
            st.caption(_headline(seen.received, paused=paused))
            _table(seen.rows, paused=paused)
        else:
            _nothing(seen.received)

    rows()


def _headline(received: int, *, paused: bool) -> str:
    how = "Paused: choose a row to open it." if paused else f"{watching.rate():,.0f} a second. Pause to open a row."
    return f"{counted(received, 'event')} received · {how} The last {ROWS} of what is shown, times in {zone_name()}."


def _table(rows: tuple[LiveRow, ...], *, paused: bool) -> None:
    shown = [
        {
            "Time": datetime.fromtimestamp(row.received_at / 1000, zone()).strftime("%H:%M:%S.%f")[:-3],
            "What": what(row),
            "Person": row.person or "",
            "Product": row.product or "",
            "Processed, or why not": verdict(row),
            "Client": f"{row.client or '(unnamed)'} from {row.address or 'unknown'}",
        }
        for row in rows
    ]
    widths = {"Time": 100, "What": 170, "Person": 170, "Product": 150, "Processed, or why not": 360, "Client": 220}
    columns = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    alt = "The last of what reached the sandbox, newest first"
    if not paused:  # what moves cannot be opened: a row would be another one by the time the click arrives
        st.dataframe(shown, hide_index=True, height=HEIGHT, column_config=columns, alt=alt, key="sandbox-rows")
        return
    found = watching.watching()
    chosen = st.dataframe(
        shown, hide_index=True, height=HEIGHT, column_config=columns, alt=alt,
        key=key("sandbox-rows-paused", found.opened), on_select="rerun", selection_mode="single-row",
    )  # fmt: skip
    if chosen.selection.rows and chosen.selection.rows[0] < len(rows):
        _open(rows[chosen.selection.rows[0]])


def _open(row: LiveRow) -> None:
    kept = {name: value(name) for name in (watching.SHOWN, NAME, TEXT)}
    found = watching.watching()
    found.opened += 1  # the rows are drawn anew on the way back, with nothing chosen
    found.filters = {n: text for n, text in kept.items() if text not in (None, "", ANY, SHOW_EVERYTHING)}
    st.query_params.from_dict({"event": str(row.seq)} if row.seq is not None else {"request": str(row.request)})
    st.rerun()


def what(row: LiveRow) -> str:
    """An event's name, or what a request that brought none was for."""
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


def verdict(row: LiveRow) -> str:
    """What became of it, in the words and shapes of every screen."""
    on_purpose = f", on purpose: {row.fault}" if row.fault else ""
    if row.processed is None and row.status is not None and row.status < 300:
        return f"○ answered {row.status}{on_purpose}"
    if row.processed is None:
        why = "" if row.fault else f". {row.because}"
        return f"■ {'refused, ' + str(row.status) if row.status else 'no answer'}{on_purpose}{why}"
    return ("● processed" if row.processed else f"◆ not processed. {row.because}") + on_purpose


def _nothing(received: int) -> None:
    if received or value(TEXT) or value(NAME) not in (None, ANY) or value(watching.SHOWN) not in (None, SHOW_EVERYTHING):
        st.text("Nothing that is shown here fits. It goes on looking.")
        return
    st.text("Nothing has reached the sandbox yet. Whatever is sent to it, from here or by any program, shows up here.")
    st.page_link("compose.py", label="Compose the first event")
    st.text("Or from a shell:")
    raw(example())


def example() -> str:
    """A command that sends one event to this sandbox."""
    target = house().targets[SANDBOX]
    event = {"eventId": "evt_1", "userId": "user_123", "data": {"productId": "SKU_987"}}
    body = json.dumps({"track": [{"name": "Product viewed", "payload": [event]}]})
    return f"curl -u sandbox:sandbox -H 'Content-Type: application/json' \\\n  {target.track_url} \\\n  -d '{body}'"


def one_event(text: str) -> None:
    """One event: what it was, what became of it, and the request that brought it."""
    _back()
    seq = int(text) if text.isdecimal() and len(text) < 16 else 0
    try:
        event = watching.instrument().event(seq)
    except SandboxUnavailable as error:
        st.text(str(error))
        return
    st.markdown(":green-badge[● processed]" if event["processed"] else ":orange-badge[◆ not processed]")
    if event["because"]:
        st.text(event["because"])
    st.text(f"{event['name'] or '(no name)'} · {moment(event['received_at'])} ({zone_name()})")
    st.caption("The event as the sandbox keeps it")
    raw(json.dumps(event["event"], ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace").decode())
    try:
        _request(watching.instrument().request(event["request"]))
    except SandboxUnavailable as error:
        st.text(str(error))


def one_request(text: str) -> None:
    """One request as it came, and what was answered."""
    _back()
    try:
        _request(watching.instrument().request(int(text) if text.isdecimal() and len(text) < 16 else 0))
    except SandboxUnavailable as error:
        st.text(str(error))


def _request(request: KeptRequest) -> None:
    answered = f"answered {request.status}" if request.status else "never answered"
    st.text(
        f"Request {request.id}: {answered}, {counted(request.events, 'event')} taken, {weight(request.size)}, from "
        f"{request.client or '(unnamed)'} at {request.address or 'unknown'}, {moment(request.received_at)}."
    )
    if request.fault:
        st.text(f"On purpose: {request.fault}.")
    if request.told:
        st.text(f"Refused: {request.told}")
    st.caption(f"The request as it came, without its credential. The last {KEPT_REQUESTS:,} are kept.")
    raw(request.text, 420)
    if not request.whole:
        st.caption(f"The first {weight(KEPT_BODY_BYTES)} of its body or less; the sandbox keeps no more.")
    if request.events > 1 and request.first is not None:
        last = request.first + request.events - 1
        st.caption(f"Its events have the numbers {request.first} to {last}.")


def _back() -> None:
    st.button("← Everything that reached the sandbox", key="sandbox-back", type="tertiary", on_click=watching.back)
