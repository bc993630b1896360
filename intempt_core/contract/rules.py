"""The field rules applied to one event: its errors by the model, and its warnings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import (
    ValidationError,
)

from intempt_core.contract.fields import (
    COMPILED_ID_PATTERNS,
    ID_FIELDS,
    LATEST_MS,
    Json,
    get_field,
    id_to_text,
    is_placeholder,
    read_epoch_ms,
)
from intempt_core.contract.hints import HINT_BUILDERS, build_product_hint, build_time_hint, format_given
from intempt_core.contract.issues import ISSUE_KINDS, Issue, Place, escape_pointer_key, shorten_value
from intempt_core.contract.model import TrackGroup


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
        codes = [code for code, pattern in COMPILED_ID_PATTERNS.items() if pattern.search(text)]
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
