"""Cells read as values: typed cells, times, and the event ids that a file lacks."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, make_array, make_scalar, take_rows, view_bytes
from intempt_core.contract import Json
from intempt_core.mapping.number_forms import NUMBER_FORMS, normalize_number
from intempt_core.readers import Table

T = TypeVar("T")

CELL_TYPES = ("text", "number", "integer", "boolean", *NUMBER_FORMS)
"""What a cell of ``data``, ``userAttributes`` or ``accountAttributes`` can be read as (CONTRACT 1.4)."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"(-?[0-9]+)(?:\.0+)?")
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?(?P<tail>.*))?")
_TIME_SUFFIX = re.compile(r"(?:[.,]([0-9]+))?(?: ?(?:([Zz]|UTC|GMT)|([+-])([0-9]{2}):?([0-9]{2})?))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def parse_cell(cell: str, kind: str) -> Json:
    """Read a cell as a value of a type (CONTRACT 1.4); the same text where it is not of that type.

    Numbers are written as JSON writes them and keep their value exactly: what a double would round stays text.
    """
    if kind in NUMBER_FORMS:
        written = normalize_number(cell, kind)
        value = cell if written is None else parse_cell(written, "number")
        return cell if isinstance(value, str) else value
    text = cell.strip(" ")
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower() if text.isascii() else "", cell)
    match = _NUMBER.fullmatch(text) if kind != "text" else None
    if match is None:
        return cell
    try:
        if match[1] is None and match[2] is None:
            return int(text)
        number = float(text)
        return number if kind == "number" and Decimal(repr(number)) == Decimal(text) else cell
    except (ValueError, ArithmeticError):  # more digits, or a greater exponent, than Python reads
        return cell


def is_cell_of_type(cell: str, kind: str) -> bool:
    """Whether :func:`parse_cell` reads a cell; if not, it stays text and is worth a warning."""
    return kind == "text" or not isinstance(parse_cell(cell, kind), str)


def parse_time(text: str, zone: ZoneInfo) -> int | None:
    """Read a cell as epoch milliseconds: a whole number as it is, ISO 8601 in ``zone`` if it names none; else ``None``.

    ``2022-10-01``, ``2022-10-01 00:00``, ``2022-10-01T00:00:00.5+02:00``, ``2022-10-01 00:00:00 UTC``. What is finer
    than a millisecond is cut. An hour that the zone has twice is its first; one that it skips is read as before it.
    """
    text = text.strip(" ")
    if whole := _WHOLE.fullmatch(text):
        try:
            return int(whole[1])
        except ValueError:  # more digits than Python reads
            return None
    match = _TIME.fullmatch(text)
    tail = parse_time_suffix(match["tail"] or "") if match else None
    if match is None or tail is None or (match[6] is None and match["tail"] and match["tail"][0] in ".,"):
        return None  # a fraction belongs to seconds
    try:
        wall = datetime(*(int(part or 0) for part in match.groups()[:6]))  # type: ignore[arg-type]  # noqa: DTZ001  zone follows
    except ValueError:
        return None
    cut_ms, offset = tail
    away = zone.utcoffset(wall) if offset is None else timedelta(minutes=offset)
    return (wall.replace(tzinfo=UTC) - _EPOCH - (away or timedelta())) // _MS + cut_ms


def parse_time_suffix(text: str) -> tuple[int, int | None] | None:
    """Read what follows the seconds of a time, as (milliseconds, minutes east of UTC or ``None`` for no zone).

    ``None`` where it is no such text.
    """
    match = _TIME_SUFFIX.fullmatch(text)
    if match is None:
        return None
    fraction, utc, sign, hours, minutes = match.groups()
    offset = 0 if utc else None
    if sign:
        if int(hours) > 23 or int(minutes or 0) > 59:
            return None
        offset = int(f"{sign}1") * (int(hours) * 60 + int(minutes or 0))
    return int(f"{fraction or ''}000"[:3]), offset


class LazyMapping(Mapping[str, T]):
    """A mapping of some keys whose values are made when first asked for, and then kept."""

    def __init__(self, keys: Iterable[str], factory: Callable[[str], T]) -> None:
        self._keys, self._factory = dict.fromkeys(keys), factory
        self._values: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        if key not in self._values:
            if key not in self._keys:
                raise KeyError(key)
            self._values[key] = self._factory(key)
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class UnlockedProperty(cached_property[T]):
    """A property that is worked out when first asked for, and then kept, by several threads at a time.

    ``functools.cached_property`` of Python 3.11 holds one lock for all objects of a class while it works one out, so
    that threads that each have an object of their own wait for each other. Here two threads that ask one object at once
    may both work it out, and find the same.
    """

    def __init__(self, func: Callable[[Any], T]) -> None:
        super().__init__(func)
        self.lock = nullcontext()


# ── event ids that a file lacks ──────────────────────────────────────────────────────────────────────────────────────

_MADE_ID_PREFIX, _DIGEST_BYTES = "made_", 12
_SEPARATOR, _ESCAPE = "\x1f", "\x1e"

ID_BLOCK_ROWS = 20_000
"""Rows whose event ids are made together."""


def make_event_id(cells: Sequence[str], occurrence: int, id_salt: str | None = None) -> str:
    """Make an event id for a row (ARCHITECTURE, made event ids): from its cells and its occurrence number (from 1).

    The same file, or a corrected copy of it, gives the same ids to the same rows. ``id_salt`` is mixed in for a new run
    of the same file.
    """
    parts = [*(_escape_cell(cell) for cell in cells), str(occurrence)]
    return _hash_row(_SEPARATOR.join(parts).encode("utf-8", "surrogatepass"), _derive_hash_key(id_salt))


def _escape_cell(cell: str) -> str:
    return cell.replace(_ESCAPE, _ESCAPE + "0").replace(_SEPARATOR, _ESCAPE + "1")


def _derive_hash_key(id_salt: str | None) -> bytes:
    return b"" if id_salt is None else hashlib.blake2b(id_salt.encode()).digest()


def _hash_row(text: bytes, key: bytes) -> str:
    return _MADE_ID_PREFIX + hashlib.blake2b(text, digest_size=_DIGEST_BYTES, key=key).hexdigest()


def make_event_ids(table: Table, id_salt: str | None, excluded: Collection[str] = ()) -> pa.Array:
    """Make the event id of every row, as :func:`make_event_id` does, from all columns but the ``excluded``.

    It reads :data:`ID_BLOCK_ROWS` rows at a time, so that memory holds their digests and none of the columns.
    """
    header = [column for column in table.header if column not in excluded] or table.header
    key, digests = _derive_hash_key(id_salt), np.empty((table.rows, _DIGEST_BYTES), np.uint8)

    def digest_rows(rows: Int64Array, occurrences: Int64Array) -> None:
        for start in range(0, rows.size, ID_BLOCK_ROWS):
            some = rows[start : start + ID_BLOCK_ROWS]
            digests[some] = _digest_rows(table, header, some, occurrences[start : start + ID_BLOCK_ROWS], key)
            table.release_memory()

    digest_rows(np.arange(table.rows), np.ones(table.rows, np.int64))
    digest_rows(*_number_repeats(digests))  # equal rows have equal digests so far
    ends = np.arange(table.rows + 1, dtype=np.int64) * 2 * _DIGEST_BYTES
    hexes = pa.py_buffer(digests.tobytes().hex().encode())
    ids = pa.LargeStringArray.from_buffers(table.rows, pa.py_buffer(ends), hexes)
    return pc.binary_join_element_wise(make_scalar(_MADE_ID_PREFIX), ids, make_scalar(""))


def _digest_rows(
    table: Table, header: Sequence[str], rows: Int64Array, occurrences: Int64Array, key: bytes
) -> NDArray[np.uint8]:
    """The digest of each of these rows (sorted), with its occurrence number."""
    columns = [_escape_column(take_rows(table.columns[column], rows)) for column in header]
    columns.append(make_array(occurrences).cast(pa.large_string()))
    texts = pc.binary_join_element_wise(*columns, make_scalar(_SEPARATOR)).cast(pa.large_binary())
    made = hashlib.blake2b
    joined = b"".join([made(text, digest_size=_DIGEST_BYTES, key=key).digest() for text in texts.to_pylist()])
    return np.frombuffer(joined, np.uint8).reshape(-1, _DIGEST_BYTES)


def _escape_column(column: pa.Array) -> pa.Array:
    if view_bytes(column).min(initial=255) > max(_SEPARATOR.encode(), _ESCAPE.encode())[0]:
        return column  # neither character is in it
    column = pc.replace_substring(column, _ESCAPE, _ESCAPE + "0")
    return pc.replace_substring(column, _SEPARATOR, _ESCAPE + "1")


def _number_repeats(digests: NDArray[np.uint8]) -> tuple[Int64Array, Int64Array]:
    """The rows (sorted) whose digest an earlier row has, and the number (from 2) of each among those that have it."""
    words = np.ascontiguousarray(digests).view("<u4").reshape(-1, _DIGEST_BYTES // 4)
    order = np.lexsort(tuple(words.T))
    same = (words[order][1:] == words[order][:-1]).all(axis=1)
    ranks = np.arange(same.size + 1)
    starts = np.maximum.accumulate(np.where(np.append(False, same), 0, ranks))
    rows, numbers = order[1:][same], (ranks - starts + 1)[1:][same]
    by_row = np.argsort(rows)
    return rows[by_row], numbers[by_row]
