"""What the Compose screen knows and does: its forms, its state, and the callbacks that move it on.

::

    not checked ──check──▶ checking ──▶ n problems
        ▲                     └───────▶ ready ──send──▶ sending ──▶ outcome
        └────────── any edit ◀──────────┴──────────────────┴───────────┘
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from uuid import uuid4

from intempt_core.contract import IDENTITY_FIELDS, EventName, Issue, Json, build_request_body
from intempt_core.dispatch import make_batch_intent
from intempt_core.history import BatchSource, RequestState, derive_target_key
from intempt_core.planning import Policy, plan_events
from intempt_core.readers import Payload, read_payload
from intempt_core.targets import Target
from intempt_core.validation import check_events
from pages.parts.compose.form import NO_TIME, EventForm
from pages.parts.history.resend import RESENDABLE_STATES, record_resend
from pages.parts.shared.feed_card import EarlierFeeds, keep_earlier_feeds, read_earlier_feeds
from pages.parts.shared.formatting import format_quantity, get_zone_name
from pages.parts.shared.screen_state import get_screen_state, serialize_clicks
from pages.parts.shared.send_flow import clear_confirmations
from pages.parts.shared.services import get_services

MAX_FORM_EVENTS = 50
"""Events that a pasted payload may bring to the form."""

MAX_LABEL_LENGTH = 60
"""Characters of an event's name in a batch's label."""

DOUBLE_CLICK_SECONDS = 2.0
"""A second click on "send" is the same click until this long after the outcome is shown, unless there is an edit."""

DOUBLE_CLICK_MESSAGE = (
    "That click came right after the outcome and counts as a double click: nothing more was sent by it."
)

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
    batch: str | None = None
    settled_at: float = 0.0
    """When the last outcome was shown, by the clock that counts seconds; 0 after an edit."""
    sent_ids: Mapping[int, str] = field(default_factory=dict)
    """While a batch is on its way: the event id that each of its forms had, by the form's number."""
    is_sending: bool = False
    double_clicked: bool = False
    """Whether the last click on "send" was the second half of a double click."""
    focus: str | None = None
    note: str = ""
    _uids: "count[int]" = field(default_factory=lambda: count(1))

    def add(self, name: Json = None, body: Mapping[str, Json] | None = None) -> EventForm:
        """One more event on the form: an empty one, or ``body`` under ``name``."""
        form = EventForm(next(self._uids))
        form.fill(name, body if body is not None else {"eventId": make_fresh_id()}, get_zone_name())
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

    @property
    def is_double_click(self) -> bool:
        """Whether a click on "send" now is the second half of a double click."""
        return self.is_sending or time.monotonic() - self.settled_at < DOUBLE_CLICK_SECONDS

    def issues_of(self, form: EventForm) -> list[Issue]:
        """The problems of one event."""
        number = self.forms.index(form) + 1
        return [issue for issue in self.issues if issue.place.row == number]


def make_fresh_id() -> str:
    """An event id that nobody has used."""
    return f"evt_{uuid4().hex}"


def load_compose_state() -> ComposeState:
    """This tab's Compose screen, with one empty event when it is first opened."""
    found = get_screen_state(ComposeState)
    if not found.forms:
        found.add(EventName.ADDED)
        mark_edited()
    refresh_outcome(found)
    return found


def mark_edited() -> None:
    """Any edit: back to *not checked*, and "now" is now. What is on its way stays in sight."""
    found = get_screen_state(ComposeState)
    found.state, found.issues, found.settled_at, found.double_clicked = FormState.NOT_CHECKED, (), 0.0, False
    if not found.is_sending:
        found.batch = None
    found.now_ms = time.time_ns() // 1_000_000


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


@serialize_clicks()
def send_form(target: Target, policy: Policy, *, as_it_is: bool = False) -> None:
    """Check, and send what has no errors (or, on purpose, what has some); a double click sends once."""
    found = get_screen_state(ComposeState)
    if found.is_double_click:
        found.double_clicked = True
        return
    found.double_clicked, found.note = False, ""
    found.now_ms = time.time_ns() // 1_000_000
    check_form_events(target)
    if found.state is FormState.PROBLEMS and not as_it_is:
        return
    plan = plan_events(found.payload.events, one_request=True)
    names = dict.fromkeys(str(form.value("name", None) or "no name")[:MAX_LABEL_LENGTH] for form in found.forms)
    label = ", ".join(list(names)[:4])
    notes = {"as it is": True} if as_it_is else {}
    left = {form.uid: form.value("eventId") for form in found.forms}
    intent = make_batch_intent(plan, target, source=BatchSource.FORM, label=label, policy=policy, notes=notes)
    events, befores = found.payload.events, get_screen_state(EarlierFeeds)
    clear_confirmations()
    # From here on no look at the session: at the next one a second click ends this one (``one_click``), and asking for
    # feeds takes its time.
    earlier = read_earlier_feeds(target, events)
    found.batch = get_services().submit(intent, plan)
    found.sent_ids = left
    found.state, found.is_sending = FormState.SENDING, True
    keep_earlier_feeds(befores, found.batch, earlier)


@serialize_clicks()
def send_same_request(target: Target) -> None:
    """The very same request once more, byte for byte, to where it went; a double click sends once."""
    found = get_screen_state(ComposeState)
    if found.batch is None or found.is_double_click:
        found.double_clicked = True
        return
    found.double_clicked = False
    found.batch = record_resend(get_services().history.batch(found.batch), RESENDABLE_STATES, target)
    found.sent_ids = {}
    found.state, found.is_sending = FormState.SENDING, True


def refresh_outcome(found: ComposeState) -> None:
    """Look whether the outcome is there; after an accepted send every event that left takes a fresh id.

    Before the widgets are drawn: a drawn widget's content cannot be changed.
    """
    if found.batch is None:
        return
    batch = get_services().history.batch(found.batch)
    if batch.is_active:  # also one that stood, and was told to go on
        found.is_sending = True
        return
    if not found.is_sending:
        return
    found.is_sending, found.settled_at = False, time.monotonic()
    if found.state is FormState.SENDING:
        found.state = FormState.OUTCOME
    if set(batch.events) == {RequestState.ACCEPTED}:
        found.now_ms = time.time_ns() // 1_000_000
        for form in found.forms:
            if form.value("eventId") == found.sent_ids.get(form.uid):
                form.put("eventId", make_fresh_id())


def mark_outcome_shown() -> None:
    """The outcome is on the screen now: clicks that were made before it came are over."""
    found = get_screen_state(ComposeState)
    found.settled_at = time.monotonic() if found.settled_at else 0.0


def renew_event_id(form: EventForm) -> None:
    """Give one event a fresh id."""
    form.put("eventId", make_fresh_id())
    mark_edited()


def add_next_event() -> None:
    """One more event, of the same person."""
    found = get_screen_state(ComposeState)
    last = found.forms[-1]
    body: dict[str, Json] = {"eventId": make_fresh_id()}
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
        body = {"eventId": make_fresh_id(), **(person or {"userId": "user_123"}), "data": {"productId": product}}
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


def fill_from_body(body: bytes) -> None:
    """Fill the form with the events of a request that was sent."""
    fill_from_payload(read_payload(body.decode("utf-8", "replace")))


def focus_issue(issue: Issue) -> None:
    """Lead to the field of an issue: the screen puts the cursor there."""
    found = get_screen_state(ComposeState)
    form = found.forms[(issue.place.row or 1) - 1]
    field = find_issue_field(form, issue)
    found.focus = form.key("userId" if field == "who" else field)


def find_issue_field(form: EventForm, issue: Issue) -> str:
    """The form's field that an issue belongs to; "who" is all four identities."""
    return "who" if issue.code == "identity_missing" else form.field_at(issue.place.pointer)
