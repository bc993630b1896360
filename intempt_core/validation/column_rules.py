"""The rules over the columns of a mapped table.

What a rule asks of a column is declared with it in the contract's catalogue. What no column can tell (a constant, a
field without a column) is asked once, of an event made of nothing but constants. A property in
``tests/core/validation/test_one_truth.py`` holds that both speeds give the same codes.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import (
    HashArray,
    Int64Array,
    Mask,
    combine_column,
    factorize_texts,
    hash_texts,
    make_array,
    make_scalar,
    view_numbers,
)
from intempt_core.contract import (
    ID_FIELDS,
    IDENTITY_FIELDS,
    ISSUE_KINDS,
    EventName,
    Issue,
    Json,
    Requirement,
    Severity,
    ValueRule,
    find_event_errors,
    find_event_warnings,
    find_links,
    get_field,
    id_to_text,
    is_placeholder,
    read_identities,
)
from intempt_core.mapping import NUMBER_FORMS, LazyMapping, MappedTable, UnlockedProperty
from intempt_core.readers import JSON_CELL, TEXT_CELL
from intempt_core.validation.text_column import TextColumn, find_mistyped, to_mask
from intempt_core.validation.time_column import TimestampColumn

RULE_BLOCK_ROWS = 1 << 18
"""Rows that the rules look at together: memory stays that of so many, whatever the size of the file."""

EVENT_ID_ROWS = 1 << 16
"""Rows whose event ids are texts of Python together."""

MAX_DISTINCT_SHARE = 0.5
"""Which share of a part's ids may be different where ids come often: then a dictionary of them is quick and small."""


class MappedColumn(TextColumn):
    """The column of a mapped table that gives a field: the contract's ``FieldColumn``.

    Attributes:
        written: Its cells as they are; those of ids that are no text are empty in ``array``.
    """

    def __init__(self, mapped: MappedTable, field: str) -> None:
        self._mapped, self._field = mapped, field
        kinds = mapped.take_kinds(field, np.arange(mapped.rows)) if field in ID_FIELDS else None
        self._not_text = None if kinds is None else kinds != TEXT_CELL
        self.written = cells = mapped.cells[field]
        if self._not_text is not None:  # what is no text is no id that another rule could judge
            cells = pc.if_else(make_array(self._not_text), make_scalar("", cells.type), cells)
        super().__init__(cells)

    @property
    def not_text(self) -> Mask | None:
        """Rows whose id is a list or an object of JSON, true or false (CONTRACT 1.4)."""
        return self._not_text

    @property
    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return self._not_text is None and super().is_empty

    @UnlockedProperty
    def times(self) -> TimestampColumn:
        """The cells read as times, as the mapping says that they are written."""
        return TimestampColumn(self, self._mapped.zone, self._mapped.mapping.time_format)

    def is_one_of(self, values: Iterable[str]) -> Mask:
        """Whether the value of each row is one of these; a cell of the name is what the mapping makes of it."""
        wanted = frozenset(values)
        mapped = self._mapped.mapping.names if self._field == "name" else {}
        spellings = [text for text in wanted if mapped.get(text, text) in wanted]
        spellings += [cell for cell, text in mapped.items() if text in wanted and cell not in wanted]
        return to_mask(pc.is_in(self.array, value_set=make_array(spellings)))

    def read_values(self, cells: pa.Array) -> list[Json]:
        """What cells of this column become; no value is ``None``."""
        return self._mapped.read(self._field, cells)


class ColumnChecker:
    """A mapped table as the rules see it: its columns, and the event of a row whose cells are all empty.

    Attributes:
        mapped: The table.
        rows: How many rows it has.
        cells: Field → its column, made when first asked for.
        constant_event: What constants give to every row, and nothing else.
    """

    def __init__(self, mapped: MappedTable) -> None:
        self.mapped = mapped
        self.rows = mapped.rows
        self.cells = LazyMapping(mapped.cells, lambda field: MappedColumn(mapped, field))
        self.constant_event = mapped.blank_event()

    def find_errors(self) -> Iterator[tuple[str, Int64Array, str]]:
        """Every error that one event can show by itself: code, rows that show it, field. A code may come often."""
        yield from self._find_in_every_row(find_event_errors(self.constant_event))
        yield from self._read_rules(Severity.ERROR)

    def find_warnings(self) -> Iterator[tuple[str, Int64Array, str]]:
        """Every warning that one event can show by itself, as :meth:`find_errors` gives the errors."""
        yield from self._find_in_every_row(find_event_warnings(self.constant_event))
        for field, kind in self.mapped.mapping.types.items():
            yield "value_type", self._find_mistyped(field, kind), field
        yield from self._read_rules(Severity.WARNING)

    def _find_mistyped(self, field: str, kind: str) -> Int64Array:
        """The rows whose cell is not of its type; a number of JSON is one, however the file's texts write theirs."""
        rows = find_mistyped(self.cells[field], kind)
        kinds = self.mapped.take_kinds(field, rows) if kind in ("number", *NUMBER_FORMS) and rows.size else None
        if kinds is None:
            return rows
        cells = self.cells[field].array.take(make_array(rows))
        is_number = (kinds == JSON_CELL) & to_mask(pc.match_substring_regex(cells, "^-?[0-9]"))
        found: Int64Array = rows[~is_number]
        return found

    def _read_rules(self, severity: Severity) -> Iterator[tuple[str, Int64Array, str]]:
        """What the rules of a severity find in the columns of the fields that they read."""
        for code, kind in ISSUE_KINDS.items():
            if kind.severity is not severity:
                continue
            if isinstance(kind.reading, Requirement):
                yield from self._read_requirement(code, kind.reading)
            elif isinstance(kind.reading, ValueRule):
                for field in kind.reading.fields:
                    if field in self.cells and not self.cells[field].is_empty:
                        wrong = kind.reading.find_wrong(self.cells[field])
                        if wrong is not None:
                            yield code, np.flatnonzero(wrong), field

    def _read_requirement(self, code: str, rule: Requirement) -> Iterator[tuple[str, Int64Array, str]]:
        columns = [rule.find_met(self.cells[field]) for field in rule.fields if field in self.cells]
        if columns and not any(rule.is_met(get_field(self.constant_event.body, field)) for field in rule.fields):
            field = rule.fields[0] if len(rule.fields) == 1 else ""
            yield code, np.flatnonzero(~np.logical_or.reduce(columns)), field

    def _find_in_every_row(self, issues: Iterable[Issue]) -> Iterator[tuple[str, Int64Array, str]]:
        """What is wrong with every row: by a constant, or by a field that has no source at all."""
        in_columns = {self.constant_event.place_of(field).pointer for field in self.cells}
        for issue in issues:
            reading = ISSUE_KINDS[issue.code].reading
            several = reading.fields if isinstance(reading, Requirement) and len(reading.fields) > 1 else ()
            if issue.place.pointer not in in_columns and not any(field in self.cells for field in several):
                yield issue.code, np.arange(self.rows), ""

    def find_unknown_products(
        self, is_unknown_product: Callable[[pa.Array], Mask]
    ) -> Iterator[tuple[str, Int64Array, str]]:
        """CONTRACT 2.5: the rows whose product id is given and, as ``is_unknown_product`` says, in no catalogue."""
        field = "data.productId"
        if field in self.cells:
            cells = self.cells[field]
            yield "product_unknown", np.flatnonzero(is_unknown_product(cells.array) & cells.given), field
        elif (text := id_to_text(get_field(self.constant_event.body, field))) is not None:
            unknown = bool(is_unknown_product(make_array([text]))[0])
            yield "product_unknown", np.arange(self.rows if unknown else 0), field

    @UnlockedProperty
    def times(self) -> TimestampColumn | None:
        """The column of times, if there is one."""
        cells = self.cells.get("timestamp")
        return cells.times if cells else None

    def _has_name(self, *names: EventName) -> Mask:
        """Whether the row's name is, or is mapped to, one of these; a row without a name is not."""
        if "name" not in self.cells:
            return np.full(self.rows, self.constant_event.name in names)
        return self.cells["name"].is_one_of(names)

    def iter_event_ids(self) -> Iterator[list[str | None]]:
        """The event id of each row as text, ``None`` where there is none, in parts that memory can hold."""
        constant = id_to_text(get_field(self.constant_event.body, "eventId"))
        for start in range(0, self.rows, EVENT_ID_ROWS):
            rows = np.arange(start, min(start + EVENT_ID_ROWS, self.rows))
            if self.mapped.makes_ids:
                yield self.mapped.made_ids.slice(start, rows.size).to_pylist()
            elif "eventId" in self.cells:
                yield [id_to_text(value) for value in self.mapped.values("eventId", rows.tolist())]
            else:
                yield [constant] * rows.size

    @UnlockedProperty
    def id_codes(self) -> Int64Array:
        """A number for each event id, the same for equal ones; -1 where there is none."""
        return np.arange(self.rows) if self.mapped.makes_ids else self.number_ids("eventId")

    def number_ids(self, field: str) -> Int64Array:
        """:meth:`codes_of` for a large table: a part of it at a time, so that memory holds no column."""
        if field not in self.cells:
            return self.codes_of(field)
        found = self._number_texts(field)
        kinds = self.mapped.take_kinds(field, np.arange(self.rows))
        if kinds is not None:
            found[kinds != TEXT_CELL] = -1
        return found

    def _number_texts(self, field: str) -> Int64Array:
        """The same for a column of texts."""
        column = self.mapped.table.columns[self.mapped.field_columns[field]]
        hashes, given = np.empty(self.rows, np.uint64), np.empty(self.rows, np.bool_)
        for start in range(0, self.rows, RULE_BLOCK_ROWS):
            array = combine_column(column.slice(start, RULE_BLOCK_ROWS))
            hashes[start : start + len(array)] = hash_texts(array)
            if not start and _come_often(hashes[: len(array)]):
                return self._number_few_ids(column)
            given[start : start + len(array)] = TextColumn(array).given
            self.mapped.table.release_memory()
        found = factorize_texts(hashes, column)
        found[~given] = -1
        return found

    def _number_few_ids(self, column: pa.ChunkedArray) -> Int64Array:
        """The same where ids come often: a dictionary of each part, and one of all these."""
        codes, dictionaries, size = np.empty(self.rows, np.int64), list[pa.Array](), 0
        for start in range(0, self.rows, RULE_BLOCK_ROWS):
            encoded = combine_column(column.slice(start, RULE_BLOCK_ROWS)).dictionary_encode()
            codes[start : start + len(encoded)] = view_numbers(encoded.indices) + size
            dictionaries.append(encoded.dictionary)
            size += len(encoded.dictionary)
            self.mapped.table.release_memory()
        numbers = TextColumn(pa.concat_arrays(dictionaries)).codes
        found: Int64Array = numbers[codes]
        return found

    def have_same_ids(self, rows: Int64Array, others: Int64Array) -> Mask:
        """Whether each of these rows has an event id that the other row beside it has too."""
        if "eventId" not in self.cells:
            return self.codes_of("eventId")[rows] >= 0 if not self.mapped.makes_ids else rows == others
        same = [np.zeros(0, np.bool_)]
        for start in range(0, rows.size, RULE_BLOCK_ROWS):
            ours, theirs = (
                self.mapped.take_cells("eventId", some[start : start + RULE_BLOCK_ROWS]) for some in (rows, others)
            )
            same.append(to_mask(pc.equal(ours, theirs)) & TextColumn(ours).given)
        return np.concatenate(same)

    def iter_blocks(self) -> Iterator["ColumnChecker"]:
        """The table in parts that memory can hold, in order."""
        for start in range(0, self.rows, RULE_BLOCK_ROWS):
            yield ColumnChecker(self.mapped.slice_rows(start, min(start + RULE_BLOCK_ROWS, self.rows)))
            self.mapped.table.release_memory()

    def product_codes(self, rows: Int64Array) -> Int64Array:
        """A number for the product id of each of these rows (sorted), equal for equal ones; -1 where there is none."""
        return ColumnChecker(self.mapped.select_rows(rows)).codes_of("data.productId")

    def codes_of(self, field: str) -> Int64Array:
        """A number for each id in a field, the same for equal ones; -1 where there is none."""
        if field in self.cells:
            return self.cells[field].codes
        return np.full(self.rows, -1 if id_to_text(get_field(self.constant_event.body, field)) is None else 0)

    @UnlockedProperty
    def is_order(self) -> Mask:
        """The rows of the name ``Product ordered``."""
        return self._has_name(EventName.ORDERED)

    @UnlockedProperty
    def order_codes(self) -> Int64Array:
        """A number for each order: neighbouring rows share it that are lines of one order (CONTRACT 2.9).

        They have the same event id, name, person and time; the name is ``Product ordered``.
        """
        linked = np.zeros(self.rows, np.bool_)
        rows = np.flatnonzero((self.id_codes[1:] == self.id_codes[:-1]) & (self.id_codes[1:] >= 0)) + 1
        if rows.size:
            both = np.union1d(rows, rows - 1)
            some, at_ = ColumnChecker(self.mapped.select_rows(both)), np.searchsorted(both, rows)
            same = some.is_order[at_] & some.is_order[at_ - 1]
            if some.times is not None:  # a constant time is the same, or an error of every row
                same &= some.times.equals_previous(at_)
            linked[rows[same & some.is_same_person(at_)]] = True
        found: Int64Array = np.cumsum(~linked)
        origin = self.mapped.table.origin
        if origin is not None and origin.order_lines.any():
            lines = np.flatnonzero(origin.order_lines)  # of one row, whatever is between them
            _, first, row = np.unique(origin.rows[lines], return_index=True, return_inverse=True)
            found[lines] = found[lines[first]][row]
        return found

    def is_same_person(self, rows: Int64Array) -> Mask:
        """Whether these rows and those before them share an id that links both to a person."""
        same = np.zeros(len(rows), np.bool_)
        for field, linked in self.links.items():
            both = linked[rows] & linked[rows - 1]
            same |= both & self.cells[field].equals_previous(rows) if field in self.cells else both
        return same

    @property
    def link_fields(self) -> list[str]:
        """The identities that a column or a constant gives."""
        constants = read_identities(self.constant_event.body)
        return [field for field in IDENTITY_FIELDS if field in self.cells or field in constants]

    @UnlockedProperty
    def links(self) -> dict[str, Mask]:
        """The rows whose id links them to a person, by the id's field: :func:`find_links` over columns."""
        constants = read_identities(self.constant_event.body)
        given: dict[str, Mask] = {}
        real: dict[str, Mask] = {}
        for field in IDENTITY_FIELDS:
            if field in self.cells:
                given[field], real[field] = self.cells[field].given, self.cells[field].real
            elif field in constants:
                given[field] = np.ones(self.rows, np.bool_)
                real[field] = np.full(self.rows, not is_placeholder(constants[field]))
        return find_links(given, real)


def _come_often(hashes: HashArray) -> bool:
    """Whether ids of these hashes come often."""
    ordered = np.sort(hashes)
    return bool(np.count_nonzero(ordered[1:] != ordered[:-1]) < hashes.size * MAX_DISTINCT_SHARE)
