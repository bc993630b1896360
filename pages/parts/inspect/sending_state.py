"""What is sent of a pasted text: the events without errors, or all of them as they are."""

from functools import partial

import numpy as np

from intempt_core.dispatch import make_batch_intent
from intempt_core.history import BatchSource
from intempt_core.planning import Plan, Policy, plan_events
from intempt_core.targets import Target
from pages.parts.inspect.state import InspectState
from pages.parts.shared.screen_state import get_screen_state
from pages.parts.shared.send_flow import Submission, submit_once


def count_events(*, everything: bool) -> int:
    """How many events would be sent: those without errors, or all of them. Asked at each run, so without a plan."""
    found = get_screen_state(InspectState)
    if found.payload is None or found.report is None:
        return 0
    bad = 0 if everything else int(np.count_nonzero(found.report.excluded_mask))
    return len(found.payload.events) - bad


def plan_payload(*, everything: bool) -> Plan | None:
    """The requests of the events without errors, or of all of them as they are; ``None`` where there is no event."""
    found = get_screen_state(InspectState)
    if found.payload is None or found.report is None:
        return None
    everything = everything or not found.report.excluded_mask.any()
    if everything not in found.plans:
        bad = found.report.excluded_mask
        events = [event for number, event in enumerate(found.payload.events) if everything or not bad[number]]
        if not events:
            return None
        found.plans[everything] = plan_events(events)
    return found.plans[everything]


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
