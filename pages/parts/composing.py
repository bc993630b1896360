"""What the Compose screen knows and does: its forms, its state, and the callbacks that move it on.

::

    not checked ──check──▶ checking ──▶ n problems
        ▲                     └───────▶ ready ──send──▶ sending ──▶ outcome
        └────────── any edit ◀──────────┴──────────────────┴───────────┘
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from uuid import uuid4

from intempt_core import Issue, Payload, Target, check_events, intent_of, plan_events, read_payload
from intempt_core.events import IDENTITIES, EventName, Json, body_of
from intempt_core.history import BatchState, RequestState, Source
from intempt_core.plan import Policy
from pages.parts import resending
from pages.parts.form import NO_TIME, EventForm
from pages.parts.house import house
from pages.parts.look import zone_name
from pages.parts.session import room

DOUBLE_CLICK_SECONDS = 1.0
"""A second click on "send" within this time is the same click."""

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
    sent_at: float = 0.0
    focus: str | None = None
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
        return read_payload(body_of(pairs, indent=True).decode())

    @property
    def body(self) -> bytes:
        """The request's body, byte for byte as it will leave."""
        return body_of(form.read(self.now_ms) for form in self.forms)

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
    """Any edit: back to *not checked*, and "now" is now."""
    found = room(Composing)
    found.state, found.issues, found.batch = State.NOT_CHECKED, (), None
    found.now_ms = time.time_ns() // 1_000_000


def check() -> None:
    """Look at every event; the state is then *problems* or *ready*."""
    found = room(Composing)
    found.state = State.CHECKING
    payload = found.payload
    report = check_events(payload.events, found=payload.issues)
    found.issues = tuple(report.issues())
    found.state = State.PROBLEMS if report.rows_with_errors else State.READY


def send(target: Target, policy: Policy, *, as_it_is: bool = False) -> None:
    """Check, and send what has no errors (or, on purpose, what has some); a double click sends once."""
    found = room(Composing)
    if found.state is State.SENDING or time.monotonic() - found.sent_at < DOUBLE_CLICK_SECONDS:
        return
    check()
    if found.state is State.PROBLEMS and not as_it_is:
        return
    found.sent_at = time.monotonic()
    plan = plan_events(found.payload.events, one_request=True)
    label = ", ".join(str(form.value("name", None) or "no name") for form in found.forms[:3])
    intent = intent_of(plan, target, source=Source.FORM, label=label, policy=policy)
    found.batch = house().submit(replace(intent, notes={"as it is": True} if as_it_is else {}), plan)
    found.state = State.SENDING


def send_same(target: Target) -> None:
    """The very same request once more, byte for byte; a double click sends once."""
    found = room(Composing)
    if found.batch is None or time.monotonic() - found.sent_at < DOUBLE_CLICK_SECONDS:
        return
    found.sent_at = time.monotonic()
    found.batch = resending.record(house().history.batch(found.batch), resending.SETTLED, target)
    found.state = State.SENDING


def arrive(found: Composing) -> None:
    """Look whether the outcome is there; after an accepted send every event takes a fresh id.

    Before the widgets are drawn: a drawn widget's content cannot be changed.
    """
    if found.state is not State.SENDING or found.batch is None:
        return
    batch = house().history.batch(found.batch)
    if batch.state is BatchState.SENDING:
        return
    found.state = State.OUTCOME
    if set(batch.events) == {RequestState.ACCEPTED}:
        for form in found.forms:
            form.put("eventId", fresh_id())


def renew(form: EventForm) -> None:
    """Give one event a fresh id."""
    form.put("eventId", fresh_id())
    edited()


def another() -> None:
    """One more event, of the same person."""
    found = room(Composing)
    last = found.forms[-1]
    body: dict[str, Json] = {"eventId": fresh_id()}
    body |= {identity: last.value(identity) for identity in IDENTITIES if last.value(identity)}
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
    person = {identity: first.value(identity) for identity in IDENTITIES if first.value(identity)}
    product = first.value("data.productId") or "SKU_987"
    found.forms.clear()
    for name in JOURNEYS[title]:
        body = {"eventId": fresh_id(), **(person or {"userId": "user_123"}), "data": {"productId": product}}
        found.add(name, body).put("when", NO_TIME)
    edited()


def take_over(payload: Payload) -> None:
    """Fill the form with the events of a pasted payload (from Inspect or History)."""
    found = room(Composing)
    found.forms.clear()
    for event in payload.events:
        found.add(event.name, event.body if isinstance(event.body, Mapping) else {})
    edited()


def take_over_body(body: bytes) -> None:
    """Fill the form with the events of a request that was sent."""
    take_over(read_payload(body.decode("utf-8", "replace")))


def go_to(issue: Issue) -> None:
    """Lead to the field of an issue: the screen puts the cursor there."""
    found = room(Composing)
    form = found.forms[(issue.place.row or 1) - 1]
    field = field_of(issue)
    found.focus = form.key("userId" if field == "who" else field)


def field_of(issue: Issue) -> str:
    """The form's field that an issue belongs to."""
    steps = issue.place.pointer.split("/")
    if steps[-1] == "name":
        return "name"
    inside = ".".join(steps[5:])
    if issue.code == "identity_missing":
        return "who"
    return "data.productId" if issue.code == "product_id_missing" else inside or "eventId"
