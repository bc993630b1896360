"""The state of the Compose screen: the person, the product and the events of its form, and what a check found.

::

    not checked ──check──▶ checking ──▶ n problems
        ▲                     └───────▶ ready ──send──▶ sending ──▶ outcome
        └────────── any edit ◀──────────┴──────────────────┴───────────┘
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from intempt_core.contract import IDENTITY_FIELDS, EventName, Issue, Json, build_request_body, format_count, now_ms
from intempt_core.history import HistoryCheckpoint
from intempt_core.readers import Payload, mask_pasted_keys, read_payload
from pages.parts.compose.form import CommonFields, EventForm, make_common_key
from pages.parts.shared.screen_state import get_screen_state
from pages.parts.shared.send_flow import make_event_id
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.time_zones import get_zone_name

MAX_FORM_EVENTS = 50
"""Events that the form takes."""

FIRST_NAME = EventName.ADDED
"""The name of an event that is new on the form, the first one as well as any other."""

_V, _A, _R, _O = EventName.VIEWED, EventName.ADDED, EventName.REMOVED, EventName.ORDERED
JOURNEY_TEMPLATES: Mapping[str, tuple[EventName, ...]] = {
    "Viewed → added → removed → added → ordered": (_V, _A, _R, _A, _O),
    "Viewed → added → ordered": (_V, _A, _O),
    "Viewed → added → removed": (_V, _A, _R),
}
"""Journeys of one person with one product, oldest event first, by their labels."""


class FormState(StrEnum):
    """The state of the form; always exactly one of these."""

    NOT_CHECKED = "not checked"
    CHECKING = "checking"
    PROBLEMS = "problems"
    READY = "ready"
    SENDING = "sending"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class FieldIssue:
    """What a check found in one field: once, however many events share the field.

    Attributes:
        issue: The issue, of the first of these events.
        events: The numbers of the events that have it, from 1.
    """

    issue: Issue
    events: tuple[int, ...]


@dataclass
class ComposeState:
    """The Compose screen of one tab.

    Attributes:
        forms: The events on the form, in their order.
        shown_identities: The identity fields that are shown although they may be empty.
        state: The state of the form.
        issues: The problems that the last check found.
        was_stopped: Whether the last click on Send sent nothing, because the check found problems.
        now_ms: The time that "now" stands for, in epoch milliseconds.
        guard: What was sent from the form.
        journey_name: The name of the saved journey that is on the form; empty where none is.
        address_batch: The batch that the address of the screen names.
        address_journey: The saved journey that it names.
        sent_ids: While a batch is active: the event id that each of its forms had, by the form's number.
        replaced_ids: The ids that an accepted send replaced on the form, with the new ones, by the form's number.
        replaced_at: When it replaced them, in seconds of the monotonic clock.
        focus: The widget key of the field that gets the cursor when the screen is drawn next.
        note: What a payload could not bring to the form, as a sentence.
        former: What was on the form before other events replaced it, until the next edit.
        given_ids: The event ids that the events had before they came to the form, by the form's number.
        seen: What the form has seen of history when it was filled or last checked, by target (a ``key``).
    """

    forms: list[EventForm] = field(default_factory=list)
    shown_identities: set[str] = field(default_factory=lambda: {"userId"})
    state: FormState = FormState.NOT_CHECKED
    issues: tuple[Issue, ...] = ()
    was_stopped: bool = False
    now_ms: int = 0
    guard: SendGuard = field(default_factory=SendGuard)
    journey_name: str = ""
    address_batch: str = ""
    address_journey: str = ""
    sent_ids: Mapping[int, str] = field(default_factory=dict)
    replaced_ids: dict[int, tuple[str, str]] = field(default_factory=dict)
    replaced_at: float = 0.0
    focus: str | None = None
    note: str = ""
    former: Sequence[tuple[Json, Json]] = ()
    given_ids: dict[int, str] = field(default_factory=dict)
    seen: dict[str, HistoryCheckpoint] = field(default_factory=dict)
    _uids: "count[int]" = field(default_factory=lambda: count(1))

    def add(
        self, name: Json = None, body: Mapping[str, Json] | None = None, common: CommonFields | None = None
    ) -> EventForm:
        """Add an event to the form: an empty one, or ``body`` under ``name``."""
        form = EventForm(next(self._uids))
        form.fill(name, body if body is not None else {"eventId": make_event_id()}, get_zone_name(), common)
        self.forms.append(form)
        return form

    def fill(self, events: Sequence[tuple[Json, Json]]) -> int:
        """Replace all events; returns how many of them the form cannot hold unchanged."""
        common = CommonFields.of_events([body for _, body in events])
        common.put()
        self.forms.clear()
        self.given_ids.clear()
        changed = 0
        for name, body in events:
            form = self.add(name, body if isinstance(body, Mapping) else {}, common)
            changed += not form.holds(name, body, common)
        return changed

    @property
    def payload(self) -> Payload:
        """The request as it will be sent, read back like any pasted payload (ARCHITECTURE, one pipeline)."""
        return read_payload(build_request_body(self.read_events(), indent=True).decode())

    def render_request(self) -> tuple[bytes, str]:
        """The request's body, byte for byte as it will be sent, and indented for reading, with every key masked."""
        events = self.read_events()
        return build_request_body(events), mask_pasted_keys(build_request_body(events, indent=True).decode())[0]

    def read_events(self) -> list[tuple[Json, dict[str, Json]]]:
        """The events, as (name, event) pairs in their order.

        Those that happen "now" are a millisecond apart, the last one now, so that their times are in their order too.
        """
        common, first = CommonFields.read(), self.now_ms - len(self.forms) + 1
        return [form.read(first + number, common) for number, form in enumerate(self.forms)]

    def find_form(self, issue: Issue) -> EventForm:
        """The event that an issue belongs to; the first one, where it belongs to the whole request."""
        return self.forms[(issue.place.row or 1) - 1]

    def open_hidden_problems(self) -> None:
        """Show what is behind *Advanced* of each event that has a problem there."""
        for issue in self.issues:
            form = self.find_form(issue)
            key, name = find_issue_key(form, issue), find_issue_field(form, issue)
            if key != make_common_key(name):
                form.is_open = form.is_open or _is_hidden_field(name)
            elif name in IDENTITY_FIELDS:
                self.shown_identities.add(name)

    def group_issues(self) -> dict[str, list[FieldIssue]]:
        """The issues by the widget key of their field, in the order of the fields' first issues."""
        found: dict[str, dict[tuple[str, str, str], FieldIssue]] = {}
        for issue in self.issues:
            field_issues = found.setdefault(find_issue_key(self.find_form(issue), issue), {})
            same = (issue.code, issue.message, issue.fix)
            known = field_issues.get(same)
            numbers = (*(known.events if known else ()), issue.place.row or 1)
            field_issues[same] = FieldIssue(known.issue if known else issue, numbers)
        return {key: list(issues.values()) for key, issues in found.items()}


def _is_hidden_field(name: str) -> bool:
    return name not in ("name", "data.productId")


def find_issue_field(form: EventForm, issue: Issue) -> str:
    """The form's field that an issue belongs to; "identity" is all four identities."""
    return "identity" if issue.code == "identity_missing" else form.field_at(issue.place.pointer)


def find_issue_key(form: EventForm, issue: Issue) -> str:
    """The widget key of the field of an issue: one that the events share, unless this event has its own."""
    name = find_issue_field(form, issue)
    is_common = (name in ("identity", *IDENTITY_FIELDS) and not form.own_identities) or (
        name == "data.productId" and not form.value(name)
    )
    return make_common_key(name) if is_common else form.key(name)


def mark_edited() -> None:
    """Go back to *not checked* after an edit, and let "now" be now. A batch that is active stays in sight."""
    found = get_screen_state(ComposeState)
    found.state, found.issues, found.was_stopped, found.former = FormState.NOT_CHECKED, (), False, ()
    found.guard.forget_outcome()
    found.now_ms = now_ms()


# ── the events on the form ───────────────────────────────────────────────────────────────────────────────────────────


def renew_event_id(form: EventForm) -> None:
    """Give an event a new id."""
    form.put("eventId", make_event_id())
    mark_edited()


def add_next_event() -> None:
    """Add an event of the same person with the same product, and put the cursor into it."""
    found = get_screen_state(ComposeState)
    found.focus = found.add(FIRST_NAME, {"eventId": make_event_id(), "data": {}}).key("name")
    mark_edited()


def duplicate_event(form: EventForm) -> None:
    """Add a copy of an event below it, under an id of its own."""
    found = get_screen_state(ComposeState)
    copy = found.add(FIRST_NAME, {"eventId": make_event_id(), "data": {}})
    form.copy_to(copy)
    found.forms.insert(found.forms.index(form) + 1, found.forms.pop())
    found.focus = copy.key("name")
    mark_edited()


def move_event(form: EventForm, step: int) -> None:
    """Move an event up (-1) or down (1); the cursor stays on the button, or goes to the other one at an end."""
    found = get_screen_state(ComposeState)
    at = found.forms.index(form)
    to = min(max(at + step, 0), len(found.forms) - 1)
    found.forms.insert(to, found.forms.pop(at))
    at_end = to == (0 if step < 0 else len(found.forms) - 1)
    found.focus = form.key("icon-up" if (step < 0) != at_end else "icon-down")
    mark_edited()


def remove_event(form: EventForm) -> None:
    """Remove an event from the request; the cursor goes to the one that takes its place."""
    found = get_screen_state(ComposeState)
    at = found.forms.index(form)
    found.forms.remove(form)
    found.focus = found.forms[min(at, len(found.forms) - 1)].key("name")
    mark_edited()


def toggle_details(form: EventForm) -> None:
    """Show or hide what of an event most people need not see."""
    form.is_open = not form.is_open


def show_identity(identity: str) -> None:
    """Show another identity field of the person, with the cursor in it."""
    found = get_screen_state(ComposeState)
    found.shown_identities.add(identity)
    found.focus = make_common_key(identity)


def fill_journey(title: str) -> None:
    """Fill the form with a journey template, for the person and the product that are on it."""
    common = CommonFields.read()
    person = common.identities or {"userId": "user_123"}
    data = {"productId": common.product or "SKU_987"}
    replace_events(
        (str(name), {"eventId": make_event_id(), **person, "data": data}) for name in JOURNEY_TEMPLATES[title]
    )


def replace_events(events: Iterable[tuple[Json, Json]]) -> None:
    """Replace what is on the form by other events, and note what it cannot hold."""
    found, given = get_screen_state(ComposeState), list(events)
    former = found.read_events()
    changed = found.fill(given[:MAX_FORM_EVENTS])
    notes = []
    if len(given) > MAX_FORM_EVENTS:
        notes.append(f"The form takes the first {MAX_FORM_EVENTS} of {len(given):,} events.")
    if changed:
        notes.append(
            f"The form cannot hold {format_count(changed, 'event')} unchanged: check the request before sending."
        )
    found.note, found.journey_name = " ".join(notes), ""
    found.seen.clear()
    mark_edited()
    found.former = former


def undo_replacing() -> None:
    """Put back what was on the form before other events replaced it."""
    replace_events(get_screen_state(ComposeState).former)


def fill_from_payload(payload: Payload) -> None:
    """Fill the form with the events of a payload from Inspect or History, under new ids.

    An id that was sent before would be ignored by a target that deduplicates. Events that shared an id share the new
    one; an event without an id, or with one that is no text, stays so.
    """
    found, new_ids = get_screen_state(ComposeState), dict[str, str]()
    replace_events((event.name, event.body) for event in payload.events)
    for form in found.forms:
        if id_ := form.value("eventId"):
            found.given_ids[form.uid] = id_
            form.put("eventId", new_ids.setdefault(id_, make_event_id()))


def keep_given_ids() -> None:
    """Give the events back the ids that they had before they came to the form."""
    found = get_screen_state(ComposeState)
    for form in found.forms:
        if form.uid in found.given_ids:
            form.put("eventId", found.given_ids[form.uid])
    found.given_ids.clear()
    mark_edited()


def focus_issue(issue: Issue) -> None:
    """Put the cursor into the field of an issue when the screen is drawn next, and show it where it was hidden."""
    found = get_screen_state(ComposeState)
    form = found.find_form(issue)
    name, key = find_issue_field(form, issue), find_issue_key(form, issue)
    if key == make_common_key(name):
        found.shown_identities.add(name)
    elif _is_hidden_field(name):
        form.is_open = True
    found.focus = key.removesuffix("identity") + "userId" if name == "identity" else key
