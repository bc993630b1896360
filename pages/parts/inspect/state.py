"""The state of the Inspect screen: the pasted text, its problems, fixes and verdicts, and what was sent of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from intempt_core.analysis import EventVerdicts, VerdictContext, assess_events
from intempt_core.contract import Issue, get_field, id_to_text, read_identities, read_linking_ids
from intempt_core.dispatch import make_batch_intent
from intempt_core.errors import ConsoleError, SandboxUnavailable
from intempt_core.exports import CaseFile, read_case
from intempt_core.fixes import TextFix, annotate_with_fixes, apply_text_fixes, find_text_fix
from intempt_core.history import BatchSource, HistoryCheckpoint
from intempt_core.planning import Plan, Policy, plan_events
from intempt_core.readers import (
    LARGE_HAR_BYTES,
    MAX_PASTED_CHARS,
    ListedRequest,
    Payload,
    RequestChoiceError,
    extract_har_requests,
    is_har,
    mask_pasted_keys,
    read_payload,
    reject_mail,
)
from intempt_core.targets import Target, derive_target_key
from intempt_core.transport import SandboxClient, SandboxVerdict
from intempt_core.validation import Annotation, Report, check_events
from pages.parts.shared.screen_state import get_screen_state, read_widget, set_widget
from pages.parts.shared.send_flow import Submission, see_history, submit_once
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services
from pages.parts.shared.team_rules import get_team_rules

PASTE_WIDGET = "inspect-paste"
"""The widget key of the pasted text."""

REQUEST_WIDGET = "inspect-request"
"""The widget key of the choice among several requests."""

MAX_ANNOTATED_ISSUES = 2_000
"""Problems that are annotated in the text and can be fixed together; where there are more, they are alike."""

MASKED_KEY_MESSAGE = "The text held a key. It is masked, and not stored."

MAX_UNDO_STEPS = 20
"""Fixes that can be undone."""

MAX_EVENTS_COUNTED = 1_000
"""Events of one person that are counted, to tell whether it is known at a target."""


@dataclass
class InspectState:
    """The Inspect screen of one tab.

    Attributes:
        payload: The events that were read from the text, ``None`` where it cannot be read.
        report: The result of checking them.
        trouble: Why the text cannot be read, as a sentence.
        trouble_line: The line where it cannot be read, from 1.
        text: The pasted text as it was read.
        issues: The first problems, those that are annotated.
        annotations: Their places in the text.
        fixes: The fixes that are certain, by the index of their problem.
        verdicts: The verdicts on events, by the page that shows them.
        undo_texts: The texts before each fix, oldest first.
        fixed_text: The text that the last fix made.
        note: What was done to the text, as a sentence.
        requests: The requests in the text.
        request: The number of the request that was chosen, ``None`` for those that go to a track path.
        case: The case file that was pasted.
        focus: The line of the text to scroll to, from 1; 0 for none.
        focus_count: How often the text was scrolled to ``focus``.
        preview: The index of the problem whose fix is previewed, -1 for all fixes, ``None`` for none.
        files_dropped: How many files were dropped, for the key of the next file input.
        guard: What was sent from this screen.
        checked_for: The target (a ``key``) that the text was checked for.
        checked_by: The digest of the team's rules that the text was checked by; empty for none.
        seen: What the check has seen of history.
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
    requests: Sequence[ListedRequest] = ()
    request: int | None = None
    case: CaseFile | None = None
    focus: int = 0
    focus_count: int = 0
    preview: int | None = None
    files_dropped: int = 0
    guard: SendGuard = field(default_factory=SendGuard)
    checked_for: str = ""
    checked_by: str = ""
    seen: HistoryCheckpoint | None = None

    def show_trouble(self, error: ConsoleError) -> None:
        """Say why the text cannot be read, and scroll to where."""
        self.trouble, self.trouble_line = str(error), getattr(error, "line", None)
        self.focus, self.focus_count = self.trouble_line or 0, self.focus_count + 1

    @property
    def places(self) -> dict[int, int]:
        """The offset in the text of each annotated problem, by its index."""
        return {annotation.number: annotation.at for annotation in self.annotations}


def load_inspect_state(target: Target) -> InspectState:
    """This tab's Inspect screen; checked again for another ``target``, or after something was sent to it."""
    found = get_screen_state(InspectState)
    rules = get_team_rules()
    was_checked = (found.checked_for, found.checked_by) == (derive_target_key(target), rules.digest if rules else "")
    if found.guard.refresh() or not was_checked:
        check_paste(target)
    return found


def read_paste(target: Target, *, reduced: bool = False) -> None:
    """Read and check the pasted text, and mask a key in it; why it cannot be read is a sentence with the line.

    Of a large HAR file only the requests are kept, unless it is ``reduced`` to them.
    """
    found, text = get_screen_state(InspectState), read_widget(PASTE_WIDGET, "") or ""
    if not reduced and len(text) > LARGE_HAR_BYTES and is_har(text[:1_000].encode("utf-8", "replace")):
        read_large_har(target, text.encode("utf-8", "surrogatepass"))
    elif (mail := find_mail_trouble(text)) is not None:
        set_widget(PASTE_WIDGET, "")  # nothing else that is in it belongs here
        reset_payload(found)
        found.trouble = mail
    else:
        read_text(found, target, text)


def read_text(found: InspectState, target: Target, text: str) -> None:
    """Read and check a text that was pasted, and mask a key in it."""
    case, trouble, had_key = None, None, False
    if len(text) > MAX_PASTED_CHARS:
        set_widget(PASTE_WIDGET, "")  # otherwise it is sent between browser and server with every click
    else:
        given = text
        try:
            case = read_case(text)
        except ConsoleError as error:
            trouble = error
        text, had_key = mask_keys(text if case is None else case.body)
        if text != given:
            set_widget(PASTE_WIDGET, text)
    if found.payload is not None and text == found.payload.text and case is None:
        check_paste(target)
        return
    request = found.request
    if text not in (found.fixed_text, *found.undo_texts[-1:]):
        found.undo_texts.clear()
        request = None
    reset_payload(found)
    found.guard.forget_outcome()
    set_widget(REQUEST_WIDGET, request)
    if not text.strip():
        return
    found.text, found.case = text if len(text) <= MAX_PASTED_CHARS else "", case
    if trouble is None:
        read_request(found, text, request)
    else:
        found.show_trouble(trouble)
    check_paste(target)
    if had_key:
        found.note = MASKED_KEY_MESSAGE


def find_mail_trouble(text: str) -> str | None:
    """Why an e-mail is not read, as a sentence; ``None`` for anything else."""
    try:
        reject_mail(text)
    except ConsoleError as error:
        return str(error)
    return None


def read_request(found: InspectState, text: str, request: int | None) -> None:
    """Read one request of a text, or those that go to a track path; why it cannot be read is a sentence."""
    found.request = request
    try:
        found.payload = read_payload(text, max_chars=MAX_PASTED_CHARS, request=request)
        found.requests = found.payload.requests
    except ConsoleError as error:
        found.requests = error.requests if isinstance(error, RequestChoiceError) else ()
        found.show_trouble(error)


def choose_request(target: Target) -> None:
    """Read the request that is chosen in the list, or, with none, those that go to a track path."""
    found = get_screen_state(InspectState)
    text, listed = found.text, found.requests
    reset_payload(found)
    found.text = text
    found.undo_texts.clear()
    found.guard.forget_outcome()
    read_request(found, text, read_widget(REQUEST_WIDGET, None))
    found.requests = found.requests or listed
    check_paste(target)


def mask_keys(text: str) -> tuple[str, bool]:
    """Mask the keys in a pasted text, those of this console's targets in any form; whether there was one."""
    masked, _ = mask_pasted_keys(text)
    for credential in get_services().credentials:
        masked = credential.mask_text(masked)
    return masked, masked != text


def reset_payload(found: InspectState) -> None:
    """Forget what was found in the text before."""
    found.payload = found.report = found.preview = found.trouble_line = None
    found.trouble = found.text = found.note = ""
    found.requests, found.request = (), None
    found.issues, found.annotations, found.focus = (), (), 0
    found.fixes, found.verdicts, found.case = {}, {}, None


def read_dropped_file(target: Target, name: str, content: bytes) -> None:
    """Read a dropped file as if its text had been pasted. The file itself is not kept."""
    found = get_screen_state(InspectState)
    found.files_dropped += 1
    if len(content) > LARGE_HAR_BYTES and is_har(content):
        read_large_har(target, content)
        return
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        reset_payload(found)
        set_widget(PASTE_WIDGET, "")
        line = content.count(b"\n", 0, error.start) + 1
        found.trouble = f"{name} is not a text file in UTF-8: see line {line:,}. Save it as UTF-8."
        return
    read_pasted_text(target, text)


def read_large_har(target: Target, content: bytes) -> None:
    """Read the requests of a HAR file that is too large to be shown whole."""
    found = get_screen_state(InspectState)
    try:
        text = extract_har_requests(content)
    except ConsoleError as error:
        reset_payload(found)
        set_widget(PASTE_WIDGET, "")
        found.show_trouble(error)
        return
    set_widget(PASTE_WIDGET, text)
    read_paste(target, reduced=True)
    megabytes = f"{len(content) / 1e6:,.0f} MB"
    found.note = f"The HAR file has {megabytes}. Here are its requests alone, without headers and what came back."


def read_pasted_text(target: Target, text: str) -> None:
    """Read a text as if it had been pasted."""
    set_widget(PASTE_WIDGET, text)
    read_paste(target)


def check_paste(target: Target) -> None:
    """Check the events that were read, also against what was sent to ``target`` before."""
    found, target_key = get_screen_state(InspectState), derive_target_key(target)
    found.checked_for, found.seen = target_key, see_history(target)
    found.verdicts, rules = {}, get_team_rules()
    found.checked_by = rules.digest if rules else ""
    if found.payload is None:
        return
    found.report = check_events(
        found.payload.events,
        get_services().history.events.prior_send_lookup(target_key),
        found.payload.issues,
        get_services().product_lookup(target_key),
        rules=rules,
    )
    found.issues = found.report.issues(limit=MAX_ANNOTATED_ISSUES)
    fixes = ((number, find_text_fix(found.payload, issue)) for number, issue in enumerate(found.issues))
    found.fixes = {number: fix for number, fix in fixes if fix is not None}
    found.annotations = annotate_with_fixes(found.payload, found.issues, found.fixes)


# ── verdicts on each event ────────────────────────────────────────────────────────────────────────────────────────────


def collect_verdicts(target: Target, page: int, size: int) -> list[EventVerdicts]:
    """The three verdicts on the events of one page (from 1), made when the page is first shown."""
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
    """What history, and the target if it is a sandbox, know of the events of these rows."""
    bodies, target_key = [payload.events[row].body for row in rows], derive_target_key(target)
    ids = [id_ for body in bodies if (id_ := id_to_text(get_field(body, "eventId"))) is not None]
    persons = [dict(read_linking_ids(body) or read_identities(body).items()) for body in bodies]

    @cache
    def count_events(field_: str, id_: str) -> int:
        return len(get_services().history.persons.interactions(target_key, field_, id_, limit=MAX_EVENTS_COUNTED))

    def ask_sandbox() -> dict[str, list[SandboxVerdict]] | None:
        try:
            with SandboxClient(target, get_services().settings.read_seconds) as sandbox:
                return sandbox.read_verdicts(next(iter(person.values())) for person in persons if person)
        except SandboxUnavailable:
            return None

    return VerdictContext(
        target,
        get_services().history.events.occurrences(ids, target=target_key, limit_per_id=20),
        ask_sandbox(),
        count_events,
    )


# ── from a problem to its place, and fixes ────────────────────────────────────────────────────────────────────────────


def focus_problem(number: int) -> None:
    """Scroll to the line of a problem in the text."""
    found = get_screen_state(InspectState)
    if found.payload is not None:
        found.focus, found.focus_count = found.payload.line_column(found.places[number])[0], found.focus_count + 1


def select_preview(number: int | None) -> None:
    """Preview the fix of a problem (-1: all fixes), or none."""
    get_screen_state(InspectState).preview = number


def list_previewed_fixes() -> list[TextFix]:
    """The fixes that are previewed."""
    found = get_screen_state(InspectState)
    if found.preview is None:
        return []
    return list(found.fixes.values()) if found.preview < 0 else [found.fixes[found.preview]]


def apply_previewed_fixes(target: Target) -> None:
    """Apply the previewed fixes to the text; they can be undone."""
    found = get_screen_state(InspectState)
    if found.payload is None:
        return
    text = apply_text_fixes(found.payload, list_previewed_fixes())
    if text is None:
        found.preview, found.note = None, "The fix would change the command around the body: fix it by hand."
        return
    found.undo_texts, found.fixed_text = [*found.undo_texts[-MAX_UNDO_STEPS + 1 :], found.payload.text], text
    set_widget(PASTE_WIDGET, text)
    read_paste(target)


def undo_last_fix(target: Target) -> None:
    """Restore the text as it was before the last fix."""
    found = get_screen_state(InspectState)
    if found.undo_texts:
        found.fixed_text = found.undo_texts.pop()
        set_widget(PASTE_WIDGET, found.fixed_text)
        read_paste(target)


# ── sending ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_payload(*, everything: bool) -> Plan | None:
    """The requests of the events without errors, or of all of them as they are; ``None`` where there is no event."""
    found = get_screen_state(InspectState)
    if found.payload is None or found.report is None:
        return None
    bad = found.report.excluded_mask
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
            make_batch_intent(
                plan, target, source=BatchSource.PAYLOAD, label=label, policy=policy, notes=notes, seen=found.seen
            ),
            plan,
        )

    submit_once(found.guard, target, prepare, partial(send_payload, target, policy, as_it_is=as_it_is))
