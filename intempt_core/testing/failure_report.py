"""Why an expectation failed, as text: what came instead, the nearest event and its differences, its issues, the feed.

A test that fails is read by a person who does not have the sandbox before them: everything is said here, the likely
cause first, down to a command that sends the event again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from intempt_core.contract import (
    ADDS_TO_FEED,
    GivenEvent,
    Issue,
    Place,
    find_event_errors,
    find_event_warnings,
    format_count,
)
from intempt_core.testing.arrival_survey import ArrivalSurvey
from intempt_core.testing.arrived_event import ArrivedEvent, FailedRequest
from intempt_core.testing.difference_messages import are_names_alike, describe_difference, format_value
from intempt_core.testing.event_matching import EventPattern

SHOWN_EVENTS, SHOWN_REQUESTS = 10, 5
"""Events and requests that a report lists, each at the most: the last ones."""

_OWN_CALLS = ("Identify",)
"""Names of calls that are no product event (CONTRACT 6.1)."""


@dataclass(frozen=True, slots=True)
class _NearEvent:
    """An event that is like the expected one.

    Attributes:
        event: The event.
        distance: How far it is from the expected one; 0 is the same.
        causes: Why it is not the expected one, as sentences.
    """

    event: ArrivedEvent
    distance: float
    causes: tuple[str, ...]


def report_missing_event(
    pattern: EventPattern, project: str, survey: ArrivalSurvey, *, timeout: float, blocks_loop: bool
) -> tuple[str, ArrivedEvent | None]:
    """Report why an expected event is missing; the text, and the event that is nearest to it.

    ``blocks_loop``: the test waits inside a running event loop, which can send nothing meanwhile.
    """
    near = _find_nearest(pattern, project, survey)
    lines = [f"No {_describe_pattern(pattern)} arrived within {timeout:g} s."]
    if near is not None:
        lines += ["", f"The nearest is {describe_event(near.event)}:", *(f"  - {cause}" for cause in near.causes)]
        lines += _list_issues(near.event)
    causes = list(_explain_requests(survey))
    if near is None and not causes:
        causes = list(_explain_silence(survey, blocks_loop=blocks_loop))
    if causes:
        lines += ["", *causes]
    lines += _list_instead(survey)
    return "\n".join(lines), None if near is None else near.event


def report_other_arrivals(survey: ArrivalSurvey) -> tuple[str, ArrivedEvent | None]:
    """Report what arrived and was not expected; the text, and the first event of it."""
    others = survey.others
    counted = [format_count(len(others), "other event")] if others else []
    if survey.rejections:
        counted.append(format_count(len(survey.rejections), "rejected request"))
    verb = "is" if counted[0].startswith("1 ") else "are"
    lines = [f"Nothing else was expected, and there {verb} {' and '.join(counted)}."]
    for event in others[:SHOWN_EVENTS]:
        lines += ["", f"{describe_event(event)}:".replace("event", "Event", 1)]
        lines += [f"  - {sentence}" for sentence in _explain_other(event, survey)]
        lines += _list_issues(event)
    if len(others) > SHOWN_EVENTS:
        lines += ["", f"{len(others) - SHOWN_EVENTS:,} more events are not listed here."]
    lines += [f"  {line}" for line in map(_describe_request, survey.rejections[-SHOWN_REQUESTS:])]
    return "\n".join(lines), others[0] if others else None


def describe_event(event: ArrivedEvent) -> str:
    """Describe an event in one line, by its number, its name and its ids."""
    ids = [(field, event.body[field]) for field in _SHOWN_FIELDS if field in event.body]
    ids += [("data.productId", event.product_id)] if "productId" in event.data else []
    given = ", ".join(f"{field} {format_value(value)}" for field, value in ids)
    name = f"“{event.name}”" if event.name is not None else "without a name"
    return f"event {event.seq} {name}{f' ({given})' if given else ''}"


_SHOWN_FIELDS = ("eventId", "profileId", "userId", "anotherUserId", "accountId", "timestamp")


def find_issues(event: ArrivedEvent) -> list[Issue]:
    """The errors and warnings that an event shows by itself (CONTRACT 2)."""
    if event.name in _OWN_CALLS:
        return []
    given = GivenEvent(event.name, dict(event.body), Place())
    return [*find_event_errors(given), *find_event_warnings(given)]


def _describe_pattern(pattern: EventPattern) -> str:
    fields = [f"{field} {format_value(value)}" for field, value in pattern.list_fields()]
    kind = {True: "", False: "ignored ", None: ""}[pattern.processed]
    given = f" with {', '.join(fields)}" if fields else ""
    after = f", after event {pattern.after}," if pattern.after else ""
    return f"{kind}“{pattern.name}”{given}{after}"


def _find_nearest(pattern: EventPattern, project: str, survey: ArrivalSurvey) -> _NearEvent | None:
    """The event that is most like the expected one, the last of several; ``None`` where none has anything of it."""
    found: _NearEvent | None = None
    fields = len(pattern.list_fields())
    for event in (*survey.elsewhere, *survey.events):
        differences = pattern.find_differences(event)
        is_alike = event.name is not None and are_names_alike(pattern.name, event.name)
        if not is_alike and len(differences) > fields:
            continue  # nothing of it is as expected
        causes = [describe_difference(one, event.body) for one in differences]
        causes += _explain_place(event, pattern, project, survey)
        causes += _explain_verdict(event, pattern, survey)
        causes = causes or ["it arrived when the time was up: give expect() a longer timeout"]
        distance = len(causes) + (0.5 if event.project != project else 0.0)
        if found is None or distance <= found.distance:
            found = _NearEvent(event, distance, tuple(causes))
    return found


def _explain_place(event: ArrivedEvent, pattern: EventPattern, project: str, survey: ArrivalSurvey) -> Iterator[str]:
    """Where it was sent instead of this test's place."""
    if event.project != project:
        owner = survey.owners.get(event.project)
        if owner is not None:
            yield f"it came to the project of another test, {owner}: that test's application sent it late"
        else:
            yield (
                f"it came to the project “{event.project}”, and this test's is “{project}”:"
                " give the application track_api.project"
            )
    if event.org != pattern.org:
        yield f"the organisation is “{event.org}”, and this test's is “{pattern.org}”: give it track_api.org"
    if event.source not in ("", pattern.source):
        rounded = event.source.isdecimal() and float(event.source) == float(pattern.source)
        why = "it lost digits as a number" if rounded else "give it track_api.source"
        yield f"the source is “{event.source}”, and this test's is “{pattern.source}”: {why}"


def _explain_verdict(event: ArrivedEvent, pattern: EventPattern, survey: ArrivalSurvey) -> Iterator[str]:
    """What became of it, where that is not as expected."""
    if event.seq in survey.taken:
        yield "an earlier expect() took it: each event is expected once, so a second one needs a second event"
    elif pattern.after and event.seq <= pattern.after:
        yield f"the order of events: it arrived before event {pattern.after}, and was expected after it"
    if event.repeat_of is not None:
        yield (
            f"it was ignored: its event id was already used by event {event.repeat_of};"
            " every event needs an id of its own"
        )
    elif event.reason and pattern.processed:
        yield f"it was ignored: {event.reason}"
        if pattern.name == event.name and "event_name" in event.codes:
            yield "to expect an event of the application's own name, say processed=None"
    elif event.processed and pattern.processed is False:
        yield "it was processed, and expected to be ignored"


def _list_issues(event: ArrivedEvent) -> list[str]:
    """The issues of an event: code, what is wrong, what is allowed and how it is fixed."""
    found = find_issues(event)
    lines = ["  Issues:"] if found else []
    for issue in found:
        kind = issue.kind
        lines.append(f"    {kind.severity} [{issue.code}] {issue.message} {kind.allowed} {issue.fix}")
    return lines


def _explain_requests(survey: ArrivalSurvey) -> Iterator[str]:
    """Requests that brought no event, the likely cause where there are any."""
    rejected, faulty = survey.rejections, [one for one in survey.requests if one.fault and not one.message]
    if rejected:
        yield f"{format_count(len(rejected), 'request')} to this test's project {_be(rejected)} rejected:"
        yield from (f"  {_describe_request(one)}" for one in rejected[-SHOWN_REQUESTS:])
    if faulty:
        yield (
            f"{format_count(len(faulty), 'request')} met a failure that this test simulates; the application did not"
            " send it again, or not often enough:"
        )
        yield from (f"  {_describe_request(one)}" for one in faulty[-SHOWN_REQUESTS:])
    if survey.other_requests:
        others = survey.other_requests
        yield f"{format_count(len(others), 'request')} to other places {_be(others)} rejected:"
        yield from (f"  {_describe_request(one)}" for one in others[-SHOWN_REQUESTS:])


def _be(some: Sequence[object]) -> str:
    return "was" if len(some) == 1 else "were"


def _describe_request(request: FailedRequest) -> str:
    result = "no response" if request.status is None else str(request.status)
    why = request.message or f"the simulated failure “{request.fault}”"
    by = f" by {request.client}" if request.client else ""
    return f"{request.method} {request.path}{by} → {result}: {why}"


def _explain_silence(survey: ArrivalSurvey, *, blocks_loop: bool) -> Iterator[str]:
    if blocks_loop:
        yield (
            "expect() was called inside a running event loop, which can send nothing meanwhile:"
            " await asyncio.to_thread(track_api.expect, …)."
        )
    if not survey.events and not survey.elsewhere:
        yield (
            "Not one request reached this sandbox since the test began. Does the application use track_api.host with"
            " track_api.scheme, or track_api.url? Does it send in the background, and was that ended (flush, close)?"
        )


def _list_instead(survey: ArrivalSurvey) -> list[str]:
    """What came, event by event, with what became of each."""
    if not survey.events:
        return []
    lines = ["", f"What came ({format_count(len(survey.events), 'event')}, in the order of arrival):"]
    if len(survey.events) > SHOWN_EVENTS:
        lines.append(f"  {len(survey.events) - SHOWN_EVENTS:,} earlier ones are not listed here.")
    for event in survey.events[-SHOWN_EVENTS:]:
        verdict = "processed" if event.processed else f"ignored: {event.reason}"
        taken = ", expected" if event.seq in survey.taken else ""
        lines.append(f"  {describe_event(event)}: {verdict}{taken}")
    return lines


def _explain_other(event: ArrivedEvent, survey: ArrivalSurvey) -> Iterator[str]:
    """Why an event that was not expected may have come."""
    if event.repeat_of is not None:
        yield f"it repeats the event id of event {event.repeat_of}: it was sent twice, or its id is not its own"
    elif event.reason:
        yield f"it was ignored: {event.reason}"
    twin = next((one for one in survey.events if one.seq != event.seq and _strip_id(one) == _strip_id(event)), None)
    if twin is not None and event.repeat_of is None:
        yield f"it is the same as event {twin.seq} but for its event id: it was sent twice"


def _strip_id(event: ArrivedEvent) -> tuple[str | None, dict[str, Any]]:
    return event.name, {key: value for key, value in event.body.items() if key not in ("eventId", "timestamp")}


def find_feed(name: str) -> str:
    """The feed that an event of a name adds to; the cart where it adds to none."""
    return ADDS_TO_FEED.get(name, "recently-added-to-cart")
