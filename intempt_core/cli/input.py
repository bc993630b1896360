"""A file that the command line is called with: a table or a JSON document, read, mapped and checked."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

from intempt_core.cli.input_files import NamedFile
from intempt_core.cli.saved_documents import open_saved_documents
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.contract import GivenEvent, Issue, format_count
from intempt_core.errors import HistoryUnavailable, MappingError, ReadError
from intempt_core.mapping import (
    EventSource,
    Mapping,
    MappingStore,
    choose_initial_mapping,
    describe_lists,
    is_unmapped_json,
    map_table,
    map_table_as_new,
    read_mapping_file,
    renew_event_ids,
)
from intempt_core.readers import JSON_DOCUMENT, Document, Payload, ReadOptions, Table, read_table_or_document
from intempt_core.settings import Settings
from intempt_core.validation import (
    PriorSendLookup,
    ProductCatalogue,
    Report,
    TeamRules,
    check_events,
    check_table,
    find_issue_span,
)


@dataclass(frozen=True)
class InputFile:
    """A file as it was read: a table or a JSON document.

    Attributes:
        name: The file's name, without its folder.
        notes: What was decided when it was read, a sentence each.
        digest: SHA-256 of its content: the same file is recognised by it.
        mapping: The mapping as JSON text; empty for a document.
        table: The mapped table, ``None`` for a document.
        payload: The document, ``None`` for a table.
    """

    name: str
    notes: tuple[str, ...]
    digest: str
    mapping: str
    table: EventSource | None
    payload: Payload | None

    def check(
        self,
        catalogue: ProductCatalogue | None,
        find_prior_sends: PriorSendLookup | None = None,
        rules: TeamRules | None = None,
    ) -> Report:
        """The report on its events, also by the team's ``rules``.

        ``catalogue`` is what products are looked for in (CONTRACT 2.5).
        """
        is_unknown_product = None if catalogue is None else catalogue.is_unknown
        if self.table is not None:
            return check_table(self.table, find_prior_sends, is_unknown_product, rules=rules)
        reader_issues = self.payload.issues if self.payload else ()
        return check_events(self.payload_events, find_prior_sends, reader_issues, is_unknown_product, rules=rules)

    @property
    def size_in_words(self) -> str:
        """How much of it there is to check: ``1,000,000 rows``."""
        if self.table is not None:
            return format_count(self.table.rows, "row")
        return format_count(len(self.payload_events), "event")

    @property
    def payload_events(self) -> tuple[GivenEvent, ...]:
        """The events of a document."""
        return self.payload.events if self.payload else ()

    def events(self, rows: Sequence[int]) -> Iterator[GivenEvent]:
        """The events of these rows (from 0)."""
        return self.table.events(rows) if self.table is not None else (self.payload_events[row] for row in rows)

    def locate_issue(self, issue: Issue) -> tuple[int | None, str | int | None]:
        """An issue's line and column: a table's header, or the number of the character in a document's line."""
        if self.payload is None:
            return issue.place.line, issue.place.column
        return self.payload.line_column(find_issue_span(self.payload, issue)[0])


def read_input(
    named: NamedFile, args: argparse.Namespace, settings: Settings, steps: StepDisplay, *, run: str = ""
) -> InputFile:
    """Read a file of a call, whatever it is called, by a mapping file or the name of a saved mapping.

    With ``run``, a text that no other run has, its events get new ids. Raises :class:`ReadError` where its bytes cannot
    be read, and :class:`MappingError`, also where a mapping is given for a JSON document.
    """
    with open_saved_documents(settings) as documents, steps.step("Reading", shorten_name(named.name)):
        saved = documents.mappings
        mapping = None if args.mapping is None else _load_mapping(args.mapping, saved)
        options = parse_read_options(args).over(mapping.read if mapping else ReadOptions())
        progress = partial(show_bytes, steps, named.name)
        read = read_table_or_document(
            named.path, name=named.name, dialect=options, on_progress=progress, prefers_lines=mapping is not None
        )
        check_form(read, named.form)
        return _map_input(read, mapping, saved, options, run)


def check_form(read: Table | Document, form: str | None) -> None:
    """Raise :class:`ReadError` where standard input is something else than a call says."""
    found = read.format if isinstance(read, Table) else JSON_DOCUMENT
    if form is not None and f".{form}" not in found.suffixes:
        raise ReadError(
            f"{read.name} is {found.name}, and --form says {form}. Leave --form out: it is read as what it is."
        )


def parse_read_options(args: argparse.Namespace) -> ReadOptions:
    """How a call says that its file is to be read."""
    given = {option.name: getattr(args, option.name, None) for option in fields(ReadOptions)}
    return ReadOptions(**given)


def show_bytes(steps: StepDisplay, name: str, done: int, size: int) -> None:
    """Say how much of a file is read."""
    megabytes = f" · {done / 1_000_000:,.0f} of {size / 1_000_000:,.0f} MB" if size >= 1_000_000 else ""
    steps.update(f"{shorten_name(name)}{megabytes}", done, size)


def _map_input(
    read: Table | Document, mapping: Mapping | None, saved: MappingStore, options: ReadOptions, run: str
) -> InputFile:
    if isinstance(read, Document):
        if mapping is not None:
            raise MappingError(
                f"{read.name} is one JSON document, whose events are sent as they are; it takes no mapping."
            )
        payload = replace(read.payload, events=renew_event_ids(read.payload.events, run)) if run else read.payload
        return InputFile(read.name, read.notes, read.digest, "", None, payload)
    chosen = replace(choose_initial_mapping(read) if mapping is None else mapping, read=options)
    try:
        mapped = map_table_as_new(read, chosen, run) if run else map_table(read, chosen)
    except MappingError as error:  # a column may lack because another sheet or line was read than was meant
        raise MappingError(" ".join([str(error), *read.notes])) from error
    notes = list(mapped.table.notes)
    if chosen.explode is None and not is_unmapped_json(read, chosen):
        notes += describe_lists(read)
    if mapping is None:
        notes += _note_saved_mappings(read, saved)
    return InputFile(read.name, tuple(notes), read.digest, chosen.to_json(), mapped, None)


def _note_saved_mappings(table: Table, saved: MappingStore) -> list[str]:
    """Which saved mappings are made for a table's header; a database that is away is no reason not to check a file."""
    try:
        known = [one.saved.name for one in saved.recognise(table.header) if one.exact]
    except HistoryUnavailable as error:
        return [f"Saved mappings are not known: {error}"]
    return [f"A mapping is saved for this header: --mapping “{name}”." for name in known]


def _load_mapping(mapping: str, saved: MappingStore) -> Mapping:
    if Path(mapping).exists() or "/" in mapping or mapping.endswith(".json"):
        return read_mapping_file(Path(mapping)).mapping
    return saved.get(mapping).mapping
