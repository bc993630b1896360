"""The bodies of a mapped table's events, written over whole columns; part of the room of ``plan.py``.

``MappedTable.events`` and ``events.body_of`` have the last word on what a body is. What is written here is the same to
the byte, a property holds it, and costs a sixth of it: no object is made for an event.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.cells import bytes_of
from intempt_core.events import PLAIN_FIELDS, Json
from intempt_core.mapped import MappedTable
from intempt_core.times import AS_IT_IS, MILLISECONDS

_TEXT = pa.large_string()
_ESCAPED = r'["\\\x00-\x1f]'
"""What JSON writes otherwise than it is, in the syntax of Arrow's expressions."""


class NotByColumns(Exception):
    """A value that a body writes in a way of its own: the events are asked one by one."""


def bodies(mapped: MappedTable, rows: NDArray[np.int64], bounds: Sequence[int]) -> list[bytes] | None:
    """The body of each request (CONTRACT 1.3), which has the rows from one bound to the next.

    ``None`` where it takes the events themselves: a number beyond 64 bits has the whole body written another way.
    """
    try:
        names, events = _written(mapped, rows)
    except NotByColumns:
        return None
    word = names.dictionary_encode()
    code = word.indices.to_numpy(zero_copy_only=False)
    begins = np.ones(rows.size, np.bool_)  # of groups: neighbours of one name, in one request, share one
    begins[1:] = code[1:] != code[:-1]
    begins[np.asarray(bounds[:-1], np.int64)] = True
    firsts = np.flatnonzero(begins)
    payloads = pc.binary_join(_lists(events, [*firsts.tolist(), rows.size]), pa.scalar(",", _TEXT))
    head, middle, tail, nothing = (pa.scalar(text, _TEXT) for text in ('{"name":', ',"payload":[', "]}", ""))
    groups = pc.binary_join_element_wise(head, names.take(pa.array(firsts)), middle, payloads, tail, nothing)
    tracks = pc.binary_join(_lists(groups, np.searchsorted(firsts, bounds).tolist()), pa.scalar(",", _TEXT))
    whole = pc.binary_join_element_wise(pa.scalar('{"track":[', _TEXT), tracks, pa.scalar("]}", _TEXT), nothing)
    found: list[bytes] = whole.cast(pa.large_binary()).to_pylist()
    return found


def _lists(texts: pa.Array, bounds: Sequence[int]) -> pa.Array:
    return pa.LargeListArray.from_arrays(pa.array(bounds, pa.int64()), texts)


def _written(mapped: MappedTable, rows: NDArray[np.int64]) -> tuple[pa.Array, pa.Array]:
    """Name and body of each event as JSON, in the order in which ``MappedTable.events`` has the fields."""
    picked = pa.array(rows)
    values: dict[str, pa.Array | bytes] = {field: _dumped(value) for field, value in mapped.mapping.constants.items()}
    values |= {field: _column(mapped, field, mapped.cells[field].take(picked)) for field in mapped.cells}
    if mapped.makes_ids:
        values["eventId"] = _quoted(mapped.made_ids.take(picked))
    names = values.pop("name", b"null")
    if isinstance(names, bytes):
        names = pa.repeat(pa.scalar(names.decode(), _TEXT), rows.size)
    parts = [_member(field, values.pop(field)) for field in PLAIN_FIELDS if field in values]
    objects: dict[str, list[pa.Array | pa.Scalar]] = {}
    for field in values:
        objects.setdefault(field.partition(".")[0], []).append(_member(field.partition(".")[2], values[field]))
    parts += _objects(objects, rows.size)
    return names.fill_null("null"), _braced(parts, rows.size)


def _objects(objects: Mapping[str, Sequence[pa.Array | pa.Scalar]], count: int) -> Iterator[pa.Array]:
    """The objects inside an event: ``data`` is there as soon as a field could give something, others where one does."""
    if "data" in objects:
        yield _member("data", _braced(objects["data"], count))
    others = {name: members for name, members in objects.items() if name != "data"}
    if len(others) > 1:  # their order is that of the first member that is there
        raise NotByColumns
    for name, members in others.items():
        there = [pc.is_valid(member) for member in members if isinstance(member, pa.Array)]
        some = there[0] if len(there) == len(members) else None
        for more in there[1:] if some is not None else ():
            some = pc.or_(some, more)
        object_ = _member(name, _braced(members, count))
        yield object_ if some is None else pc.if_else(some, object_, pa.scalar(None, _TEXT))


def _member(key: str, value: pa.Array | bytes) -> pa.Array | pa.Scalar:
    """Key and value as JSON; null where there is no value."""
    named = orjson.dumps(key).decode() + ":"
    if isinstance(value, bytes):
        return pa.scalar(named + value.decode(), _TEXT)
    return pc.binary_join_element_wise(pa.scalar(named, _TEXT), value, pa.scalar("", _TEXT))


def _braced(members: Sequence[pa.Array | pa.Scalar], count: int) -> pa.Array:
    """The members that are there, as one object for each row.

    Not by ``null_handling="skip"``: Arrow drops the rows of which nothing is left.
    """
    opening, closing, comma, nothing = (pa.scalar(text, _TEXT) for text in ("{", "}", ",", ""))
    sure = next((number for number, member in enumerate(members) if not _may_lack(member)), len(members))
    before = [pc.binary_join_element_wise(member, comma, nothing).fill_null("") for member in members[:sure]]
    after = [pc.binary_join_element_wise(comma, member, nothing) for member in members[sure + 1 :]]
    after = [member.fill_null("") if isinstance(member, pa.Array) else member for member in after]
    if sure == len(members) and members:  # the last comma is one too many
        all_ = pc.binary_join_element_wise(pa.repeat(nothing, count), *before, nothing)
        before = [pc.utf8_slice_codeunits(all_, 0, -1)]
    inside = [*before, *members[sure : sure + 1], *after]
    return pc.binary_join_element_wise(pa.repeat(opening, count), *inside, closing, nothing)


def _may_lack(member: pa.Array | pa.Scalar) -> bool:
    """Whether some row may lack a member."""
    return isinstance(member, pa.Array) and member.null_count > 0


def _column(mapped: MappedTable, field: str, cells: pa.Array) -> pa.Array:
    """The values of a column as JSON; null where a cell is empty."""
    form = mapped.mapping.time_format
    if field == "timestamp" and form in (AS_IT_IS, MILLISECONDS):
        if _are_whole(cells):
            return cells
    elif field not in ("name", "timestamp") and mapped.mapping.types.get(field, "text") == "text":
        return pc.if_else(pc.equal(pc.binary_length(cells), 0), pa.scalar(None, _TEXT), _quoted(cells))
    words = cells.dictionary_encode()
    texts = [None if value is None else _dumped(value).decode() for value in mapped.read(field, words.dictionary)]
    return pa.array(texts, _TEXT).take(words.indices)


def _are_whole(cells: pa.Array) -> bool:
    """Whether every cell is a whole number as JSON has it, of at most 18 digits."""
    used, lengths = bytes_of(cells), pc.min_max(pc.binary_length(cells)).as_py()
    digits = used.size and ord("0") <= int(used.min()) and int(used.max()) <= ord("9")
    short = lengths["min"] and lengths["max"] <= 18
    return bool(digits and short) and not pc.any(pc.starts_with(cells, "0")).as_py()


def _quoted(cells: pa.Array) -> pa.Array:
    """Texts as JSON: nearly all need nothing but quotes."""
    used = bytes_of(cells)
    if used.size and (used.min() < ord(" ") or (used == ord('"')).any() or (used == ord("\\")).any()):
        odd = pc.match_substring_regex(cells, _ESCAPED)
        texts = [orjson.dumps(text)[1:-1].decode() for text in cells.filter(odd).to_pylist()]
        cells = pc.replace_with_mask(cells, odd, pa.array(texts, _TEXT))
    quote = pa.scalar('"', _TEXT)
    return pc.binary_join_element_wise(quote, cells, quote, pa.scalar("", _TEXT))


def _dumped(value: Json) -> bytes:
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError):
        raise NotByColumns from None
