"""What became of a batch's requests whose responses could not say it: a sandbox is asked, many events at a time.

They are the unknown ones, and those that were accepted after an attempt without a response. Nothing depends on it:
where the sandbox cannot be asked, or there are more than are asked about, it stays unknown, and screens say of how
many.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from intempt_core.contract import MAX_ARRIVAL_IDS, MAX_LISTED_ARRIVALS, RequestVerdict
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.errors import SandboxUnavailable
from intempt_core.history import UnjudgedRequest
from intempt_core.targets import SANDBOX, Target
from intempt_core.transport import SandboxClient, judge_arrivals

MAX_JUDGED_EVENTS = 200_000
"""Events of a batch that the sandbox is asked about when it is over, at the most."""

MAX_ASKING_SECONDS = 30.0
"""How long it is asked about them, at the most; a question that has begun is waited for."""

PAGE_REQUESTS = 200
"""Requests that are read, asked about and recorded together."""

MAX_ID_CHARACTERS = 16_000
"""Characters of the event ids of one question, at the most: they are part of an address."""


async def judge_by_arrivals(
    writer: HistoryWriter,
    batch: str,
    target: Target,
    is_halted: Callable[[], bool],
    on_begin: Callable[[], None] = lambda: None,
) -> None:
    """Ask a sandbox what became of a batch's requests, and record it; of any other target nothing is asked.

    ``on_begin`` is called before a question, where there is something to ask.
    """
    if target.origin != SANDBOX:
        return
    throughput, deadline = writer.history.throughput, time.monotonic() + MAX_ASKING_SECONDS

    def is_over() -> bool:
        return is_halted() or time.monotonic() > deadline

    asked = after = 0
    while asked < MAX_JUDGED_EVENTS and not is_over():
        page = await writer.call(throughput.unjudged, batch, PAGE_REQUESTS, after)
        if not page:
            return
        on_begin()
        verdicts = await asyncio.to_thread(_ask_about_requests, target, page, is_over)
        if verdicts is None:
            return
        if verdicts:
            await writer.call(throughput.record_verdicts, batch, verdicts)
        asked, after = asked + sum(len(one.events) for one in page), page[-1].request


def _ask_about_requests(
    target: Target, requests: Sequence[UnjudgedRequest], is_over: Callable[[], bool]
) -> list[tuple[UnjudgedRequest, RequestVerdict]] | None:
    """What became of some requests; ``None`` where the sandbox cannot be asked."""
    found: list[tuple[UnjudgedRequest, RequestVerdict]] = []
    try:
        with SandboxClient(target) as sandbox:
            for some in _group_requests(requests):
                if is_over():
                    break
                arrivals = sandbox.read_arrivals(event_id for one in some for event_id, _ in one.events if event_id)
                if sum(map(len, arrivals.values())) >= MAX_LISTED_ARRIVALS:
                    continue  # the first arrivals, which decide, may not be among those that are listed
                for one in some:
                    until = one.ended_at if one.is_shared else None
                    verdict = judge_arrivals(one.events, one.started_at, arrivals, until=until)
                    if verdict is not None:
                        found.append((one, verdict))
    except SandboxUnavailable:
        return found or None
    return found


def _group_requests(requests: Sequence[UnjudgedRequest]) -> Iterator[list[UnjudgedRequest]]:
    """Requests whose event ids fit into one question; those that have an event without an id cannot be asked about."""
    group: list[UnjudgedRequest] = []
    ids = characters = 0
    for one in requests:
        added = sum(len(event_id or "") for event_id, _ in one.events)
        if not all(event_id for event_id, _ in one.events) or len(one.events) > MAX_ARRIVAL_IDS:
            continue
        if group and (ids + len(one.events) > MAX_ARRIVAL_IDS or characters + added > MAX_ID_CHARACTERS):
            yield group
            group, ids, characters = [], 0, 0
        group.append(one)
        ids, characters = ids + len(one.events), characters + added
    if group:
        yield group
