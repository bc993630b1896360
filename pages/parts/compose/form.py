"""The form of a journey: what its events share, and each of its events.

The widgets are the state: nothing is copied beside them. :meth:`EventForm.read` makes the event that will be sent,
:meth:`EventForm.fill` sets the widgets from an event (of a journey, or a payload from Inspect). The person and the
product stand once, in :class:`CommonFields`; an event that has others has fields of its own.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Self
from zoneinfo import ZoneInfo

import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS, OPEN_FIELDS, Json, format_given, split_pointer
from intempt_core.errors import ReadError
from intempt_core.readers import JsonText
from pages.parts.shared.screen_state import make_key, read_widget, set_widget

NO_TIME, TIME_NOW, TIME_CHOSEN = "Server time", "Now", "Custom"
TIME_CHOICES = (NO_TIME, TIME_NOW, TIME_CHOSEN)
VALUE_TYPES = ("text", "number", "true or false", "JSON")
VALUE_PLACES = ("data", "event", "userAttributes", "accountAttributes")
"""The place of an extra value: inside ``data``, in the event itself, or in an attribute object (CONTRACT 1.4)."""

EARLIEST_TIME, LATEST_TIME = datetime(1900, 1, 1), datetime(2100, 12, 31, 23, 59)  # noqa: DTZ001  the picker's, zone apart
"""The range of the time picker, wide enough for deliberately wrong times (CONTRACT 2.7)."""

MAX_DETAIL_LENGTH = 60
"""Characters of a value that are told beside its event."""

ENCLOSING_LEVELS = 6
"""Levels of brackets that enclose an extra value in a request."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,10})?")
"""A text that a person means as a number: no leading zero, and no more digits than a double holds."""

_ID_KEY = re.compile(r"(^|_|-|\.)(id|ids|sku|gtin|ean|upc|isbn|zip|phone)$|(Id|Ids|ID|IDs|Sku|SKU|Zip|Phone)$")
"""The key of a value that stays text although it has only digits: an id is never a number."""

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


def guess_value_type(key: str, text: str) -> str:
    """Guess the type of a text that a person types under a key: ``12.5`` is a number, an id is always text."""
    is_number = _NUMBER.fullmatch(text.strip()) is not None and not _ID_KEY.search(key.strip())
    return "number" if is_number else "text"


@dataclass(frozen=True, slots=True)
class CommonFields:
    """What the events of the form share: the person and the product, each told once.

    Attributes:
        identities: The ids of the person, by identity field; those that are not given are left out.
        product: The product's id; empty where none is given.
    """

    identities: Mapping[str, str] = field(default_factory=dict)
    product: str = ""

    @classmethod
    def of_events(cls, bodies: Sequence[Json]) -> Self:
        """What most of these events have; nothing where one of them has none, so that it gets none either."""
        persons = [tuple(_read_identities(body).items()) for body in bodies]
        products = [_read_product(body) for body in bodies]
        person = Counter(persons).most_common(1)[0][0] if persons and all(persons) else ()
        product = Counter(products).most_common(1)[0][0] if products and all(products) else ""
        return cls(dict(person), product)

    @classmethod
    def read(cls) -> Self:
        """What is in the widgets."""
        given = {identity: read_widget(make_common_key(identity), "") or "" for identity in IDENTITY_FIELDS}
        product = read_widget(make_common_key("data.productId"), "") or ""
        return cls({identity: text for identity, text in given.items() if text}, product)

    def put(self) -> None:
        """Set the values that the widgets will show."""
        for identity in IDENTITY_FIELDS:
            set_widget(make_common_key(identity), self.identities.get(identity, ""))
        set_widget(make_common_key("data.productId"), self.product)


def make_common_key(name: str) -> str:
    """The key of the widget of a field that the events share: ``compose-userId``, ``compose-data-productId``."""
    return make_key("compose", name.replace(".", "-"))


def _read_identities(body: Json) -> dict[str, str]:
    """The ids of an event that a text field can hold."""
    given = body if isinstance(body, Mapping) else {}
    return {name: id_ for name in IDENTITY_FIELDS if isinstance(id_ := given.get(name), str) and id_}


def _read_product(body: Json) -> str:
    """The product id of an event, where a text field can hold it."""
    data = body.get("data") if isinstance(body, Mapping) else None
    product = data.get("productId") if isinstance(data, Mapping) else None
    return product if isinstance(product, str) else ""


@dataclass
class EventForm:
    """One event on the form.

    Attributes:
        uid: The number in the keys of its widgets.
        rows: The numbers of its rows of extra values, in their order.
        is_open: Whether its values, its id, its time and a person of its own are shown.
        guessed_rows: The rows whose type follows what is typed, until a person chooses one.
    """

    uid: int
    rows: list[int] = field(default_factory=list)
    is_open: bool = False
    guessed_rows: set[int] = field(default_factory=set)
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
        """Add a row for an extra value: ``row``, or an empty one, whose type follows what is typed."""
        number = next(self._row_numbers)
        if row is None:
            self.guessed_rows.add(number)
        self.rows.append(number)
        row = row or ExtraValue("data", "", "text", "")
        for part, content in (("in", row.place), ("key", row.key), ("type", row.type), ("value", row.text)):
            self.put(f"row-{number}-{part}", content)

    def row(self, number: int) -> ExtraValue:
        """The extra value in the widgets of a row."""
        place, name, kind, text = (self.value(f"row-{number}-{part}") for part in ("in", "key", "type", "value"))
        return ExtraValue(place or "data", name or "", kind or "text", text or "")

    def guess_row_type(self, number: int) -> None:
        """Let the type of a row follow its key and text, unless a person chose it."""
        if number in self.guessed_rows:
            row = self.row(number)
            self.put(f"row-{number}-type", guess_value_type(row.key, row.text))

    @property
    def own_identities(self) -> dict[str, str]:
        """The ids of the person of this event, where it has one of its own."""
        return {identity: text for identity in IDENTITY_FIELDS if (text := self.value(identity))}

    def read(self, now_ms: int, common: CommonFields | None = None) -> tuple[Json, dict[str, Json]]:
        """The name and the event that the form makes; empty fields are omitted.

        ``now_ms`` is the time for "now", in epoch milliseconds; ``common`` what it shares with the others.
        """
        common = common or CommonFields()
        event: dict[str, Json] = {"eventId": id_} if (id_ := self.value("eventId")) else {}
        event |= self.own_identities or common.identities
        if (time := self._read_time(now_ms)) is not None:
            event["timestamp"] = time
        event["data"] = {}
        if product := self.value("data.productId") or common.product:
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

    def fill(self, name: Json, body: Mapping[str, Json], zone: str = "UTC", common: CommonFields | None = None) -> None:
        """Set the widgets from an event; a value for which there is no field becomes a row.

        What it shares with the others (``common``) stays empty here. Call it from a callback, or before the widgets are
        drawn. A value that a field cannot hold unchanged (an id that is a number, or empty) becomes a row too, so that
        it is sent as it was given.
        """
        common = common or CommonFields()
        self.rows.clear()
        self.put("name", str(name) if isinstance(name, str) else format_given(name))
        for own in ("eventId", *IDENTITY_FIELDS):
            self._fill_text(own, body, "event", own)
        data = body.get("data")
        self._fill_text("data.productId", data if isinstance(data, Mapping) else {}, "data", "productId")
        self._clear_common_fields(common)
        if not self._fill_time(body.get("timestamp"), zone) or body.get("timestamp", 0) is None:
            self.add_row(_make_extra_value("event", "timestamp", body["timestamp"]))
        self._fill_rows(body)

    def _fill_rows(self, body: Mapping[str, Json]) -> None:
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

    def _clear_common_fields(self, common: CommonFields) -> None:
        if self.own_identities == common.identities:
            for identity in IDENTITY_FIELDS:
                self.put(identity, "")
        if self.value("data.productId") == common.product:
            self.put("data.productId", "")

    def _fill_text(self, widget: str, body: Mapping[str, Json], place: str, name: str) -> None:
        content = body.get(name)
        fits = isinstance(content, str) and content != ""
        self.put(widget, content if fits else "")
        if name in body and not fits:
            self.add_row(_make_extra_value(place, name, content))

    def holds(self, name: Json, body: Json, common: CommonFields | None = None) -> bool:
        """Whether the form makes exactly this event, apart from the order of its keys."""
        ours, given = ([one, two] for one, two in (self.read(0, common), (name, body)))
        return json.dumps(ours, sort_keys=True) == json.dumps(given, sort_keys=True)

    def copy_to(self, other: "EventForm") -> None:
        """Give another event everything that this one has, but its id."""
        for name in ("name", *IDENTITY_FIELDS, "data.productId", "when", "moment", "seconds", "zone"):
            if self.key(name) in st.session_state:
                other.put(name, self.value(name))
        for row in self.rows:
            other.add_row(self.row(row))

    def describe_details(self) -> str:
        """What is set behind *Advanced*, such as ``price 12.20 · time: 2026-11-03 12:00``; empty where nothing is."""
        values = [f"{row.key} {row.text}".strip() for row in map(self.row, self.rows)]
        time = self.value("when", NO_TIME)
        found = [*values, *(f"{name} {id_}" for name, id_ in self.own_identities.items())]
        if time == TIME_CHOSEN and isinstance(moment := self.value("moment", None), datetime):
            found.append(f"time: {moment:%Y-%m-%d %H:%M}")
        return " · ".join(text if len(text) <= MAX_DETAIL_LENGTH else f"{text[:MAX_DETAIL_LENGTH]}…" for text in found)

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
