"""The state of the Compose screen: its forms, and the callbacks that check and send them.

::

    not checked ──check──▶ checking ──▶ n problems
        ▲                     └───────▶ ready ──send──▶ sending ──▶ outcome
        └────────── any edit ◀──────────┴──────────────────┴───────────┘
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import count

from intempt_core.contract import IDENTITY_FIELDS, EventName, Issue, Json, build_request_body, format_count, now_ms
from intempt_core.dispatch import make_batch_intent
from intempt_core.history import BatchSource, HistoryCheckpoint, RequestState
from intempt_core.planning import Policy, plan_events
from intempt_core.readers import Payload, read_payload
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import check_events
from pages.parts.compose.form import NO_TIME, EventForm
from pages.parts.shared.screen_state import get_screen_state, get_session
from pages.parts.shared.send_flow import (
    RESENDABLE_STATES,
    Submission,
    make_event_id,
    prepare_resend,
    see_history,
    submit_once,
)
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services
from pages.parts.shared.team_rules import get_team_rules
from pages.parts.shared.time_zones import get_zone_name

MAX_FORM_EVENTS = 50
"""Events of a payload that the form takes."""

MAX_LABEL_LENGTH = 60
"""Characters of an event's name in a batch's label."""

_V, _A, _R, _O = EventName.VIEWED, EventName.ADDED, EventName.REMOVED, EventName.ORDERED
JOURNEY_TEMPLATES: Mapping[str, tuple[EventName, ...]] = {
    "Viewed → added → removed → added → ordered": (_V, _A, _R, _A, _O),
    "Viewed → added → ordered": (_V, _A, _O),
    "Viewed → added → removed": (_V, _A, _R),
}
"""Journeys of one person with one product, oldest event first, by their labels."""


STALE_FIELD_SECONDS = 5.0
"""How long a message of the browser may hold what a field had before; nobody types a whole event id so soon."""


class FormState(StrEnum):
    """The state of the form; always exactly one of these."""

    NOT_CHECKED = "not checked"
    CHECKING = "checking"
    PROBLEMS = "problems"
    READY = "ready"
    SENDING = "sending"
    OUTCOME = "outcome"


@dataclass
class ComposeState:
    """The Compose screen of one tab.

    Attributes:
        forms: The events on the form, in their order.
        state: The state of the form.
        issues: The problems that the last check found.
        now_ms: The time that "now" stands for, in epoch milliseconds.
        guard: What was sent from the form.
        sent_ids: While a batch is active: the event id that each of its forms had, by the form's number.
        replaced_ids: The ids that an accepted send replaced on the form, with the new ones, by the form's number.
        replaced_at: When it replaced them, in seconds of the monotonic clock.
        focus: The widget key of the field that gets the cursor when the screen is drawn next.
        note: What a payload could not bring to the form, as a sentence.
        seen: What the form has seen of history when it was filled or last checked, by target (a ``key``).
    """

    forms: list[EventForm] = field(default_factory=list)
    state: FormState = FormState.NOT_CHECKED
    issues: tuple[Issue, ...] = ()
    now_ms: int = 0
    guard: SendGuard = field(default_factory=SendGuard)
    sent_ids: Mapping[int, str] = field(default_factory=dict)
    replaced_ids: dict[int, tuple[str, str]] = field(default_factory=dict)
    replaced_at: float = 0.0
    focus: str | None = None
    note: str = ""
    seen: dict[str, HistoryCheckpoint] = field(default_factory=dict)
    _uids: "count[int]" = field(default_factory=lambda: count(1))

    def add(self, name: Json = None, body: Mapping[str, Json] | None = None) -> EventForm:
        """Add an event to the form: an empty one, or ``body`` under ``name``."""
        form = EventForm(next(self._uids))
        form.fill(name, body if body is not None else {"eventId": make_event_id()}, get_zone_name())
        self.forms.append(form)
        return form

    @property
    def payload(self) -> Payload:
        """The request as it will be sent, read back like any pasted payload (ARCHITECTURE, one pipeline)."""
        pairs = [form.read(self.now_ms) for form in self.forms]
        return read_payload(build_request_body(pairs, indent=True).decode())

    @property
    def body(self) -> bytes:
        """The request's body, byte for byte as it will be sent."""
        return build_request_body(form.read(self.now_ms) for form in self.forms)

    def issues_of(self, form: EventForm) -> list[Issue]:
        """The problems of one event."""
        number = self.forms.index(form) + 1
        return [issue for issue in self.issues if issue.place.row == number]


def load_compose_state() -> ComposeState:
    """This tab's Compose screen, with one empty event when it is first opened."""
    found, session = get_screen_state(ComposeState), get_session()
    if session.pending_payload is not None:
        fill_from_payload(session.pending_payload)
        session.pending_payload = None
    if not found.forms:
        found.add(EventName.ADDED)
        mark_edited()
    refresh_outcome(found)
    return found


def mark_edited() -> None:
    """Go back to *not checked* after an edit, and let "now" be now. A batch that is active stays in sight."""
    found = get_screen_state(ComposeState)
    found.state, found.issues = FormState.NOT_CHECKED, ()
    found.guard.forget_outcome()
    found.now_ms = now_ms()


def see_history_once(target: Target) -> HistoryCheckpoint:
    """What the form has seen of history: of what went since, a person does not know."""
    seen = get_screen_state(ComposeState).seen
    return seen.setdefault(derive_target_key(target), see_history(target))


def check_form(target: Target) -> None:
    """Check every event for a person, who then knows what was sent before."""
    get_screen_state(ComposeState).seen[derive_target_key(target)] = see_history(target)
    check_form_events(target)


def check_form_events(target: Target) -> None:
    """Check every event, also against what was sent to ``target`` before; the state is then *problems* or *ready*."""
    found = get_screen_state(ComposeState)
    found.state = FormState.CHECKING
    payload, target_key = found.payload, derive_target_key(target)
    report = check_events(
        payload.events,
        get_services().history.events.prior_send_lookup(target_key),
        payload.issues,
        get_services().product_lookup(target_key),
        rules=get_team_rules(),
    )
    found.issues = tuple(report.issues())
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

    Before the widgets are drawn: the content of a drawn widget cannot be changed.
    """
    if not found.guard.refresh():
        return
    if found.state is FormState.SENDING:
        found.state = FormState.OUTCOME
    found.seen.clear()  # what was sent from here is shown
    if set(get_services().history.queries.batch(found.guard.batch or "").events) == {RequestState.ACCEPTED}:
        found.now_ms = now_ms()
        found.replaced_ids, found.replaced_at = {}, time.monotonic()
        for form in found.forms:
            sent = found.sent_ids.get(form.uid)
            if sent is not None and form.value("eventId") == sent:
                found.replaced_ids[form.uid] = sent, make_event_id()
                form.put("eventId", found.replaced_ids[form.uid][1])


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


def renew_event_id(form: EventForm) -> None:
    """Give an event a new id."""
    form.put("eventId", make_event_id())
    mark_edited()


def add_next_event() -> None:
    """Add an event of the same person."""
    found = get_screen_state(ComposeState)
    last = found.forms[-1]
    body: dict[str, Json] = {"eventId": make_event_id()}
    body |= {identity: last.value(identity) for identity in IDENTITY_FIELDS if last.value(identity)}
    body["data"] = {"productId": last.value("data.productId")}
    found.add(EventName.VIEWED, body)
    mark_edited()


def remove_event(form: EventForm) -> None:
    """Remove an event from the request."""
    get_screen_state(ComposeState).forms.remove(form)
    mark_edited()


def fill_journey(title: str) -> None:
    """Fill the form with a journey template, for the person and the product that are on it."""
    found = get_screen_state(ComposeState)
    first = found.forms[0]
    person = {identity: first.value(identity) for identity in IDENTITY_FIELDS if first.value(identity)}
    product = first.value("data.productId") or "SKU_987"
    found.forms.clear()
    for name in JOURNEY_TEMPLATES[title]:
        body = {"eventId": make_event_id(), **(person or {"userId": "user_123"}), "data": {"productId": product}}
        found.add(name, body).put("when", NO_TIME)
    found.note = ""
    found.seen.clear()
    mark_edited()


def fill_from_payload(payload: Payload) -> None:
    """Fill the form with the events of a payload from Inspect or History, and note what it cannot hold."""
    found = get_screen_state(ComposeState)
    found.forms.clear()
    changed = 0
    for event in payload.events[:MAX_FORM_EVENTS]:
        form = found.add(event.name, event.body if isinstance(event.body, Mapping) else {})
        changed += not form.holds(event.name, event.body)
    notes = []
    if len(payload.events) > MAX_FORM_EVENTS:
        notes.append(f"The form takes the first {MAX_FORM_EVENTS} of {len(payload.events):,} events.")
    if changed:
        notes.append(
            f"The form cannot hold {format_count(changed, 'event')} unchanged: check the request before sending."
        )
    found.note = " ".join(notes)
    found.seen.clear()
    mark_edited()


def focus_issue(issue: Issue) -> None:
    """Put the cursor into the field of an issue when the screen is drawn next."""
    found = get_screen_state(ComposeState)
    form = found.forms[(issue.place.row or 1) - 1]
    field = find_issue_field(form, issue)
    found.focus = form.key("userId" if field == "identity" else field)


def find_issue_field(form: EventForm, issue: Issue) -> str:
    """The form's field that an issue belongs to; "identity" is all four identities."""
    return "identity" if issue.code == "identity_missing" else form.field_at(issue.place.pointer)
