"""What a call says that a field of an event gets: ``userId=u7`` is text, ``data.price:=12.5`` is a JSON value."""

from collections.abc import Iterable

from intempt_core.contract import (
    OPEN_FIELDS,
    PLAIN_FIELDS,
    Json,
    shorten_value,
    spell_invisible,
    suggest_nearest,
)
from intempt_core.errors import JourneyError, ReadError
from intempt_core.journeys.model import split_field
from intempt_core.readers import JsonText, parse_exactly

_FORM = "It takes FIELD=TEXT, such as userId=u7, or FIELD:=JSON, such as data.price:=12.5."


def parse_assignments(texts: Iterable[str]) -> dict[str, Json]:
    """Read assignments to fields of an event: field → value. Raises :class:`JourneyError` with a sentence.

    A field is ``userId``, ``data.KEY`` or another of the contract's; one may be assigned once.
    """
    found: dict[str, Json] = {}
    for text in texts:
        name, value = _parse_assignment(text)
        if name in found:
            raise JourneyError(f"--set {name} is given twice. Remove one of them.")
        found[name] = value
    return found


def _parse_assignment(text: str) -> tuple[str, Json]:
    left, sign, right = text.partition("=")
    is_json = left.endswith(":")
    name = left.removesuffix(":").strip()
    if not sign or not name:
        raise JourneyError(f"--set “{spell_invisible(shorten_value(text))}” names no field and value. {_FORM}")
    _check_field(name)
    if not is_json:
        return name, right
    try:
        JsonText(right)
        return name, parse_exactly(right.strip().encode())
    except (ReadError, ValueError) as error:
        what = str(error) if isinstance(error, ReadError) and right.strip() else "Nothing is behind “:=”."
        raise JourneyError(
            f"--set {name}: “{shorten_value(right)}” is no JSON. {what} As text it is {name}={shorten_value(right)}."
        ) from error


def _check_field(name: str) -> None:
    inside, key = split_field(name)
    if key or (key is None and (name in PLAIN_FIELDS or name in OPEN_FIELDS)):
        return
    known = (*PLAIN_FIELDS, "data.productId")
    advice = suggest_nearest(name, known, f"Further data is written data.{inside}.")
    raise JourneyError(f"--set “{spell_invisible(shorten_value(name))}” is no field of an event. {advice}")
