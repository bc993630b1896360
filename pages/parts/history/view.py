"""What the History screen shows: the list of batches, one batch, one request."""

from datetime import datetime, timedelta

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.errors import NotFound
from intempt_core.exports import export_results_csv
from intempt_core.history import BatchFilter, BatchSource, BatchSummary, RequestState, RequestSummary
from intempt_core.planning import ORDER_MESSAGES, EventOrder
from intempt_core.readers import read_payload
from pages.parts.history.case_view import show_case_actions
from pages.parts.history.resend import show_resend
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import (
    STATE_STYLES,
    escape_markdown,
    format_batch_badges,
    format_duration,
    format_moment,
    format_state,
    format_state_badge,
    label_state,
)
from pages.parts.shared.links import open_in_compose, show_link
from pages.parts.shared.outcome_card import show_outcome_card, show_response
from pages.parts.shared.screen_state import (
    make_key,
    read_widget,
    set_widget,
    translate_former_state,
)
from pages.parts.shared.send_flow import show_batch_controls, watch_batch
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import find_batch_target, get_selected_target
from pages.parts.shared.time_zones import get_browser_zone, get_zone_name

BATCHES_PER_PAGE, REQUESTS_PER_PAGE = 25, 50
"""Batches on one page of the list, and requests on one page of a batch."""

SINCE_DAYS = {"any time": None, "last hour": 1 / 24, "last day": 1, "last 7 days": 7, "last 30 days": 30}
OUTCOME_FILTERS = (
    RequestState.ACCEPTED,
    RequestState.REJECTED,
    RequestState.UNKNOWN,
    RequestState.NOT_SENT,
    RequestState.PENDING,
)


def update_history_link(batch: str | None, request: str | None) -> None:
    """Write what is open into the browser's address: a link within the screen drops it."""
    if request:
        st.query_params.from_dict({"request": request})
    elif batch:
        st.query_params.from_dict({"batch": batch})


def show_history_filters() -> None:
    """The filters by time, target, source and outcome, and the search; all are part of the link."""
    translate_former_state("history-outcome")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Time", SINCE_DAYS, key="history-since", bind="query-params", width=150)
        names = get_services().history.queries.target_names()
        st.selectbox("Target", ["any target", *names], key="history-target", bind="query-params", width=180)
        st.selectbox(
            "Source",
            ["any source", *(source.value for source in BatchSource)],
            key="history-source",
            bind="query-params",
            width=160,
        )
        st.selectbox(
            "Outcome",
            ["any outcome", *(state.value for state in OUTCOME_FILTERS)],
            format_func=label_state,
            key="history-outcome",
            bind="query-params",
            width=160,
        )
        st.text_input(
            "Search",
            key="history-text",
            placeholder="A whole event id, identity, product id or batch id",
            bind="query-params",
            width="stretch",
        )


def read_batch_filter() -> BatchFilter:
    """The filters as they are set."""
    days = SINCE_DAYS.get(read_widget("history-since"))
    since = None if days is None else int((datetime.now(get_browser_zone()) - timedelta(days=days)).timestamp() * 1000)
    names, source, outcome = (
        read_widget("history-target"),
        read_widget("history-source"),
        read_widget("history-outcome"),
    )
    return BatchFilter(
        since=since,
        target=None if names in (None, "any target") else names,
        source=BatchSource(source) if source in tuple(BatchSource) else None,
        state=RequestState(outcome) if outcome in OUTCOME_FILTERS else None,
        text=(read_widget("history-text") or "").strip(),
    )


def show_batches() -> None:
    """The batches, newest first, each as a line with a link."""
    batch_filter = read_batch_filter()
    found = get_services().history.queries.batches(
        batch_filter, page=read_widget("history-page", 1), size=BATCHES_PER_PAGE
    )
    if found.number > found.pages:  # a narrower filter has fewer pages
        set_widget("history-page", found.pages)
        found = get_services().history.queries.batches(batch_filter, page=found.pages, size=BATCHES_PER_PAGE)
    if not found.total:
        show_no_batches(batch_filter)
        return
    st.caption(f"{format_count(found.total, 'batch', 'batches')}, newest first. Times in {get_zone_name()}.")
    for batch in found.items:
        show_batch_line(batch)
    if found.pages > 1:
        st.pagination(found.pages, key="history-page")


def show_no_batches(batch_filter: BatchFilter) -> None:
    """Why the list is empty, and what to do next."""
    if batch_filter == BatchFilter():
        st.text("Nothing was sent yet. Every batch that you send is kept here, with its responses.")
        st.page_link("compose.py", label="Compose the first event")
    else:
        st.text("No batch matches. A search needs a whole id, exactly as it was sent.")


def show_batch_line(batch: BatchSummary) -> None:
    """A batch in the list."""
    with st.container(horizontal=True, vertical_alignment="center", key=make_key("history", batch.id)):
        with st.container(width=230):
            st.text(format_moment(batch.created_at))
        with st.container(width="stretch"):
            recorded = f", {batch.total:,} recorded" if batch.unrecorded else ""
            state = "" if batch.is_final and not recorded else f" ({batch.state.value}{recorded})"
            st.text(f"{batch.source.value}: {batch.label}{state}")
        with st.container(width=130):
            st.text(batch.target.name)
        with st.container(width=110):
            st.text(format_count(batch.planned, "event"))
        with st.container(width=260):
            st.markdown(format_batch_badges(batch))
        show_link("history.py", "Open", {"batch": batch.id}, width=70)


def show_back_link(label: str, **params: str) -> None:
    """The link back, up one level."""
    show_link("history.py", f"← {label}", params)


def show_batch(id_: str) -> None:
    """One batch: what was sent, its progress, its requests."""
    show_back_link("All batches")
    try:
        batch = get_services().history.queries.batch(id_)
    except NotFound as error:
        st.text(str(error))
        return
    st.header(escape_markdown(batch.label), anchor=False)
    persons = (
        f" of {format_count(batch.persons, 'person')}" if batch.persons else ""
    )  # a batch of resent requests has none
    so_far = " so far" if batch.recorder else ""
    st.text(
        f"{batch.source.value} · {format_moment(batch.created_at)}, {get_zone_name()} · to {batch.target.name} at "
        f"{batch.target.host} · {format_count(batch.planned, 'event')}{persons} in "
        f"{format_count(sum(batch.requests.values()), 'request')}{so_far} · after an unknown outcome (may have"
        f" arrived): {batch.policy.value}"
    )
    if batch.excluded_rows:
        st.text(f"{format_count(batch.excluded_rows, 'row')} of the input skipped.")
    show_batch_fixes(batch)
    if batch.notes.get("order") == EventOrder.TIME.value:
        st.text(ORDER_MESSAGES[EventOrder.TIME])
    if batch.resend_of:
        show_link("history.py", "Resent from this batch", {"batch": batch.resend_of})
    for number, resend in enumerate(batch.resends, 1):
        label = "Resent in this batch" if len(batch.resends) == 1 else f"Resent in this batch ({number})"
        show_link("history.py", label, {"batch": resend})
    watch_batch(batch.id)
    batch = get_services().history.queries.batch(
        id_
    )  # read after the watch began, so that no end of the batch is missed
    show_batch_controls(batch)
    with st.container(horizontal=True, vertical_alignment="center"):
        show_resend(batch, get_selected_target())
        show_download(
            "results.csv",
            lambda: export_results_csv(get_services().history, id_),
            f"results-{id_}.csv",
            "text/csv",
            key="history-results",
        )
        show_link("feeds.py", "Conversion", {"batch": id_})
        show_case_actions(compare=f"batch {id_}")
    show_requests(batch)


def show_batch_fixes(batch: BatchSummary) -> None:
    """The fixes of the file before it was sent, in their order."""
    given = batch.notes.get("fixes")
    steps = given if isinstance(given, list) else []
    if steps:
        title = f"{format_count(len(steps), 'fix', 'fixes')} before the send; the file itself was not changed"
        with st.expander(title, key="history-fixes", type="compact"):
            for step in steps:
                st.text(step["message"])


def show_requests(batch: BatchSummary) -> None:
    """The requests of a batch, page by page, in one state or in all."""
    states = [state.value for state in RequestState if batch.requests.get(state)]
    state = st.selectbox(
        "Requests",
        [None, *states],
        format_func=lambda s: "all" if s is None else f"{label_state(s)}: {batch.requests[RequestState(s)]:,}",
        key=make_key("history-state", batch.id),
        width=200,
    )
    only, widget = RequestState(state) if state else None, make_key("history-request-page", batch.id, state)
    found = get_services().history.queries.requests(batch.id, only, page=read_widget(widget, 1), size=REQUESTS_PER_PAGE)
    if found.number > found.pages:  # fewer requests are in this state than before
        set_widget(widget, found.pages)
        found = get_services().history.queries.requests(batch.id, only, page=found.pages, size=REQUESTS_PER_PAGE)
    for request in found.items:
        show_request_line(request)
    if found.pages > 1:
        st.pagination(found.pages, key=widget)


def show_request_line(request: RequestSummary) -> None:
    """A request in the list."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width=170):
            st.text(f"request {request.id}{request.part and ' ' + request.part}")
        with st.container(width=110):
            st.text(format_count(request.events, "event"))
        with st.container(width=130):
            st.markdown(
                format_state_badge(request.state) if request.state in STATE_STYLES else label_state(request.state)
            )
        with st.container(width="stretch"):
            st.text(request.reason or ("not sent yet" if not request.tries else ""))
        with st.container(width=80):
            st.text(format_count(request.tries, "attempt"))
        show_link("history.py", "Open", {"request": str(request.id)}, width=70)


def show_request(id_: str) -> None:
    """One request: its outcome card, its events, every attempt."""
    try:
        request = get_services().history.queries.request(id_)
        batch = get_services().history.queries.batch(request.summary.batch)
    except NotFound as error:
        show_back_link("All batches")
        st.text(str(error))
        return
    show_back_link(f"Batch: {escape_markdown(batch.label)}", batch=batch.id)
    show_outcome_card(request, find_batch_target(batch))
    if st.button("Open in Compose", key="history-compose"):
        open_in_compose(read_payload(request.body.decode("utf-8", "replace")))
    show_case_actions(compare=f"request {id_}", request=id_)
    with st.expander(format_count(len(request.events), "event"), key="history-events"):
        st.dataframe(
            [
                {"row": event.event.row, **event.event._asdict(), "state": label_state(event.state)}
                for event in request.events
            ],
            hide_index=True,
            alt="The events of this request",
        )
    for attempt in reversed(request.attempts):
        with st.expander(
            f"Attempt {attempt.number}: {format_state(attempt.outcome)}",
            key=make_key("attempt", attempt.id),
        ):
            st.text(f"{attempt.reason} {format_moment(attempt.started_at)}, {format_duration(attempt.elapsed_ms)}.")
            show_response(attempt)
            st.caption("Request headers (credentials hidden)")
            st.code("\n".join(f"{name}: {text}" for name, text in attempt.sent_headers) or "none", language=None)
