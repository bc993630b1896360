"""The catalogue of issues: each code once, with its severity, its words, its source and how it is judged.

Screens, exports and the command line show the words that are written here, and both speeds of validation are driven by
the readings. A new rule is one more entry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from intempt_core.arrays import Mask
from intempt_core.contract.fields import (
    EARLIEST_MS,
    EVENT_COUNT,
    ID_FIELDS,
    IDENTITY_FIELDS,
    LATEST_MS,
    EventName,
    Json,
    id_to_text,
    is_event_name,
    is_given,
    join_words,
    read_epoch_ms,
)
from intempt_core.contract.hints import build_event_id_hint, build_identity_hint, build_name_hint, build_product_hint
from intempt_core.contract.id_forms import (
    COMPILED_ID_PATTERNS,
    ID_PATTERNS,
    NUMBER_STARTS,
    PRODUCT_LIST_MARKS,
    WRAPPER_MARKS,
    WRAPPER_STARTS,
    build_damage_hint,
    describe_placeholder,
    is_placeholder,
)
from intempt_core.contract.readings import FieldColumn, FoundElsewhere, Reading, Requirement, ValueRule, find_none
from intempt_core.contract.time_hints import build_time_hint


class Severity(StrEnum):
    """How much an issue weighs: rows with errors are excluded, whether a warning matters is for a person to judge."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class IssueKind:
    """One rule, and the kind of issue that is found where it is broken.

    Attributes:
        code: Its name in reports, exports and tests; it never changes its meaning.
        severity: Error or warning.
        title: Its name in a list.
        message: A sentence about one case; ``{given}`` stands for the value.
        allowed: What would be right.
        fix: What to do.
        source: The contract's rows, comma-separated.
        reading: How an event and a column are judged, or where it is found otherwise.
        hint: What the wrong value gives away, as a sentence; empty where it gives away nothing.
        event_hint: What the whole event gives away: the fields that it has, not their values.
        message_detail: What the sentence about one case says further of the value; empty where there is nothing to say.
    """

    code: str
    severity: Severity
    title: str
    message: str
    allowed: str
    fix: str
    source: str
    reading: Reading
    hint: Callable[[Json], str] | None = None
    event_hint: Callable[[Json], str] | None = None
    message_detail: Callable[[str], str] | None = None


# ── what the readings ask of one value, and of a column ──────────────────────────────────────────────────────────────


def _is_unreadable_id(value: Json) -> bool:
    return type(value) is not str and is_given(value) and id_to_text(value) is None


def _is_number_id(value: Json) -> bool:
    return not isinstance(value, str) and id_to_text(value) is not None


def _is_placeholder_id(value: Json) -> bool:
    text = id_to_text(value)
    return text is not None and is_placeholder(text)


def _is_id_like(code: str, value: Json) -> bool:
    text = id_to_text(value)
    return text is not None and COMPILED_ID_PATTERNS[code].search(text) is not None


def _is_unreadable_time(value: Json) -> bool:
    return read_epoch_ms(value) is None


def _is_before_2010(value: Json) -> bool:
    time = read_epoch_ms(value)
    return time is not None and time < EARLIEST_MS


def _is_after_2040(value: Json) -> bool:
    time = read_epoch_ms(value)
    return time is not None and time > LATEST_MS


def _is_no_object(value: Json) -> bool:
    return not isinstance(value, Mapping)


def _is_column_given(column: FieldColumn) -> Mask:
    return column.filled


def _find_not_text(column: FieldColumn) -> Mask | None:
    return column.not_text


def _is_column_one_of(values: tuple[str, ...], column: FieldColumn) -> Mask:
    return column.is_one_of(values)


def _find_white_space(column: FieldColumn) -> Mask | None:
    return None if column.is_visible_ascii else column.matches_oddly(ID_PATTERNS["id_white_space"])


def _find_spreadsheet_text(column: FieldColumn) -> Mask | None:
    return column.matches(ID_PATTERNS["id_spreadsheet_text"]) if column.has_any_of("='") else None


def _find_damaged(column: FieldColumn) -> Mask:
    starts = NUMBER_STARTS + (WRAPPER_STARTS if column.has_any_of(WRAPPER_MARKS) else "")
    return column.matches(ID_PATTERNS["id_damaged"], starts=starts)


def _find_product_list(column: FieldColumn) -> Mask | None:
    return column.matches(ID_PATTERNS["product_list"]) if column.has_any_of(PRODUCT_LIST_MARKS) else None


# ── the entries ──────────────────────────────────────────────────────────────────────────────────────────────────────

_ID_ALLOWED = "An id is an opaque text: any characters, as the catalogue or the shop writes it."

_KINDS = (
    IssueKind(
        code="event_name",
        severity=Severity.ERROR,
        title=f"event name not one of {EVENT_COUNT}",
        message="The event name is {given}.",
        allowed=f"Exactly {join_words((f'“{name}”' for name in EventName), 'or')}.",
        fix=f"Write one of the {EVENT_COUNT} names; case, spaces and spelling count.",
        source="2.1",
        reading=Requirement(("name",), is_event_name, partial(_is_column_one_of, tuple(EventName))),
        hint=build_name_hint,
    ),
    IssueKind(
        code="event_id_missing",
        severity=Severity.ERROR,
        title="event id missing",
        message="The event id is {given}.",
        allowed="Every event has an id of its own: it is what deduplication goes by.",
        fix="Give the event an id that no other event has.",
        source="2.2",
        reading=Requirement(("eventId",), is_given, _is_column_given),
        event_hint=build_event_id_hint,
    ),
    IssueKind(
        code="event_id_repeated",
        severity=Severity.ERROR,
        title="event id repeated",
        message="The event id {given} was already used.",
        allowed="One event id for one event; only the lines of one order may share one.",
        fix="Give this event an id of its own, or leave it out if it is the same event.",
        source="2.2, 2.9",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
    IssueKind(
        code="identity_missing",
        severity=Severity.ERROR,
        title="identity missing",
        message="No identity is given.",
        allowed=f"At least one of {join_words(IDENTITY_FIELDS)}.",
        fix=f"Fill in at least one of {', '.join(IDENTITY_FIELDS)}.",
        source="2.3",
        reading=Requirement(IDENTITY_FIELDS, is_given, _is_column_given),
        event_hint=build_identity_hint,
    ),
    IssueKind(
        code="product_id_missing",
        severity=Severity.ERROR,
        title="product id missing",
        message="The product id is {given}.",
        allowed="Every event needs data.productId, called exactly that and inside data.",
        fix="Give the id that your catalogue uses.",
        source="2.4",
        reading=Requirement(("data.productId",), is_given, _is_column_given),
        event_hint=build_product_hint,
    ),
    IssueKind(
        code="timestamp_before_2010",
        severity=Severity.ERROR,
        title="time before 2010",
        message="The time is {given}, before 2010-01-01.",
        allowed=f"Epoch milliseconds from {EARLIEST_MS}; an earlier time has the whole request rejected.",
        fix="Write the time in milliseconds since 1970.",
        source="2.7",
        reading=ValueRule(
            ("timestamp",), _is_before_2010, lambda column: column.times.is_read & (column.times.ms < EARLIEST_MS)
        ),
        hint=build_time_hint,
    ),
    IssueKind(
        code="timestamp_unreadable",
        severity=Severity.ERROR,
        title="time cannot be read",
        message="The time {given} cannot be read.",
        allowed=(
            "Epoch milliseconds as a number; in a file also ISO 8601 such as 2022-10-01 00:00:00 UTC, or as its "
            "mapping says."
        ),
        fix=(
            "Write it in one of these forms: epoch milliseconds (1664618400123) or, in a file, ISO 8601 (2022-10-01"
            " 10:00:00, 2022-10-01T10:00:00.5+02:00). Or name its form in the mapping: iso, epoch_s, epoch_ms,"
            " epoch_us, epoch_ns, serial, or a pattern such as %d.%m.%Y %H:%M."
        ),
        source="2.7, 7.16",
        reading=ValueRule(("timestamp",), _is_unreadable_time, lambda column: column.times.is_unreadable),
        hint=build_time_hint,
    ),
    IssueKind(
        code="id_not_text",
        severity=Severity.ERROR,
        title="id is not text",
        message="An id is {given}.",
        allowed=_ID_ALLOWED,
        fix="Write the id as text in quotes.",
        source="1.4, 2.8",
        reading=ValueRule(ID_FIELDS, _is_unreadable_id, _find_not_text),
    ),
    IssueKind(
        code="id_cell_error",
        severity=Severity.ERROR,
        title="id is the error of a formula",
        message="The id {given} is the error of a formula in the workbook, and no id.",
        allowed=_ID_ALLOWED,
        fix="Correct the formula in the workbook, or empty the cell.",
        source="7.12",
        reading=FoundElsewhere.BY_CELLS,
    ),
    IssueKind(
        code="event_not_object",
        severity=Severity.ERROR,
        title="event is not an object",
        message="The event is {given}.",
        allowed="An event is a JSON object with eventId, an identity and data.",
        fix="Write the event in curly brackets.",
        source="1.4",
        reading=ValueRule(("",), _is_no_object, find_none),
    ),
    IssueKind(
        code="request_shape",
        severity=Severity.ERROR,
        title="request has the wrong shape",
        message="This part of the request is {given}.",
        allowed='A body is {"track": [{"name": …, "payload": [event, …]}, …]}.',
        fix="Bring the body into that shape.",
        source="1.3",
        reading=FoundElsewhere.BY_READER,
    ),
    IssueKind(
        code="row_long",
        severity=Severity.ERROR,
        title="row has too many cells",
        message="The row has {given} cells.",
        allowed="As many cells as the header has.",
        fix="Put a cell that holds the delimiter in quotes, or remove what is too much.",
        source="1.4",
        reading=FoundElsewhere.BY_CELLS,
    ),
    IssueKind(
        code="quote_malformed",
        severity=Severity.ERROR,
        title="quoting is malformed",
        message="A quote makes the row's cells uncertain: {given}.",
        allowed=(
            "A cell that begins with a quote ends with one, and a delimiter or the end of the row follows; a quote"
            " inside it is written twice."
        ),
        fix="Close the quote, or double it in a quoted cell; if quotes are only text, say that the quote is “none”.",
        source="7.1",
        reading=FoundElsewhere.BY_CELLS,
    ),
    IssueKind(
        code="line_unreadable",
        severity=Severity.ERROR,
        title="line that is no JSON",
        message="The line is no JSON: {given}.",
        allowed="One event or one request body a line, as JSON.",
        fix="Correct the line in the file; as it is, it would be sent as a text.",
        source="1.3",
        reading=FoundElsewhere.BY_READER,
    ),
    IssueKind(
        code="row_short",
        severity=Severity.WARNING,
        title="row has too few cells",
        message="The row has {given} cells; the missing ones count as empty.",
        allowed="As many cells as the header has.",
        fix="See that no cell before the missing ones was lost.",
        source="1.4",
        reading=FoundElsewhere.BY_CELLS,
    ),
    IssueKind(
        code="event_id_shared",
        severity=Severity.WARNING,
        title="lines of one order share an event id",
        message="The event id {given} is shared by lines of one order.",
        allowed="Lines of one order may share it when they name different products.",
        fix="Nothing, if these are lines of one order.",
        source="2.9",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
    IssueKind(
        code="id_placeholder",
        severity=Severity.WARNING,
        title="id looks like a placeholder",
        message="The id {given} looks like a placeholder.",
        allowed=_ID_ALLOWED,
        fix="Look upstream: a placeholder as an id mixes up persons or products.",
        source="2.8, 7.12",
        reading=ValueRule(ID_FIELDS, _is_placeholder_id, lambda column: column.placeholders),
        message_detail=describe_placeholder,
    ),
    IssueKind(
        code="id_damaged",
        severity=Severity.WARNING,
        title="id looks damaged by a sheet or a float",
        message="The id {given} looks as if a spreadsheet or a program had rewritten it.",
        allowed=_ID_ALLOWED,
        fix="Re-export the column as text: the lost digits cannot be guessed.",
        source="1.2, 2.8, 7.10",
        reading=ValueRule(ID_FIELDS, partial(_is_id_like, "id_damaged"), _find_damaged),
        hint=build_damage_hint,
    ),
    IssueKind(
        code="id_spreadsheet_text",
        severity=Severity.WARNING,
        title="id in a spreadsheet's marks for text",
        message="The id {given} is written as a spreadsheet writes a text, so that it stays one.",
        allowed=_ID_ALLOWED,
        fix="Take the marks away: to the engine they are a part of the id.",
        source="7.11",
        reading=ValueRule(ID_FIELDS, partial(_is_id_like, "id_spreadsheet_text"), _find_spreadsheet_text),
    ),
    IssueKind(
        code="id_twins",
        severity=Severity.WARNING,
        title="id written in two forms",
        message="The id {given} is also written otherwise in this file.",
        allowed="One person or product has one id, the same to the letter and to the byte.",
        fix="Write it in one form: to the engine these are two ids.",
        source="7.15",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
    IssueKind(
        code="id_zeros_lost",
        severity=Severity.WARNING,
        title="leading zeros may be lost",
        message="The id {given} is shorter than others of its column, which begin with zeros.",
        allowed=_ID_ALLOWED,
        fix="Re-export the column as text, so that leading zeros stay.",
        source="1.2, 2.8",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
    IssueKind(
        code="id_white_space",
        severity=Severity.WARNING,
        title="id has white space around it or invisible characters",
        message="The id {given} has white space around it or invisible characters in it.",
        allowed=_ID_ALLOWED,
        fix="Remove them: to the engine it is another id.",
        source="2.8",
        reading=ValueRule(ID_FIELDS, partial(_is_id_like, "id_white_space"), _find_white_space),
    ),
    IssueKind(
        code="product_list",
        severity=Severity.WARNING,
        title="product id looks like a list",
        message="The product id {given} looks like a list of several.",
        allowed="One product an event; an order of several products is several events.",
        fix='Make each an event of its own: "explode" in the mapping: {"column": "products", "separator": "|"}.',
        source="7.20",
        reading=ValueRule(("data.productId",), partial(_is_id_like, "product_list"), _find_product_list),
    ),
    IssueKind(
        code="id_number",
        severity=Severity.WARNING,
        title="id given as a number",
        message="The id {given} is a JSON number.",
        allowed=_ID_ALLOWED,
        fix="Put it in quotes: long ids lose digits as numbers.",
        source="1.2, 1.4",
        reading=ValueRule(ID_FIELDS, _is_number_id, find_none),
    ),
    IssueKind(
        code="row_repeated",
        severity=Severity.WARNING,
        title="row repeats another in every cell",
        message="The row repeats an earlier one in every cell, and its event id is made.",
        allowed="A row for each event; the made ids of equal rows differ, so that each is an event of its own.",
        fix="Exclude it, unless it happened as often as it is there.",
        source="7.14",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
    IssueKind(
        code="timestamp_after_2040",
        severity=Severity.WARNING,
        title="time after 2040",
        message="The time is {given}, after 2040-01-18.",
        allowed=f"Epoch milliseconds up to {LATEST_MS}; a later time is silently replaced by the server's clock.",
        fix="If these are microseconds, divide by 1,000.",
        source="2.7",
        reading=ValueRule(
            ("timestamp",), _is_after_2040, lambda column: column.times.is_read & (column.times.ms > LATEST_MS)
        ),
        hint=build_time_hint,
    ),
    IssueKind(
        code="time_day_month_unclear",
        severity=Severity.WARNING,
        title="day and month may be exchanged",
        message="Day and month of this time may be exchanged.",
        allowed="Times of one form, or of several that the mapping names in their order.",
        fix="Compare some with their source, and name the form in the mapping.",
        source="7.13",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
    IssueKind(
        code="value_type",
        severity=Severity.WARNING,
        title="value is not of its column's type",
        message="The value {given} is not of the type that its column was given.",
        allowed="A number such as 12.5, true or false, or text.",
        fix="Correct the cell; it is sent as text, as it is.",
        source="1.4",
        reading=FoundElsewhere.BY_CELLS,
    ),
    IssueKind(
        code="key_repeated",
        severity=Severity.WARNING,
        title="key repeated in an object",
        message="The key {given} is twice in one object; the last one counts.",
        allowed="Each key once.",
        fix="Remove one of the two.",
        source="1.3",
        reading=FoundElsewhere.BY_READER,
    ),
    IssueKind(
        code="json_comment",
        severity=Severity.WARNING,
        title="comment in the JSON",
        message="There is a comment here: {given}.",
        allowed="JSON knows no comments; a server rejects a body that has one.",
        fix="Take it out before it is sent by anything but this console.",
        source="3.8",
        reading=FoundElsewhere.BY_READER,
    ),
    IssueKind(
        code="json_comma",
        severity=Severity.WARNING,
        title="comma after the last value",
        message="There is a comma after the last value.",
        allowed="JSON has a comma only between values; a server rejects a body that has one more.",
        fix="Take it out before it is sent by anything but this console.",
        source="3.8",
        reading=FoundElsewhere.BY_READER,
    ),
    IssueKind(
        code="json_cut",
        severity=Severity.ERROR,
        title="JSON ends early",
        message="The JSON ends before its brackets are closed, probably cut by a log.",
        allowed="A whole body: every bracket that is opened is closed.",
        fix="Copy all of it: what is behind the last whole event is not read.",
        source="1.3",
        reading=FoundElsewhere.BY_READER,
    ),
    IssueKind(
        code="number_precision",
        severity=Severity.WARNING,
        title="number loses digits",
        message="The number {given} has more digits than a JSON reader keeps.",
        allowed="Up to about 16 significant digits.",
        fix="If it is an id, put it in quotes.",
        source="1.2",
        reading=FoundElsewhere.BY_READER,
    ),
    IssueKind(
        code="product_unknown",
        severity=Severity.WARNING,
        title="product not in the catalogue",
        message="The product id {given} is not in the catalogue that is loaded.",
        allowed="A product of the catalogue, exactly as it writes the id.",
        fix="Correct the id, or load a newer catalogue: an event of an unknown product is accepted all the same.",
        source="2.5, 3.2",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
    IssueKind(
        code="sent_before",
        severity=Severity.WARNING,
        title="event id already sent",
        message="The event id {given} was already sent to this target.",
        allowed="A new event has a new event id.",
        fix="Nothing, if it should be sent again: a target that deduplicates ignores it.",
        source="2.2, 3.7",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
    IssueKind(
        code="order_line_added",
        severity=Severity.WARNING,
        title="line of an order that was sent without it",
        message="Other lines of the order {given} were sent to this target before, and this line was not.",
        allowed="An order whose lines are sent together.",
        fix="Nothing, if this line is new or corrected: it is not taken for sent.",
        source="2.9, 7.60",
        reading=FoundElsewhere.ACROSS_EVENTS,
    ),
)

ISSUE_KINDS: dict[str, IssueKind] = {kind.code: kind for kind in _KINDS}
"""Code → its entry, errors first."""
