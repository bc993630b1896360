"""Values of Arrow's types as text: exact, never by way of a float that was none, and the same on every machine.

==================  =====================================================================================
whole numbers       every digit
decimals            every digit, no exponent
floats              the fewest digits that read back as the same float; a whole one says so: ``17850.0``
truth values        ``true``, ``false``
timestamps          ISO 8601, with the column's zone as ``Z`` or an offset; without a zone where it has none
dates, times        ISO 8601
text, bytes         as they are; bytes that are no UTF-8 raise :class:`UnicodeError`
UUIDs               in groups, with hyphens
lists, maps         JSON text; so are structures inside them
==================  =====================================================================================
"""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import make_array, make_scalar

_UTC_NAMES = {"UTC", "Z", "+00:00", "Etc/UTC"}
_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


def format_values(array: pa.Array) -> pa.Array:
    """Each value of an array as text, in an array of strings; null stays null.

    Raises UnicodeError where a text is no UTF-8, and what Arrow raises for a type that it cannot write.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _format_uuids(array.storage) if isinstance(kind, pa.UuidType) else format_values(array.storage)
    if pa.types.is_dictionary(kind):
        return format_values(array.dictionary).take(array.indices)
    if pa.types.is_nested(kind):
        return make_array([None if text == "null" else text for text in _format_json(array)], pa.string())
    for is_kind, formatted in _FORMATTERS:
        if is_kind(kind):
            return formatted(array)
    return array.cast(pa.string())


def is_known_zone(zone: str) -> bool:
    """Whether Arrow knows a time zone, so that its times are written with their offset; else they are in UTC."""
    if zone in _UTC_NAMES:
        return True
    try:
        pc.local_timestamp(make_array(np.zeros(1, np.int64)).cast(pa.timestamp("s", zone)))
    except pa.ArrowInvalid:
        return False
    return True


def _check_utf8(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.binary()).cast(pa.string())  # Arrow checks bytes that become text, and no text that is one
    except pa.ArrowInvalid as error:
        raise UnicodeError(str(error)) from error


def _format_floats(array: pa.Array) -> pa.Array:
    texts = array.cast(pa.string())
    whole = pc.match_substring_regex(texts, pattern=r"^-?[0-9]+$")
    texts = pc.if_else(whole, _join_texts(texts, make_scalar(".0", pa.string())), texts)
    # As Python has it, an exponent begins at 1e16: numbers up to there may well be times or ids.
    return _replace_some(texts, r"e\+(?:[0-9]|1[0-5])$", lambda text: repr(float(text)))


def _format_decimals(array: pa.Array) -> pa.Array:
    return _replace_some(array.cast(pa.string()), "E", lambda text: format(Decimal(text), "f"))


def _replace_some(texts: pa.Array, pattern: str, replacement: Callable[[str], str]) -> pa.Array:
    """Texts, those that match a pattern replaced."""
    found = pc.match_substring_regex(texts, pattern=pattern)
    some = texts.filter(found).to_pylist()
    if not some:
        return texts
    return pc.replace_with_mask(texts, found, make_array([replacement(text) for text in some], pa.string()))


def _format_timestamps(array: pa.Array) -> pa.Array:
    unit, zone = array.type.unit, array.type.tz
    utc = local = array.view(pa.timestamp(unit))
    suffix: pa.Array | pa.Scalar = make_scalar("" if zone is None else "Z", pa.string())
    if zone is not None and zone not in _UTC_NAMES:
        try:
            local = pc.local_timestamp(array)
            suffix = _format_offsets(local, utc)
        except pa.ArrowInvalid:  # an unknown zone: the moment is the same in UTC
            pass
    plain = local.cast(pa.string())
    texts = _trim_fraction(pc.replace_substring(plain, pattern=" ", replacement="T", max_replacements=1), unit)
    return pc.if_else(
        pc.starts_with(plain, pattern="<"),  # “<value out of range: …>”, as Arrow has it
        plain,
        _join_texts(texts, suffix),
    )


def _format_offsets(local: pa.Array, utc: pa.Array) -> pa.Array:
    """How far east of UTC each moment's wall clock is, as ``+02:00``."""
    away = pc.subtract(*(one.cast(pa.timestamp("s"), safe=False).cast(pa.int64()) for one in (local, utc)))
    away = away.dictionary_encode()
    texts = []
    for offset in away.dictionary.to_pylist():
        hours, rest = divmod(abs(offset), 3600)
        minutes, second = divmod(rest, 60)
        texts.append(f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}" + (f":{second:02}" if second else ""))
    return make_array(texts, pa.string()).take(away.indices)


def _join_texts(texts: pa.Array, more: pa.Array | pa.Scalar) -> pa.Array:
    return pc.binary_join_element_wise(texts, more, make_scalar("", pa.string()))


def _trim_fraction(texts: pa.Array, unit: str) -> pa.Array:
    """Times without the zeros at the end of their seconds' fraction, which the units below a second have."""
    return texts if unit == "s" else pc.ascii_rtrim(pc.ascii_rtrim(texts, characters="0"), characters=".")


def _format_times(array: pa.Array) -> pa.Array:
    return _trim_fraction(array.cast(pa.string()), array.type.unit)


def _format_uuids(storage: pa.Array) -> pa.Array:
    count = len(storage)
    raw = np.frombuffer(storage.buffers()[1], np.uint8)[storage.offset * 16 : (storage.offset + count) * 16]
    digits = np.stack([_HEX_DIGITS[raw >> 4], _HEX_DIGITS[raw & 15]], 1).reshape(count, 32)
    grouped = np.insert(digits, (8, 12, 16, 20), ord("-"), axis=1)
    bounds = np.arange(count + 1, dtype=np.int32) * grouped.shape[1]
    texts = pa.StringArray.from_buffers(count, pa.py_buffer(bounds), pa.py_buffer(grouped.tobytes()))
    return pc.if_else(storage.is_valid(), texts, make_scalar(None, pa.string()))


_FORMATTERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (pa.types.is_floating, _format_floats),
    (pa.types.is_decimal, _format_decimals),
    (pa.types.is_timestamp, _format_timestamps),
    (pa.types.is_time, _format_times),
    *(
        (is_kind, _check_utf8)
        for is_kind in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
        )
    ),
)
"""How values of a type are written; those of the others Arrow writes as they should be."""


# ── what holds several values ────────────────────────────────────────────────────────────────────────────────────────


def _format_json(array: pa.Array) -> list[str]:
    """Each value as JSON text."""
    kind = array.type
    if pa.types.is_map(kind):
        entry = pa.struct([pa.field("key", kind.key_type, nullable=False), pa.field("value", kind.item_type)])
        entries = array.cast(pa.list_(pa.field("entries", entry, nullable=False)))
        keys, values = map(_format_json, entries.flatten().flatten())
        names = (key if key.startswith('"') else json.dumps(key, ensure_ascii=False) for key in keys)
        return _join_lists(entries, [f"{name}:{value}" for name, value in zip(names, values, strict=True)], "{}")
    if pa.types.is_struct(kind):
        return _format_objects(array)
    if pa.types.is_nested(kind):
        return _join_lists(array, _format_json(array.flatten()), "[]")
    texts = format_values(array).to_pylist()
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind):
        return ["null" if text is None else f'"{text}"' if text[-1] in "nf" else text for text in texts]  # nan, inf
    return ["null" if text is None else json.dumps(text, ensure_ascii=False) for text in texts]


def _format_objects(array: pa.Array) -> list[str]:
    names = [json.dumps(field.name, ensure_ascii=False) for field in array.type]
    members = [
        [f"{name}:{value}" for value in _format_json(inner)] for name, inner in zip(names, array.flatten(), strict=True)
    ]
    rows = zip(*members, strict=True) if members else [()] * len(array)
    valid = array.is_valid().to_pylist()
    return [f"{{{','.join(row)}}}" if there else "null" for there, row in zip(valid, rows, strict=True)]


def _join_lists(array: pa.Array, members: Sequence[str], brackets: str) -> list[str]:
    """The JSON text of each list; ``members`` are those of all lists, one list after the other."""
    texts, at = [], 0
    for length in pc.list_value_length(array).to_pylist():
        texts.append("null" if length is None else f"{brackets[0]}{','.join(members[at : at + length])}{brackets[1]}")
        at += length or 0
    return texts
