"""A file at the command line's door: a table or a JSON document, and what the rest of the road asks of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from intempt_core.contract import GivenEvent, Issue
from intempt_core.errors import MappingError, ReadError
from intempt_core.history import ExcludedRow, collect_excluded_rows
from intempt_core.mapping import (
    MappedTable,
    Mapping,
    MappingStore,
    choose_initial_mapping,
    map_table,
    read_mapping_file,
)
from intempt_core.planning import EventOrder, Plan, plan_events, plan_table
from intempt_core.readers import Payload, read_payload, read_table
from intempt_core.settings import Settings
from intempt_core.validation import PriorSendLookup, Report, check_events, check_table, find_issue_span


@dataclass(frozen=True)
class InputFile:
    """A file as it was read, a table or a JSON document, and what the rest of the road asks of it."""

    name: str
    notes: tuple[str, ...]
    digest: str
    mapping: str
    table: MappedTable | None
    payload: Payload | None

    def check(self, seen: PriorSendLookup | None = None) -> Report:
        """The verdict."""
        if self.table is not None:
            return check_table(self.table, seen)
        return check_events(self.payload_events, seen, self.payload.issues if self.payload else ())

    def plan(self, report: Report, settings: Settings, order: EventOrder = EventOrder.FILE) -> Plan:
        """The plan of the rows without errors."""
        rows = np.flatnonzero(~report.error_mask)
        if self.table is not None:
            return plan_table(self.table, rows, settings, order=order)
        return plan_events([self.payload_events[row] for row in rows], settings=settings, order=order)

    @property
    def payload_events(self) -> tuple[GivenEvent, ...]:
        """The events of a document."""
        return self.payload.events if self.payload else ()

    def events(self, rows: Sequence[int]) -> Iterator[GivenEvent]:
        """The events of these rows (from 0)."""
        return self.table.events(rows) if self.table is not None else (self.payload_events[row] for row in rows)

    def excluded_rows(self, report: Report) -> Iterator[ExcludedRow]:
        """The rows with errors, with the codes that hold them back."""
        return collect_excluded_rows(report, self.events)

    def column_of(self, issue: Issue) -> str | int | None:
        """An issue's column: a table's header, or the number of the character in a document's line."""
        if self.payload is None:
            return issue.place.column
        return self.payload.line_column(find_issue_span(self.payload, issue)[0])[1]


def read_input(file: Path, mapping: str | None, settings: Settings) -> InputFile:
    """Read a file, by a mapping file or the name of a saved mapping. Raises :class:`ReadError` and
    :class:`MappingError`.
    """
    if file.suffix.lower() == ".json":
        if mapping is not None:
            raise MappingError("A JSON file holds events as they are sent; it takes no mapping.")
        return _read_document(file)
    try:
        table = read_table(file, name=file.name)
    except OSError as error:
        raise ReadError(f"{file} cannot be read: {error.strerror}.") from error
    saved = MappingStore(settings.mappings_folder)
    chosen = choose_initial_mapping(table) if mapping is None else _load_mapping(mapping, saved)
    notes = list(table.notes)
    if mapping is None:
        known = [one.saved.name for one in saved.recognise(table.header) if one.exact]
        notes += [f"A mapping is saved for this header: --mapping “{name}”." for name in known]
    mapped = map_table(table, chosen)
    return InputFile(file.name, tuple(notes), table.digest, chosen.to_json(), mapped, None)


def _load_mapping(mapping: str, saved: MappingStore) -> Mapping:
    if Path(mapping).exists() or "/" in mapping or mapping.endswith(".json"):
        return read_mapping_file(Path(mapping)).mapping
    return saved.get(mapping).mapping


def _read_document(file: Path) -> InputFile:
    text = _read_text(file)
    try:
        payload = read_payload(text)
    except ReadError as error:
        raise ReadError(f"{file.name}: {error}", line=error.line) from None
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return InputFile(file.name, (f"Read as {payload.recognised}.",), digest, "", None, payload)


def _read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise ReadError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ReadError(f"{file} is not UTF-8 (byte {error.start:,}).") from error
