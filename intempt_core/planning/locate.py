"""Locations: from a cell of a file to its place in the JSON that is sent, and back.

A row becomes an event, and an event is in one request of a plan. So a cell has two pointers: one into its event
(``/data/productId``), and one into the body of its request (``/track/0/payload/16/data/productId``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intempt_core.contract import Json, Place, escape_pointer_key, split_pointer
from intempt_core.mapping import EventSource
from intempt_core.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class RequestLocation:
    """A place in the body of a planned request.

    Attributes:
        request: The number of the request, from 1.
        pointer: A JSON pointer into its body.
    """

    request: int
    pointer: str

    @property
    def path(self) -> str:
        """The pointer as people read it: ``track[0].payload[16].data.productId``."""
        return Place(pointer=self.pointer).path


@dataclass(frozen=True, slots=True)
class CellLocation:
    """A cell of a file.

    Attributes:
        row: The row, from 0.
        column: The column, ``None`` for the whole row.
    """

    row: int
    column: str | None = None


def locate_in_event(mapped: EventSource, column: str) -> str | None:
    """Locate a column's cells in their events, as a pointer; ``None`` for a column that is not sent."""
    field = mapped.field_of(column)
    return None if field is None else mapped.blank_event().place_of(field).pointer


def locate_in_request(mapped: EventSource, plan: Plan, row: int, column: str | None = None) -> RequestLocation | None:
    """Locate a row's event, or one cell of it, in a plan; ``None`` where it is not sent."""
    found = plan.find_row(row)
    if found is None:
        return None
    number, index = found
    group, payload = _locate_payloads([event.name for event in plan.events_in(plan.requests[number])])[index]
    field = None if column is None else mapped.field_of(column)
    if field == "name":
        return RequestLocation(number + 1, f"/track/{group}/name")
    inside = "" if column is None or field is None else locate_in_event(mapped, column) or ""
    return RequestLocation(number + 1, f"/track/{group}/payload/{payload}{inside}")


def _locate_payloads(names: Sequence[Json]) -> list[tuple[int, int]]:
    """Group and place in it of each event of a body, as ``build_request_body`` writes them (CONTRACT 1.3)."""
    places: list[tuple[int, int]] = []
    for number, name in enumerate(names):
        before = names[number - 1] if number else None
        if number and before == name and type(before) is type(name):
            places.append((places[-1][0], places[-1][1] + 1))
        else:
            places.append((places[-1][0] + 1 if places else 0, 0))
    return places


# ── from a text to a cell ────────────────────────────────────────────────────────────────────────────────────────────

_NUMBERED_NAME = re.compile(r"\b(row|line|member|request)\s*([0-9][0-9,]*)", re.IGNORECASE)
_PATH_STEP = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")


def find_cell(text: str, mapped: EventSource, plan: Plan) -> CellLocation | str:
    """Find the cell that a text means, or say in a sentence why there is none.

    ``row 18``, ``row 18 member 2``, ``line 19``, each with a column or a pointer into the event behind it (``row 18
    product_id``, ``row 18 /data/productId``); a place in a request (``request 3
    track[0].payload[16].data.productId``), the first where none is named. A bare number is a row.
    """
    counts = {kind.lower(): int(number.replace(",", "")) for kind, number in _NUMBERED_NAME.findall(text)}
    rest = _NUMBERED_NAME.sub(" ", text).strip(" ,:")
    if not counts and (number := re.match(r"[0-9][0-9,]*(?=\s|$)", rest)):
        counts, rest = {"row": int(number[0].replace(",", ""))}, rest[number.end() :].strip(" ,:")
    keys = _parse_keys(rest)
    if keys[:1] == ["track"]:
        return _find_in_request(keys, counts.get("request", 1), mapped, plan)
    if "row" in counts:
        found = _find_event(counts["row"], counts.get("member"), mapped)
        if isinstance(found, str):
            return found
        row = found
    elif "line" in counts:
        row = int(np.searchsorted(mapped.table.lines, counts["line"], side="right")) - 1
        if row < 0:
            return f"Line {counts['line']:,} is above the first row."
        if mapped.table.origin is not None:  # the first event of that line
            row = int(np.searchsorted(mapped.table.lines, mapped.table.lines[row]))
    else:
        return "Name a row, a line, or a place in a request: row 18, line 19, track[0].payload[16].data.productId."
    return _find_in_row(rest, keys, row, mapped)


def _find_event(row: int, member: int | None, mapped: EventSource) -> int | str:
    """The event of a row (from 1), the first where no member is named; or why there is none."""
    origin, rows = mapped.table.origin, mapped.rows
    if origin is not None:
        rows = origin.table.rows
    if not 1 <= row <= rows:
        return f"The file has rows 1 to {rows:,}; it has no row {row:,}."
    found, first = mapped.table.find_place(row, member), mapped.table.find_place(row)
    if found is not None:
        return found
    if origin is None or first is None:
        return f"Row {row:,} is no event: its name is ignored, as the mapping says."
    last = origin.members[np.searchsorted(origin.rows, row) - 1]
    return f"Row {row:,} has members {origin.members[first]:,} to {last:,}; none is {member:,}."


def _parse_keys(text: str) -> list[str]:
    if text.startswith("/"):
        return split_pointer(text)
    return [index or key for index, key in _PATH_STEP.findall(text)]


def _find_in_row(text: str, keys: Sequence[str], row: int, mapped: EventSource) -> CellLocation | str:
    if not text:
        return CellLocation(row)
    if text.removeprefix("column ") in mapped.table.columns:
        return CellLocation(row, text.removeprefix("column "))
    pointer = "".join(f"/{escape_pointer_key(key)}" for key in keys)
    for column in mapped.field_columns.values():
        if locate_in_event(mapped, column) == pointer:
            return CellLocation(row, column)
    return f"No column of the file becomes {text}."


def _find_in_request(keys: Sequence[str], number: int, mapped: EventSource, plan: Plan) -> CellLocation | str:
    if not 1 <= number <= len(plan.requests):
        return f"The plan has {len(plan.requests):,} requests; it has no request {number:,}."
    request = plan.requests[number - 1]
    names = [event.name for event in plan.events_in(request)]
    group, rest = keys[1:2], keys[2:]
    in_group = [index for index, (of, _) in enumerate(_locate_payloads(names)) if group == [str(of)]]
    if rest[:1] == ["name"] and in_group:
        return CellLocation(request.rows[in_group[0]], mapped.field_columns.get("name"))
    index = int(rest[1]) if rest[:1] == ["payload"] and len(rest) > 1 and rest[1].isdecimal() else -1
    if not 0 <= index < len(in_group):
        place = Place(pointer="/" + "/".join(keys)).path
        return f"Request {number:,} has {len(names):,} events; there is none at {place}."
    return _find_in_row(".".join(rest[2:]), rest[2:], request.rows[in_group[index]], mapped)
