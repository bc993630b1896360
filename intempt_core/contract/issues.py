"""The catalogue of issues: every code, its words and its mend, once.

A screen, an export and the command line all show the words that stand here. A new check is one more
:class:`FileKind` in :data:`ISSUE_KINDS` and a rule in ``events.py`` or ``checks.py``.
"""

from dataclasses import dataclass
from enum import StrEnum

GIVEN_MAX_CHARACTERS = 200
"""Characters of a given value that an issue carries; a longer one is cut and says how long it was."""


class Severity(StrEnum):
    """How much an issue weighs: rows with errors stay behind, warnings are for a person to judge."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class IssueKind:
    """One kind of issue.

    ``title`` names it in a list, ``says`` is the sentence about one case (``{given}`` stands for the value),
    ``allowed`` is what would be right, ``mend`` is what to do, ``source`` is the contract's row.
    """

    code: str
    severity: Severity
    title: str
    message: str
    allowed: str
    fix: str
    source: str


def escape_pointer_key(key: str) -> str:
    """A key as one step of an RFC 6901 pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def split_pointer(pointer: str) -> list[str]:
    """The keys along an RFC 6901 pointer; an index of a list is text too."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands, in the file and in the JSON.

    ``row`` counts events of the input from 1 (the header is not a row); ``line`` counts physical lines from 1;
    ``column`` is the file's own header; ``pointer`` is an RFC 6901 pointer: into the pasted document, into the
    request of a form, or, for a file, into the event that the row becomes. ``span`` is from where to where in the
    pasted document, for what a pointer alone does not tell apart (a comma, a comment, one of several equal keys).
    """

    row: int | None = None
    line: int | None = None
    column: str | None = None
    pointer: str = ""
    span: tuple[int, int] | None = None

    @property
    def path(self) -> str:
        """The pointer as people read it: ``track[0].payload[16].data.productId``."""
        text = "".join(f"[{key}]" if key.isdigit() else f".{key}" for key in split_pointer(self.pointer))
        return text.removeprefix(".")

    @property
    def label(self) -> str:
        """The place at the head of a sentence: ``Row 18, column product_id``, ``Line 7, data.productId``."""
        head = f"Row {self.row:,}" if self.row is not None else f"Line {self.line:,}" if self.line is not None else ""
        tail = f"column {self.column}" if self.column is not None else self.path
        return ", ".join(part for part in (head, tail) if part)


@dataclass(frozen=True, slots=True)
class Issue:
    """Something found wrong: what, where, what was given, and how to mend it.

    ``given`` is the value as text, ``None`` where there was none. ``hint`` is advice that only this case can give
    ("These look like seconds: multiply by 1,000.") and stands before the kind's own mend.
    """

    code: str
    place: Place
    given: str | None = None
    hint: str = ""

    @property
    def kind(self) -> IssueKind:
        """The catalogue's entry."""
        return ISSUE_KINDS[self.code]

    @property
    def severity(self) -> Severity:
        """Error or warning."""
        return self.kind.severity

    @property
    def given_phrase(self) -> str:
        """The given value for a sentence: quoted, or ``missing``, or ``empty``."""
        if self.given is None:
            return "missing"
        return f"“{self.given}”" if self.given else "empty"

    @property
    def message(self) -> str:
        """What is wrong, without the place."""
        return self.kind.message.replace("{given}", self.given_phrase)

    @property
    def fix(self) -> str:
        """What to do: this case's own hint, or what helps every case of its kind."""
        return self.hint or self.kind.fix

    @property
    def sentence(self) -> str:
        """Where, what, allowed and mend in one line."""
        where = self.place.label
        return f"{where}: {self.message} {self.fix}" if where else f"{self.message} {self.fix}"


def shorten_value(text: str) -> str:
    """A given value short enough to carry along: whole up to :data:`GIVEN_MAX_CHARACTERS` characters, else cut and measured."""
    if len(text) <= GIVEN_MAX_CHARACTERS:
        return text
    return f"{text[:GIVEN_MAX_CHARACTERS]}… ({len(text):,} characters)"


def _define_error(code: str, title: str, message: str, allowed: str, fix: str, source: str) -> IssueKind:  # noqa: PLR0917  a line of the catalogue
    return IssueKind(code, Severity.ERROR, title, message, allowed, fix, source)


def _define_warning(code: str, title: str, message: str, allowed: str, fix: str, source: str) -> IssueKind:  # noqa: PLR0917  a line of the catalogue
    return IssueKind(code, Severity.WARNING, title, message, allowed, fix, source)


_ID_ALLOWED = "An id is an opaque text: any characters, as the catalogue or the shop writes it."

ISSUE_KINDS: dict[str, IssueKind] = {
    kind.code: kind
    for kind in (
        _define_error(
            "event_name",
            "event name not one of four",
            "The event name is {given}.",
            "Exactly “Product viewed”, “Added to cart”, “Removed from cart” or “Product ordered”.",
            "Write one of the four names; case, spaces and spelling count.",
            "2.1",
        ),
        _define_error(
            "event_id_missing",
            "event id missing",
            "The event id is {given}.",
            "Every event has an id of its own: it is what deduplication goes by.",
            "Give the event an id that no other event has.",
            "2.2",
        ),
        _define_error(
            "event_id_repeated",
            "event id repeated",
            "The event id {given} was already used.",
            "One event id for one event; only the lines of one order may share one.",
            "Give this event an id of its own, or leave it out if it is the same event.",
            "2.2, 2.9",
        ),
        _define_error(
            "identity_missing",
            "nobody named",
            "No identity is given.",
            "At least one of profileId, userId, anotherUserId and accountId.",
            "Say who did it, in any one of the four.",
            "2.3",
        ),
        _define_error(
            "product_id_missing",
            "product id missing",
            "The product id is {given}.",
            "Every event needs data.productId, called exactly that and inside data.",
            "Give the id that your catalogue uses.",
            "2.4",
        ),
        _define_error(
            "timestamp_before_2010",
            "time before 2010",
            "The time is {given}, before 2010-01-01.",
            "Epoch milliseconds from 1262304000000; an earlier time has the whole request rejected.",
            "Write the time in milliseconds since 1970.",
            "2.7",
        ),
        _define_error(
            "timestamp_unreadable",
            "time cannot be read",
            "The time {given} cannot be read.",
            "Epoch milliseconds as a number; in a file also ISO 8601 such as 2022-10-01 00:00:00 UTC, or as its "
            "mapping says.",
            "Write the time in one of these forms, or leave it out.",
            "2.7",
        ),
        _define_error(
            "id_not_text",
            "id is not text",
            "An id is {given}.",
            _ID_ALLOWED,
            "Write the id as text in quotes.",
            "1.4, 2.8",
        ),
        _define_error(
            "event_not_object",
            "event is not an object",
            "In the place of an event stands {given}.",
            "An event is a JSON object with eventId, an identity and data.",
            "Write the event in curly brackets.",
            "1.4",
        ),
        _define_error(
            "request_shape",
            "request has the wrong shape",
            "Here stands {given}.",
            'A body is {"track": [{"name": …, "payload": [event, …]}, …]}.',
            "Bring the body into that shape.",
            "1.3",
        ),
        _define_error(
            "row_long",
            "row has too many cells",
            "The row has {given} cells.",
            "As many cells as the header has.",
            "Put a cell that holds the delimiter in quotes, or remove what is too much.",
            "1.4",
        ),
        _define_error(
            "line_unreadable",
            "line that is no JSON",
            "The line is no JSON: {given}.",
            "One event or one request body a line, as JSON.",
            "Correct the line in the file; as it is, it would leave as a text.",
            "1.3",
        ),
        _define_warning(
            "row_short",
            "row has too few cells",
            "The row has {given} cells; the missing ones count as empty.",
            "As many cells as the header has.",
            "See that no cell before the missing ones was lost.",
            "1.4",
        ),
        _define_warning(
            "event_id_shared",
            "lines of one order share an event id",
            "The event id {given} is shared by lines of one order.",
            "Lines of one order may share it when they name different products.",
            "Nothing, if these are lines of one order.",
            "2.9",
        ),
        _define_warning(
            "id_placeholder",
            "id looks like a placeholder",
            "The id {given} looks like a placeholder.",
            _ID_ALLOWED,
            "Look upstream: a placeholder as an id mixes up persons or products.",
            "2.8",
        ),
        _define_warning(
            "id_damaged",
            "id looks damaged by a sheet",
            "The id {given} looks as if a spreadsheet had rounded it.",
            _ID_ALLOWED,
            "Re-export the column as text: the lost digits cannot be guessed.",
            "1.2, 2.8",
        ),
        _define_warning(
            "id_zeros_lost",
            "leading zeros may be lost",
            "The id {given} is shorter than others of its column, which begin with zeros.",
            _ID_ALLOWED,
            "Re-export the column as text, so that leading zeros stay.",
            "1.2, 2.8",
        ),
        _define_warning(
            "id_white_space",
            "id has white space around it or invisible characters",
            "The id {given} has white space around it or invisible characters in it.",
            _ID_ALLOWED,
            "Remove them: to the engine it is another id.",
            "2.8",
        ),
        _define_warning(
            "id_number",
            "id given as a number",
            "The id {given} is a JSON number.",
            _ID_ALLOWED,
            "Put it in quotes: long ids lose digits as numbers.",
            "1.2, 1.4",
        ),
        _define_warning(
            "timestamp_after_2040",
            "time after 2040",
            "The time is {given}, after 2040-01-18.",
            "Epoch milliseconds up to 2210457600000; a later time is silently replaced by the server's clock.",
            "If these are microseconds, divide by 1,000.",
            "2.7",
        ),
        _define_warning(
            "value_type",
            "value is not of its column's type",
            "The value {given} is not of the type that its column was given.",
            "A number such as 12.5, true or false, or text.",
            "Correct the cell; it is sent as text as it stands.",
            "1.4",
        ),
        _define_warning(
            "key_repeated",
            "key repeated in an object",
            "The key {given} stands twice in one object; the last one counts.",
            "Each key once.",
            "Remove one of the two.",
            "1.3",
        ),
        _define_warning(
            "json_comment",
            "comment in the JSON",
            "Here stands a comment: {given}.",
            "JSON knows no comments; a server refuses a body that has one.",
            "Take it out before it is sent by anything but this console.",
            "3.8",
        ),
        _define_warning(
            "json_comma",
            "comma after the last value",
            "A comma stands after the last value.",
            "JSON has a comma only between values; a server refuses a body that has one more.",
            "Take it out before it is sent by anything but this console.",
            "3.8",
        ),
        _define_warning(
            "number_precision",
            "number loses digits",
            "The number {given} has more digits than a JSON reader keeps.",
            "Up to about 16 significant digits.",
            "If it is an id, put it in quotes.",
            "1.2",
        ),
        _define_warning(
            "product_unknown",
            "product not in the catalogue",
            "The product id {given} is not in the catalogue that is loaded.",
            "A product of the catalogue, exactly as it writes the id.",
            "Correct the id, or load a newer catalogue: an event of an unknown product is accepted all the same.",
            "2.5, 3.2",
        ),
        _define_warning(
            "sent_before",
            "sent before",
            "The event id {given} was already sent to this target.",
            "A new event has a new event id.",
            "Nothing, if it should be sent again: a target that deduplicates ignores it.",
            "2.2, 3.7",
        ),
    )
}
