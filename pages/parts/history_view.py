"""The pieces of the History screen: the list, one batch, one request."""

from datetime import datetime, timedelta

import streamlit as st

from intempt_core import NotFound, Target
from intempt_core.exports import export_results_csv
from intempt_core.history import BatchFilter, BatchSummary, RequestState, RequestSummary, BatchSource
from intempt_core.plan import ORDER_MESSAGES, EventOrder
from pages.parts import case_view, composing, resending, sending
from pages.parts.exchange import came_back, exchange
from pages.parts.frame import target
from pages.parts.house import house
from pages.parts.look import LOOKS, badge, badges, counted, escaped, lasted, moment, zone, zone_name
from pages.parts.session import key, put, session, value
from pages.parts.taking import download, link

BATCHES, REQUESTS = 25, 50
"""Lines of one page of batches, and of one batch's requests."""

SINCE = {"any time": None, "last hour": 1 / 24, "last day": 1, "last 7 days": 7, "last 30 days": 30}
OUTCOMES = (
    RequestState.ACCEPTED,
    RequestState.REJECTED,
    RequestState.UNKNOWN,
    RequestState.NOT_SENT,
    RequestState.PENDING,
)


def keep_link(batch: str | None, request: str | None) -> None:
    """Write what is open into the browser's address, where a link within the page leaves it out."""
    if request:
        st.query_params.from_dict({"request": request})
    elif batch:
        st.query_params.from_dict({"batch": batch})


def filters() -> None:
    """Time, target, source, outcome, and the search; they stand in the link."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Time", SINCE, key="history-since", bind="query-params", width=150)
        names = house().history.target_names()
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
            ["any outcome", *(state.value for state in OUTCOMES)],
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


def chosen() -> BatchFilter:
    """The filter that is set."""
    days = SINCE.get(value("history-since"))
    since = None if days is None else int((datetime.now(zone()) - timedelta(days=days)).timestamp() * 1000)
    names, source, outcome = value("history-target"), value("history-source"), value("history-outcome")
    return BatchFilter(
        since=since,
        target=None if names in (None, "any target") else names,
        source=BatchSource(source) if source in tuple(BatchSource) else None,
        state=RequestState(outcome) if outcome in OUTCOMES else None,
        text=(value("history-text") or "").strip(),
    )


def batches() -> None:
    """The batches, newest first, a line and a link each."""
    where = chosen()
    found = house().history.batches(where, page=value("history-page", 1), size=BATCHES)
    if found.number > found.pages:  # a narrower filter has fewer pages
        put("history-page", found.pages)
        found = house().history.batches(where, page=found.pages, size=BATCHES)
    if not found.total:
        nothing(where)
        return
    st.caption(f"{counted(found.total, 'batch', 'batches')}, newest first. Times in {zone_name()}.")
    for batch in found.items:
        line(batch)
    if found.pages > 1:
        st.pagination(found.pages, key="history-page")


def nothing(where: BatchFilter) -> None:
    """Why the list is empty, and what to do next."""
    if where == BatchFilter():
        st.text("Nothing was sent yet. Every batch that is sent from here stands here for good, with its answers.")
        st.page_link("compose.py", label="Compose the first event")
    else:
        st.text("No batch fits. A search takes a whole id, exactly as it was sent.")


def line(batch: BatchSummary) -> None:
    """One batch in the list."""
    with st.container(horizontal=True, vertical_alignment="center", key=key("history", batch.id)):
        with st.container(width=230):
            st.text(moment(batch.created_at))
        with st.container(width="stretch"):
            st.text(f"{batch.source.value}: {batch.label}" + ("" if batch.is_final else f" ({batch.state.value})"))
        with st.container(width=130):
            st.text(batch.target.name)
        with st.container(width=110):
            st.text(counted(batch.total, "event"))
        with st.container(width=260):
            st.markdown(badges(batch.events))
        link("history.py", "Open", {"batch": batch.id}, width=70)


def back(label: str, **params: str) -> None:
    """The way back, up one level."""
    link("history.py", f"← {label}", params)


def one_batch(id_: str) -> None:
    """One batch: what it was, where it stands, its requests."""
    back("All batches")
    try:
        batch = house().history.batch(id_)
    except NotFound as error:
        st.text(str(error))
        return
    st.subheader(escaped(batch.label), anchor=False)
    persons = f" of {counted(batch.persons, 'person')}" if batch.persons else ""  # a part that is sent again has none
    st.text(
        f"{batch.source.value} · {moment(batch.created_at)} ({zone_name()}) · to {batch.target.name} at "
        f"{batch.target.host} · {counted(batch.total, 'event')}{persons} in "
        f"{counted(batch.lanes, 'lane')} · after an unknown answer: {batch.policy.value}"
    )
    if batch.excluded_rows:
        st.text(f"{counted(batch.excluded_rows, 'row')} of the input stayed behind.")
    mends(batch)
    if batch.notes.get("order") == EventOrder.TIME.value:
        st.text(ORDER_MESSAGES[EventOrder.TIME])
    if batch.resend_of:
        link("history.py", "Sent again from this batch", {"batch": batch.resend_of})
    sending.watch(batch.id)
    batch = house().history.batch(id_)  # after the watch began: what ends before it is seen here, what ends later there
    sending.controls(batch)
    with st.container(horizontal=True, vertical_alignment="center"):
        resending.again(batch, target())
        download(
            "results.csv",
            lambda: export_results_csv(house().history, id_),
            f"results-{id_}.csv",
            "text/csv",
            key="history-results",
        )
        link("feeds.py", "Conversion", {"batch": id_})
        case_view.offer(compare=f"batch {id_}")
    requests(batch)


def mends(batch: BatchSummary) -> None:
    """What was changed of the file before it was sent, step by step."""
    given = batch.notes.get("mends")
    steps = given if isinstance(given, list) else []
    if steps:
        title = f"{counted(len(steps), 'mend')} before the send; the file itself stayed as it is"
        with st.expander(title, key="history-mends", type="compact"):
            for step in steps:
                st.text(step["words"])


def requests(batch: BatchSummary) -> None:
    """The requests of a batch, page by page, of one state or of all."""
    states = [state.value for state in RequestState if batch.requests.get(state)]
    state = st.selectbox(
        "Requests",
        [None, *states],
        format_func=lambda s: "all" if s is None else f"{s}: {batch.requests[RequestState(s)]:,}",
        key=key("history-state", batch.id),
        width=200,
    )
    only, widget = RequestState(state) if state else None, key("history-request-page", batch.id, state)
    found = house().history.requests(batch.id, only, page=value(widget, 1), size=REQUESTS)
    if found.number > found.pages:  # fewer are in this state than a moment ago
        put(widget, found.pages)
        found = house().history.requests(batch.id, only, page=found.pages, size=REQUESTS)
    for request in found.items:
        request_line(request)
    if found.pages > 1:
        st.pagination(found.pages, key=widget)


def request_line(request: RequestSummary) -> None:
    """One request in the list."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width=170):
            st.text(f"lane {request.lane} · {request.position}{request.part and ' ' + request.part}")
        with st.container(width=110):
            st.text(counted(request.events, "event"))
        with st.container(width=130):
            st.markdown(badge(request.state) if request.state in LOOKS else request.state.value)
        with st.container(width="stretch"):
            st.text(request.reason or ("not yet sent" if not request.tries else ""))
        with st.container(width=80):
            st.text(counted(request.tries, "try", "tries"))
        link("history.py", "Open", {"request": str(request.id)}, width=70)


def one_request(id_: str) -> None:
    """One request: its card, its events, every attempt."""
    try:
        request = house().history.request(id_)
        batch = house().history.batch(request.summary.batch)
    except NotFound as error:
        back("All batches")
        st.text(str(error))
        return
    back(f"Batch: {escaped(batch.label)}", batch=batch.id)
    exchange(request, where(batch))
    if st.button("Open in Compose", key="history-compose"):
        composing.take_over_body(request.body)
        st.switch_page("compose.py")
    case_view.offer(compare=f"request {id_}", request=id_)
    with st.expander(counted(len(request.events), "event"), key="history-events"):
        st.dataframe(
            [{"row": event.event.row, **event.event._asdict(), "state": event.state.value} for event in request.events],
            hide_index=True,
            alt="The events of this request",
        )
    for attempt in reversed(request.attempts):
        with st.expander(
            f"Try {attempt.number}: {LOOKS[attempt.outcome].shape} {attempt.outcome.value}", key=key("try", attempt.id)
        ):
            st.text(f"{attempt.reason} {moment(attempt.started_at)}, {lasted(attempt.elapsed_ms)}.")
            came_back(attempt)
            st.caption("Headers that left, without the key")
            st.code("\n".join(f"{name}: {text}" for name, text in attempt.sent_headers) or "none", language=None)


def where(batch: BatchSummary) -> Target | None:
    """Where a batch went, if that can still be asked."""
    known = {**house().targets, **session().typed}  # a key that another session typed is not lent to this one
    found = known.get(batch.target.name)
    return found if found and found.credential_reference == batch.target.credential_reference else None
