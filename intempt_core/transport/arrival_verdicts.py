"""The verdict on a request from the arrivals of its events, where no response could give it.

A response that never came, and one that repeats an attempt whose response never came, say less than the sandbox knows.
"""

from collections.abc import Mapping, Sequence

from intempt_core.contract import MAX_VERDICT_EVENTS, REPEATED_CODE, IgnoredEvent, RequestVerdict
from intempt_core.transport.sandbox_client import SandboxArrival

CLOCK_TOLERANCE_MS = 1_000
"""Milliseconds by which the sandbox's clock may be behind this machine's."""


def judge_arrivals(
    events: Sequence[tuple[str | None, str | None]], since: int, arrivals: Mapping[str, Sequence[SandboxArrival]]
) -> RequestVerdict | None:
    """Judge the events of a request by their arrivals at the sandbox; ``None`` where one is not known to be there.

    ``events`` are their event ids and product ids, ``since`` is when the first attempt began, in epoch milliseconds.
    What arrived since then and is processed, is: a later attempt only repeats it.
    """
    ignored: list[IgnoredEvent] = []
    for position, (event_id, product) in enumerate(events):
        found = [
            arrival
            for arrival in arrivals.get(event_id or "", ())
            if arrival.received_at >= since - CLOCK_TOLERANCE_MS and arrival.product == product
        ]
        if not found:
            return None
        if not any(arrival.processed for arrival in found):
            ignored.append(IgnoredEvent(position, " ".join(found[0].codes)))
    if not events:
        return None
    repeated = sum(REPEATED_CODE in one.codes.split() for one in ignored)
    processed = len(events) - len(ignored)
    return RequestVerdict(processed, len(ignored), repeated, tuple(ignored[:MAX_VERDICT_EVENTS]))
