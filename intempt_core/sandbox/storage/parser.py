"""The parser of track requests: the bytes of a body become events, each checked (CONTRACT 2, 3.8, 6.1).

Bodies are read leniently: anything that is JSON is accepted and checked, and only what 3.8 names is rejected. The field
rules are the contract's; events in which nothing is unusual take the fast path (``fast_path.py``), because nearly all
are such and the rules take ten times as long.
"""

import json
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import NoReturn

import orjson

from intempt_core.contract import (
    LATEST_MS,
    EventName,
    GivenEvent,
    Issue,
    Json,
    Place,
    dump_json,
    find_event_errors,
    format_given,
    get_field,
    id_to_text,
    read_epoch_ms,
)
from intempt_core.errors import SandboxRejection
from intempt_core.sandbox.storage.fast_path import EventColumns, IncomingEvent, concat_events, try_fast_path, wrap_event

IDENTIFY_NAME = "Identify"
"""The name by which the SDKs identify, group and alias (CONTRACT 6.1)."""


class _InexactNumber(Exception):
    """The fast JSON reader made a float of an id: a longer integer may have lost digits."""


def read_json_body(body: bytes) -> Json:
    """Read the JSON in a body. Raises :class:`SandboxRejection` 400 where it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_exactly(body)


def read_object_body(body: bytes) -> dict[str, Json]:
    """Read the JSON object in a body. Raises :class:`SandboxRejection` 400 where it is none."""
    return _require_object(read_json_body(body))


def read_track(body: bytes, received_at: int) -> EventColumns:
    """Read the events of a track request in their order (CONTRACT 1.3, 3.8).

    ``received_at`` is epoch milliseconds: it replaces a time after 2040 (CONTRACT 2.7). Raises
    :class:`SandboxRejection` 400 for a body that is no JSON object, has no ``track`` list, or has a time before 2010.
    """
    try:
        try:
            return _TrackParser(received_at).track(read_object_body(body))
        except _InexactNumber:
            return _TrackParser(received_at, exact=True).track(_require_object(_read_exactly(body)))
    except RecursionError:
        raise build_depth_rejection() from None


def make_unreadable_event(rejection: SandboxRejection) -> EventColumns:
    """Make an event that replaces a request that cannot be parsed a second time: its body is nested so deeply that only
    the thread that received it could follow.
    """
    return wrap_event(
        IncomingEvent(None, None, None, None, None, None, None, None, False, "request_shape", str(rejection), "null")
    )


def _read_exactly(body: bytes) -> Json:
    """Read with the standard library what orjson does not: lone surrogates, integers past 64 bits, UTF-16."""
    try:
        return json.loads(body, parse_constant=_reject_constant)
    except RecursionError:
        raise build_depth_rejection() from None
    except ValueError as error:  # among them UnicodeDecodeError, and an integer of more than 4,300 digits
        raise SandboxRejection(400, f"The body is no JSON: {error}.") from None


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def build_depth_rejection() -> SandboxRejection:
    """Build the rejection of a body that is nested more deeply than can be read or written here."""
    return SandboxRejection(400, "The body is nested too deeply to be read.")


def _require_object(document: Json) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise SandboxRejection(400, f"The body is {_describe_kind(document)}, not a JSON object.")
    return document


def _describe_kind(value: Json) -> str:
    kinds: dict[type, str] = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")


@dataclass(frozen=True, slots=True)
class _TrackParser:
    """Parses one request; ``exact`` where every number of the document has all its digits."""

    received_at: int
    exact: bool = False

    def track(self, document: dict[str, Json]) -> EventColumns:
        track = document.get("track")
        if not isinstance(track, list):
            raise SandboxRejection(
                400, 'The body has no list “track”. A body is {"track": [{"name": …, "payload": [event, …]}, …]}.'
            )
        return concat_events(found for number, group in enumerate(track) for found in self._group(group, number))

    def _group(self, group: Json, number: int) -> Iterator[EventColumns]:
        here = f"/track/{number}"
        name, payload = (group.get("name"), group.get("payload")) if isinstance(group, dict) else (None, None)
        if not isinstance(payload, list):
            where, value = (f"{here}/payload", payload) if isinstance(group, dict) else (here, group)
            issue = Issue("request_shape", Place(pointer=where), format_given(value))
            yield self._event(GivenEvent(name, group, Place(pointer=here)), [issue], frozenset())
            return
        shared = _find_shared_ids(name, payload)
        yield from self._payload(_PayloadSlice(name, payload, 0, here, shared))

    def _payload(self, part: "_PayloadSlice") -> Iterator[EventColumns]:
        """The events of a part of a payload; where one of them is unusual, each half is parsed by itself."""
        found = try_fast_path(part.name, part.payload, part.shared)
        if found is not None:
            yield found
        elif len(part.payload) > 1:
            for half in part.halves():
                yield from self._payload(half)
        else:
            for given in part.given():
                yield self._event(given, _find_issues(given), part.shared)

    def _event(self, given: GivenEvent, found: list[Issue], shared: Set[str]) -> EventColumns:
        body = given.body if isinstance(given.body, dict) else {}
        time, event_id = read_epoch_ms(body.get("timestamp")), self._id(body.get("eventId"))
        return wrap_event(
            IncomingEvent(
                escape_surrogates(format_given(given.name)),
                event_id,
                self._id(body.get("profileId")),
                self._id(body.get("userId")),
                self._id(body.get("anotherUserId")),
                self._id(body.get("accountId")),
                self._id(get_field(body, "data.productId")),
                self._time(time),
                event_id in shared,
                " ".join(issue.code for issue in found),
                escape_surrogates(" ".join(issue.message for issue in found)) or "",
                escape_surrogates(dump_json(given.body).decode()) or "",
            )
        )

    def _time(self, time: int | None) -> int | None:
        """CONTRACT 2.7: after 2040 the server's own clock; a number that no database can hold counts as not given."""
        if time is None or time < -(2**63):
            return None
        return time if time <= LATEST_MS else self.received_at

    def _id(self, value: Json) -> str | None:
        if isinstance(value, float) and not self.exact:
            raise _InexactNumber
        return escape_surrogates(id_to_text(value))


@dataclass(frozen=True, slots=True)
class _PayloadSlice:
    """A part of a payload, from the position ``start`` on."""

    name: Json
    payload: list[Json]
    start: int
    group_pointer: str
    shared: Set[str]

    def halves(self) -> "tuple[_PayloadSlice, _PayloadSlice]":
        middle = len(self.payload) // 2
        first, second = self.payload[:middle], self.payload[middle:]
        return replace(self, payload=first), replace(self, payload=second, start=self.start + middle)

    def given(self) -> list[GivenEvent]:
        return [
            GivenEvent(
                self.name, body, Place(pointer=f"{self.group_pointer}/payload/{position}"), f"{self.group_pointer}/name"
            )
            for position, body in enumerate(self.payload, self.start)
        ]


def _find_issues(event: GivenEvent) -> list[Issue]:
    """The issues of one event. Raises :class:`SandboxRejection` for a time before 2010, for the whole request."""
    found = _find_identify_issues(event) if event.name == IDENTIFY_NAME else find_event_errors(event)
    for issue in found:
        if issue.code == "timestamp_before_2010":
            raise SandboxRejection(400, f"The whole request is rejected. {escape_surrogates(issue.sentence)}")
    return found


def _find_identify_issues(event: GivenEvent) -> list[Issue]:
    """CONTRACT 6.1: an event id and an identity, and no product; ``data`` is the caller's own."""
    body = event.body
    if isinstance(body, dict):
        body = {key: value for key, value in body.items() if key != "data"}
    asked = GivenEvent(EventName.VIEWED, body, event.place, event.name_pointer)
    return [issue for issue in find_event_errors(asked) if issue.code != "product_id_missing"]


def _find_shared_ids(name: Json, payload: list[Json]) -> Set[str]:
    """The event ids that lines of one order share: same payload, ordered, different products (CONTRACT 2.9)."""
    if name != EventName.ORDERED or len(payload) == 1:
        return frozenset()
    products: dict[str, set[str | None]] = {}
    for body in payload:
        event_id = escape_surrogates(id_to_text(get_field(body, "eventId")))
        if event_id is not None:
            products.setdefault(event_id, set()).add(id_to_text(get_field(body, "data.productId")))
    return {event_id for event_id, found in products.items() if len(found) > 1}


def escape_surrogates(text: str | None) -> str | None:
    """A text that UTF-8 can hold: half of a surrogate pair stays visible as its escape."""
    return text if text is None or text.isascii() else text.encode("utf-8", "backslashreplace").decode()
