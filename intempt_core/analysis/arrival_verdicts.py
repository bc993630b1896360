"""A request's verdict from the arrivals of its events, where no response could give it.

A response that never came, and one that repeats an attempt whose response never came, say less than the sandbox knows.
"""

from collections.abc import Mapping, Sequence

from intempt_core.contract import MAX_VERDICT_EVENTS, REPEATED_CODE, IgnoredEvent, RequestVerdict
from intempt_core.history import RequestRecord
from intempt_core.transport import SandboxArrival

CLOCK_TOLERANCE_MS = 1_000
"""Milliseconds by which the sandbox's clock may be behind this machine's."""


def judge_arrivals(request: RequestRecord, arrivals: Mapping[str, Sequence[SandboxArrival]]) -> RequestVerdict | None:
    """Judge a request's events by their arrivals at the sandbox; ``None`` where one of them is not known to be there.

    What arrived since the first attempt and is processed, is: a later attempt only repeats it.
    """
    if not request.attempts or not request.events:
        return None
    since = request.attempts[0].started_at - CLOCK_TOLERANCE_MS
    ignored: list[IgnoredEvent] = []
    for recorded in request.events:
        found = [
            arrival
            for arrival in arrivals.get(recorded.event.event_id or "", ())
            if arrival.received_at >= since and arrival.product == recorded.event.product_id
        ]
        if not found:
            return None
        if not any(arrival.processed for arrival in found):
            ignored.append(IgnoredEvent(recorded.position, " ".join(found[0].codes)))
    repeated = sum(REPEATED_CODE in one.codes.split() for one in ignored)
    processed = len(request.events) - len(ignored)
    return RequestVerdict(processed, len(ignored), repeated, tuple(ignored[:MAX_VERDICT_EVENTS]))
