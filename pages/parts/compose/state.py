"""What the Compose screen knows and does: its forms, its state, and the callbacks that move it on.

::

    not checked ──check──▶ checking ──▶ n problems
        ▲                     └───────▶ ready ──send──▶ sending ──▶ outcome
        └────────── any edit ◀──────────┴──────────────────┴───────────┘
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from intempt_core.contract import IDENTITY_FIELDS, EventName, Issue, Json, build_request_body, now_ms
from intempt_core.dispatch import make_batch_intent
from intempt_core.history import BatchSource, RequestState
from intempt_core.planning import Policy, plan_events
from intempt_core.readers import Payload, read_payload
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import check_events
from pages.parts.compose.form import NO_TIME, EventForm
from pages.parts.shared.formatting import format_quantity
from pages.parts.shared.screen_state import get_screen_state, get_session
from pages.parts.shared.send_flow import RESENDABLE_STATES, Submission, make_event_id, prepare_resend, submit_once
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_zone_name

MAX_FORM_EVENTS = 50
"""Events that a pasted payload may bring to the form."""

MAX_LABEL_LENGTH = 60
"""Characters of an event's name in a batch's label."""

_V, _A, _R, _O = EventName.VIEWED, EventName.ADDED, EventName.REMOVED, EventName.ORDERED
READY_MADE_JOURNEYS: Mapping[str, tuple[EventName, ...]] = {
    "Viewed → added → removed → added → ordered": (_V, _A, _R, _A, _O),
    "Viewed → added → ordered": (_V, _A, _O),
    "Viewed → added → removed": (_V, _A, _R),
}
"""Ready-made journeys of one person with one product, oldest event first."""


class FormState(StrEnum):
    """Where the form stands; always exactly one of these."""

    NOT_CHECKED = "not checked"
    CHECKING = "checking"
    PROBLEMS = "problems"
    READY = "ready"
    SENDING = "sending"
    OUTCOME = "outcome"


@dataclass
class ComposeState:
    """The Compose screen of one tab."""

    forms: list[EventForm] = field(default_factory=list)
    state: FormState = FormState.NOT_CHECKED
    issues: tuple[Issue, ...] = ()
    now_ms: int = 0
    guard: SendGuard = field(default_factory=SendGuard)
    sent_ids: Mapping[int, str] = field(default_factory=dict)
    """While a batch is active: the event id that each of its forms had, by the form's number."""
    focus: str | None = None
    note: str = ""
    _uids: "count[int]" = field(default_factory=lambda: count(1))

    def add(self, name: Json = None, body: Mapping[str, Json] | None = None) -> EventForm:
        """One more event on the form: an empty one, or ``body`` under ``name``."""
        form = EventForm(next(self._uids))
        form.fill(name, body if body is not None else {"eventId": make_event_id()}, get_zone_name())
        self.forms.append(form)
        return form

    @property
    def payload(self) -> Payload:
        """The request as it will leave, read back like any pasted payload (ARCHITECTURE, one pipeline)."""
        pairs = [form.read(self.now_ms) for form in self.forms]
        return read_payload(build_request_body(pairs, indent=True).decode())

    @property
    def body(self) -> bytes:
        """The request's body, byte for byte as it will leave."""
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


def check_form_events(target: Target) -> None:
    """Look at every event, and at what was sent to ``target`` before; the state is then *problems* or *ready*."""
    found = get_screen_state(ComposeState)
    found.state = FormState.CHECKING
    payload, place = found.payload, derive_target_key(target)
    report = check_events(
        payload.events,
        lambda ids: get_services().history.sent_ids(place, ids),
        payload.issues,
        get_services().product_lookup(place),
    )
    found.issues = tuple(report.issues())
    found.state = FormState.PROBLEMS if report.rows_with_errors else FormState.READY


def send_form(target: Target, policy: Policy, *, as_it_is: bool = False) -> None:
    """Check, and send what has no errors; with ``as_it_is`` also what has some."""
    found = get_screen_state(ComposeState)
    event_ids = {form.uid: form.value("eventId") for form in found.forms}

    def prepare() -> Submission | None:
        found.note, found.now_ms = "", now_ms()
        check_form_events(target)
        if found.state is FormState.PROBLEMS and not as_it_is:
            return None
        events = found.payload.events
        plan = plan_events(events, one_request=True)
        notes = {"as it is": True} if as_it_is else {}
        intent = make_batch_intent(
            plan, target, source=BatchSource.FORM, label=_make_label(found), policy=policy, notes=notes
        )
        return Submission(intent, plan, observed_events=events)

    if submit_once(found.guard, target, prepare):
        found.sent_ids, found.state = event_ids, FormState.SENDING


def _make_label(found: ComposeState) -> str:
    names = dict.fromkeys(str(form.value("name", None) or "no name")[:MAX_LABEL_LENGTH] for form in found.forms)
    return ", ".join(list(names)[:4])


def send_same_request(target: Target) -> None:
    """Send the same request again, byte for byte, to where it went."""
    found = get_screen_state(ComposeState)

    def prepare() -> Submission | None:
        batch = found.guard.batch
        if batch is None:
            return None
        return prepare_resend(get_services().history.batch(batch), RESENDABLE_STATES, target)

    if submit_once(found.guard, target, prepare):
        found.sent_ids, found.state = {}, FormState.SENDING


def refresh_outcome(found: ComposeState) -> None:
    """Look whether the outcome is there; after an accepted send every event that was sent takes a new id.

    Before the widgets are drawn: the content of a drawn widget cannot be changed.
    """
    if not found.guard.refresh():
        return
    if found.state is FormState.SENDING:
        found.state = FormState.OUTCOME
    if set(get_services().history.batch(found.guard.batch or "").events) == {RequestState.ACCEPTED}:
        found.now_ms = now_ms()
        for form in found.forms:
            if form.value("eventId") == found.sent_ids.get(form.uid):
                form.put("eventId", make_event_id())


def renew_event_id(form: EventForm) -> None:
    """Give one event a fresh id."""
    form.put("eventId", make_event_id())
    mark_edited()


def add_next_event() -> None:
    """One more event, of the same person."""
    found = get_screen_state(ComposeState)
    last = found.forms[-1]
    body: dict[str, Json] = {"eventId": make_event_id()}
    body |= {identity: last.value(identity) for identity in IDENTITY_FIELDS if last.value(identity)}
    body["data"] = {"productId": last.value("data.productId")}
    found.add(EventName.VIEWED, body)
    mark_edited()


def remove_event(form: EventForm) -> None:
    """Take one event out of the request."""
    get_screen_state(ComposeState).forms.remove(form)
    mark_edited()


def fill_journey(title: str) -> None:
    """Fill the form with a ready-made journey, for the person and the product that are on it."""
    found = get_screen_state(ComposeState)
    first = found.forms[0]
    person = {identity: first.value(identity) for identity in IDENTITY_FIELDS if first.value(identity)}
    product = first.value("data.productId") or "SKU_987"
    found.forms.clear()
    for name in READY_MADE_JOURNEYS[title]:
        body = {"eventId": make_event_id(), **(person or {"userId": "user_123"}), "data": {"productId": product}}
        found.add(name, body).put("when", NO_TIME)
    found.note = ""
    mark_edited()


def fill_from_payload(payload: Payload) -> None:
    """Fill the form with the events of a pasted payload (from Inspect or History); what it cannot hold, it says."""
    found = get_screen_state(ComposeState)
    found.forms.clear()
    other = 0
    for event in payload.events[:MAX_FORM_EVENTS]:
        form = found.add(event.name, event.body if isinstance(event.body, Mapping) else {})
        other += not form.holds(event.name, event.body)
    notes = []
    if len(payload.events) > MAX_FORM_EVENTS:
        notes.append(f"The form takes the first {MAX_FORM_EVENTS} of {len(payload.events):,} events.")
    if other:
        notes.append(
            f"{format_quantity(other, 'event')} cannot stand here as given: compare the request before it is sent."
        )
    found.note = " ".join(notes)
    mark_edited()


def focus_issue(issue: Issue) -> None:
    """Lead to the field of an issue: the screen puts the cursor there."""
    found = get_screen_state(ComposeState)
    form = found.forms[(issue.place.row or 1) - 1]
    field = find_issue_field(form, issue)
    found.focus = form.key("userId" if field == "who" else field)


def find_issue_field(form: EventForm, issue: Issue) -> str:
    """The form's field that an issue belongs to; "who" is all four identities."""
    return "who" if issue.code == "identity_missing" else form.field_at(issue.place.pointer)
