"""A pasted text becomes events with places.

Taken are a request's body (CONTRACT 1.3), one group of it, a list of groups, one event, and a list of events.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from intempt_core.events import OPEN_FIELDS, PLAIN_FIELDS, GivenEvent, Json, given_text
from intempt_core.issues import Issue, Place, pointer_step, shown
from intempt_core.json_text import JsonText

_EVENT_KEYS = frozenset(("name", *PLAIN_FIELDS, *OPEN_FIELDS[1:]))
"""The keys by which an object is known as an event; ``data`` alone may as well be an envelope of another API."""


@dataclass(frozen=True)
class Payload:
    """A pasted text, read. ``recognised`` says as what; ``issues`` are those of reading itself, in the text's order.

    Events count from 1 in ``place.row``; ``place.pointer`` leads into the pasted document.
    """

    recognised: str
    text: str = field(repr=False)
    events: tuple[GivenEvent, ...] = field(repr=False)
    issues: tuple[Issue, ...]
    document: JsonText = field(repr=False, compare=False)


def read_payload(text: str) -> Payload:
    """Read a pasted text as events. What stands where it does not belong is an issue ``request_shape``, and no event.

    Raises :class:`ReadError` with its line where the text is no JSON, or none that can be sent on (``json_text.py``).
    """
    document = JsonText(text)
    shape = _Shape(document.value)
    document.look(shape.levels)
    events, spans = [], []
    for row, (name, body, pointer, name_pointer) in enumerate(shape.events, 1):
        node = document.nearest(pointer)
        spans.append((node.at, node.end))
        events.append(GivenEvent(name, body, Place(row, document.line(node.at), None, pointer), name_pointer))
    found = []
    for pointer, given, hint in shape.misplaced:
        at = document.nearest(pointer).at
        place = Place(None, document.line(at), None, pointer)
        found.append((at, Issue("request_shape", place, "null" if given is None else given_text(given), hint)))
    for oddity in document.oddities():
        row = bisect_right(spans, oddity.at, key=itemgetter(0))
        inside = row > 0 and oddity.at < spans[row - 1][1]
        place = Place(row if inside else None, document.line(oddity.at), None, oddity.pointer)
        found.append((oddity.at, Issue(oddity.code, place, shown(oddity.given))))
    issues = tuple(issue for _, issue in sorted(found, key=itemgetter(0)))
    return Payload(shape.words, text, tuple(events), issues, document)


def position(payload: Payload, pointer: str) -> tuple[int, int]:
    """Line and column, from 1, in ``payload.text`` of the value at an RFC 6901 pointer into the document.

    Where nothing stands there it is the nearest parent; of a repeated key the last value, which is the one that counts.
    """
    return payload.document.position(pointer)


class _Shape:
    """What a document is: its events as (name, body, pointer, pointer of the name), what is misplaced as (pointer,
    value, hint), the levels of brackets above the events, and the words for it all.
    """

    def __init__(self, value: Json) -> None:
        self.events: list[tuple[Json, Json, str, str]] = []
        self.misplaced: list[tuple[str, Json, str]] = []
        self.groups = self.levels = 0
        if isinstance(value, Mapping) and "track" in value:
            self.levels = 4
            self._track(value["track"])
            self.words = f"request body, {_counted(self.groups, 'group')}, {_counted(len(self.events), 'event')}"
        elif isinstance(value, list):
            self.levels = 3 if any(_is_group(item) for item in value) else 1
            for index, item in enumerate(value):
                self._item(item, f"/{index}")
            events = _counted(len(self.events), "event")
            self.words = f"list of {_counted(self.groups, 'group')}, {events}" if self.groups else f"list of {events}"
        elif _is_group(value):
            self.levels = 2
            self._group(value, "")
            self.words = f"one group, {_counted(len(self.events), 'event')}"
        else:
            self._item(value, "") if isinstance(value, Mapping) else self._misplaced("", value, "")
            self.words = "one event" if self.events else "nothing that holds events"

    def _track(self, track: Json) -> None:
        if not isinstance(track, list):
            self._misplaced("/track", track, "Put the groups of “track” into a list: [ … ].")
            return
        for index, group in enumerate(track):
            pointer = f"/track/{index}"
            if _is_group(group):
                self._group(group, pointer)
            else:
                self._misplaced(pointer, group, 'A group is {"name": …, "payload": [event, …]}.')

    def _group(self, group: Mapping[str, Json], pointer: str) -> None:
        self.groups += 1
        payload = group["payload"]
        if not isinstance(payload, list):
            self._misplaced(f"{pointer}/payload", payload, "Put the events of “payload” into a list: [ … ].")
            return
        self.events += [
            (group.get("name"), event, f"{pointer}/payload/{index}", f"{pointer}/name")
            for index, event in enumerate(payload)
        ]

    def _item(self, item: Json, pointer: str) -> None:
        """A member of a list, or the whole document: a group, an event that holds its own name, or an envelope."""
        if _is_group(item):
            self._group(item, pointer)
            return
        inside = [] if _is_event(item) or not isinstance(item, Mapping) else [k for k, v in item.items() if _holds(v)]
        for key in inside:
            self._misplaced(f"{pointer}/{pointer_step(key)}", item[key], "Paste what stands in here by itself.")
        if not inside:
            name = item.get("name") if isinstance(item, Mapping) else None
            body = {k: v for k, v in item.items() if k != "name"} if isinstance(item, Mapping) else item
            self.events.append((name, body, pointer, f"{pointer}/name"))

    def _misplaced(self, pointer: str, value: Json, hint: str) -> None:
        self.misplaced.append((pointer, value, hint))


def _is_group(value: Json) -> bool:
    return isinstance(value, Mapping) and "payload" in value


def _is_event(value: Json) -> bool:
    return isinstance(value, Mapping) and not _EVENT_KEYS.isdisjoint(value)


def _holds(value: Json) -> bool:
    """Whether events, groups or a request seem to be in a value that stands where none belongs.

    One key alone is no sign of an event: a product in ``data`` may well have a ``name``.
    """
    if isinstance(value, list):
        return any(_is_event(item) or _is_group(item) for item in value)
    return isinstance(value, Mapping) and (
        "track" in value or "payload" in value or len(_EVENT_KEYS.intersection(value)) > 1
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
