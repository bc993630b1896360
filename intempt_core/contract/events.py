"""The wire model: the four names, one event, one request. The only place that states a field rule.

The rules are declared here as small tests of one value. The pydantic models ask them about one event;
``checks.py`` compiles the very same declarations over whole columns, and a property holds that both agree.
Bodies are never built from a model: :func:`build_request_body` writes the objects as they came.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, TypeAlias

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from intempt_core.contract.issues import ISSUE_KINDS, Issue, Place, escape_pointer_key, shorten_value

Json: TypeAlias = Any
"""A JSON value as Python has it. Any: it is a person's input and may be anything at all."""


class EventName(StrEnum):
    """The four names, exactly as the wire has them (CONTRACT 2.1)."""

    VIEWED = "Product viewed"
    ADDED = "Added to cart"
    REMOVED = "Removed from cart"
    ORDERED = "Product ordered"


EVENT_EFFECTS: dict[EventName, str] = {
    EventName.VIEWED: "Puts the product into Recently Viewed and feeds the view-based models.",  # CONTRACT 4.1
    EventName.ADDED: "Puts the product into Recently Added to Cart and feeds the cart logic.",  # CONTRACT 4.2
    EventName.REMOVED: "Takes the product out of Recently Added to Cart; a later add shows it again.",  # CONTRACT 4.3
    # CONTRACT 4.4
    EventName.ORDERED: "Feeds purchase-based models, conversion tracking and post-purchase recommendations.",
}
"""What each event drives, in one line."""

IDENTITY_FIELDS = ("profileId", "userId", "anotherUserId", "accountId")
"""The identity fields (CONTRACT 2.3); any one of them is enough."""

LINKING_FIELDS = ("profileId", "userId", "anotherUserId")
"""The identities that link events to one person; ``accountId`` does only where it is the sole one (DESIGN, person)."""

ID_FIELDS = ("eventId", *IDENTITY_FIELDS, "anotherAccountId", "sessionId", "pageId", "data.productId")
"""Every field that holds an opaque id (CONTRACT 1.4, 2.8), as a dotted path inside the event."""

PLAIN_FIELDS = ("eventId", *IDENTITY_FIELDS, "anotherAccountId", "sessionId", "pageId", "timestamp")
"""The fields of an event that are single values beside ``data`` (CONTRACT 1.4)."""

OPEN_FIELDS = ("data", "userAttributes", "accountAttributes")
"""The objects inside an event that take further keys (CONTRACT 1.4)."""

EARLIEST_MS = 1_262_304_000_000
"""2010-01-01T00:00:00Z in epoch milliseconds: an earlier time has the request rejected (CONTRACT 2.7)."""

LATEST_MS = 2_210_457_600_000
"""2040-01-18T00:00:00Z in epoch milliseconds: a later time is silently replaced (CONTRACT 2.7)."""

EVENTS_PER_REQUEST = 50
"""What the vendor's own SDKs put into one request (CONTRACT 1.6)."""

_INVISIBLE_RANGES = (range(0x20), range(0x7F, 0xA0), (0xAD, 0x180E), range(0x200B, 0x2010), range(0x2028, 0x202F),
           range(0x2060, 0x2065), range(0x2066, 0x206A), (0xFEFF,))  # fmt: skip
INVISIBLE_CHARACTERS = "".join(chr(point) for points in _INVISIBLE_RANGES for point in points)
"""Characters that nobody sees: controls, zero-width ones, direction marks, the byte order mark."""

BLANK_CHARACTERS = INVISIBLE_CHARACTERS + " \u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""White space and what nobody sees. A value of nothing else is blank, and blank counts as missing."""

PLACEHOLDER_IDS = frozenset(
    "0 -1 null undefined none nan nil n/a na anonymous anon guest unknown true false [] {} ? - "
    "00000000-0000-0000-0000-000000000000".split()
)
"""What upstream code writes where it has no id (CONTRACT 2.8), in ASCII lower case."""


def _build_character_class(characters: str) -> str:
    return "[" + "".join(re.escape(character) for character in characters) + "]"


ID_PATTERNS: dict[str, str] = {
    # A sheet keeps 15 significant digits and likes exponents: 1.84E+18, 148758000526845000000.
    "id_damaged": r"^(?:-?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+|[1-9][0-9]{14}0+)$",
    "id_white_space": f"^{_build_character_class(BLANK_CHARACTERS)}|{_build_character_class(INVISIBLE_CHARACTERS)}|{_build_character_class(BLANK_CHARACTERS)}$",
}
"""Warnings about one id that a pattern finds: code → expression, searched, in what ``re`` and RE2 have in common."""

_COMPILED_ID_PATTERNS = {code: re.compile(pattern.replace("$", r"\Z")) for code, pattern in ID_PATTERNS.items()}
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def now_ms() -> int:
    """The machine's clock as epoch milliseconds, the unit of every time here (CONTRACT 2.7)."""
    return time.time_ns() // 1_000_000


def is_blank(text: str) -> bool:
    """Whether a text holds nothing that anybody could see; it then counts as missing."""
    return not text.strip(BLANK_CHARACTERS)


def is_placeholder(text: str) -> bool:
    """Whether an id is one of :data:`PLACEHOLDER_IDS` (CONTRACT 2.8). Such an id links nobody."""
    return text.strip(BLANK_CHARACTERS).translate(_ASCII_LOWER) in PLACEHOLDER_IDS


def is_given(value: Json) -> bool:
    """Whether a field's value counts as given: neither absent, nor null, nor blank text."""
    return value is not None and not (isinstance(value, str) and is_blank(value))


def id_to_text(value: Json) -> str | None:
    """An id as text: text as it is, a JSON number as written by Python, anything else (or nothing) ``None``."""
    if isinstance(value, str):
        return None if is_blank(value) else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _format_number(value)
    return None


def read_epoch_ms(value: Json) -> int | None:
    """A time as the wire has it: a whole JSON number. Anything else is unreadable: ``None`` (CONTRACT 2.7)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def get_field(event: Json, field: str) -> Json:
    """The value at a dotted field path (``data.productId``) of an event, ``None`` where there is none."""
    for step in field.split("."):
        if not isinstance(event, Mapping):
            return None
        event = event.get(step)
    return event


# ── the models, asked one by one ─────────────────────────────────────────────────────────────────────────────────────


def _make_field_error(code: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError(code, "{hint}", {"hint": hint})


def _check_name(value: Json) -> Json:
    if isinstance(value, str) and value in EventName._value2member_map_:
        return value
    raise _make_field_error("event_name")


def _require_id(code: str) -> BeforeValidator:
    def check(value: Json) -> Json:
        if not is_given(value):
            raise _make_field_error(code)
        return _check_id(value)

    return BeforeValidator(check)


def _check_id(value: Json) -> Json:
    if is_given(value) and id_to_text(value) is None:
        raise _make_field_error("id_not_text")
    return value


def _check_time(value: Json) -> Json:
    if value is None:
        return value
    time = read_epoch_ms(value)
    if time is None:
        raise _make_field_error("timestamp_unreadable")
    if time < EARLIEST_MS:
        raise _make_field_error("timestamp_before_2010")
    return value


def _check_data(value: Json) -> Json:
    if not isinstance(value, Mapping):
        raise _make_field_error("product_id_missing", "Put an object with the product id into data.")
    return value


_Id = Annotated[Json, BeforeValidator(_check_id)]


class EventData(BaseModel):
    """``data``: ``productId`` and whatever else the shop adds (CONTRACT 1.4, 2.4)."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    productId: Annotated[Json, _require_id("product_id_missing")] = None  # noqa: N815  the wire's own name


class TrackEvent(BaseModel):
    """One EVENT of a payload (CONTRACT 1.4, 2.2–2.7). An error's ``type`` is an issue's code, its ``loc`` the place."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    eventId: Annotated[Json, _require_id("event_id_missing")] = None  # noqa: N815  the wire's own name
    profileId: _Id = None  # noqa: N815  the wire's own name
    userId: _Id = None  # noqa: N815  the wire's own name
    anotherUserId: _Id = None  # noqa: N815  the wire's own name
    accountId: _Id = None  # noqa: N815  the wire's own name
    anotherAccountId: _Id = None  # noqa: N815  the wire's own name
    sessionId: _Id = None  # noqa: N815  the wire's own name
    pageId: _Id = None  # noqa: N815  the wire's own name
    timestamp: Annotated[Json, BeforeValidator(_check_time)] = None
    data: Annotated[EventData, BeforeValidator(_check_data)] = Field(default=None)  # type: ignore[assignment]  # validated

    @model_validator(mode="wrap")
    @classmethod
    def _check_identity(cls, value: Json, handler: ModelWrapValidatorHandler["TrackEvent"]) -> "TrackEvent":
        """CONTRACT 2.3, beside the field errors and not only where there are none."""
        if not isinstance(value, Mapping):
            raise _make_field_error("event_not_object")
        nobody = not any(is_given(value.get(field)) for field in IDENTITY_FIELDS)
        try:
            event = handler(value)
        except ValidationError as error:
            if not nobody:
                raise
            raise ValidationError.from_exception_data(
                cls.__name__,
                [
                    *(
                        InitErrorDetails(
                            type=_make_field_error(e["type"], e.get("ctx", {}).get("hint", "")),
                            loc=e["loc"],
                            input=e["input"],
                        )
                        for e in error.errors(include_url=False)
                    ),
                    InitErrorDetails(type=_make_field_error("identity_missing"), loc=(), input=None),
                ],
            ) from None
        if nobody:
            raise _make_field_error("identity_missing")
        return event


class TrackGroup(BaseModel):
    """One ``{"name": NAME, "payload": [EVENT, …]}`` (CONTRACT 1.3)."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    name: Annotated[str, BeforeValidator(_check_name)] = ""
    payload: list[TrackEvent]


class TrackRequest(BaseModel):
    """A request's body (CONTRACT 1.3)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    track: list[TrackGroup]


# ── one event judged ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class GivenEvent:
    """An event as it came: the name of its group, the JSON object, and where it stood.

    ``place.pointer`` points at the event; ``name_pointer`` at its group's name, in the same document.
    ``columns`` leads from a field (``data.productId``) to the file's own header, where a file it was.
    """

    name: Json
    body: Json
    place: Place
    name_pointer: str = "/name"
    columns: Mapping[str, str] | None = None

    def place_of(self, field: str) -> Place:
        """The place of one field (``name``, ``userId``, ``data.productId``; ``""`` is the event itself)."""
        steps = "".join(f"/{escape_pointer_key(key)}" for key in field.split(".", 1)) if field else ""
        pointer = self.name_pointer if field == "name" else self.place.pointer + steps
        column = (self.columns or {}).get(field)
        return Place(self.place.row, self.place.line, column, pointer)


def find_event_errors(event: GivenEvent) -> list[Issue]:
    """Every field error of one event, by the model (CONTRACT 2.1–2.4, 2.7). Repeats need the batch: ``checks.py``."""
    try:
        TrackGroup.model_validate({"name": event.name, "payload": [event.body]})
    except ValidationError as error:
        # What pydantic itself cannot take (a key that is a lone surrogate) is no rule of the contract.
        return [_build_issue(event, found) for found in error.errors(include_url=False) if found["type"] in ISSUE_KINDS]
    return []


def _build_issue(event: GivenEvent, error: Mapping[str, Any]) -> Issue:
    code, location = error["type"], error["loc"]
    field = "name" if location[:1] == ("name",) else ".".join(str(step) for step in location[2:])
    if code == "identity_missing":
        return Issue(code, event.place_of(field))
    value = event.name if field == "name" else event.body if not field else get_field(event.body, field)
    hint = HINT_BUILDERS[code](value) if code in HINT_BUILDERS else error.get("ctx", {}).get("hint", "")
    if code == "product_id_missing" and not hint:
        hint = build_product_hint(event.body)
    return Issue(code, event.place_of(field), format_given(value), hint)


def find_event_warnings(event: GivenEvent) -> list[Issue]:
    """Every warning that one event gives by itself (CONTRACT 1.4, 2.7, 2.8)."""
    if not isinstance(event.body, Mapping):
        return []
    found = []
    for field in ID_FIELDS:
        value = get_field(event.body, field)
        text = id_to_text(value)
        if text is None:
            continue
        codes = [code for code, pattern in _COMPILED_ID_PATTERNS.items() if pattern.search(text)]
        if is_placeholder(text):
            codes.append("id_placeholder")
        if not isinstance(value, str):
            codes.append("id_number")
        found += [Issue(code, event.place_of(field), shorten_value(text)) for code in codes]
    time = read_epoch_ms(event.body.get("timestamp"))
    if time is not None and time > LATEST_MS:
        found.append(
            Issue("timestamp_after_2040", event.place_of("timestamp"), format_given(time), build_time_hint(time))
        )
    return found


# ── advice that only one case can give ───────────────────────────────────────────────────────────────────────────────


def build_name_hint(value: Json) -> str:
    """Which of the four names was probably meant, as a sentence; empty where it cannot be told."""
    near = find_similar_name(value) if isinstance(value, str) else ""
    return f"Write “{near}”, exactly so." if near else ""


def find_similar_name(text: str) -> str:
    """The one of the four names that a text is nearly; empty where it is near none."""
    return _find_similar_folded(" ".join(text.replace("_", " ").split()).casefold()[:60])


@lru_cache(maxsize=4096)  # a file repeats its names, and a comparison takes its time
def _find_similar_folded(folded: str) -> str:
    names = {name.value.casefold(): name.value for name in EventName}
    near = get_close_matches(folded, names, n=1, cutoff=0.8)
    return names[near[0]] if near else ""


def build_product_hint(body: Json) -> str:
    """Where the product id seems to stand instead (CONTRACT 2.4), as a sentence; empty where nothing is near."""
    if not isinstance(body, Mapping):
        return ""
    for inside, prefix in ((body.get("data"), "data."), (body, "")):
        for key in inside if isinstance(inside, Mapping) else ():
            alike = isinstance(key, str) and re.sub(r"[^a-z]", "", key.casefold()) in ("productid", "product")
            if alike and prefix + key != "data.productId":
                return f"It seems to stand in {prefix}{key}: it must be data.productId, exactly."
    return ""


def build_time_hint(value: Json) -> str:
    """What a time probably is, by its size (CONTRACT 2.7), as a sentence; empty where it cannot be told."""
    time = read_epoch_ms(value)
    if time is None and isinstance(value, str) and re.fullmatch(r"[0-9]{10,17}", value):
        return "Write the number without quotes."
    if time is not None and EARLIEST_MS <= time * 1000 <= LATEST_MS:
        return "These look like seconds: multiply by 1,000."
    if time is not None and EARLIEST_MS <= time // 1000 <= LATEST_MS:
        return "These look like microseconds: divide by 1,000."
    return ""


HINT_BUILDERS: dict[str, Callable[[Json], str]] = {
    "event_name": build_name_hint,
    "timestamp_unreadable": build_time_hint,
    "timestamp_before_2010": build_time_hint,
    "timestamp_after_2040": build_time_hint,
}
"""Issue code → what the wrong value gives away. Any other hint depends on which fields there are, not on values."""


def format_given(value: Json) -> str | None:
    """A given value as an issue shows it: text as it is, anything else as JSON; ``None`` where there was none."""
    if value is None or isinstance(value, str):
        return None if value is None else shorten_value(value)
    return shorten_value(dump_json(value).decode())


def _format_number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write an integer of more than 4,300 digits
        return hex(int(value))


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def dump_json(value: Json, *, indent: bool = False) -> bytes:
    """A JSON value as UTF-8 bytes, every number and key kept.

    What orjson will not write (integers past 64 bits, lone surrogates) the standard library does. What is no number of
    JSON (1e400 as Python reads it) becomes null in both.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    except (TypeError, ValueError):
        separators = (",", ": ") if indent else (",", ":")
        value = json.loads(json.dumps(value), parse_constant=lambda _: None)
        return json.dumps(value, indent=2 if indent else None, separators=separators).encode()


def build_request_body(events: Iterable[tuple[Json, Json]], *, indent: bool = False) -> bytes:
    """The request body of (name, event) pairs in their order: neighbours of one name share a group (CONTRACT 1.3).

    The events are written as they came; what is deliberately wrong stays wrong on the wire.
    """
    groups: list[dict[str, Any]] = []
    for name, event in events:
        if not groups or groups[-1]["name"] != name or type(groups[-1]["name"]) is not type(name):
            groups.append({"name": name, "payload": []})
        groups[-1]["payload"].append(event)
    return dump_json({"track": groups}, indent=indent)


def read_identities(body: Json) -> dict[str, str]:
    """The identities of one event as text, in the contract's order; placeholders are among them."""
    if not isinstance(body, Mapping):
        return {}
    return {field: text for field in IDENTITY_FIELDS if (text := id_to_text(body.get(field))) is not None}


def read_linking_ids(body: Json) -> Sequence[tuple[str, str]]:
    """The (field, id) pairs by which an event belongs to a person (DESIGN); placeholders link nobody (CONTRACT 2.8)."""
    given = read_identities(body)
    real = [(field, text) for field, text in given.items() if not is_placeholder(text)]
    links = [pair for pair in real if pair[0] in LINKING_FIELDS]
    return links or [pair for pair in real if list(given) == ["accountId"]]


assert all(code in ISSUE_KINDS for code in ID_PATTERNS)  # noqa: S101  a code without words would be a bug of ours
