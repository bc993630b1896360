"""What can be mended of a file's problems, offered for a person to look at and to accept; of the room of ``mends.py``.

Only what is certain is offered: a rule that gives each cell the one text it can have meant, or an id that nobody gave.
Where digits are gone (``id_damaged``, ``id_zeros_lost``) nothing is offered: the catalogue says what helps.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.columns import Cells, Mask, mask_of
from intempt_core.events import ID_FIELDS, LINKING_FIELDS, find_similar_name
from intempt_core.mapped import MappedTable
from intempt_core.mends import Change, Mend, Way, change
from intempt_core.report import Repeat, Report

NAMES_OFFERED = 20
"""Wrong spellings of a name that mends are offered for, the most frequent first."""

NOTHING = frozenset(("null", "undefined", "none", "nan", "nil"))
"""Placeholders (CONTRACT 2.8) that say that there is no id. Others may be somebody's id."""


@dataclass(frozen=True, eq=False)
class Offered:
    """A mend that helps with problems of a code; ``reason`` says why, where the mend's own words do not."""

    code: str
    change: Change
    reason: str = ""

    @property
    def mend(self) -> Mend:
        """The mend."""
        return self.change.mend

    @property
    def words(self) -> str:
        """What it would do, and to how many cells."""
        return self.change.words


def offered(mapped: MappedTable, report: Report) -> list[Offered]:
    """The mends that would help, in the catalogue's order of what they help with; each changes at least one cell."""
    found = (one for offers in _OFFERS for one in offers(mapped, report))
    return sorted((one for one in found if one.change.cells), key=lambda one: list(report.counts).index(one.code))


def _offer(mapped: MappedTable, code: str, mend: Mend, reason: str = "") -> Offered:
    return Offered(code, change(mapped.table, mend, mapped.original), reason)


def _names(mapped: MappedTable, report: Report) -> Iterator[Offered]:
    column = mapped.field_columns.get("name")
    if column is None or "event_name" not in report.counts:
        return
    cells = mapped.cells["name"].take(pa.array(report.rows_of("event_name"))).value_counts()
    spellings = sorted(cells.to_pylist(), key=lambda one: -one["counts"])
    for spelling in spellings[:NAMES_OFFERED]:
        if near := find_similar_name(spelling["values"]):
            yield _offer(mapped, "event_name", Mend(Way.REPLACE, column, old=spelling["values"], new=near))


def _ids(mapped: MappedTable, report: Report) -> Iterator[Offered]:
    column = mapped.field_columns.get("eventId")
    if column is None:
        return
    for code, part, reason in (
        ("event_id_missing", None, "rows without one"),
        ("event_id_repeated", Repeat.OTHER, "they repeat an id, and are other events"),
        ("event_id_repeated", Repeat.EXACT, "they repeat an event exactly: only if it happened as often"),
    ):
        if code in report.counts and (rows := report.rows_of(code, part)).size:
            yield _offer(mapped, code, Mend(Way.IDS, column, tuple(rows.tolist())), reason)


def _times(mapped: MappedTable, report: Report) -> Iterator[Offered]:
    column = mapped.field_columns.get("timestamp")
    ways = (
        ("timestamp_before_2010", Way.SECONDS),
        ("timestamp_after_2040", Way.MICROSECONDS),
        ("timestamp_unreadable", Way.TRIM),
    )
    for code, way in ways:
        if column is not None and code in report.counts:
            yield _offer(mapped, code, Mend(way, column))


def _white_space(mapped: MappedTable, report: Report) -> Iterator[Offered]:
    if "id_white_space" in report.counts:
        for field, column in mapped.field_columns.items():
            if field in ID_FIELDS:
                yield _offer(mapped, "id_white_space", Mend(Way.TRIM, column))


def _placeholders(mapped: MappedTable, report: Report) -> Iterator[Offered]:
    """Placeholders that say nothing, where the event can do without: somebody else is named, or nobody needs to be."""
    if "id_placeholder" not in report.counts:
        return
    rows = report.rows_of("id_placeholder")
    cells = {field: Cells(array.take(pa.array(rows))) for field, array in mapped.cells.items() if field in ID_FIELDS}
    named = np.zeros(rows.size, np.bool_)
    for field in LINKING_FIELDS:
        if field in cells:
            named |= cells[field].real
    for field, column in mapped.field_columns.items():
        if field in cells and field not in ("eventId", "data.productId"):
            empty = rows[_says_nothing(cells[field]) & named]
            yield _offer(mapped, "id_placeholder", Mend(Way.PUT, column, tuple(empty.tolist())), "another id says who")


def _says_nothing(cells: Cells) -> Mask:
    return mask_of(pc.is_in(pc.ascii_lower(cells.trimmed), value_set=pa.array(sorted(NOTHING), pa.large_string())))


_OFFERS = (_names, _ids, _times, _white_space, _placeholders)
