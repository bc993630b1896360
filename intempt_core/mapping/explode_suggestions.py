"""What of a file's rows looks like several events: lists in JSON, numbered columns, cells with a separator.

Each is suggested with a count of what would come of it, and with the mapping that a person may accept.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from intempt_core.arrays import take_rows
from intempt_core.contract import ID_PATTERNS, Json, format_count
from intempt_core.errors import MappingError
from intempt_core.mapping.derived_columns import read_json_cell
from intempt_core.mapping.explode import Explode
from intempt_core.mapping.exploded_table import expand_table
from intempt_core.mapping.member_columns import flatten_member
from intempt_core.mapping.model import Mapping, match_exact_field
from intempt_core.readers import DocumentIndex, Table

SAMPLE_ROWS = 2_000
"""Rows that are looked at where a screen is drawn again and again."""

MAX_EXPLODE_SUGGESTIONS = 5

MAX_COLUMNS_LOOKED_AT = 300
"""Columns that are looked at: a file with more has them for other reasons."""

MAX_CELL_LOOKED_AT = 100_000
"""Characters of a cell that is looked at."""

_PRODUCT_WORDS = re.compile(
    "produ|artikel|articl|sku|item|variant|asin|gtin|ean|basket|cart|warenkorb|panier|cesta|goods|line", re.IGNORECASE
)
"""What headers of columns and cells that hold several products have in them."""

SEPARATORS = ("|", ";", ",")

_PRODUCT_KEYS = ("productid", "itemid", "sku", "productsku", "productdetailsproductid", "variantid")
"""Keys of members that name a product, without case and signs, the surest first."""

_NUMBERED = re.compile(r"(.*?[^0-9])[_ .-]?\(?([0-9]{1,2})\)?")
_LIST_OF_IDS = re.compile(ID_PATTERNS["product_list"])


@dataclass(frozen=True, slots=True)
class ExplodeSuggestion:
    """A way to make several events of rows, for a person to accept.

    Attributes:
        explode: What becomes several events.
        rows: How many of the rows that were looked at have members.
        events: How many events these become.
        looked_at: How many rows were looked at.
        keys: The columns of members, the most frequent first.
    """

    explode: Explode
    rows: int
    events: int
    looked_at: int
    keys: tuple[str, ...]

    @property
    def reason(self) -> str:
        """What is seen, and what would come of it, as a sentence."""
        where = ", ".join(self.explode.sources[:3]) + (", …" if len(self.explode.sources) > 3 else "")
        what = "has a value in" if self.explode.columns else "has a list in"
        many = "have a value in" if self.explode.columns else "have a list in"
        seen = format_count(self.rows, f"row {what}", f"rows {many}")
        return (
            f"{seen} {where}: {format_count(self.events, 'event')} would come of {'it' if self.rows == 1 else 'them'}."
        )

    @property
    def product_key(self) -> str:
        """The column of members that surely names a product; empty where none does."""
        begins = f"{self.explode.member_column}."
        names = {
            re.sub("[^a-z]", "", key[len(begins) :].casefold()): key for key in self.keys if key.startswith(begins)
        }
        return next((names[one] for one in _PRODUCT_KEYS if one in names), "")

    def apply(self, mapping: Mapping) -> Mapping:
        """The mapping with this; a key of members whose name is exactly a field is taken, others go into ``data``."""
        sources = self.explode.sources
        columns = {column: field for column, field in mapping.columns.items() if column not in sources}
        for key in self.keys:
            name = key.removeprefix(f"{self.explode.member_column}.")
            if "." not in name or name.startswith("data."):
                columns[key] = match_exact_field(name)
        types = {field: kind for field, kind in mapping.types.items() if field in columns.values()}
        return replace(mapping, columns=_drop_repeated_fields(columns, self.explode), types=types, explode=self.explode)


def draft_explode(table: Table, mapping: Mapping) -> tuple[Mapping, list[str]]:
    """A drafted mapping with the list of products that a file's rows hold, if any, and why; for a person to correct."""
    found = [one for one in suggest_explode(table) if one.explode.path and one.product_key]
    if not found or mapping.explode is not None:
        return mapping, []
    chosen, reasons = found[0], []
    name = chosen.explode.member_column
    members = {chosen.product_key: "data.productId"}
    members |= {f"{name}.{key}": f"data.{key}" for key in ("price", "quantity") if f"{name}.{key}" in chosen.keys}
    columns = {column: field for column, field in mapping.columns.items() if column not in chosen.explode.sources}
    drafted = replace(mapping, columns=columns | members, explode=chosen.explode)
    try:
        drafted.check()
    except MappingError:
        return mapping, []
    reasons.append(f"explode → {chosen.explode.path}: {chosen.reason} See that each is an event.")
    reasons.append(f"{chosen.product_key} → data.productId: it names the product of each. Confirm that it is the id.")
    return drafted, reasons


def describe_lists(table: Table) -> list[str]:
    """A sentence for each list of products that rows hold, and what makes events of it."""
    return [
        f'{one.reason} To make them, map their columns ({one.product_key}) and write into the mapping: "explode":'
        f" {json.dumps(one.explode.to_json(), ensure_ascii=False)}."
        for one in suggest_explode(table)
        if one.explode.path and one.product_key
    ]


def _drop_repeated_fields(columns: dict[str, str], explode: Explode) -> dict[str, str]:
    """The columns without a member's that has the field of another member's column."""
    seen: set[str] = set()
    found = {}
    for column, field in columns.items():
        if explode.is_member_column(column):
            if field in seen:
                continue
            seen.add(field)
        found[column] = field
    return found


def suggest_explode(table: Table) -> list[ExplodeSuggestion]:
    """What of the rows looks like several events, in the order of how many would come of it."""
    sample = take_first_rows(_take_first_columns(table), SAMPLE_ROWS)
    found = [*_find_lists(sample), *_find_numbered_columns(sample), *_find_separated(sample)]
    found = [one for one in found if one.events > one.rows]
    return sorted(found, key=lambda one: -one.events)[:MAX_EXPLODE_SUGGESTIONS]


def _take_first_columns(table: Table) -> Table:
    header = table.header[:MAX_COLUMNS_LOOKED_AT]
    if len(header) == len(table.header):
        return table
    return replace(table, header=header, columns={column: table.columns[column] for column in header})


def take_first_rows(table: Table, rows: int) -> Table:
    """The first rows of a table as it was read, as a table."""
    if table.rows <= rows:
        return table
    documents = table.documents
    return replace(
        table,
        columns={name: column.slice(0, rows) for name, column in table.columns.items()},
        lines=table.lines[:rows],
        cell_counts={},
        cell_kinds={name: kinds[:rows] for name, kinds in table.cell_kinds.items()},
        documents=None if documents is None else _take_first_documents(documents, rows),
    )


def _take_first_documents(documents: DocumentIndex, rows: int) -> DocumentIndex:
    return replace(
        documents,
        starts=documents.starts[:rows],
        ends=documents.ends[:rows],
        lines=documents.lines[:rows],
        numbers=documents.numbers[:rows],
        needs_model=documents.needs_model[:rows],
        is_plain=documents.is_plain[:rows],
    )


def expand_sample(table: Table, mapping: Mapping) -> Table:
    """The first rows as the events that a mapping makes of them, for a screen; all of them where a row is one.

    Raises :class:`MappingError` where the file has no such column.
    """
    if mapping.explode is None and all(column in table.columns for column in mapping.columns):
        return table
    return expand_table(take_first_rows(table, SAMPLE_ROWS), mapping)


def list_json_paths(table: Table, limit: int = 100) -> list[str]:
    """The paths to values inside the JSON of cells, which a mapping may name as columns."""
    found: dict[str, None] = {}
    sample = take_first_rows(_take_first_columns(table), SAMPLE_ROWS)
    for column in sample.header:
        for value in _read_json_column(sample, column):
            if isinstance(value, dict):
                found |= dict.fromkeys(f"{column}.{key}" for key in flatten_member(value) if key)
            if len(found) >= limit:
                return list(found)[:limit]
    return [path for path in found if path not in table.columns]


# ── lists in JSON ────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_json_column(table: Table, column: str) -> Iterator[Json]:
    cells = [cell for cell in table.columns[column].to_pylist() if cell[:1] in ("{", "[", " ")]
    yield from (read_json_cell(cell) for cell in cells if len(cell) <= MAX_CELL_LOOKED_AT)


def _find_lists(table: Table) -> Iterator[ExplodeSuggestion]:
    for column in table.header:
        lists: dict[str, list[Sequence[Json]]] = {}
        for value in _read_json_column(table, column):
            if isinstance(value, list):
                lists.setdefault(column, []).append(value)
            elif isinstance(value, dict):
                for key, item in flatten_member(value).items():
                    if isinstance(item, list):
                        lists.setdefault(f"{column}.{key}", []).append(item)
        for path, found in lists.items():
            explode = Explode(path=path)
            keys = Counter(key for members in found for member in members for key in flatten_member(member))
            name = explode.member_column
            columns = tuple(f"{name}.{key}" if key else name for key, _ in keys.most_common(100))
            filled = [members for members in found if members]
            yield ExplodeSuggestion(explode, len(filled), sum(map(len, filled)), table.rows, columns)


# ── columns and cells ────────────────────────────────────────────────────────────────────────────────────────────────


def _find_numbered_columns(table: Table) -> Iterator[ExplodeSuggestion]:
    groups: dict[str, list[tuple[int, str]]] = {}
    for column in table.header:
        if _PRODUCT_WORDS.search(column) and (match := _NUMBERED.fullmatch(column)):
            groups.setdefault(match[1].rstrip("_ .-("), []).append((int(match[2]), column))
    for name, found in groups.items():
        numbers = sorted(found)
        if len(numbers) < 2 or [number for number, _ in numbers] != list(
            range(numbers[0][0], numbers[0][0] + len(numbers))
        ):
            continue
        columns = tuple(column for _, column in numbers)
        filled = np.array([[bool(cell.strip()) for cell in table.columns[column].to_pylist()] for column in columns])
        called = name if name and name not in table.columns else f"{name}[]"
        explode = Explode(columns=columns, name=called)
        yield ExplodeSuggestion(explode, int(filled.any(axis=0).sum()), int(filled.sum()), table.rows, (called,))


def _find_separated(table: Table) -> Iterator[ExplodeSuggestion]:
    for column in filter(_PRODUCT_WORDS.search, table.header):
        cells = [cell for cell in take_rows(table.columns[column], np.arange(table.rows)).to_pylist() if cell]
        lists = [cell for cell in cells if _LIST_OF_IDS.search(cell) and not cell.startswith("[")]  # JSON is above
        if not lists or 5 * len(lists) < len(cells):
            continue
        separator = max(SEPARATORS, key=lambda one: sum(one in cell for cell in lists))
        counts = [len([part for part in cell.split(separator) if part.strip(" ")]) for cell in cells]
        explode = Explode(column=column, separator=separator)
        yield ExplodeSuggestion(explode, len(cells), sum(counts), table.rows, (explode.member_column,))
