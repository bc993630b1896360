"""The form of one event: the keys of its widgets, the event that their values make, and the way back.

The widgets are the state: nothing is copied beside them. :meth:`EventForm.read` makes the event that will be sent,
:meth:`EventForm.fill` sets the widgets from an event (of a journey template, or a payload from Inspect).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from intempt_core.contract import IDENTITY_FIELDS, OPEN_FIELDS, Json, format_given, split_pointer
from intempt_core.errors import ReadError
from intempt_core.readers import JsonText
from pages.parts.shared.screen_state import make_key, read_widget, set_widget

NO_TIME, TIME_NOW, TIME_CHOSEN = "server time", "now", "custom"
TIME_CHOICES = (NO_TIME, TIME_NOW, TIME_CHOSEN)
VALUE_TYPES = ("text", "number", "true or false", "JSON")
VALUE_PLACES = ("data", "event", "userAttributes", "accountAttributes")
"""The place of an extra value: inside ``data``, in the event itself, or in an attribute object (CONTRACT 1.4)."""

EARLIEST_TIME, LATEST_TIME = datetime(1900, 1, 1), datetime(2100, 12, 31, 23, 59)  # noqa: DTZ001  the picker's, zone apart
"""The range of the time picker, wide enough for deliberately wrong times (CONTRACT 2.7)."""

ENCLOSING_LEVELS = 6
"""Levels of brackets that enclose an extra value in a request."""

_OWN_FIELDS = ("eventId", *IDENTITY_FIELDS, "timestamp", *OPEN_FIELDS)


@dataclass(frozen=True, slots=True)
class ExtraValue:
    """A value for which the form has no field of its own.

    Attributes:
        place: The object that it belongs to, one of :data:`VALUE_PLACES`.
        key: Its key there.
        type: How its text is read, one of :data:`VALUE_TYPES`.
        text: The text as it was typed.
    """

    place: str
    key: str
    type: str
    text: str

    @property
    def value(self) -> Json:
        """The JSON value; a text that does not match its type stays text."""
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
        """Whether the text matches its type."""
        return self.type == "text" or self.value != self.text


@dataclass
class EventForm:
    """One event on the form.

    Attributes:
        uid: The number in the keys of its widgets.
        rows: The numbers of its rows of extra values, in their order.
    """

    uid: int
    rows: list[int] = field(default_factory=list)
    _row_numbers: "count[int]" = field(default_factory=count)

    def key(self, name: str) -> str:
        """The key of the widget of a field: ``compose-1-data-productId``."""
        return make_key("compose", self.uid, name.replace(".", "-"))

    def value(self, name: str, default: Any = "") -> Any:
        """The value of the widget of a field."""
        return read_widget(self.key(name), default)

    def put(self, name: str, content: Any) -> None:
        """Set the value that the widget of a field will show."""
        set_widget(self.key(name), content)

    def add_row(self, row: ExtraValue | None = None) -> None:
        """Add a row for an extra value, empty or with ``row``."""
        number = next(self._row_numbers)
        self.rows.append(number)
        row = row or ExtraValue("data", "", "text", "")
        for part, content in (("in", row.place), ("key", row.key), ("type", row.type), ("value", row.text)):
            self.put(f"row-{number}-{part}", content)

    def row(self, number: int) -> ExtraValue:
        """The extra value in the widgets of a row."""
        place, name, kind, text = (self.value(f"row-{number}-{part}") for part in ("in", "key", "type", "value"))
        return ExtraValue(place or "data", name or "", kind or "text", text or "")

    def read(self, now_ms: int) -> tuple[Json, dict[str, Json]]:
        """The name and the event that the form makes; empty fields are omitted.

        ``now_ms`` is the time for "now", in epoch milliseconds.
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
        moment = chosen.replace(tzinfo=ZoneInfo(self.value("zone") or "UTC"), second=0, microsecond=0)
        return int(moment.timestamp()) * 1000 + round((self.value("seconds", 0.0) or 0.0) * 1000)

    def fill(self, name: Json, body: Mapping[str, Json], zone: str = "UTC") -> None:
        """Set the widgets from an event; a value for which there is no field becomes a row.

        Call it from a callback, or before the widgets are drawn. A value that a field cannot hold unchanged (an id that
        is a number, or empty) becomes a row too, so that it is sent as it was given.
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
        """Whether the form makes exactly this event, apart from the order of its keys."""
        ours, given = ([one, two] for one, two in (self.read(0), (name, body)))
        return json.dumps(ours, sort_keys=True) == json.dumps(given, sort_keys=True)

    def field_at(self, pointer: str) -> str:
        """The field or row for a pointer into the request: ``userId``, ``row-2-value``."""
        steps = split_pointer(pointer)
        inside = steps[4:]
        for number in self.rows:
            row = self.row(number)
            path = [row.key] if row.place == "event" else [row.place, row.key]
            if row.key and path == inside[: len(path)]:
                return f"row-{number}-value"
        if steps[-1:] == ["name"] and len(steps) == 3:
            return "name"
        if inside[:1] == ["timestamp"]:
            return "when"
        if len(inside) > 1 and inside[0] in VALUE_PLACES and inside != ["data", "productId"]:
            return "more"
        field_name = ".".join(inside)
        return field_name if field_name in (*IDENTITY_FIELDS, "data.productId") else "eventId"

    def _fill_time(self, time: Json, zone: str) -> bool:
        """Whether the picker can hold the time; if not, the caller makes it a row."""
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
        self.put("when", NO_TIME)  # an hour that the clocks of the zone show twice, and this is the second one
        return False


def _make_extra_value(place: str, name: str, content: Json) -> ExtraValue:
    if isinstance(content, str):
        return ExtraValue(place, name, "text", content)
    if isinstance(content, bool):
        return ExtraValue(place, name, "true or false", "true" if content else "false")
    kind = "number" if isinstance(content, int | float) else "JSON"
    return ExtraValue(place, name, kind, json.dumps(content))
