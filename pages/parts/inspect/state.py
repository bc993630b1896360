"""What the Inspect screen knows and does: the pasted text, what it was recognised as, its verdicts, its batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from intempt_core.analysis import EventVerdicts, VerdictContext, assess_events
from intempt_core.contract import Issue, get_field, id_to_text, read_identities, read_linking_ids
from intempt_core.dispatch import make_batch_intent
from intempt_core.errors import ConsoleError, SandboxUnavailable
from intempt_core.exports import CaseFile, read_case
from intempt_core.fixes import TextFix, annotate_with_fixes, apply_text_fixes, find_text_fix
from intempt_core.history import BatchSource
from intempt_core.planning import Plan, Policy, plan_events
from intempt_core.readers import MAX_PASTED_CHARS, Payload, mask_pasted_keys, read_payload
from intempt_core.targets import Target, derive_target_key
from intempt_core.transport import SandboxClient, SandboxVerdict
from intempt_core.validation import Annotation, Report, check_events
from pages.parts.shared.screen_state import get_screen_state, read_widget, set_widget
from pages.parts.shared.send_flow import Submission, submit_once
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services

PASTE_WIDGET = "inspect-paste"
"""The widget key of the pasted text."""

MAX_ANNOTATED_ISSUES = 2_000
"""Problems that are marked in the text and can be mended together; a text has seldom more, and then they are alike."""

MASKED_KEY_MESSAGE = "The command held a key. It is masked in the text, and kept nowhere."

MAX_UNDO_STEPS = 20
"""Mends that can be taken back."""

MAX_EVENTS_COUNTED = 1_000
"""Events of one person that are counted to say how well it is known."""


@dataclass
class InspectState:
    """The Inspect screen of one tab.

    ``asked`` counts the times that somebody was led to ``focus``, a line of the text; ``preview`` is the number of the
    problem whose mend is looked at, -1 for all that is certain. ``before`` are the texts before each mend, ``mended``
    the text that the last one made.
    """

    payload: Payload | None = None
    report: Report | None = None
    trouble: str = ""
    trouble_line: int | None = None
    text: str = ""
    issues: Sequence[Issue] = ()
    annotations: Sequence[Annotation] = ()
    fixes: dict[int, TextFix] = field(default_factory=dict)
    verdicts: dict[int, list[EventVerdicts]] = field(default_factory=dict)
    undo_texts: list[str] = field(default_factory=list)
    fixed_text: str | None = None
    note: str = ""
    case: CaseFile | None = None
    focus: int = 0
    focus_count: int = 0
    preview: int | None = None
    files_dropped: int = 0
    guard: SendGuard = field(default_factory=SendGuard)
    checked_for: str = ""

    @property
    def places(self) -> dict[int, int]:
        """Where in the text each marked problem stands, by its number."""
        return {mark.number: mark.at for mark in self.annotations}


def load_inspect_state(target: Target) -> InspectState:
    """This tab's Inspect screen; judged again where ``target`` is another one, or has taken something since."""
    found = get_screen_state(InspectState)
    if found.guard.refresh() or found.checked_for != derive_target_key(target):
        check_paste(target)
    return found


def read_paste(target: Target) -> None:
    """Read and judge what was pasted; what is no JSON is a sentence with its line. A key is masked where it stands."""
    found, text = get_screen_state(InspectState), read_widget(PASTE_WIDGET, "") or ""
    had_key = False
    if len(text) > MAX_PASTED_CHARS:
        set_widget(PASTE_WIDGET, "")  # it would go back and forth between browser and server with every click
    else:
        text, had_key = mask_pasted_keys(text)
        if had_key:
            set_widget(PASTE_WIDGET, text)
    if found.payload is not None and text == found.payload.text:
        check_paste(target)
        return
    if text not in (found.fixed_text, *found.undo_texts[-1:]):
        found.undo_texts.clear()
    reset_payload(found)
    found.guard.forget_outcome()
    if not text.strip():
        return
    found.text = text if len(text) <= MAX_PASTED_CHARS else ""
    try:
        found.case = read_case(text) if len(text) <= MAX_PASTED_CHARS else None
        if found.case is not None:
            text = found.text = found.case.body
            set_widget(PASTE_WIDGET, text)
        found.payload = read_payload(text, max_chars=MAX_PASTED_CHARS)
    except ConsoleError as error:
        found.trouble, found.trouble_line = str(error), getattr(error, "line", None)
        found.focus, found.focus_count = found.trouble_line or 0, found.focus_count + 1
    check_paste(target)
    if had_key:
        found.note = MASKED_KEY_MESSAGE


def reset_payload(found: InspectState) -> None:
    """Forget what was known of the text before."""
    found.payload = found.report = found.preview = found.trouble_line = None
    found.trouble = found.text = found.note = ""
    found.issues, found.annotations, found.focus = (), (), 0
    found.fixes, found.verdicts, found.case = {}, {}, None


def read_dropped_file(target: Target, name: str, content: bytes) -> None:
    """Read a dropped file as if its text had been pasted. The file itself is let go of."""
    found = get_screen_state(InspectState)
    found.files_dropped += 1
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        reset_payload(found)
        set_widget(PASTE_WIDGET, "")
        line = content.count(b"\n", 0, error.start) + 1
        found.trouble = f"{name} is no text: line {line:,} holds bytes that are not UTF-8. Save it as UTF-8."
        return
    read_pasted_text(target, text)


def read_pasted_text(target: Target, text: str) -> None:
    """Read a text as if it had been pasted."""
    set_widget(PASTE_WIDGET, text)
    read_paste(target)


def check_paste(target: Target) -> None:
    """Check what was read, and look what of it was sent to ``target`` before."""
    found, place = get_screen_state(InspectState), derive_target_key(target)
    found.checked_for = place
    found.verdicts = {}
    if found.payload is None:
        return
    found.report = check_events(
        found.payload.events,
        lambda ids: get_services().history.sent_ids(place, ids),
        found.payload.issues,
        get_services().product_lookup(place),
    )
    found.issues = found.report.issues(limit=MAX_ANNOTATED_ISSUES)
    mends = ((number, find_text_fix(found.payload, issue)) for number, issue in enumerate(found.issues))
    found.fixes = {number: mend for number, mend in mends if mend is not None}
    found.annotations = annotate_with_fixes(found.payload, found.issues, found.fixes)


# ── what is known of each event ──────────────────────────────────────────────────────────────────────────────────────


def collect_verdicts(target: Target, page: int, size: int) -> list[EventVerdicts]:
    """The three verdicts on the events of one page (from 1), worked out when it is first looked at."""
    found = get_screen_state(InspectState)
    if found.payload is None or found.report is None:
        return []
    if page not in found.verdicts:
        events = found.payload.events
        rows = range((page - 1) * size, min(page * size, len(events)))
        found.verdicts[page] = assess_events(
            events, found.report, collect_known_events(target, found.payload, rows), rows
        )
    return found.verdicts[page]


def collect_known_events(target: Target, payload: Payload, rows: Sequence[int]) -> VerdictContext:
    """What history, and the sandbox where it is one, know of the events of these rows."""
    bodies, place = [payload.events[row].body for row in rows], derive_target_key(target)
    ids = [id_ for body in bodies if (id_ := id_to_text(get_field(body, "eventId"))) is not None]
    persons = [dict(read_linking_ids(body) or read_identities(body).items()) for body in bodies]

    @cache
    def seen(field_: str, id_: str) -> int:
        return len(get_services().history.interactions(place, field_, id_, limit=MAX_EVENTS_COUNTED))

    def ask_sandbox() -> dict[str, list[SandboxVerdict]] | None:
        try:
            with SandboxClient(target, get_services().settings.read_seconds) as sandbox:
                return sandbox.read_verdicts(next(iter(one.values())) for one in persons if one)
        except SandboxUnavailable:
            return None

    return VerdictContext(
        target,
        get_services().history.occurrences(ids, target=place, limit_per_id=20),
        ask_sandbox(),
        seen,
    )


# ── from the list to the place, and mending ──────────────────────────────────────────────────────────────────────────


def focus_problem(number: int) -> None:
    """Lead to the place of a problem in the text."""
    found = get_screen_state(InspectState)
    if found.payload is not None:
        found.focus, found.focus_count = found.payload.line_column(found.places[number])[0], found.focus_count + 1


def select_preview(number: int | None) -> None:
    """Show the difference that a mend would make (-1: all that is certain), or none."""
    get_screen_state(InspectState).preview = number


def list_previewed_fixes() -> list[TextFix]:
    """The mends that are looked at."""
    found = get_screen_state(InspectState)
    if found.preview is None:
        return []
    return list(found.fixes.values()) if found.preview < 0 else [found.fixes[found.preview]]


def apply_previewed_fixes(target: Target) -> None:
    """Put what is looked at into the text; it can be undone."""
    found = get_screen_state(InspectState)
    if found.payload is None:
        return
    text = apply_text_fixes(found.payload, list_previewed_fixes())
    if text is None:
        found.preview, found.note = None, "The command around the body would read otherwise: mend it by hand."
        return
    found.undo_texts, found.fixed_text = [*found.undo_texts[-MAX_UNDO_STEPS + 1 :], found.payload.text], text
    set_widget(PASTE_WIDGET, text)
    read_paste(target)


def undo_last_fix(target: Target) -> None:
    """The text as it was before the last mend."""
    found = get_screen_state(InspectState)
    if found.undo_texts:
        found.fixed_text = found.undo_texts.pop()
        set_widget(PASTE_WIDGET, found.fixed_text)
        read_paste(target)


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_payload(*, everything: bool) -> Plan | None:
    """The requests of the events without errors, or of all of them as they are; ``None`` where there is no event."""
    found = get_screen_state(InspectState)
    if found.payload is None or found.report is None:
        return None
    bad = found.report.error_mask
    events = [event for number, event in enumerate(found.payload.events) if everything or not bad[number]]
    return plan_events(events) if events else None


def send_payload(target: Target, policy: Policy, *, as_it_is: bool = False) -> None:
    """Record and send the events without errors; with ``as_it_is`` all of them."""
    found = get_screen_state(InspectState)

    def prepare() -> Submission | None:
        plan = plan_payload(everything=as_it_is)
        if plan is None or found.payload is None:
            return None
        notes = {"as it is": True} if as_it_is else {}
        label = found.payload.recognised
        return Submission(
            make_batch_intent(plan, target, source=BatchSource.PAYLOAD, label=label, policy=policy, notes=notes), plan
        )

    submit_once(found.guard, target, prepare)
