"""The form of one event: what its widgets are called, what event they add up to, and how an event fills them.

The widgets are the state: nothing is copied beside them. :meth:`EventForm.read` turns them into the event as it will
leave, :meth:`EventForm.fill` is the way back (a journey, a payload taken over from Inspect).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from intempt_core.contract import IDENTITY_FIELDS, OPEN_FIELDS, Json, format_given
from intempt_core.errors import ReadError
from intempt_core.readers import JsonText
from pages.parts.shared.screen_state import make_key, read_widget, set_widget

NO_TIME, TIME_NOW, TIME_CHOSEN = "not given", "now", "chosen"
TIME_CHOICES = (NO_TIME, TIME_NOW, TIME_CHOSEN)
VALUE_TYPES = ("text", "number", "true or false", "JSON")
VALUE_PLACES = ("data", "event", "userAttributes", "accountAttributes")
"""Where a further value stands: inside ``data``, in the event itself, or in an attribute object (CONTRACT 1.4)."""

EARLIEST_TIME, LATEST_TIME = datetime(1900, 1, 1), datetime(2100, 12, 31, 23, 59)  # noqa: DTZ001  the picker's, zone apart
"""What the picker takes: wide enough for times that are wrong on purpose (CONTRACT 2.7)."""

ENCLOSING_LEVELS = 6
"""Levels of brackets that a request has above a further value."""

_OWN_FIELDS = ("eventId", *IDENTITY_FIELDS, "timestamp", *OPEN_FIELDS)


@dataclass(frozen=True, slots=True)
class ExtraValue:
    """One further value: where it stands, its key, how its text is meant, and the text."""

    place: str
    key: str
    type: str
    text: str

    @property
    def value(self) -> Json:
        """The JSON value; a text that is not of its type stays text, as it was written."""
        if self.type == "true or false":
            return {"true": True, "false": False}.get(self.text.strip().lower(), self.text)
        if self.type == "text":
            return self.text
        try:
            found = JsonText(self.text).value
            JsonText(f"{'[' * ENCLOSING_LEVELS}{self.text}{']' * ENCLOSING_LEVELS}")
        except ReadError:
            return self.text
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return found if number or self.type == "JSON" else self.text

    @property
    def fits(self) -> bool:
        """Whether the text is of its type; what is not, and no text is both, leaves as text."""
        return self.type == "text" or self.value != self.text


@dataclass
class EventForm:
    """One event on the form: the number in its widgets' keys, and the numbers of its further rows."""

    uid: int
    rows: list[int] = field(default_factory=list)
    _row_numbers: "count[int]" = field(default_factory=count)

    def key(self, name: str) -> str:
        """The key of one field's widget: ``compose-1-data-productId``."""
        return make_key("compose", self.uid, name.replace(".", "-"))

    def value(self, name: str, default: Any = "") -> Any:
        """What one field's widget holds."""
        return read_widget(self.key(name), default)

    def put(self, name: str, content: Any) -> None:
        """Set what one field's widget will show."""
        set_widget(self.key(name), content)

    def add_row(self, row: ExtraValue | None = None) -> None:
        """One more row for further values, empty or holding ``row``."""
        number = next(self._row_numbers)
        self.rows.append(number)
        row = row or ExtraValue("data", "", "text", "")
        for part, content in (("in", row.place), ("key", row.key), ("type", row.type), ("value", row.text)):
            self.put(f"row-{number}-{part}", content)

    def row(self, number: int) -> ExtraValue:
        """One row for further values, as its widgets have it."""
        place, name, kind, text = (self.value(f"row-{number}-{part}") for part in ("in", "key", "type", "value"))
        return ExtraValue(place or "data", name or "", kind or "text", text or "")

    def read(self, now_ms: int) -> tuple[Json, dict[str, Json]]:
        """The name and the event that the form adds up to; empty fields are left out.

        ``now_ms`` is what "now" means, in epoch milliseconds.
        """
        event: dict[str, Json] = {
            name: text for name in ("eventId", *IDENTITY_FIELDS) if (text := self.value(name)) != ""
        }
        if (time := self._read_time(now_ms)) is not None:
            event["timestamp"] = time
        event["data"] = {}
        if (product := self.value("data.productId")) != "":
            event["data"]["productId"] = product
        for row in map(self.row, self.rows):
            inside = event if row.place == "event" else event.setdefault(row.place, {})
            if row.key and isinstance(inside, dict):
                inside[row.key] = row.value
        return self.value("name", None), event

    def _read_time(self, now_ms: int) -> int | None:
        when, chosen = self.value("when", NO_TIME), self.value("moment", None)
        if when == TIME_NOW:
            return now_ms
        if when != TIME_CHOSEN or not isinstance(chosen, datetime):
            return None
        there = chosen.replace(tzinfo=ZoneInfo(self.value("zone") or "UTC"), second=0, microsecond=0)
        return int(there.timestamp()) * 1000 + round((self.value("seconds", 0.0) or 0.0) * 1000)

    def fill(self, name: Json, body: Mapping[str, Json], zone: str = "UTC") -> None:
        """Put an event into the widgets; what has no field of its own becomes rows.

        Call it from a callback, before the widgets are drawn. What a field cannot hold as it is (an id that is a
        number, or empty) becomes a row too, so that it leaves as it came.
        """
        self.rows.clear()
        self.put("name", str(name) if isinstance(name, str) else format_given(name))
        for own in ("eventId", *IDENTITY_FIELDS):
            self._fill_text(own, body, "event", own)
        data = body.get("data")
        self._fill_text("data.productId", data if isinstance(data, Mapping) else {}, "data", "productId")
        if not self._fill_time(body.get("timestamp"), zone) or body.get("timestamp", 0) is None:
            self.add_row(_make_extra_value("event", "timestamp", body["timestamp"]))
        for place in OPEN_FIELDS:
            inside = body.get(place)
            if isinstance(inside, Mapping) and "" not in inside and (inside or place == "data"):
                for name_inside, content in inside.items():
                    if (place, name_inside) != ("data", "productId"):
                        self.add_row(_make_extra_value(place, name_inside, content))
            elif place in body:
                self.add_row(_make_extra_value("event", place, inside))
        for other, content in body.items():
            if other not in _OWN_FIELDS:
                self.add_row(_make_extra_value("event", other, content))

    def _fill_text(self, widget: str, body: Mapping[str, Json], place: str, name: str) -> None:
        content = body.get(name)
        fits = isinstance(content, str) and content != ""
        self.put(widget, content if fits else "")
        if name in body and not fits:
            self.add_row(_make_extra_value(place, name, content))

    def holds(self, name: Json, body: Json) -> bool:
        """Whether the form adds up to exactly this event, whatever the order of its keys."""
        ours, given = ([one, two] for one, two in (self.read(0), (name, body)))
        return json.dumps(ours, sort_keys=True) == json.dumps(given, sort_keys=True)

    def field_at(self, pointer: str) -> str:
        """The widget that an issue at a pointer into the request belongs to: ``userId``, ``row-2-value``."""
        steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")]
        inside = steps[5:]
        for number in self.rows:
            row = self.row(number)
            there = [row.key] if row.place == "event" else [row.place, row.key]
            if row.key and there == inside[: len(there)]:
                return f"row-{number}-value"
        if steps[-1] == "name" and len(steps) == 4:
            return "name"
        if inside[:1] == ["timestamp"]:
            return "when"
        path = ".".join(inside)
        return path if path in (*IDENTITY_FIELDS, "data.productId") else "eventId"

    def _fill_time(self, time: Json, zone: str) -> bool:
        """Whether the time fits the picker; a time that does not is kept as a row, as it came."""
        self.put("when", NO_TIME)
        if time is None:
            return True
        if not isinstance(time, int) or isinstance(time, bool) or not 0 <= time < 4_102_444_800_000:
            return False
        moment = datetime.fromtimestamp(time // 60_000 * 60, ZoneInfo(zone)).replace(tzinfo=None)
        for name, content in (
            ("moment", moment),
            ("seconds", time % 60_000 / 1000),
            ("zone", zone),
            ("when", TIME_CHOSEN),
        ):
            self.put(name, content)
        if self._read_time(0) == time:
            return True
        self.put("when", NO_TIME)  # an hour that the zone's clocks show twice, and this is the other one
        return False


def _make_extra_value(place: str, name: str, content: Json) -> ExtraValue:
    if isinstance(content, str):
        return ExtraValue(place, name, "text", content)
    if isinstance(content, bool):
        return ExtraValue(place, name, "true or false", "true" if content else "false")
    kind = "number" if isinstance(content, int | float) else "JSON"
    return ExtraValue(place, name, kind, json.dumps(content))
