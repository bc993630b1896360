"""From the form to its outcome: check, send, resend, and what the address of the screen says of it."""

import time
from collections.abc import Mapping
from functools import partial

import streamlit as st

from intempt_core.contract import now_ms
from intempt_core.dispatch import make_batch_intent
from intempt_core.errors import NotFound
from intempt_core.history import BatchSource, BatchSummary, HistoryCheckpoint, RequestState
from intempt_core.planning import Policy, plan_events
from intempt_core.readers import read_payload
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import check_events
from pages.parts.compose.form import EventForm
from pages.parts.compose.saved_state import ask_for_name, open_saved_journey
from pages.parts.compose.state import (
    FIRST_NAME,
    MAX_FORM_EVENTS,
    ComposeState,
    FormState,
    fill_from_payload,
    mark_edited,
)
from pages.parts.shared.links import holds_key
from pages.parts.shared.screen_state import get_screen_state, get_session
from pages.parts.shared.send_flow import (
    RESENDABLE_STATES,
    Submission,
    make_event_id,
    prepare_resend,
    see_history,
    submit_once,
)
from pages.parts.shared.services import get_services
from pages.parts.shared.tab_connection import is_history_navigation
from pages.parts.shared.team_rules import get_team_rules

MAX_LABEL_LENGTH = 60
"""Characters of an event's name in a batch's label."""

STALE_FIELD_SECONDS = 5.0
"""How long a message of the browser may hold what a field had before; nobody types a whole event id so soon."""


def load_compose_state() -> ComposeState:
    """This tab's Compose screen; when it is first opened, with one event, or with the batch that the address names."""
    found, session = get_screen_state(ComposeState), get_session()
    named, journey = (st.query_params.get(name, "") for name in ("batch", "journey"))
    if session.pending_payload is not None:
        fill_from_payload(session.pending_payload)
        if session.is_saving_payload:
            ask_for_name()
        session.pending_payload, session.is_saving_payload = None, False
    elif named and named != found.address_batch:
        found.address_batch = named
        open_batch(found, named)
    elif journey and journey != found.address_journey:
        open_saved_journey(journey)
    elif is_history_navigation() and not (named or journey):
        go_back_to_form(found)
    if not found.forms:
        found.fill([(FIRST_NAME, {"eventId": make_event_id(), "data": {}})])
        mark_edited()
    refresh_outcome(found)
    write_address(found)
    return found


def go_back_to_form(found: ComposeState) -> None:
    """Show the form alone, as the address does to which a person went back; what is on it stays.

    Otherwise the address of the outcome would be written once more, and *Back* would lead nowhere. A batch that is
    still being sent stays in sight.
    """
    found.guard.forget_outcome()
    found.journey_name = ""
    if found.guard.batch is None and found.state is FormState.OUTCOME:
        found.state = FormState.NOT_CHECKED


def write_address(found: ComposeState) -> None:
    """Have the address name the batch whose outcome is shown, or else the saved journey that is on the form."""
    found.address_batch = found.guard.batch or ""
    found.address_journey = "" if found.address_batch else found.journey_name
    named = {"batch": found.address_batch, "journey": found.address_journey}
    named = {name: text for name, text in named.items() if text and not holds_key(text)}
    if st.query_params.to_dict() != named:
        st.query_params.from_dict(named)


def open_batch(found: ComposeState, id_: str) -> None:
    """Show the outcome of a batch that was sent from here; where nothing is on the form yet, its events under new ids.

    So a link and a reloaded page show what was on the screen. A batch of a file, or one that is gone, is said.
    """
    try:
        batch = get_services().history.queries.batch(id_)
    except NotFound as error:
        found.note = str(error)
        return
    body = read_sent_body(id_)
    if batch.source is not BatchSource.FORM or batch.total > MAX_FORM_EVENTS or body is None:
        found.note = "The link names a batch that was not sent from a form: it is shown in History."
        return
    if not found.forms:
        fill_from_payload(read_payload(body.decode("utf-8", "replace")))
        found.given_ids.clear()
    found.guard.batch = id_
    found.guard.refresh()
    found.state = FormState.SENDING if found.guard.is_sending else FormState.OUTCOME


def read_sent_body(batch: str) -> bytes | None:
    """The body of the first request of a batch."""
    queries = get_services().history.queries
    requests = queries.requests(batch, size=1).items
    return queries.request(requests[0].id).body if requests else None


def see_history_once(target: Target) -> HistoryCheckpoint:
    """What the form has seen of history: of what went since, a person does not know."""
    seen, key = get_screen_state(ComposeState).seen, derive_target_key(target)
    if key not in seen:
        seen[key] = see_history(target)
    return seen[key]


def check_form(target: Target) -> None:
    """Check every event for a person, who then knows what was sent before; the result of a former send is over."""
    get_screen_state(ComposeState).guard.forget_outcome()
    get_screen_state(ComposeState).seen[derive_target_key(target)] = see_history(target)
    check_form_events(target)


def check_form_events(target: Target) -> None:
    """Check every event, also against what was sent to ``target`` before; the state is then *problems* or *ready*."""
    found = get_screen_state(ComposeState)
    found.state, found.was_stopped = FormState.CHECKING, False
    payload, target_key = found.payload, derive_target_key(target)
    report = check_events(
        payload.events,
        get_services().history.events.prior_send_lookup(target_key),
        payload.issues,
        get_services().product_lookup(target_key),
        rules=get_team_rules(),
    )
    found.issues = tuple(report.issues())
    found.open_hidden_problems()
    found.state = FormState.PROBLEMS if report.excluded_mask.any() else FormState.READY


def send_form(target: Target, policy: Policy, *, as_it_is: bool = False) -> None:
    """Check, and send what has no errors; with ``as_it_is`` also what has some."""
    found = get_screen_state(ComposeState)
    event_ids = {form.uid: form.value("eventId") for form in found.forms}

    def prepare() -> Submission | None:
        seen = see_history_once(target)
        found.note, found.now_ms = "", now_ms()
        check_form_events(target)
        if found.state is FormState.PROBLEMS and not as_it_is:
            found.was_stopped = True
            found.guard.forget_outcome()
            return None
        events = found.payload.events
        plan = plan_events(events, one_request=True)
        notes = {"as it is": True} if as_it_is else {}
        intent = make_batch_intent(
            plan, target, source=BatchSource.FORM, label=_make_label(found), policy=policy, notes=notes, seen=seen
        )
        return Submission(intent, plan, observed_events=events)

    if submit_once(found.guard, target, prepare, partial(send_form, target, policy, as_it_is=as_it_is)):
        found.sent_ids, found.state = event_ids, FormState.SENDING
        found.given_ids.clear()


def _make_label(found: ComposeState) -> str:
    names = dict.fromkeys(str(form.value("name", None) or "no name")[:MAX_LABEL_LENGTH] for form in found.forms)
    return ", ".join(list(names)[:4])


def send_same_request(target: Target, seen: HistoryCheckpoint) -> None:
    """Send the same request again, byte for byte, to where it went; ``seen`` is of when the button was drawn."""
    found = get_screen_state(ComposeState)

    def prepare() -> Submission | None:
        batch = found.guard.batch
        if batch is None:
            return None
        found_batch = get_services().history.queries.batch(batch)
        return prepare_resend(found_batch, RESENDABLE_STATES, target, seen, everything=True)

    if submit_once(found.guard, target, prepare, partial(send_same_request, target, seen)):
        found.sent_ids, found.state = {}, FormState.SENDING


def refresh_outcome(found: ComposeState) -> None:
    """Look whether the outcome is there; after an accepted send every event that was sent takes a new id.

    Before the widgets are drawn: the content of a drawn widget cannot be changed. What the check found belongs to the
    ids that were sent, and goes with them.
    """
    if not found.guard.refresh():
        return
    if found.state is FormState.SENDING:
        found.state = FormState.OUTCOME
    found.seen.clear()  # what was sent from here is shown
    if is_accepted(get_services().history.queries.batch(found.guard.batch or "")):
        found.now_ms, found.issues = now_ms(), ()
        found.replaced_ids, found.replaced_at = {}, time.monotonic()
        for form in found.forms:
            sent = found.sent_ids.get(form.uid)
            if sent is not None and form.value("eventId") == sent:
                found.replaced_ids[form.uid] = sent, make_event_id()
                form.put("eventId", found.replaced_ids[form.uid][1])


def is_accepted(batch: BatchSummary) -> bool:
    """Whether every event of a batch was accepted."""
    counts: Mapping[RequestState, int] = batch.events
    return {state for state, number in counts.items() if number} == {RequestState.ACCEPTED}


def may_have_arrived(batch: BatchSummary) -> bool:
    """Whether an event of a batch was accepted, or may have arrived."""
    return any(batch.events.get(state) for state in (RequestState.ACCEPTED, RequestState.UNKNOWN))


def take_event_id(form: EventForm) -> None:
    """Take an event id that was typed.

    The browser's messages hold all fields: one that was on its way while an accepted send replaced the id still holds
    the old one. That is no edit: the new id stays, and so does the outcome.
    """
    found = get_screen_state(ComposeState)
    old, new = found.replaced_ids.get(form.uid, (None, ""))
    if form.value("eventId") == old and time.monotonic() - found.replaced_at < STALE_FIELD_SECONDS:
        form.put("eventId", new)
    else:
        mark_edited()
