"""Bodies in bulk: the events of a mapped table written as JSON over whole columns.

``MappedTable.events`` and ``build_request_body`` define what a body is. What is written here is the same to the byte, a
property test holds it, and takes a twelfth of the time, because no object is made for an event.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, make_array, make_scalar, view_bytes, view_numbers
from intempt_core.contract import PLAIN_FIELDS, Json
from intempt_core.mapping import EPOCH_MILLISECONDS, ISO_OR_EPOCH_MS, MappedTable
from intempt_core.readers import JSON_CELL, TEXT_CELL

_TEXT_TYPE = pa.large_string()
_ESCAPED_PATTERN = r'["\\\x00-\x1f]'
"""The characters that JSON escapes, in the syntax of Arrow's expressions."""


_Part: TypeAlias = Any
"""A piece of JSON: an Arrow array of texts, one for each row, or one text that all rows have (Arrow ships no types)."""

_REQUEST_END = "]}]}"
"""What closes the last payload, its group, the list of groups and the body."""


def write_bodies(mapped: MappedTable, rows: Int64Array, bounds: Sequence[int]) -> list[bytes] | None:
    """Write the body of each request (CONTRACT 1.3); a request has the rows from one bound to the next.

    All bodies are one text: each event's JSON begins with what stands between it and the event before it, so that one
    join over the columns writes everything, and a body is a slice of it.

    ``None`` where they have to be written event by event: a value needs another JSON writer (a number beyond 64 bits,
    half a character), or the order of an event's objects differs from row to row.
    """
    try:
        written = _write_events(mapped, rows)
    except orjson.JSONEncodeError:
        return None
    if written is None:
        return None
    (codes, names), parts = written
    starts = np.asarray(bounds[:-1], np.int64)
    between = np.zeros(rows.size, np.int64)  # neighbours of one name, in one request, are one group: a comma is enough
    changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    between[changes] = 1 + codes[changes]
    between[starts] = 1 + len(names) + codes[starts]
    groups = [f'{{"name":{name},"payload":[' for name in names]
    opening, *parts = _merge_texts(["{", *parts, "}"])
    spellings = [",", *(f"]}},{group}" for group in groups), *(f'{_REQUEST_END}{{"track":[{group}' for group in groups)]
    before = make_array([f"{text}{opening}" for text in spellings], _TEXT_TYPE).take(make_array(between))
    return _cut_bodies(_join_parts(before, *parts), np.asarray(bounds, np.int64))


def _cut_bodies(whole: pa.Array, bounds: Int64Array) -> list[bytes]:
    """The bodies, each from after the end of the one before it; the last one has none yet."""
    _, offsets, data = whole.buffers()
    begins = np.frombuffer(offsets, np.int64)[whole.offset + bounds] + len(_REQUEST_END)
    text = memoryview(data)
    found = [bytes(text[start:stop]) for start, stop in pairwise(begins.tolist())]
    if found:
        found[-1] += _REQUEST_END.encode()
    return found


class _JsonColumn(NamedTuple):
    """A value as JSON for each row: ``parts`` are joined. Null is no value; without parts no row has one."""

    parts: Sequence[_Part]
    nullable: bool = False


_NO_VALUES = _JsonColumn((), nullable=True)


def _write_events(mapped: MappedTable, rows: Int64Array) -> tuple[tuple[Int64Array, list[str]], Sequence[_Part]] | None:
    """Names, and the parts of each event's body, in the order in which ``MappedTable.events`` has the fields.

    Names are numbered: a number for each row, and the name of each number as JSON. ``None`` where an event may have
    several objects beside ``data``: their order is that of the first member of each.
    """
    values = {field: _JsonColumn([_dump_json(value)]) for field, value in mapped.mapping.constants.items()}
    fields = [field for field in mapped.field_columns if field != "name"]
    values |= {field: _write_cells(mapped, field, rows) for field in fields}
    if mapped.makes_ids:
        values["eventId"] = _quote_texts(mapped.made_ids.take(make_array(rows)))
    values.pop("name", None)
    members = [_write_member(field, values.pop(field)) for field in PLAIN_FIELDS if field in values]
    objects: dict[str, list[_JsonColumn]] = {}
    for field, value in values.items():
        objects.setdefault(field.partition(".")[0], []).append(_write_member(field.partition(".")[2], value))
    if len(objects.keys() - {"data"}) > 1:
        return None
    members += _write_objects(objects, rows.size)
    return _number_names(mapped, rows), _join_members(members)


def _number_names(mapped: MappedTable, rows: Int64Array) -> tuple[Int64Array, list[str]]:
    """The number of each row's name, and each name as JSON; a row without a name has ``null``."""
    if "name" not in mapped.field_columns:
        return np.zeros(rows.size, np.int64), [_dump_json(mapped.mapping.constants.get("name"))]
    spellings = mapped.take_cells("name", rows).dictionary_encode()
    names: dict[str, int] = {}
    texts = map(_dump_json, mapped.read("name", spellings.dictionary))
    codes = np.array([names.setdefault(text, len(names)) for text in texts], np.int64)
    return codes[view_numbers(spellings.indices)], list(names)


def _write_objects(objects: Mapping[str, Sequence[_JsonColumn]], count: int) -> Iterator[_JsonColumn]:
    """The objects inside an event: ``data`` always where a field is mapped into it, others where one has a value."""
    if "data" in objects:
        yield _write_member("data", _JsonColumn(["{", *_join_members(objects["data"]), "}"]))
    for name, members in objects.items():
        if name == "data":
            continue
        there = [member for member in members if member.parts]
        if not there:
            continue
        object_ = _write_member(name, _JsonColumn(["{", *_join_members(there), "}"]))
        if not all(member.nullable for member in there):
            yield object_
            continue
        some = functools.reduce(pc.or_, (pc.is_valid(_join_parts(*member.parts)) for member in there))
        whole = _join_parts(pa.repeat(_make_scalar(""), count), *object_.parts)
        yield _JsonColumn([pc.if_else(some, whole, make_scalar(None, _TEXT_TYPE))], nullable=True)


def _write_member(key: str, value: _JsonColumn) -> _JsonColumn:
    """Key and value as JSON."""
    return _JsonColumn([f"{_dump_json(key)}:", *value.parts], value.nullable) if value.parts else value


def _join_members(members: Sequence[_JsonColumn]) -> list[_Part]:
    """The members that have values, with commas between them: the inside of one object, in parts.

    Not by ``null_handling="skip"``: Arrow would drop the rows that have none.
    """
    members = [member for member in members if member.parts]
    sure = next((number for number, member in enumerate(members) if not member.nullable), len(members))
    found: list[_Part] = [_blank_nulls(_join_parts(*member.parts, ",")) for member in members[:sure]]
    if sure == len(members) and members:  # the last comma is one too many
        found = [pc.utf8_slice_codeunits(_join_parts(*found), 0, -1)]
    for number, member in enumerate(members[sure:]):
        if member.nullable:
            found.append(_blank_nulls(_join_parts(",", *member.parts)))
        else:
            found += [",", *member.parts] if number else member.parts
    return found


def _write_cells(mapped: MappedTable, field: str, rows: Int64Array) -> _JsonColumn:
    """The values of a column in these rows as JSON; what came from JSON and is no text is written as it came."""
    cells, kinds = mapped.take_cells(field, rows), mapped.take_kinds(field, rows)
    if kinds is None:
        return _write_values(mapped, field, cells)
    if (kinds == JSON_CELL).all():
        return _JsonColumn([cells])
    found = make_array([None, None, "null", '""'], _TEXT_TYPE).take(make_array(kinds.astype(np.int64)))
    texts, values = np.flatnonzero(kinds == TEXT_CELL), np.flatnonzero(kinds == JSON_CELL)
    if texts.size:
        written = _write_values(mapped, field, cells.take(make_array(texts)))
        whole = _join_parts(*written.parts) if written.parts else pa.nulls(texts.size, _TEXT_TYPE)
        found = pc.replace_with_mask(found, make_array(kinds == TEXT_CELL), whole)
    if values.size:
        found = pc.replace_with_mask(found, make_array(kinds == JSON_CELL), cells.take(make_array(values)))
    return _JsonColumn([found], nullable=found.null_count > 0)


def _write_values(mapped: MappedTable, field: str, cells: pa.Array) -> _JsonColumn:
    """The values of a column as JSON; null where a cell is empty."""
    if not view_bytes(cells).size:
        return _NO_VALUES
    form = mapped.mapping.time_format
    if field == "timestamp" and form in (ISO_OR_EPOCH_MS, EPOCH_MILLISECONDS):
        if _are_integers(cells):
            return _JsonColumn([cells])
    elif field != "timestamp" and mapped.mapping.types.get(field, "text") == "text":
        if pc.min(pc.binary_length(cells)).as_py() == 0:
            cells = pc.if_else(pc.equal(cells, _make_scalar("")), make_scalar(None, _TEXT_TYPE), cells)
        return _quote_texts(cells)
    distinct = cells.dictionary_encode()
    texts = [None if value is None else _dump_json(value) for value in mapped.read(field, distinct.dictionary)]
    found = make_array(texts, _TEXT_TYPE).take(distinct.indices)
    return _JsonColumn([found], nullable=found.null_count > 0)


def _are_integers(cells: pa.Array) -> bool:
    """Whether every cell is a whole number as JSON has it, of at most 18 digits."""
    used, lengths = view_bytes(cells), pc.min_max(pc.binary_length(cells)).as_py()
    digits = used.size and ord("0") <= int(used.min()) and int(used.max()) <= ord("9")
    short = lengths["min"] and lengths["max"] <= 18
    return bool(digits and short) and not pc.any(pc.starts_with(cells, "0")).as_py()


def _quote_texts(cells: pa.Array) -> _JsonColumn:
    """Texts as JSON: nearly all of them only need quotes."""
    used = view_bytes(cells)
    if used.size and (used.min() < ord(" ") or (used == ord('"')).any() or (used == ord("\\")).any()):
        odd = pc.fill_null(pc.match_substring_regex(cells, _ESCAPED_PATTERN), make_scalar(False))
        texts = [orjson.dumps(text)[1:-1].decode() for text in cells.filter(odd).to_pylist()]
        cells = pc.replace_with_mask(cells, odd, make_array(texts, _TEXT_TYPE))
    return _JsonColumn(['"', cells, '"'], nullable=cells.null_count > 0)


def _merge_texts(parts: Iterable[_Part]) -> list[_Part]:
    """Neighbouring texts that all rows have as one text."""
    found: list[_Part] = []
    for part in parts:
        if found and isinstance(part, str) and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return found


def _join_parts(*parts: _Part) -> pa.Array:
    """Parts joined row by row; null where one of them is. At least one is an array."""
    columns = [_make_scalar(part) if isinstance(part, str) else part for part in _merge_texts(parts)]
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, _make_scalar(""))


def _blank_nulls(texts: pa.Array) -> pa.Array:
    return texts.fill_null(_make_scalar("")) if texts.null_count else texts


def _make_scalar(text: str) -> pa.Scalar:
    return make_scalar(text, _TEXT_TYPE)


def _dump_json(value: Json) -> str:
    return orjson.dumps(value).decode()
