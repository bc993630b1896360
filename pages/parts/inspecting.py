"""What the Inspect screen knows and does: the pasted text, what it was recognised as, its verdicts, its batch."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from intempt_core import (
    ConsoleError,
    Issue,
    Payload,
    Report,
    Target,
    check_events,
    make_batch_intent,
    open_client,
    plan_events,
    read_payload,
)
from intempt_core.cases import CaseFile, read_case
from intempt_core.curl import mask_pasted_keys
from intempt_core.events import get_field, id_to_text, read_identities, read_linking_ids
from intempt_core.history import BatchSource, derive_target_key
from intempt_core.marking import Annotation
from intempt_core.payloads import MAX_PASTED_CHARS
from intempt_core.plan import Plan, Policy
from intempt_core.sandbox_word import read_sandbox_verdicts
from intempt_core.text_mends import TextFix, annotate_with_fixes, find_text_fix, apply_text_fixes
from intempt_core.verdicts import EventVerdicts, VerdictContext, assess_events
from pages.parts import sending
from pages.parts.composing import DOUBLE_CLICK_SECONDS
from pages.parts.house import house
from pages.parts.session import one_click, put, room, value

PASTE = "inspect-paste"
"""The widget key of the pasted text."""

MARKED = 2_000
"""Problems that are marked in the text and can be mended together; a text has seldom more, and then they are alike."""

HAD_KEY = "The command held a key. It is masked in the text, and kept nowhere."

UNDONE = 20
"""Mends that can be taken back."""

SEEN_EVENTS = 1_000
"""Events of one person that are counted to say how well it is known."""


@dataclass
class Inspecting:
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
    marks: Sequence[Annotation] = ()
    mends: dict[int, TextFix] = field(default_factory=dict)
    verdicts: dict[int, list[EventVerdicts]] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    mended: str | None = None
    note: str = ""
    case: CaseFile | None = None
    focus: int = 0
    asked: int = 0
    preview: int | None = None
    files: int = 0
    batch: str | None = None
    settled_at: float = 0.0
    judged_for: str = ""
    on_its_way: bool = False
    doubled: bool = False

    @property
    def places(self) -> dict[int, int]:
        """Where in the text each marked problem stands, by its number."""
        return {mark.number: mark.at for mark in self.marks}


def inspecting(target: Target) -> Inspecting:
    """This tab's Inspect screen; judged again where ``target`` is another one, or has taken something since."""
    found = room(Inspecting)
    arrived = found.on_its_way and found.batch and not house().history.batch(found.batch).is_active
    if arrived or found.judged_for != derive_target_key(target):
        if arrived:
            found.on_its_way, found.settled_at = False, time.monotonic()
        judge(target)
    return found


def read(target: Target) -> None:
    """Read and judge what was pasted; what is no JSON is a sentence with its line. A key is masked where it stands."""
    found, text = room(Inspecting), value(PASTE, "") or ""
    had_key = False
    if len(text) > MAX_PASTED_CHARS:
        put(PASTE, "")  # it would go back and forth between browser and server with every click
    else:
        text, had_key = mask_pasted_keys(text)
        if had_key:
            put(PASTE, text)
    if found.payload is not None and text == found.payload.text:
        judge(target)
        return
    if text not in (found.mended, *found.before[-1:]):
        found.before.clear()
    anew(found)
    if not found.on_its_way:  # what is on its way stays in sight
        found.batch, found.settled_at, found.doubled = None, 0.0, False
    if not text.strip():
        return
    found.text = text if len(text) <= MAX_PASTED_CHARS else ""
    try:
        found.case = read_case(text) if len(text) <= MAX_PASTED_CHARS else None
        if found.case is not None:
            text = found.text = found.case.body
            put(PASTE, text)
        found.payload = read_payload(text, max_chars=MAX_PASTED_CHARS)
    except ConsoleError as error:
        found.trouble, found.trouble_line = str(error), getattr(error, "line", None)
        found.focus, found.asked = found.trouble_line or 0, found.asked + 1
    judge(target)
    if had_key:
        found.note = HAD_KEY


def anew(found: Inspecting) -> None:
    """Forget what was known of the text before."""
    found.payload = found.report = found.preview = found.trouble_line = None
    found.trouble = found.text = found.note = ""
    found.issues, found.marks, found.focus = (), (), 0
    found.mends, found.verdicts, found.case = {}, {}, None


def read_file(target: Target, name: str, content: bytes) -> None:
    """Read a dropped file as if its text had been pasted. The file itself is let go of."""
    found = room(Inspecting)
    found.files += 1
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        anew(found)
        put(PASTE, "")
        line = content.count(b"\n", 0, error.start) + 1
        found.trouble = f"{name} is no text: line {line:,} holds bytes that are not UTF-8. Save it as UTF-8."
        return
    read_text(target, text)


def read_text(target: Target, text: str) -> None:
    """Read a text as if it had been pasted."""
    put(PASTE, text)
    read(target)


def shown() -> None:
    """The outcome is on the screen now: clicks that were made before it came are over."""
    found = room(Inspecting)
    found.settled_at = time.monotonic() if found.settled_at else 0.0


def judge(target: Target) -> None:
    """Check what was read, and look what of it was sent to ``target`` before."""
    found, place = room(Inspecting), derive_target_key(target)
    found.judged_for = place
    found.verdicts = {}
    if found.payload is None:
        return
    found.report = check_events(
        found.payload.events,
        lambda ids: house().history.sent_ids(place, ids),
        found.payload.issues,
        house().lacks(place),
    )
    found.issues = found.report.issues(limit=MARKED)
    mends = ((number, find_text_fix(found.payload, issue)) for number, issue in enumerate(found.issues))
    found.mends = {number: mend for number, mend in mends if mend is not None}
    found.marks = annotate_with_fixes(found.payload, found.issues, found.mends)


# ── what is known of each event ──────────────────────────────────────────────────────────────────────────────────────


def verdicts(target: Target, page: int, size: int) -> list[EventVerdicts]:
    """The three verdicts on the events of one page (from 1), worked out when it is first looked at."""
    found = room(Inspecting)
    if found.payload is None or found.report is None:
        return []
    if page not in found.verdicts:
        events = found.payload.events
        rows = range((page - 1) * size, min(page * size, len(events)))
        found.verdicts[page] = assess_events(events, found.report, known(target, found.payload, rows), rows)
    return found.verdicts[page]


def known(target: Target, payload: Payload, rows: Sequence[int]) -> VerdictContext:
    """What history, and the sandbox where it is one, know of the events of these rows."""
    bodies, place = [payload.events[row].body for row in rows], derive_target_key(target)
    ids = [id_ for body in bodies if (id_ := id_to_text(get_field(body, "eventId"))) is not None]
    persons = [dict(read_linking_ids(body) or read_identities(body).items()) for body in bodies]

    @cache
    def seen(field_: str, id_: str) -> int:
        return len(house().history.interactions(place, field_, id_, limit=SEEN_EVENTS))

    async def ask() -> object:
        async with open_client(house().settings) as client:
            return await read_sandbox_verdicts(client, target, [next(iter(one.values())) for one in persons if one])

    words = asyncio.run(ask())
    return VerdictContext(
        target,
        house().history.occurrences(ids, target=place, limit_per_id=20),
        words if isinstance(words, dict) else None,
        seen,
    )


# ── from the list to the place, and mending ──────────────────────────────────────────────────────────────────────────


def go_to(number: int) -> None:
    """Lead to the place of a problem in the text."""
    found = room(Inspecting)
    if found.payload is not None:
        found.focus, found.asked = found.payload.line_column(found.places[number])[0], found.asked + 1


def look_at(number: int | None) -> None:
    """Show the difference that a mend would make (-1: all that is certain), or none."""
    room(Inspecting).preview = number


def chosen() -> list[TextFix]:
    """The mends that are looked at."""
    found = room(Inspecting)
    if found.preview is None:
        return []
    return list(found.mends.values()) if found.preview < 0 else [found.mends[found.preview]]


def mend(target: Target) -> None:
    """Put what is looked at into the text; it can be undone."""
    found = room(Inspecting)
    if found.payload is None:
        return
    text = apply_text_fixes(found.payload, chosen())
    if text is None:
        found.preview, found.note = None, "The command around the body would read otherwise: mend it by hand."
        return
    found.before, found.mended = [*found.before[-UNDONE + 1 :], found.payload.text], text
    put(PASTE, text)
    read(target)


def undo(target: Target) -> None:
    """The text as it was before the last mend."""
    found = room(Inspecting)
    if found.before:
        found.mended = found.before.pop()
        put(PASTE, found.mended)
        read(target)


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(*, everything: bool) -> Plan | None:
    """The requests of the events without errors, or of all of them as they are; ``None`` where there is no event."""
    found = room(Inspecting)
    if found.payload is None or found.report is None:
        return None
    bad = found.report.error_mask
    events = [event for number, event in enumerate(found.payload.events) if everything or not bad[number]]
    return plan_events(events) if events else None


@one_click()
def send(target: Target, policy: Policy, *, as_it_is: bool = False) -> None:
    """Record and send; a double click sends once."""
    found = room(Inspecting)
    found.doubled = found.on_its_way or time.monotonic() - found.settled_at < DOUBLE_CLICK_SECONDS
    if found.doubled:
        return
    planned = plan(everything=as_it_is)
    if planned is None or found.payload is None:
        return
    label = found.payload.recognised
    notes = {"as it is": True} if as_it_is else {}
    intent = make_batch_intent(planned, target, source=BatchSource.PAYLOAD, label=label, policy=policy, notes=notes)
    found.batch = sending.submit(intent, planned)
    found.on_its_way = True
