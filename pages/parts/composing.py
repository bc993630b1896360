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

from intempt_core import Issue, Payload, Target, check_events, make_batch_intent, plan_events, read_payload
from intempt_core.events import IDENTITY_FIELDS, EventName, Json, build_request_body
from intempt_core.history import RequestState, BatchSource, derive_target_key
from intempt_core.plan import Policy
from pages.parts import feedview, resending, sending
from pages.parts.form import NO_TIME, EventForm
from pages.parts.house import house
from pages.parts.look import counted, zone_name
from pages.parts.session import one_click, room

EVENTS_AT_MOST = 50
"""Events that a pasted payload may bring to the form."""

LABEL = 60
"""Characters of an event's name in a batch's label."""

DOUBLE_CLICK_SECONDS = 2.0
"""A second click on "send" is the same click until this long after the outcome is shown, unless there is an edit."""

DOUBLE_CLICK = "That click came right after the outcome and counts as a double click: nothing more was sent by it."

_V, _A, _R, _O = EventName.VIEWED, EventName.ADDED, EventName.REMOVED, EventName.ORDERED
JOURNEYS: Mapping[str, tuple[EventName, ...]] = {
    "Viewed → added → removed → added → ordered": (_V, _A, _R, _A, _O),
    "Viewed → added → ordered": (_V, _A, _O),
    "Viewed → added → removed": (_V, _A, _R),
}
"""Ready-made journeys of one person with one product, oldest event first."""


class State(StrEnum):
    """Where the form stands; always exactly one of these."""

    NOT_CHECKED = "not checked"
    CHECKING = "checking"
    PROBLEMS = "problems"
    READY = "ready"
    SENDING = "sending"
    OUTCOME = "outcome"


@dataclass
class Composing:
    """The Compose screen of one tab."""

    forms: list[EventForm] = field(default_factory=list)
    state: State = State.NOT_CHECKED
    issues: tuple[Issue, ...] = ()
    now_ms: int = 0
    batch: str | None = None
    settled_at: float = 0.0
    """When the last outcome was shown, by the clock that counts seconds; 0 after an edit."""
    left: Mapping[int, str] = field(default_factory=dict)
    """While a batch is on its way: the event id that each of its forms had, by the form's number."""
    on_its_way: bool = False
    doubled: bool = False
    """Whether the last click on "send" was the second half of a double click."""
    focus: str | None = None
    note: str = ""
    _uids: "count[int]" = field(default_factory=lambda: count(1))

    def add(self, name: Json = None, body: Mapping[str, Json] | None = None) -> EventForm:
        """One more event on the form: an empty one, or ``body`` under ``name``."""
        form = EventForm(next(self._uids))
        form.fill(name, body if body is not None else {"eventId": fresh_id()}, zone_name())
        self.forms.append(form)
        return form

    @property
    def payload(self) -> Payload:
        """The request as it will leave, read back like any pasted payload: one road (DESIGN)."""
        pairs = [form.read(self.now_ms) for form in self.forms]
        return read_payload(build_request_body(pairs, indent=True).decode())

    @property
    def body(self) -> bytes:
        """The request's body, byte for byte as it will leave."""
        return build_request_body(form.read(self.now_ms) for form in self.forms)

    @property
    def same_click(self) -> bool:
        """Whether a click on "send" now is the second half of a double click."""
        return self.on_its_way or time.monotonic() - self.settled_at < DOUBLE_CLICK_SECONDS

    def issues_of(self, form: EventForm) -> list[Issue]:
        """The problems of one event."""
        number = self.forms.index(form) + 1
        return [issue for issue in self.issues if issue.place.row == number]


def fresh_id() -> str:
    """An event id that nobody has used."""
    return f"evt_{uuid4().hex}"


def composing() -> Composing:
    """This tab's Compose screen, with one empty event when it is first opened."""
    found = room(Composing)
    if not found.forms:
        found.add(EventName.ADDED)
        edited()
    arrive(found)
    return found


def edited() -> None:
    """Any edit: back to *not checked*, and "now" is now. What is on its way stays in sight."""
    found = room(Composing)
    found.state, found.issues, found.settled_at, found.doubled = State.NOT_CHECKED, (), 0.0, False
    if not found.on_its_way:
        found.batch = None
    found.now_ms = time.time_ns() // 1_000_000


def check(target: Target) -> None:
    """Look at every event, and at what was sent to ``target`` before; the state is then *problems* or *ready*."""
    found = room(Composing)
    found.state = State.CHECKING
    payload, place = found.payload, derive_target_key(target)
    report = check_events(
        payload.events, lambda ids: house().history.sent_ids(place, ids), payload.issues, house().lacks(place)
    )
    found.issues = tuple(report.issues())
    found.state = State.PROBLEMS if report.rows_with_errors else State.READY


@one_click()
def send(target: Target, policy: Policy, *, as_it_is: bool = False) -> None:
    """Check, and send what has no errors (or, on purpose, what has some); a double click sends once."""
    found = room(Composing)
    if found.same_click:
        found.doubled = True
        return
    found.doubled, found.note = False, ""
    found.now_ms = time.time_ns() // 1_000_000
    check(target)
    if found.state is State.PROBLEMS and not as_it_is:
        return
    plan = plan_events(found.payload.events, one_request=True)
    names = dict.fromkeys(str(form.value("name", None) or "no name")[:LABEL] for form in found.forms)
    label = ", ".join(list(names)[:4])
    notes = {"as it is": True} if as_it_is else {}
    left = {form.uid: form.value("eventId") for form in found.forms}
    intent = make_batch_intent(plan, target, source=BatchSource.FORM, label=label, policy=policy, notes=notes)
    events, befores = found.payload.events, room(feedview.Befores)
    sending.spend()
    # From here on no look at the session: at the next one a second click ends this one (``one_click``), and asking for
    # feeds takes its time.
    earlier = feedview.before(target, events)
    found.batch = house().submit(intent, plan)
    found.left = left
    found.state, found.on_its_way = State.SENDING, True
    feedview.remember(befores, found.batch, earlier)


@one_click()
def send_same(target: Target) -> None:
    """The very same request once more, byte for byte, to where it went; a double click sends once."""
    found = room(Composing)
    if found.batch is None or found.same_click:
        found.doubled = True
        return
    found.doubled = False
    found.batch = resending.record(house().history.batch(found.batch), resending.SETTLED, target)
    found.left = {}
    found.state, found.on_its_way = State.SENDING, True


def arrive(found: Composing) -> None:
    """Look whether the outcome is there; after an accepted send every event that left takes a fresh id.

    Before the widgets are drawn: a drawn widget's content cannot be changed.
    """
    if found.batch is None:
        return
    batch = house().history.batch(found.batch)
    if batch.is_active:  # also one that stood, and was told to go on
        found.on_its_way = True
        return
    if not found.on_its_way:
        return
    found.on_its_way, found.settled_at = False, time.monotonic()
    if found.state is State.SENDING:
        found.state = State.OUTCOME
    if set(batch.events) == {RequestState.ACCEPTED}:
        found.now_ms = time.time_ns() // 1_000_000
        for form in found.forms:
            if form.value("eventId") == found.left.get(form.uid):
                form.put("eventId", fresh_id())


def shown() -> None:
    """The outcome is on the screen now: clicks that were made before it came are over."""
    found = room(Composing)
    found.settled_at = time.monotonic() if found.settled_at else 0.0


def renew(form: EventForm) -> None:
    """Give one event a fresh id."""
    form.put("eventId", fresh_id())
    edited()


def another() -> None:
    """One more event, of the same person."""
    found = room(Composing)
    last = found.forms[-1]
    body: dict[str, Json] = {"eventId": fresh_id()}
    body |= {identity: last.value(identity) for identity in IDENTITY_FIELDS if last.value(identity)}
    body["data"] = {"productId": last.value("data.productId")}
    found.add(EventName.VIEWED, body)
    edited()


def remove(form: EventForm) -> None:
    """Take one event out of the request."""
    room(Composing).forms.remove(form)
    edited()


def journey(title: str) -> None:
    """Fill the form with a ready-made journey, for the person and the product that are on it."""
    found = room(Composing)
    first = found.forms[0]
    person = {identity: first.value(identity) for identity in IDENTITY_FIELDS if first.value(identity)}
    product = first.value("data.productId") or "SKU_987"
    found.forms.clear()
    for name in JOURNEYS[title]:
        body = {"eventId": fresh_id(), **(person or {"userId": "user_123"}), "data": {"productId": product}}
        found.add(name, body).put("when", NO_TIME)
    found.note = ""
    edited()


def take_over(payload: Payload) -> None:
    """Fill the form with the events of a pasted payload (from Inspect or History); what it cannot hold, it says."""
    found = room(Composing)
    found.forms.clear()
    other = 0
    for event in payload.events[:EVENTS_AT_MOST]:
        form = found.add(event.name, event.body if isinstance(event.body, Mapping) else {})
        other += not form.holds(event.name, event.body)
    notes = []
    if len(payload.events) > EVENTS_AT_MOST:
        notes.append(f"The form takes the first {EVENTS_AT_MOST} of {len(payload.events):,} events.")
    if other:
        notes.append(f"{counted(other, 'event')} cannot stand here as given: compare the request before it is sent.")
    found.note = " ".join(notes)
    edited()


def take_over_body(body: bytes) -> None:
    """Fill the form with the events of a request that was sent."""
    take_over(read_payload(body.decode("utf-8", "replace")))


def go_to(issue: Issue) -> None:
    """Lead to the field of an issue: the screen puts the cursor there."""
    found = room(Composing)
    form = found.forms[(issue.place.row or 1) - 1]
    field = field_of(form, issue)
    found.focus = form.key("userId" if field == "who" else field)


def field_of(form: EventForm, issue: Issue) -> str:
    """The form's field that an issue belongs to; "who" is all four identities."""
    return "who" if issue.code == "identity_missing" else form.field_at(issue.place.pointer)
