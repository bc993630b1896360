"""What is known of a request that was sent: the sandbox's verdict, the feeds before and after, and who asks further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from intempt_core.analysis import FeedReading, ResultEvidence
from intempt_core.contract import ADDS_TO_FEED, FEED_IDENTITY_TYPES, FEEDS, RequestVerdict, parse_verdict
from intempt_core.errors import SandboxUnavailable
from intempt_core.history import RequestRecord, RequestState
from intempt_core.targets import SANDBOX, Target
from intempt_core.transport import FEED_LIMIT, FeedResponse, SandboxArrival, SandboxClient, judge_arrivals
from pages.parts.shared.feed_card import EarlierFeeds, FeedSnapshot, Person, find_request_person, read_feed_snapshot
from pages.parts.shared.screen_state import get_screen_state
from pages.parts.shared.services import get_services

SANDBOX_WATCH_MS, LIVE_WATCH_MS = 60_000, 600_000
"""How long after a response the feeds are asked again and again; the vendor documents no time (CONTRACT 4)."""

SENT_KEPT = 50
"""Batches of one tab that are known to have been sent from it."""


@dataclass
class SentBatches:
    """The last batches that this tab has sent: what becomes of them is announced, and only here.

    Attributes:
        ids: Their ids, the last one last.
    """

    ids: list[str] = field(default_factory=list)

    def add(self, batch: str) -> None:
        """Add a batch that was just sent."""
        self.ids = [*self.ids[-SENT_KEPT:], batch]


@dataclass(frozen=True, slots=True)
class ResultReading:
    """What was read of a request's result at one moment.

    Attributes:
        evidence: What its three steps are computed from.
        snapshot: The feeds of its person, ``None`` where there was nobody to ask about, or nothing to ask.
    """

    evidence: ResultEvidence
    snapshot: FeedSnapshot | None


def read_result(request: RequestRecord, target: Target | None) -> ResultReading:
    """Read what is known of a request now. ``target`` is where it went, if it can still be asked."""
    person = find_request_person(request)
    verdict, arrivals = _read_verdict(request, target)
    unknown = _explain_no_feeds(person, target)
    arrived = request.summary.state in (RequestState.ACCEPTED, RequestState.UNKNOWN)
    snapshot = read_feed_snapshot(target, person) if person and target and arrived else None
    ended = max((int(one.started_at + one.elapsed_ms) for one in request.attempts), default=0)
    is_sandbox = target is not None and target.origin == SANDBOX
    evidence = ResultEvidence(
        verdict=verdict,
        first_uses=_find_first_uses(arrivals),
        person=(person.field, person.id) if person else None,
        feeds={} if unknown or snapshot is None else _read_feed_changes(request, snapshot),
        feeds_unknown=unknown,
        limit=FEED_LIMIT,
        asked_at=snapshot.asked_at if snapshot else 0,
        ask_until=ended + (SANDBOX_WATCH_MS if is_sandbox else LIVE_WATCH_MS),
    )
    return ResultReading(evidence, snapshot)


def _read_verdict(
    request: RequestRecord, target: Target | None
) -> tuple[RequestVerdict | None, Mapping[str, Sequence[SandboxArrival]]]:
    """What the sandbox said of the request in its response; what it cannot know of it, it is asked for."""
    last = request.attempts[-1] if request.attempts else None
    verdict = parse_verdict(last.headers) if last and request.summary.state is RequestState.ACCEPTED else None
    is_certain = verdict is not None and not verdict.ignored
    if is_certain or target is None or target.origin != SANDBOX or last is None or last.status in (400, 401, 403, 404):
        return verdict, {}
    try:
        with SandboxClient(target, get_services().settings.read_seconds) as sandbox:
            arrivals = sandbox.read_arrivals(one.event.event_id for one in request.events if one.event.event_id)
    except SandboxUnavailable:
        return verdict, {}
    # An earlier attempt without a response may have arrived: then this one repeats nobody else's event.
    if verdict is None or request.summary.doubt:
        events = [(one.event.event_id, one.event.product_id) for one in request.events]
        verdict = judge_arrivals(events, request.attempts[0].started_at, arrivals) or verdict
    return verdict, arrivals


def _find_first_uses(arrivals: Mapping[str, Sequence[SandboxArrival]]) -> dict[str, SandboxArrival]:
    return {id_: next((one for one in found if one.processed), found[0]) for id_, found in arrivals.items() if found}


def _explain_no_feeds(person: Person | None, target: Target | None) -> str:
    if person is None:
        return "no event has an identity"
    if target is None:
        return "the target of this request is no longer configured"
    if person.field not in FEED_IDENTITY_TYPES:
        return f"no feed can be read by {person.field}"
    return "" if any(feed in target.feeds for feed in FEEDS) else "the feed ids of this target are not known"


def _read_feed_changes(request: RequestRecord, snapshot: FeedSnapshot) -> dict[str, FeedReading]:
    """The feeds that could be asked, before and after."""
    person, earlier = get_screen_state(EarlierFeeds).by_batch.get(request.summary.batch, (None, {}))
    known: Mapping[str, FeedResponse] = earlier if person == snapshot.person else {}
    found = {}
    for feed, response in snapshot.responses.items():
        before, explained = known.get(feed), snapshot.explain(feed)
        found[feed] = FeedReading(
            expected=explained.expected,
            actual=response.products,
            earlier=before.products if before else None,
            others=frozenset(
                event.product
                for event in snapshot.person_history.events
                if event.request < request.summary.id and event.counts and ADDS_TO_FEED.get(event.name) == feed
            ),
            reason=response.message if response.products is None else next(iter(explained.differences), ""),
        )
    return found
