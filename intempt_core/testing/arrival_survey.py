"""All that reached the sandbox while a test ran, as a failed expectation is explained from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from intempt_core.contract import MAX_INSTEAD_ROWS, SandboxPath
from intempt_core.testing.arrived_event import (
    ArrivedEvent,
    FailedRequest,
    parse_arrived_event,
    parse_failed_request,
)

if TYPE_CHECKING:
    from intempt_core.testing.process_sandbox import ProcessSandbox

NO_EVENT_AFTER = 10**15 - 1
"""A number that no event has: what is asked for after it is what did not become an event."""


@dataclass(frozen=True, slots=True)
class ArrivalSurvey:
    """What reached the sandbox since a test began.

    Attributes:
        events: The events in the test's project, in the order of arrival.
        taken: The numbers of those that an earlier expectation took.
        requests: Requests to the test's project that were rejected, or met a simulated failure; oldest first.
        elsewhere: Events in other projects.
        other_requests: Requests to no project, or to one that is no test's, that were rejected.
        owners: Project → the test whose it is.
    """

    events: tuple[ArrivedEvent, ...]
    taken: frozenset[int]
    requests: tuple[FailedRequest, ...]
    elsewhere: tuple[ArrivedEvent, ...]
    other_requests: tuple[FailedRequest, ...]
    owners: Mapping[str, str]

    @property
    def others(self) -> list[ArrivedEvent]:
        """The events of the test that no expectation took."""
        return [event for event in self.events if event.seq not in self.taken]

    @property
    def rejections(self) -> list[FailedRequest]:
        """The test's requests that were rejected for what they are."""
        return [request for request in self.requests if request.message]


def survey_arrivals(
    server: "ProcessSandbox", project: str, taken: frozenset[int], after: int, after_request: int
) -> ArrivalSurvey:
    """Survey what arrived after an event and a request, for the test whose project it is.

    Raises :class:`~intempt_core.errors.SandboxUnavailable`.
    """
    failed = [one for one in _list_failed_requests(server, project) if one.request > after_request]
    events = [parse_arrived_event(event) for event in _list_events(server, after)]
    return ArrivalSurvey(
        events=tuple(event for event in events if event.project == project),
        taken=taken,
        requests=tuple(one for one in failed if project in (one.project, *one.path.split("/"))),
        elsewhere=tuple(event for event in events if event.project != project),
        other_requests=tuple(
            one for one in failed if server.owners.keys().isdisjoint((one.project, *one.path.split("/")))
        ),
        owners=dict(server.owners),
    )


def _list_failed_requests(server: "ProcessSandbox", project: str) -> list[FailedRequest]:
    """The last failed requests of everything, oldest first; where they are many, those of a project too."""
    found: dict[int, FailedRequest] = {}
    for wanted in (None, project):
        instead = server.door.get(SandboxPath.WAIT, project=wanted, after=NO_EVENT_AFTER, seconds=0)["instead"]
        found |= {one["request"]: parse_failed_request(one) for one in instead["requests"]}
        if len(found) < MAX_INSTEAD_ROWS:
            break
    return [found[number] for number in sorted(found)]


def _list_events(server: "ProcessSandbox", after: int) -> list[dict[str, Any]]:
    """The events of all projects after a number. Any: JSON."""
    found: list[dict[str, Any]] = []
    cursor: int | None = after
    while cursor is not None:
        page = server.door.get(SandboxPath.EVENTS, after=cursor)
        found += page["events"]
        cursor = page["next"]
    return found
