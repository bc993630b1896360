"""An event that arrived in the project of a test."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ArrivedEvent:
    """An event as it arrived, and what became of it.

    Attributes:
        seq: Its number: events that arrived later have higher ones.
        request: The number of the request that brought it.
        received_at: When it arrived, in epoch milliseconds.
        org: The organisation in the path of its request.
        project: The project in the path of its request.
        source: The source in the path of its request; empty where the path has none.
        client: The program that sent it, as it names itself; may be empty.
        name: Its name, ``None`` where it has none.
        body: The event as JSON, as it was sent. Any: JSON.
        processed: Whether it is processed for recommendations.
        reason: Why it is ignored, as a sentence; empty where it is processed.
        codes: The codes of its errors.
        repeat_of: The number of the event that has its event id, ``None`` where none has.
    """

    seq: int
    request: int
    received_at: int
    org: str
    project: str
    source: str
    client: str
    name: str | None
    body: Mapping[str, Any]
    processed: bool
    reason: str
    codes: tuple[str, ...]
    repeat_of: int | None

    @property
    def event_id(self) -> Any:
        """Its ``eventId``. Any: JSON, as it was sent."""
        return self.body.get("eventId")

    @property
    def data(self) -> Mapping[str, Any]:
        """Its ``data``; empty where it has none. Any: JSON."""
        found = self.body.get("data")
        return found if isinstance(found, Mapping) else {}

    @property
    def product_id(self) -> Any:
        """Its ``data.productId``. Any: JSON, as it was sent."""
        return self.data.get("productId")


def parse_arrived_event(event: Mapping[str, Any]) -> ArrivedEvent:
    """Parse one event of ``GET /_sandbox/events``. Any: JSON."""
    body = event["event"]
    return ArrivedEvent(
        seq=event["seq"],
        request=event["request"],
        received_at=event["received_at"],
        org=event["org"],
        project=event["project"],
        source=event["source"],
        client=event["client"],
        name=event["name"],
        body=body if isinstance(body, Mapping) else {},
        processed=event["processed"],
        reason=event["because"] or "",
        codes=tuple(event["codes"]),
        repeat_of=event["repeat_of"],
    )


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """A request that was rejected, or that met a simulated failure.

    Attributes:
        request: Its number.
        method: The HTTP method.
        path: Path and query as they were written.
        project: The project in its path; empty where the path has none.
        client: The program that sent it, as it names itself; may be empty.
        status: The HTTP status of the response, ``None`` where none was sent.
        message: Why it was rejected; empty where it was not.
        fault: The simulated failure that it met; empty where none.
    """

    request: int
    method: str
    path: str
    project: str
    client: str
    status: int | None
    message: str
    fault: str


def parse_failed_request(request: Mapping[str, Any]) -> FailedRequest:
    """Parse one rejected request of ``GET /_sandbox/wait``. Any: JSON."""
    return FailedRequest(**{name: request[name] for name in FailedRequest.__dataclass_fields__})
