"""The state of the Inspect screen: the pasted text, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from intempt_core.analysis import EventVerdicts
from intempt_core.errors import ConsoleError
from intempt_core.exports import CaseFile, read_case
from intempt_core.fixes import (
    ProblemGroup,
    TextProblem,
    annotate_with_fixes,
    collect_text_problems,
    group_problems,
    list_fixes,
)
from intempt_core.history import HistoryCheckpoint
from intempt_core.planning import Plan
from intempt_core.readers import (
    LARGE_HAR_BYTES,
    MAX_PASTED_CHARS,
    JsonSyntaxError,
    ListedRequest,
    PastedReading,
    Payload,
    RequestChoiceError,
    extract_har_requests,
    is_har,
    mask_reading,
    read_payload,
    reject_mail,
)
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import Annotation, EventKey, PriorSend, PriorSendLookup, Report, check_events
from pages.parts.inspect.collection_pause import pause_collection
from pages.parts.shared.screen_state import get_screen_state, get_session, read_widget, set_widget
from pages.parts.shared.send_flow import see_history
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services
from pages.parts.shared.team_rules import get_team_rules

PASTE_WIDGET = "inspect-paste"
"""The widget key of the pasted text."""

REQUEST_WIDGET = "inspect-request"
"""The widget key of the choice among several requests."""

MAX_ISSUES = 1_000_000
"""Issues of a text; a text of the most characters has fewer."""

MAX_ANNOTATIONS = 2_000
"""Problems that are annotated in the text; where there are more, they are alike."""

MASKED_KEY_MESSAGE = "The text held a key. It is masked, and not stored."

MAX_UNDO_STEPS = 20
"""Fixes that can be undone."""


@dataclass
class InspectState:
    """The Inspect screen of one tab.

    Attributes:
        payload: The events that were read from the text, ``None`` where it cannot be read.
        report: The result of checking them.
        trouble: Why the text cannot be read, as a sentence.
        trouble_line: The line where it cannot be read, from 1.
        is_bad_json: Whether it is no JSON.
        text: The pasted text as it was read.
        problems: What is wrong with it, each place once.
        groups: The same by kind.
        annotations: The places of the first problems in the text.
        verdicts: The verdicts on events, by their rows.
        plans: The requests of all events, and of those without errors, by whether it is all.
        undo_texts: The texts before each fix, oldest first.
        fixed_text: The text that the last fix made.
        note: What was done to the text, as a sentence.
        requests: The requests in the text.
        request: The number of the request that was chosen, ``None`` for those that go to a track path.
        case: The case file that was pasted.
        focus: The line of the text to scroll to, from 1; 0 for none.
        focus_count: How often the text was scrolled to ``focus``.
        preview: The numbers of the problems whose fixes are previewed.
        is_editing: Whether a text that can be read is edited, in the place of being shown with its problems.
        files_dropped: How many files were dropped, for the key of the next file input.
        guard: What was sent from this screen.
        checked_for: The target (a ``key``) that the text was checked for.
        checked_by: The digest of the team's rules that the text was checked by; empty for none.
        seen: What the check has seen of history.
        reads: How often a text was read, for the keys of what belongs to one text.
    """

    payload: Payload | None = None
    report: Report | None = None
    trouble: str = ""
    trouble_line: int | None = None
    is_bad_json: bool = False
    text: str = ""
    problems: Sequence[TextProblem] = ()
    groups: Sequence[ProblemGroup] = ()
    annotations: Sequence[Annotation] = ()
    verdicts: dict[tuple[int, ...], list[EventVerdicts]] = field(default_factory=dict)
    plans: dict[bool, Plan] = field(default_factory=dict)
    undo_texts: list[str] = field(default_factory=list)
    fixed_text: str | None = None
    note: str = ""
    requests: Sequence[ListedRequest] = ()
    request: int | None = None
    case: CaseFile | None = None
    focus: int = 0
    focus_count: int = 0
    preview: tuple[int, ...] = ()
    is_editing: bool = False
    files_dropped: int = 0
    guard: SendGuard = field(default_factory=SendGuard)
    checked_for: str = ""
    checked_by: str = ""
    seen: HistoryCheckpoint | None = None
    reads: int = 0

    def show_trouble(self, error: ConsoleError) -> None:
        """Say why the text cannot be read, and scroll to where."""
        self.trouble, self.trouble_line = str(error), getattr(error, "line", None)
        self.is_bad_json = isinstance(error, JsonSyntaxError)
        self.focus, self.focus_count = self.trouble_line or 0, self.focus_count + 1

    @property
    def places(self) -> dict[int, int]:
        """The offset in the text of each annotated problem, by its index."""
        return {annotation.number: annotation.at for annotation in self.annotations}


def load_inspect_state(target: Target) -> InspectState:
    """This tab's Inspect screen; checked again for another ``target``, or after something was sent to it."""
    found, session = get_screen_state(InspectState), get_session()
    if session.pending_paste is not None:
        text, session.pending_paste = session.pending_paste, None
        read_pasted_text(target, text)
    rules = get_team_rules()
    was_checked = (found.checked_for, found.checked_by) == (derive_target_key(target), rules.digest if rules else "")
    if found.guard.refresh() or not was_checked:
        check_paste(target)
    return found


def read_paste(target: Target, *, reduced: bool = False) -> None:
    """Read and check the pasted text, and mask a key in it; why it cannot be read is a sentence with the line.

    Of a large HAR file only the requests are kept, unless it is ``reduced`` to them.
    """
    found, text = get_screen_state(InspectState), read_widget(PASTE_WIDGET)
    if text is None:
        return  # the second half of a click: the area is not drawn any more
    if not reduced and len(text) > LARGE_HAR_BYTES and is_har(text[:1_000].encode("utf-8", "replace")):
        read_large_har(target, text.encode("utf-8", "surrogatepass"))
    elif (mail := find_mail_trouble(text)) is not None:
        set_widget(PASTE_WIDGET, "")  # nothing else that is in it belongs here
        reset_payload(found)
        found.trouble = mail
    else:
        read_text(found, target, text)


@pause_collection()
def read_text(found: InspectState, target: Target, text: str) -> None:
    """Read and check a text that was pasted, and mask a key in it."""
    case, trouble, had_key, reading = None, None, False, PastedReading(text)
    if len(text) > MAX_PASTED_CHARS:
        set_widget(PASTE_WIDGET, "")  # otherwise it is sent between browser and server with every click
    else:
        given = text
        try:
            case = read_case(text)
        except ConsoleError as error:
            trouble = error
        unmasked = text if case is None else case.body
        reading = mask_keys(unmasked)
        text, had_key = reading.text, reading.text != unmasked
        if text != given:
            set_widget(PASTE_WIDGET, text)
    if found.payload is not None and text == found.payload.text and case is None:
        found.is_editing = False
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
        read_request(found, reading, request)
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


def read_request(found: InspectState, reading: PastedReading, request: int | None) -> None:
    """Read one request of a text without keys, or those to a track path; why it cannot be read is a sentence."""
    found.request = request
    try:
        found.payload = read_payload(reading, max_chars=MAX_PASTED_CHARS, request=request, salvage=True)
        found.requests = found.payload.requests
    except ConsoleError as error:
        found.requests = error.requests if isinstance(error, RequestChoiceError) else ()
        found.show_trouble(error)


@pause_collection()
def choose_request(target: Target) -> None:
    """Read the request that is chosen in the list, or, with none, those that go to a track path."""
    found = get_screen_state(InspectState)
    text, listed = found.text, found.requests
    reset_payload(found)
    found.text = text
    found.undo_texts.clear()
    found.guard.forget_outcome()
    read_request(found, PastedReading(text), read_widget(REQUEST_WIDGET, None))
    found.requests = found.requests or listed
    check_paste(target)


def mask_keys(text: str) -> PastedReading:
    """Mask the keys in a pasted text, those of this console's targets in any form."""
    reading = mask_reading(PastedReading(text))
    masked = reading.text
    for credential in get_services().credentials:
        masked = credential.mask_text(masked)
    return reading if masked == reading.text else PastedReading(masked)


def reset_payload(found: InspectState) -> None:
    """Forget what was found in the text before."""
    found.payload = found.report = found.trouble_line = None
    found.is_editing, found.preview, found.is_bad_json = False, (), False
    found.reads += 1
    found.trouble = found.text = found.note = ""
    found.requests, found.request = (), None
    found.problems, found.groups, found.annotations, found.focus = (), (), (), 0
    found.verdicts, found.plans, found.case = {}, {}, None


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


@pause_collection()
def check_paste(target: Target) -> None:
    """Check the events that were read, also against what was sent to ``target`` before."""
    found, target_key = get_screen_state(InspectState), derive_target_key(target)
    found.checked_for, found.seen = target_key, see_history(target)
    found.verdicts, found.plans, rules = {}, {}, get_team_rules()
    found.checked_by = rules.digest if rules else ""
    if found.payload is None:
        return
    found.report = check_events(
        found.payload.events,
        _look_up_prior_sends(found, target_key),
        found.payload.issues,
        get_services().product_lookup(target_key),
        rules=rules,
    )
    found.problems = collect_text_problems(found.payload, found.report.issues(limit=MAX_ISSUES))
    found.groups = group_problems(found.problems)
    some = found.problems[:MAX_ANNOTATIONS]
    found.annotations = annotate_with_fixes(found.payload, [one.issue for one in some], list_fixes(some))


def _look_up_prior_sends(found: InspectState, target_key: str) -> PriorSendLookup:
    """The look-up of what was sent before; what this screen has just sent is told of by its result."""
    look_up = get_services().history.events.prior_send_lookup(target_key)

    def look_up_earlier(keys: Sequence[EventKey]) -> Mapping[EventKey, PriorSend]:
        return {key: sent for key, sent in look_up(keys).items() if sent.batch != found.guard.batch}

    return look_up_earlier


def edit_text() -> None:
    """Show the text where it can be edited."""
    found = get_screen_state(InspectState)
    found.is_editing = True
    set_widget(PASTE_WIDGET, found.text)


def clear_text() -> None:
    """Forget the text, so that another one can be pasted."""
    found = get_screen_state(InspectState)
    reset_payload(found)
    found.undo_texts.clear()
    found.guard.forget_outcome()
    set_widget(PASTE_WIDGET, "")
