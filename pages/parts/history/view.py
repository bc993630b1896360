"""What the History screen shows of one batch and of one request."""

from contextlib import suppress

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.errors import NotFound, ReadError
from intempt_core.exports import export_results_csv
from intempt_core.history import (
    IDENTITY_COLUMNS,
    MAX_NAME_LENGTH,
    BatchState,
    BatchSummary,
    RecordedEvent,
    RequestRecord,
    RequestState,
    RequestSummary,
)
from intempt_core.journeys import MAX_JOURNEY_EVENTS
from intempt_core.planning import ORDER_MESSAGES, EventOrder
from intempt_core.readers import read_payload
from intempt_core.validation import escape_invisible
from pages.parts.history.case_view import show_case_actions
from pages.parts.history.list_view import describe_decision
from pages.parts.history.resend import show_resend
from pages.parts.history.webhook_view import show_webhook
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import (
    STATE_STYLES,
    escape_markdown,
    format_batch_badges,
    format_clock,
    format_duration,
    format_moment,
    format_state,
    format_target,
    format_zoned_moment,
    label_state,
)
from pages.parts.shared.links import JOURNEY_HELP, open_in_compose, show_journey_button, show_link
from pages.parts.shared.outcome_card import show_outcome_card, show_response
from pages.parts.shared.result_view import show_batch_result
from pages.parts.shared.screen_state import make_key, read_widget, set_widget
from pages.parts.shared.screens import set_title
from pages.parts.shared.send_flow import show_batch_controls, watch_batch
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import find_batch_target, get_selected_target
from pages.parts.shared.widgets.link_table import TableCell, TableColumn, TableRow, show_link_table

REQUESTS_PER_PAGE = 50
"""Requests on one page of a batch."""

FAILED_STATES = (RequestState.REJECTED, RequestState.UNKNOWN, RequestState.NOT_SENT)
REQUEST_ORDER = (*FAILED_STATES, *(state for state in RequestState if state not in FAILED_STATES))
"""The order in which requests are offered by state: what failed first."""

REQUEST_COLUMNS = (
    TableColumn("Request"),
    TableColumn("Outcome"),
    TableColumn("Response"),
    TableColumn("Events", is_number=True),
    TableColumn("Attempts", is_number=True),
)


def update_history_link(batch: str | None, request: str | None) -> None:
    """Write what is open into the browser's address: a link within the screen drops it."""
    if request:
        st.query_params.from_dict({"request": request})
    elif batch:
        st.query_params.from_dict({"batch": batch})


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
    set_title(batch.title)
    show_batch_title(batch)
    persons = (
        f" of {format_count(batch.persons, 'user')}" if batch.persons else ""
    )  # a batch of resent requests has none
    so_far = " so far" if batch.recorder else ""
    st.text(
        f"{batch.source.value} · {format_zoned_moment(batch.created_at)} · to {format_target(batch.target.name)} at"
        f" {batch.target.host} · {format_count(batch.planned, 'event')}{persons} in "
        f"{format_count(sum(batch.requests.values()), 'request')}{so_far} · after an unknown outcome (may have"
        f" arrived): {batch.policy.value}"
    )
    if batch.excluded_rows:
        st.text(f"{format_count(batch.excluded_rows, 'row')} of the input skipped.")
    show_batch_fixes(batch)
    if batch.notes.get("order") == EventOrder.TIME.value:
        st.text(ORDER_MESSAGES[EventOrder.TIME])
    show_lineage(batch)
    watch_batch(batch.id)
    batch = get_services().history.queries.batch(
        id_
    )  # read after the watch began, so that no end of the batch is missed
    show_webhook(batch)
    show_batch_controls(batch)
    if not batch.is_active and (batch.processed or batch.ignored):
        show_batch_result(batch)
    show_decision(batch)
    with st.container(horizontal=True, vertical_alignment="center"):
        show_resend(batch, get_selected_target())
        show_download(
            "results.csv",
            lambda: export_results_csv(get_services().history, id_),
            f"results-{id_}.csv",
            "text/csv",
            key="history-results",
        )
        show_batch_journey(batch)
        show_link("feeds.py", "Conversion", {"batch": id_})
        show_case_actions(compare=f"batch {id_}")
    show_requests(batch)


def show_batch_journey(batch: BatchSummary) -> None:
    """The button that saves a batch as a journey: of one person, with no more events than a journey has."""
    held = get_services().history.queries.subjects([batch.id]).get(batch.id)
    if held is None or batch.recorder or batch.total > MAX_JOURNEY_EVENTS:
        return
    if batch.persons != 1 and not (held.events >= batch.total and len(held.persons) == 1):
        return
    if st.button("Save as journey", key="history-batch-journey", help=JOURNEY_HELP):
        queries = get_services().history.queries
        requests = queries.requests(batch.id, size=MAX_JOURNEY_EVENTS).items
        bodies = [queries.request(one.id).body.decode("utf-8", "replace") for one in requests]
        open_in_compose(read_payload("\n".join(bodies)), save=True)


def show_batch_title(batch: BatchSummary) -> None:
    """What the batch is called, with the place to name it."""
    with st.container(horizontal=True, vertical_alignment="center", key="history-title"):
        st.header(escape_markdown(escape_invisible(batch.title)), anchor=False, width="content")
        opened = st.popover(
            "Rename" if batch.name else "Name this run", key=make_key("name", batch.id), type="tertiary"
        )
        with opened:
            widget = make_key("name-text", batch.id)
            st.text_input(
                "Name", batch.name, key=widget, max_chars=MAX_NAME_LENGTH, placeholder="Release 12, smoke test"
            )
            st.text("It stands in the list in the place of the file's name, and a search finds it.")
            st.button("Save name", key=make_key("name-save", batch.id), on_click=rename_batch, args=(batch.id, widget))
    if batch.name:
        st.text(escape_invisible(batch.label))


def rename_batch(batch: str, widget: str) -> None:
    """Give a batch the name that was typed; an empty one takes it away."""
    get_services().history.control.rename(batch, read_widget(widget) or "")


def show_lineage(batch: BatchSummary) -> None:
    """The batch that this one sends again, and those that send it again, with what came of that."""
    queries = get_services().history.queries
    for label, id_ in (
        *([("Resent from this batch", batch.resend_of)] if batch.resend_of else []),
        *(("Resent in this batch", resend) for resend in batch.resends),
    ):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=make_key("lineage", id_)):
            try:
                other = queries.batch(id_)
            except NotFound:
                st.text(f"{label}: it was deleted.")
                continue
            name = f"{label}: {other.title}, {format_moment(other.created_at).partition(' (')[0]}"
            show_link("history.py", escape_markdown(escape_invisible(name)), {"batch": id_})
            st.markdown(format_batch_badges(other), width="content")
    if resent := sum(batch.resent.values()):
        resolved = sum(batch.resolved.values())
        st.text(
            f"Of {format_count(resent, 'event')} that {'was' if resent == 1 else 'were'} resent, {resolved:,}"
            f" {'is' if resolved == 1 else 'are'} resolved: accepted when sent again."
        )


def show_decision(batch: BatchSummary) -> None:
    """What waits for a person in this batch, and how to leave it as it is."""
    if batch.is_active or not batch.waiting or batch.state is BatchState.CANCELLED:
        return
    control = get_services().history.control
    with st.container(horizontal=True, vertical_alignment="center", key="history-decision"):
        if batch.dismissed_at is not None:
            moment = format_moment(batch.dismissed_at).partition(" (")[0]
            st.text(f"Left as it is, decided at {moment}: the list does not ask for a decision.", width="content")
            st.button(
                "Ask for a decision",
                key="history-undismiss",
                on_click=control.dismiss,
                args=(batch.id,),
                kwargs={"again": True},
            )
            return
        st.text(f"This batch needs a decision: {describe_decision(batch)}. Resend it, or", width="content")
        st.button(
            "Leave it as it is",
            key="history-dismiss",
            on_click=control.dismiss,
            args=(batch.id,),
            help="The list no longer asks for a decision. Nothing is sent, and nothing changes in the batch.",
        )


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
    """The requests of a batch as a table, page by page: those that failed, or where none did all."""
    states = [state.value for state in REQUEST_ORDER if batch.requests.get(state)]
    failed = [state for state in states if RequestState(state) in FAILED_STATES]
    state = st.selectbox(
        "Requests",
        [*failed, None, *(state for state in states if state not in failed)],
        format_func=lambda s: (
            f"all: {sum(batch.requests.values()):,}"
            if s is None
            else f"{label_state(s)}: {batch.requests[RequestState(s)]:,}"
        ),
        key=make_key("history-state", batch.id),
        width=300,
    )
    only, widget = RequestState(state) if state else None, make_key("history-request-page", batch.id, state)
    found = get_services().history.queries.requests(batch.id, only, page=read_widget(widget, 1), size=REQUESTS_PER_PAGE)
    if found.number > found.pages:  # fewer requests are in this state than before
        set_widget(widget, found.pages)
        found = get_services().history.queries.requests(batch.id, only, page=found.pages, size=REQUESTS_PER_PAGE)
    show_link_table(
        "Requests",
        REQUEST_COLUMNS,
        [make_request_row(request) for request in found.items],
        opens="request",
        link_column=0,
        on_open=open_request,
        key=make_key("history-requests", batch.id),
    )
    if found.pages > 1:
        st.pagination(found.pages, key=widget)


def open_request(id_: str) -> None:
    """Open a request in the place of its batch."""
    st.query_params.from_dict({"request": id_})


def make_request_row(request: RequestSummary) -> TableRow:
    """A request in the table."""
    style = STATE_STYLES.get(request.state)
    name = f"Request {request.id}{request.part and ' ' + request.part}"
    return TableRow(
        str(request.id),
        name,
        (
            TableCell(name),
            TableCell(badges=((format_state(request.state), style.colour),))
            if style
            else TableCell(request.state.value),
            TableCell(escape_invisible(request.reason or ("not sent yet" if not request.tries else ""))),
            TableCell(f"{request.events:,}"),
            TableCell(f"{request.tries:,}"),
        ),
    )


def show_request_actions(request: RequestRecord) -> None:
    """What can be done with a request: changed in Compose, saved as a journey, compared, saved as a case file."""
    number, body = str(request.summary.id), request.body.decode("utf-8", "replace")
    with st.container(horizontal=True, vertical_alignment="center", key="history-request-actions"):
        if st.button("Open in Compose", key="history-compose"):
            open_in_compose(read_payload(body))
        if request.summary.events <= MAX_JOURNEY_EVENTS:
            with suppress(ReadError):  # a test case may be no JSON
                show_journey_button(read_payload(body), key="history-journey")
        show_case_actions(compare=f"request {number}", request=number)


def make_event_row(recorded: RecordedEvent) -> dict[str, object]:
    """An event of a request in the table; what it lacks is an empty cell."""
    event = recorded.event
    cells: dict[str, object] = {
        "row": event.row or "",
        "line": event.line or "",
        "event": event.name,
        "event id": event.event_id,
        **{field: getattr(event, column) for field, column in IDENTITY_COLUMNS.items()},
        "product": event.product_id,
        "timestamp": "" if event.timestamp is None else format_clock(event.timestamp),
        "state": label_state(recorded.state),
    }
    return {name: "" if cell is None else escape_invisible(str(cell)) for name, cell in cells.items()}


def show_request(id_: str) -> None:
    """One request: its outcome card, its events, every attempt."""
    try:
        request = get_services().history.queries.request(id_)
        batch = get_services().history.queries.batch(request.summary.batch)
    except NotFound as error:
        show_back_link("All batches")
        st.text(str(error))
        return
    set_title(f"Request {id_} of {batch.title}")
    show_back_link(f"Batch: {escape_markdown(escape_invisible(batch.title))}", batch=batch.id)
    show_outcome_card(request, find_batch_target(batch))
    show_request_actions(request)
    with st.expander(format_count(len(request.events), "event"), key="history-events"):
        st.dataframe(
            [make_event_row(event) for event in request.events],
            hide_index=True,
            alt="The events of this request",
        )
    for attempt in reversed(request.attempts):
        with st.expander(
            f"Attempt {attempt.number}: {format_state(attempt.outcome)}",
            key=make_key("attempt", attempt.id),
        ):
            st.text(f"{attempt.reason} {format_moment(attempt.started_at)}, {format_duration(attempt.elapsed_ms)}.")
            if attempt.overtaken:
                st.text("Overtaken: its process had lost the request to another one before this attempt ended.")
            show_response(attempt)
            st.caption("Request headers (credentials hidden)")
            st.code("\n".join(f"{name}: {text}" for name, text in attempt.sent_headers) or "none", language=None)
