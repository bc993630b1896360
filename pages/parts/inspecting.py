"""What the Inspect screen knows and does: the pasted text, what it was recognised as, its verdict, its batch."""

import time
from dataclasses import dataclass

from intempt_core import ConsoleError, Payload, Report, Target, check_events, intent_of, plan_events, read_payload
from intempt_core.history import Source, target_key
from intempt_core.plan import Plan, Policy
from pages.parts import sending
from pages.parts.composing import DOUBLE_CLICK_SECONDS
from pages.parts.house import house
from pages.parts.session import one_click, room, value

PASTE = "inspect-paste"
"""The widget key of the pasted text."""


@dataclass
class Inspecting:
    """The Inspect screen of one tab."""

    payload: Payload | None = None
    report: Report | None = None
    trouble: str = ""
    trouble_line: int | None = None
    batch: str | None = None
    settled_at: float = 0.0
    judged_for: str = ""
    on_its_way: bool = False
    doubled: bool = False


def inspecting(target: Target) -> Inspecting:
    """This tab's Inspect screen; judged again where ``target`` is another one, or has taken something since."""
    found = room(Inspecting)
    arrived = found.on_its_way and found.batch and not house().history.batch(found.batch).moves
    if arrived or found.judged_for != target_key(target):
        if arrived:
            found.on_its_way, found.settled_at = False, time.monotonic()
        judge(target)
    return found


def read(target: Target) -> None:
    """Read and judge what was pasted; what is no JSON is a sentence with its line."""
    found, text = room(Inspecting), value(PASTE, "")
    if found.payload is not None and text == found.payload.text:
        judge(target)
        return
    found.payload = found.report = None
    if not found.on_its_way:  # what is on its way stays in sight
        found.batch, found.settled_at, found.doubled = None, 0.0, False
    found.trouble, found.trouble_line = "", None
    if not text.strip():
        return
    try:
        found.payload = read_payload(text)
    except ConsoleError as error:
        found.trouble, found.trouble_line = str(error), getattr(error, "line", None)
        return
    judge(target)


def shown() -> None:
    """The outcome is on the screen now: clicks that were made before it came are over."""
    found = room(Inspecting)
    found.settled_at = time.monotonic() if found.settled_at else 0.0


def judge(target: Target) -> None:
    """Check what was read, and look what of it was sent to ``target`` before."""
    found, place = room(Inspecting), target_key(target)
    found.judged_for = place
    if found.payload is not None:
        found.report = check_events(
            found.payload.events,
            lambda ids: house().history.sent_ids(place, ids),
            found.payload.issues,
            house().lacks(place),
        )


def plan(*, everything: bool) -> Plan | None:
    """The requests of the events without errors, or of all of them as they are; ``None`` where there is no event."""
    found = room(Inspecting)
    if found.payload is None or found.report is None:
        return None
    bad = found.report.bad
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
    intent = intent_of(planned, target, source=Source.PAYLOAD, label=label, policy=policy, notes=notes)
    found.batch = sending.submit(intent, planned)
    found.on_its_way = True
