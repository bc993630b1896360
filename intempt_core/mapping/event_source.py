"""What the rest of the pipeline asks of a file and its mapping: a table seen as events, one a row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from intempt_core.arrays import Int64Array
from intempt_core.contract import GivenEvent, Json
from intempt_core.mapping.model import Mapping as ColumnMapping
from intempt_core.readers import Table

if TYPE_CHECKING:
    from intempt_core.mapping.mapped_table import MappedTable


class EventSource(Protocol):
    """A table seen as events. Made by :func:`~intempt_core.mapping.table_events.map_table`, in one of two ways.

    :class:`~intempt_core.mapping.mapped_table.MappedTable` makes events of the table's columns by a mapping;
    :class:`~intempt_core.mapping.document_events.MappedDocuments` gives those of JSON lines as they came. Rows count
    from 0.
    """

    @property
    def table(self) -> Table:
        """The rows."""

    @property
    def original(self) -> Table | None:
        """The table as it was read, where :attr:`table` is a fixed copy of it."""

    @property
    def mapping(self) -> ColumnMapping:
        """Which column becomes which field; empty where events are sent as they came."""

    @property
    def rows(self) -> int:
        """Rows of the table, and so events."""

    @property
    def field_columns(self) -> dict[str, str]:
        """Field → header, in the order in which events have them."""

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """The headers of columns that are not sent."""

    @property
    def makes_ids(self) -> bool:
        """Whether event ids are made, because nothing gives them."""

    @property
    def cells(self) -> Mapping[str, pa.Array]:
        """Field → its whole column as one array."""

    @property
    def column_view(self) -> "MappedTable":
        """The same rows as columns of text, for rules over whole columns."""

    def take_cells(self, field: str, rows: Int64Array) -> pa.Array:
        """The cells of a field in these rows, as one array; only what is near them is read."""

    def field_of(self, column: str) -> str | None:
        """The field that a column becomes; ``None`` for one that is not sent."""

    def with_table(self, table: Table) -> "EventSource":
        """The same over a fixed copy of the table."""

    def has_same_ids(self, other: "EventSource") -> bool:
        """Whether each row surely has the event id that it has in ``other``, a copy of the same table."""

    def event(self, row: int) -> GivenEvent:
        """The event of one row."""

    def events(self, rows: Iterable[int] | None = None) -> Iterator[GivenEvent]:
        """The events of these rows in their order; of all rows where none are named."""

    def values(self, field: str, rows: Sequence[int]) -> list[Json]:
        """One field of these rows, as their events have it; no value is ``None``."""

    def blank_event(self) -> GivenEvent:
        """The event of a row whose cells are all empty."""


def have_same_cells(one: EventSource, other: EventSource, fields: Iterable[str]) -> bool:
    """Whether each row surely has the cells of these fields that it has in another table of the same mapping."""
    columns = [one.field_columns[field] for field in fields if field in one.field_columns]
    return all(one.table.columns[column] is other.table.columns.get(column) for column in columns)
