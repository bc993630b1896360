"""A file and its mapping together: a table seen as events, and the mapping to begin with."""

from dataclasses import replace

import numpy as np

from intempt_core.contract import GivenEvent, format_count, spell_invisible, suggest_nearest
from intempt_core.errors import MappingError
from intempt_core.mapping.derived_columns import is_always_null, is_derivable
from intempt_core.mapping.document_events import MappedDocuments
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.explode_suggestions import take_first_rows
from intempt_core.mapping.exploded_table import expand_table
from intempt_core.mapping.mapped_table import MappedTable
from intempt_core.mapping.member_columns import describe_clash
from intempt_core.mapping.model import Mapping, exact_mapping
from intempt_core.readers import ReadLimits, Table

PREVIEW_ROWS = 50
"""Rows that a preview reads: some of them may be no event."""


def map_table(
    table: Table, mapping: Mapping, id_salt: str | None = None, limits: ReadLimits | None = None
) -> EventSource:
    """See a table as events. Raises :class:`MappingError` where the mapping does not fit the file.

    Where neither column nor constant gives ``eventId``, ids are made; ``id_salt`` makes other ids for a new run.
    Raises :class:`~intempt_core.errors.TableTooLarge` where its rows become more events than ``limits``.
    """
    check_columns(table, mapping)
    if is_unmapped_json(table, mapping):
        return MappedDocuments(table)
    noted = _note_clashing_keys(_note_repeated_keys(table), mapping)
    return MappedTable(expand_table(noted, mapping, limits), mapping, id_salt)


def preview_events(table: Table, mapping: Mapping, count: int) -> list[GivenEvent]:
    """The first events of a file exactly as a mapping makes them, for a person to look at before all are made.

    Only the first rows are read. Raises :class:`MappingError` where the mapping does not fit the file.
    """
    check_columns(table, mapping)
    made = map_table(take_first_rows(table, max(count, PREVIEW_ROWS)), mapping)
    return [made.event(row) for row in range(min(count, made.rows))]


def check_columns(table: Table, mapping: Mapping) -> None:
    """Raise :class:`MappingError` where the mapping is wrong, or names a column that the file does not have."""
    mapping.check()
    explode = mapping.explode
    asked = [column for column in mapping.columns if not mapping.is_member(column)]
    for column in (*asked, *(explode.sources if explode else ()), *mapping.name_columns):
        if column not in table.columns and (
            not (is_always_null if column in mapping.name_columns else is_derivable)(table, column)
        ):
            raise MappingError(
                f"{table.name} has no column “{spell_invisible(column)}”. {suggest_nearest(column, table.header)}"
                f"{_describe_unreadable(table)}"
            )
    if explode is not None and explode.name in table.columns:
        raise MappingError(
            f"{table.name} has a column “{explode.name}”, so that the members of “explode” cannot be called so."
            " Write another name for “as”."
        )


def _describe_unreadable(table: Table) -> str:
    """What may be why JSON lines lack a column: the first line that is no JSON, as a further sentence."""
    issues = table.documents.issues if table.documents is not None else ()
    first = next((one for one in issues if one.code == "line_unreadable"), None)
    return "" if first is None else f" Line {first.place.line:,} is no JSON. {first.hint}".rstrip()


def _note_repeated_keys(table: Table) -> Table:
    """The table with a note on the keys that are twice in one object, whose first value is lost to a mapping."""
    rows = table.documents.issues.rows_with("key_repeated") if table.documents is not None else np.empty(0, np.int64)
    if not rows.size:
        return table
    count = np.unique(rows).size
    note = (
        f"In {format_count(count, 'row')} a key is twice in one object, and the last one counts (the first is"
        f" {table.describe_row(int(rows.min()) - 1)}). Remove one of the two."
    )
    return table if note in table.notes else replace(table, notes=(*table.notes, note))


def _note_clashing_keys(table: Table, mapping: Mapping) -> Table:
    """The table with a note on each column that is mapped and whose dotted path is that of another value too."""
    clashes = table.documents.clashes if table.documents is not None else {}
    used = {*mapping.columns, *mapping.name_columns, *(mapping.explode.sources if mapping.explode else ())}
    notes = [
        describe_clash(
            clash.column, clash.other, format_count(count, "row"), f" (the first is {table.describe_row(first)})"
        )
        for clash, (count, first) in clashes.items()
        if not used.isdisjoint((clash.column, clash.other))
    ]
    new = [note for note in notes if note not in table.notes]
    return replace(table, notes=(*table.notes, *new)) if new else table


def is_unmapped_json(table: Table, mapping: Mapping) -> bool:
    """Whether a file's events are sent as they came: they are JSON, and nothing is mapped."""
    is_mapped = mapping.columns or mapping.constants or mapping.name_columns
    return table.documents is not None and not is_mapped


def choose_initial_mapping(table: Table) -> Mapping:
    """Choose the mapping to begin with: nothing is guessed; JSON events that have their name in place stay."""
    documents = table.documents
    if documents is None:
        return exact_mapping(table.header)
    readable = table.rows - documents.issues.rows_with("line_unreadable").size
    return Mapping({}) if 2 * documents.named_count >= readable else exact_mapping(table.header)
