"""The verdicts on the events of a pasted text: what history and the sandbox know of them."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from intempt_core.analysis import EventVerdicts, VerdictContext, assess_events
from intempt_core.contract import get_field, id_to_text
from intempt_core.errors import SandboxUnavailable
from intempt_core.exports import IDENTITIES_PSEUDONYMIZED
from intempt_core.readers import Payload
from intempt_core.targets import SANDBOX, Target, derive_target_key
from intempt_core.transport import SandboxArrival, SandboxClient
from pages.parts.inspect.state import InspectState
from pages.parts.shared.formatting import format_clock
from pages.parts.shared.sandbox_connection import read_active_faults
from pages.parts.shared.screen_state import get_screen_state
from pages.parts.shared.services import get_services

MAX_EVENTS_COUNTED = 1_000
"""Events of one person that are counted, to tell whether it is known at a target."""

MAX_SIGHTINGS = 20
"""Sends of one event id that are looked at, the latest ones."""


def list_rows(*, only_with_problems: bool) -> Sequence[int]:
    """The events (from 0) of the text, or those with problems."""
    found = get_screen_state(InspectState)
    if found.payload is None or found.report is None:
        return ()
    if not only_with_problems:
        return range(len(found.payload.events))
    return [int(row) for row in np.unique([row - 1 for problem in found.problems for row in problem.rows])]


def collect_verdicts(target: Target, rows: Sequence[int]) -> list[EventVerdicts]:
    """The three verdicts on these events, made when they are first shown."""
    found = get_screen_state(InspectState)
    if found.payload is None or found.report is None or not rows:
        return []
    key = tuple(rows)
    if key not in found.verdicts:
        known = collect_known_events(target, found.payload, rows, is_pseudonymous=_is_pseudonymous(found))
        found.verdicts[key] = assess_events(found.payload.events, found.report, known, rows)
    return found.verdicts[key]


def _is_pseudonymous(found: InspectState) -> bool:
    return found.case is not None and found.case.identities == IDENTITIES_PSEUDONYMIZED


def collect_known_events(
    target: Target, payload: Payload, rows: Sequence[int], *, is_pseudonymous: bool = False
) -> VerdictContext:
    """What history, and the target if it is a sandbox, know of the events of these rows."""
    target_key, history = derive_target_key(target), get_services().history
    bodies = [payload.events[row].body for row in rows]
    ids = [id_ for body in bodies if (id_ := id_to_text(get_field(body, "eventId"))) is not None]

    @cache
    def count_events(field_: str, id_: str) -> int:
        return len(history.persons.interactions(target_key, field_, id_, limit=MAX_EVENTS_COUNTED))

    return VerdictContext(
        target,
        history.events.occurrences(ids, target=target_key, limit_per_id=MAX_SIGHTINGS),
        _ask_sandbox(target, ids),
        count_events,
        deduplicates=_read_deduplication(target),
        is_pseudonymous=is_pseudonymous,
        format_time=format_clock,
    )


def _ask_sandbox(target: Target, ids: Sequence[str]) -> Mapping[str, Sequence[SandboxArrival]] | None:
    """Every arrival of these events, from any client; ``None`` where no sandbox can be asked."""
    if target.origin != SANDBOX:
        return None
    try:
        with SandboxClient(target, get_services().settings.read_seconds) as sandbox:
            return sandbox.read_arrivals(ids)
    except SandboxUnavailable:
        return None


def _read_deduplication(target: Target) -> bool:
    """Whether the target ignores repeated ids; a sandbox may be told not to."""
    if target.origin != SANDBOX:
        return target.deduplicates
    return target.deduplicates and read_active_faults(target.base, target.project).deduplicates
