"""The client of the sandbox's own API: what reached it, what became of it, and its simulated failures.

A sandbox is asked over HTTP, whether it runs in this process, in another or on another machine. Only a sandbox can
say what became of an event; a live target says nothing but 2xx (CONTRACT 2.6, 3.1).
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx

from intempt_core.contract import (
    MAX_ARRIVAL_IDS,
    MAX_QUERY_EVENT_IDS,
    FaultDocument,
    ForeignEvent,
    Json,
    LiveFilter,
    PersonEvent,
    ProcessingStatus,
    SandboxPath,
    parse_fault_document,
)
from intempt_core.errors import FaultDocumentUnreadable, SandboxUnavailable
from intempt_core.readers import parse_exactly
from intempt_core.targets import SANDBOX, Target
from intempt_core.transport.person_arrivals import PersonArrival, parse_person_arrival
from intempt_core.transport.tls import load_tls_context

SANDBOX_TIMEOUT_SECONDS = 5.0
"""How long a response may take, unless the caller says."""

MAX_RESPONSE_BYTES = 64_000_000
"""Bytes of a response at the most; a longer one is none of the sandbox's."""


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One line of the live view: an event, or a request that brought none.

    Attributes:
        request: The number of the request.
        seq: The number of the event, ``None`` for a request without events.
        received_at: When it arrived, in epoch milliseconds.
        client: The program that sent it, as it names itself; may be empty.
        address: The IP address that it came from; may be empty.
        name: The event's name, or method and path of the request.
        person: The event's first identity, ``None`` where it has none.
        identity: The field in which ``person`` was given.
        product: The event's product id, ``None`` where it has none.
        processed: Whether the event is processed, ``None`` where there is nothing to process.
        because: Why an event is not processed, or why a request was rejected.
        status: The HTTP status of the response, ``None`` where none was sent.
        fault: The simulated failure that it met; empty where none.
    """

    request: int
    seq: int | None
    received_at: int
    client: str
    address: str
    name: str | None
    person: str | None
    identity: str | None
    product: str | None
    processed: bool | None
    because: str | None
    status: int | None
    fault: str


@dataclass(frozen=True, slots=True)
class LiveView:
    """The last rows of what reached the sandbox.

    Attributes:
        received: How many events the sandbox holds.
        rows: The last rows that the filters match, newest first.
    """

    received: int
    rows: tuple[LiveRow, ...]


@dataclass(frozen=True, slots=True)
class SimulatedFailures:
    """The failures that a sandbox simulates.

    Attributes:
        everything: Those of all requests; of one project, where that was asked about.
        projects: Those of the first projects that have some of their own, by the project's name.
        project_count: How many projects have some of their own.
    """

    everything: FaultDocument
    projects: Mapping[str, FaultDocument]
    project_count: int


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request as it came to the sandbox, without its credential.

    Attributes:
        id: The number of the request.
        received_at: When it arrived, in epoch milliseconds.
        client: The program that sent it, as it names itself; may be empty.
        address: The IP address that it came from; may be empty.
        method: The HTTP method.
        path: Path and query as they were written, below the sandbox's base URL.
        headers: Pairs of name and value, credentials left out.
        body: The body as text, or its beginning.
        size: Bytes of the whole body.
        whole: Whether ``body`` is the whole body.
        status: The HTTP status of the response, ``None`` where none was sent.
        message: Why the request was rejected; empty where it was not.
        fault: The simulated failure that it met; empty where none.
        stored: Whether it is a track request whose events are stored.
        first: ``seq`` of its first event, ``None`` where it brought none.
        events: How many events it brought.
    """

    id: int
    received_at: int
    client: str
    address: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str
    size: int
    whole: bool
    status: int | None
    message: str
    fault: str
    stored: bool
    first: int | None
    events: int

    @property
    def text(self) -> str:
        """The request as raw HTTP text, without its credential."""
        head = "\n".join(f"{name}: {value}" for name, value in self.headers)
        return f"{self.method} {self.path}\n{head}\n\n{self.body}"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of a sandbox are wanted.

    Attributes:
        name: The name that they must have, ``None`` for any.
        person: An id that they must have in any identity field, ``None`` for any.
        event_id: The event id that they must have, ``None`` for any.
        project: The project to which they must have been sent, ``None`` for any.
    """

    name: str | None = None
    person: str | None = None
    event_id: str | None = None
    project: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """As parameters of an address."""
        given = {"name": self.name, "person": self.person, "eventId": self.event_id, "project": self.project}
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SandboxArrival:
    """One arrival of an event at the sandbox: the same event id may arrive many times.

    Attributes:
        event_id: The event's id.
        seq: The number of the event.
        request: The number of the request that brought it.
        received_at: When it arrived, in epoch milliseconds.
        client: The program that sent it, as it names itself; may be empty.
        name: The event's name, ``None`` where it has none.
        person: The event's first identity, ``None`` where it has none.
        product: The event's product id, ``None`` where it has none.
        processed: Whether it is processed.
        codes: The codes of its issues.
        reason: Why it is not processed, as a sentence; empty where it is.
        repeat_of: ``seq`` of the event that used its id first, ``None`` where it repeats none.
    """

    event_id: str
    seq: int
    request: int
    received_at: int
    client: str
    name: str | None
    person: str | None
    product: str | None
    processed: bool
    codes: tuple[str, ...]
    reason: str
    repeat_of: int | None


class SandboxClient:
    """The client of one sandbox. For use by many threads, and as a context manager.

    ``timeout`` is in seconds. The constructor and every method raise :class:`SandboxUnavailable`: the target is no
    sandbox, does not respond, rejects the request, or responds in a form that is not the sandbox's.
    """

    def __init__(self, target: Target, timeout: float = SANDBOX_TIMEOUT_SECONDS) -> None:
        if target.origin != SANDBOX or target.credential is None:
            raise SandboxUnavailable(f"{target.title} is no sandbox: it does not say what became of an event.")
        self._target = target
        self._http = httpx.Client(
            base_url=target.base,
            headers={"Authorization": target.credential.authorization},
            timeout=timeout,
            trust_env=False,
            verify=load_tls_context("sandbox"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; nothing can be asked any more."""
        self._http.close()

    # ── what reached it ───────────────────────────────────────────────────────────────────────────────────────────

    def read_live(
        self,
        *,
        limit: int = 100,
        name: str = "",
        shown: LiveFilter = LiveFilter.EVERYTHING,
        text: str = "",
        hidden_reader: str = "",
    ) -> LiveView:
        """The last ``limit`` rows of what is ``shown``, of events named ``name``, with ``text`` in an id or a path.

        Reads of feeds by the client ``hidden_reader`` are left out.
        """
        filters = {"limit": limit, "name": name, "shown": shown.value, "text": text, "hidden_reader": hidden_reader}
        found = self._request_json("GET", SandboxPath.LIVE, params=filters)
        with _check_form():
            return LiveView(found["received"], tuple(LiveRow(**row) for row in found["rows"]))

    def read_request(self, number: int) -> KeptRequest:
        """One request as it came."""
        found = self._request_json("GET", f"{SandboxPath.REQUESTS}/{number}")
        with _check_form():
            found["headers"] = tuple((name, value) for name, value in found["headers"])
            fields = KeptRequest.__dataclass_fields__
            return KeptRequest(**{name: value for name, value in found.items() if name in fields})

    def read_event(self, seq: int) -> dict[str, Any]:
        """One event as ``GET /_sandbox/events`` lists it. Any: JSON."""
        found = self._request_json("GET", SandboxPath.EVENTS, params={"after": max(seq - 1, 0), "limit": 1})
        with _check_form():
            event: dict[str, Any] = next((event for event in found["events"] if event["seq"] == seq), {})
        if not event:
            raise SandboxUnavailable(f"The sandbox has no event {seq}. It may have been emptied since.")
        return event

    def find_newest(self) -> int:
        """The number of the newest event, 0 where there is none."""
        rows = self.read_live(limit=1, shown=LiveFilter.EVENTS).rows
        return (rows[0].seq or 0) if rows else 0

    def read_events(self, after: int, wanted: EventFilter, *, limit: int = 1_000) -> list[dict[str, Any]]:
        """The events after the one with the number ``after``, oldest first, as ``GET /_sandbox/events`` lists them.

        Any: JSON.
        """
        filters = {**wanted.parameters, "after": after, "limit": limit}
        return self._list_events(SandboxPath.EVENTS, filters, SANDBOX_TIMEOUT_SECONDS)

    def wait_for_events(
        self, after: int, wanted: EventFilter, seconds: float, *, limit: int = 1_000
    ) -> list[dict[str, Any]]:
        """The same as :meth:`read_events`, as soon as there is an event, or none after some seconds. Any: JSON."""
        filters = {**wanted.parameters, "after": after, "limit": limit, "seconds": seconds}
        return self._list_events(SandboxPath.WAIT, filters, seconds + SANDBOX_TIMEOUT_SECONDS)

    def _list_events(self, path: SandboxPath, filters: Mapping[str, Any], timeout: float) -> list[dict[str, Any]]:
        found = self._request_json("GET", path, parse=parse_exactly, params=filters, timeout=timeout)
        with _check_form():
            return [{**event, "seq": int(event["seq"])} for event in found["events"]]

    # ── what became of it ─────────────────────────────────────────────────────────────────────────────────────────

    def read_arrivals(self, event_ids: Iterable[str]) -> dict[str, list[SandboxArrival]]:
        """Every arrival of these events that the sandbox still tells of, by event id, in the order of arrival.

        An id that is absent never arrived, or was deleted since. The first
        :data:`~intempt_core.contract.MAX_ARRIVAL_IDS` ids are asked about.
        """
        ids = list(dict.fromkeys(event_ids))[:MAX_ARRIVAL_IDS]
        if not ids:
            return {}
        place = {"org": self._target.org, "project": self._target.project}
        page = self._request_json("GET", SandboxPath.ARRIVALS, params={**place, "ids": ids})
        found: dict[str, list[SandboxArrival]] = {}
        with _check_form():
            for arrival in map(_parse_arrival, page["arrivals"]):
                found.setdefault(arrival.event_id, []).append(arrival)
        return found

    def read_processing_status(self, field: str, value: str, events: Sequence[PersonEvent]) -> ProcessingStatus:
        """What became of a person's events, the person given by an identity field and an id.

        Of ``events``, the console's own, the last :data:`~intempt_core.contract.MAX_QUERY_EVENT_IDS` are asked about;
        those that are not among them are other clients'.
        """
        ids = list(dict.fromkeys(event.event_id for event in reversed(events) if event.event_id))[:MAX_QUERY_EVENT_IDS]
        found = self._ask_about_person(field, value, eventIds=ids)
        with _check_form():
            return _parse_status(found, {event.event_id for event in events})

    def read_person_arrivals(self, field: str, value: str) -> tuple[PersonArrival, ...]:
        """Every event of a person that reached the sandbox, ignored ones too, oldest first; the last
        :data:`~intempt_core.transport.person_arrivals.MAX_PERSON_EVENTS`.

        The person is given by an identity field and an id.
        """
        found = self._ask_about_person(field, value, arrivals=True)
        with _check_form():
            return tuple(map(parse_person_arrival, found["arrivals"]))

    def _ask_about_person(self, field: str, value: str, **more: Any) -> dict[str, Any]:
        """What the sandbox knows of a person. Any: JSON of ``POST /_sandbox/person``."""
        place = {"org": self._target.org, "project": self._target.project, "sourceId": self._target.source}
        return self._request_json("POST", SandboxPath.PERSON, json={**place, "by": field, "id": value, **more})

    # ── simulated failures ────────────────────────────────────────────────────────────────────────────────────────

    def read_faults(self, timeout: float = SANDBOX_TIMEOUT_SECONDS, *, project: str | None = None) -> FaultDocument:
        """The failures that the sandbox simulates for everything now, or for a project, if it responds within
        ``timeout`` seconds.
        """
        return self._request_faults("GET", project, timeout=timeout).everything

    def read_all_faults(self) -> SimulatedFailures:
        """The failures that the sandbox simulates now, those of single projects too."""
        return self._request_faults("GET", None)

    def replace_faults(self, faults: FaultDocument, *, project: str | None = None) -> FaultDocument:
        """Have the sandbox simulate these failures for everything, or for a project, and no others; what it simulates
        then.
        """
        content, kind = faults.model_dump_json(), {"content-type": "application/json"}
        return self._request_faults("PUT", project, content=content, headers=kind).everything

    def _request_faults(self, method: str, project: str | None, **arguments: Any) -> SimulatedFailures:
        place = {} if project is None else {"project": project}
        found = self._request_json(method, SandboxPath.FAULTS, params=place, **arguments)
        with _check_form():
            projects = {str(one.pop("project")): _parse_faults(one) for one in found.pop("projects", ())}
            count = int(found.pop("project_count", len(projects)))
            return SimulatedFailures(_parse_faults(found), projects, count)

    def _request_json(
        self, method: str, path: str, *, parse: Callable[[bytes], Json] = json.loads, **arguments: Any
    ) -> dict[str, Any]:
        """The JSON object of a response. Any: httpx's own arguments; JSON."""
        try:
            with self._http.stream(method, path, **arguments) as response:
                content = _read_body(response)
            # The standard library takes numbers and texts that no faster reader takes.
            document = parse(content)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            raise SandboxUnavailable(f"The sandbox at {self._http.base_url} did not answer: {error}.") from None
        if not isinstance(document, Mapping) or not response.is_success:
            message = document.get("message") if isinstance(document, Mapping) else None
            raise SandboxUnavailable(str(message or f"The sandbox answered with status {response.status_code}."))
        return dict(document)


def _read_body(response: httpx.Response) -> bytes:
    """The body of a response; raises ``httpx.TransportError`` where it is too long or drips in too slowly."""
    allowed = (response.request.extensions["timeout"]["read"] or 0) + time.monotonic()
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise httpx.ReadError("the response is too long")
        if time.monotonic() > allowed:
            raise httpx.ReadTimeout("the response did not come in time")
    return bytes(body)


@contextmanager
def _check_form() -> Iterator[None]:
    """Whatever else responds at the sandbox's address may say anything: what cannot be read is no sandbox's."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, FaultDocumentUnreadable):
        raise SandboxUnavailable("What responds at the sandbox's address is no sandbox of this version.") from None


def _parse_faults(document: dict[str, Any]) -> FaultDocument:
    """Any: JSON of ``GET /_sandbox/faults``."""
    del document["sentence"]
    return parse_fault_document(document)


def _parse_arrival(event: Mapping[str, Any]) -> SandboxArrival:
    """Any: JSON of ``GET /_sandbox/arrivals``."""
    return SandboxArrival(
        event_id=str(event["eventId"]),
        seq=int(event["seq"]),
        request=int(event["request"]),
        received_at=int(event["received_at"]),
        client=str(event["client"]),
        name=event["name"],
        person=event["person"],
        product=event["productId"],
        processed=bool(event["processed"]),
        codes=tuple(map(str, event["codes"])),
        reason=event["because"] or "",
        repeat_of=event["repeat_of"],
    )


def _parse_status(document: Mapping[str, Any], own_ids: Set[str]) -> ProcessingStatus:
    """Any: JSON of ``POST /_sandbox/person``. Events of other ids than ``own_ids`` are other clients'."""
    events, reasons = document["events"], document["unprocessed"]
    return ProcessingStatus(
        frozenset(str(event["eventId"]) for event in events),
        {str(id_): str(reason) for id_, reason in reasons.items()},
        tuple(
            ForeignEvent(str(event["name"]), str(event["productId"]), int(event["received_at"]), str(event["client"]))
            for event in events
            if event["eventId"] not in own_ids
        ),
    )
