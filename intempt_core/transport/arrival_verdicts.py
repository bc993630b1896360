"""The verdict on a request from the arrivals of its events, where no response could give it.

A response that never came, and one that repeats an attempt whose response never came, say less than the sandbox knows.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from intempt_core.contract import MAX_VERDICT_EVENTS, REPEATED_CODE, IgnoredEvent, RequestVerdict
from intempt_core.transport.sandbox_client import SandboxArrival

CLOCK_TOLERANCE_MS = 1_000
"""Milliseconds by which the sandbox's clock may be behind this machine's."""


def judge_arrivals(
    events: Sequence[tuple[str | None, str | None]],
    since: int,
    arrivals: Mapping[str, Sequence[SandboxArrival]],
    *,
    until: int | None = None,
) -> RequestVerdict | None:
    """Judge the events of a request by their arrivals at the sandbox; ``None`` where one is not known to be there.

    ``events`` are their event ids and product ids, ``since`` is when the first attempt began, in epoch milliseconds.
    The first request at the sandbox that brought exactly these events decides: a later attempt only repeats it.

    ``until`` is for events whose ids other requests hold too: what arrived later than that, or before ``since`` by the
    sandbox's clock, may be another request's, and is none of this one's.
    """
    begin = since - CLOCK_TOLERANCE_MS if until is None else since
    by_request: dict[int, list[SandboxArrival]] = defaultdict(list)
    for event_id in {event_id for event_id, _ in events if event_id}:
        for arrival in arrivals.get(event_id, ()):
            if arrival.received_at >= begin and (until is None or arrival.received_at <= until):
                by_request[arrival.request].append(arrival)
    wanted = Counter(events)
    for _, brought in sorted(by_request.items()):
        if Counter((one.event_id, one.product) for one in brought) == wanted:
            return _judge_request(events, sorted(brought, key=lambda one: one.seq))
    return None


def _judge_request(
    events: Sequence[tuple[str | None, str | None]], brought: Sequence[SandboxArrival]
) -> RequestVerdict:
    """Judge events by the arrivals that one request brought, in their order."""
    waiting: dict[tuple[str | None, str | None], list[SandboxArrival]] = defaultdict(list)
    for arrival in reversed(brought):
        waiting[arrival.event_id, arrival.product].append(arrival)
    ignored: list[IgnoredEvent] = []
    for position, event in enumerate(events):
        arrival = waiting[event].pop()
        if not arrival.processed:
            ignored.append(IgnoredEvent(position, " ".join(arrival.codes)))
    repeated = sum(REPEATED_CODE in one.codes.split() for one in ignored)
    return RequestVerdict(len(events) - len(ignored), len(ignored), repeated, tuple(ignored[:MAX_VERDICT_EVENTS]))
