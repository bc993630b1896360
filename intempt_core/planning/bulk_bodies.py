"""Bodies in bulk: the events of a mapped table written as JSON over whole columns.

``MappedTable.events`` and ``build_request_body`` define what a body is. What is written here is the same to the byte, a
property test holds it, and takes a sixth of the time, because no object is made for an event.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, make_array, make_scalar, view_bytes, view_numbers
from intempt_core.contract import PLAIN_FIELDS, Json
from intempt_core.mapping import EPOCH_MILLISECONDS, ISO_OR_EPOCH_MS, MappedTable

_TEXT_TYPE = pa.large_string()
_ESCAPED_PATTERN = r'["\\\x00-\x1f]'
"""The characters that JSON escapes, in the syntax of Arrow's expressions."""


_BodyColumn: TypeAlias = Any
"""An Arrow array of texts, or one text for all rows (Arrow ships no types)."""


def write_bodies(mapped: MappedTable, rows: Int64Array, bounds: Sequence[int]) -> list[bytes] | None:
    """Write the body of each request (CONTRACT 1.3); a request has the rows from one bound to the next.

    ``None`` where they have to be written event by event: a value needs another JSON writer (a number beyond 64 bits,
    half a character), or the order of an event's objects differs from row to row.
    """
    try:
        written = _write_events(mapped, rows)
    except orjson.JSONEncodeError:
        return None
    if written is None:
        return None
    names, events = written
    code = view_numbers(names.dictionary_encode().indices)
    begins = np.ones(rows.size, np.bool_)  # of groups: neighbours of one name, in one request, share one
    begins[1:] = code[1:] != code[:-1]
    begins[np.asarray(bounds[:-1], np.int64)] = True
    firsts = np.flatnonzero(begins)
    payloads = pc.binary_join(_make_lists(events, [*firsts.tolist(), rows.size]), _make_scalar(","))
    groups = _join_columns(
        _make_scalar('{"name":'),
        names.take(make_array(firsts)),
        _make_scalar(',"payload":['),
        payloads,
        _make_scalar("]}"),
    )
    tracks = pc.binary_join(_make_lists(groups, np.searchsorted(firsts, bounds).tolist()), _make_scalar(","))
    whole = _join_columns(_make_scalar('{"track":['), tracks, _make_scalar("]}"))
    found: list[bytes] = whole.cast(pa.large_binary()).to_pylist()
    return found


def _make_lists(texts: pa.Array, bounds: Sequence[int]) -> pa.Array:
    return pa.LargeListArray.from_arrays(make_array(np.asarray(bounds, np.int64)), texts)


class _JsonColumn(NamedTuple):
    """A value as JSON for each row: ``parts`` are joined, each an array or one text for all. Null is no value."""

    parts: Sequence[_BodyColumn]
    nullable: bool = False

    @property
    def column(self) -> _BodyColumn:
        """As one column."""
        return self.parts[0] if len(self.parts) == 1 else _join_columns(*self.parts)


def _write_events(mapped: MappedTable, rows: Int64Array) -> tuple[pa.Array, pa.Array] | None:
    """Name and body of each event as JSON, in the order in which ``MappedTable.events`` has the fields.

    ``None`` where an event may have several objects beside ``data``: their order is that of the first member of each.
    """
    picked = make_array(rows)
    values = {
        field: _JsonColumn([_make_scalar(_dump_json(value))]) for field, value in mapped.mapping.constants.items()
    }
    values |= {field: _write_values(mapped, field, mapped.take_cells(field, rows)) for field in mapped.field_columns}
    if mapped.makes_ids:
        values["eventId"] = _quote_texts(mapped.made_ids.take(picked))
    names = values.pop("name").column if "name" in values else _make_scalar("null")
    if isinstance(names, pa.Scalar):
        names = pa.repeat(names, rows.size)
    members = [_write_member(field, values.pop(field)) for field in PLAIN_FIELDS if field in values]
    objects: dict[str, list[_JsonColumn]] = {}
    for field in values:
        objects.setdefault(field.partition(".")[0], []).append(_write_member(field.partition(".")[2], values[field]))
    if len(objects.keys() - {"data"}) > 1:
        return None
    members += _write_objects(objects, rows.size)
    return names.fill_null(_make_scalar("null")), _join_columns(
        pa.repeat(_make_scalar(""), rows.size), *_wrap_members(members)
    )


def _write_objects(objects: Mapping[str, Sequence[_JsonColumn]], count: int) -> Iterator[_JsonColumn]:
    """The objects inside an event: ``data`` always where a field is mapped into it, others where one has a value."""
    if "data" in objects:
        yield _write_member("data", _JsonColumn(_wrap_members(objects["data"])))
    for name, members in objects.items():
        if name == "data":
            continue
        object_ = _write_member(name, _JsonColumn(_wrap_members(members)))
        if not all(member.nullable for member in members):
            yield object_
            continue
        there = [pc.is_valid(member.column) for member in members]
        some = functools.reduce(pc.or_, there)
        whole = _join_columns(pa.repeat(_make_scalar(""), count), *object_.parts)
        yield _JsonColumn([pc.if_else(some, whole, make_scalar(None, _TEXT_TYPE))], nullable=True)


def _write_member(key: str, value: _JsonColumn) -> _JsonColumn:
    """Key and value as JSON."""
    named = _make_scalar(orjson.dumps(key).decode() + ":")
    return (
        _JsonColumn([_join_columns(named, *value.parts)], nullable=True)
        if value.nullable
        else _JsonColumn([named, *value.parts])
    )


def _wrap_members(members: Sequence[_JsonColumn]) -> list[_BodyColumn]:
    """The members that have values, as one object: its parts.

    Not by ``null_handling="skip"``: Arrow would drop the rows that have none.
    """
    sure = next((number for number, member in enumerate(members) if not member.nullable), len(members))
    before: list[_BodyColumn] = [
        _join_columns(member.column, _make_scalar(",")).fill_null(_make_scalar("")) for member in members[:sure]
    ]
    if sure == len(members) and members:  # the last comma is one too many
        before = [pc.utf8_slice_codeunits(_join_columns(*before), 0, -1)]
    found: list[_BodyColumn] = [_make_scalar("{"), *before]
    for number, member in enumerate(members[sure:]):
        if member.nullable:
            found.append(_join_columns(_make_scalar(","), member.column).fill_null(_make_scalar("")))
        else:
            found += [_make_scalar(","), *member.parts] if number else member.parts
    return [*found, _make_scalar("}")]


def _write_values(mapped: MappedTable, field: str, cells: pa.Array) -> _JsonColumn:
    """The values of a column as JSON; null where a cell is empty."""
    form = mapped.mapping.time_format
    if field == "timestamp" and form in (ISO_OR_EPOCH_MS, EPOCH_MILLISECONDS):
        if _are_integers(cells):
            return _JsonColumn([cells])
    elif field not in ("name", "timestamp") and mapped.mapping.types.get(field, "text") == "text":
        empty = pc.equal(cells, _make_scalar(""))
        if pc.any(empty).as_py():
            cells = pc.if_else(empty, make_scalar(None, _TEXT_TYPE), cells)
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
    parts = (_make_scalar('"'), cells, _make_scalar('"'))
    return _JsonColumn([_join_columns(*parts)], nullable=True) if cells.null_count else _JsonColumn(parts)


def _join_columns(*parts: _BodyColumn) -> _BodyColumn:
    """Columns joined element by element; null where one of them is."""
    return pc.binary_join_element_wise(*parts, _make_scalar(""))


def _make_scalar(text: str) -> pa.Scalar:
    return make_scalar(text, _TEXT_TYPE)


def _dump_json(value: Json) -> str:
    return orjson.dumps(value).decode()
