"""The formats in which files of events come, a record each, and those that are rejected by name.

A file is what its bytes say, whatever it is called: :func:`recognise_format` asks the records of :data:`FORMATS` in
their order. The hint of the Upload screen and its choices of how to read a file, the help of the command line, the
sentences that reject other files, and tests derive from these records. Each of these files may lie in gzip.

**A new format** is a record here and a module with one function that takes a
:class:`~intempt_core.readers.table_content.FileSource` and gives a
:class:`~intempt_core.readers.table_content.TableContent`. That function

- gives each cell as text: every digit of a number, never by way of a float; an empty or absent value is ``""``;
- gives each column a name that no other has (:func:`~intempt_core.readers.table_content.name_columns`) and as many
  cells as there are ``lines``;
- puts rows into a :class:`~intempt_core.readers.mapped_file.ColumnWriter`, some thousands at a time, so that memory
  stays bounded, and rejects a small file that would become a huge table;
- says in ``notes`` what it decided, and repairs nothing;
- raises :class:`ReadError` for bytes that it cannot read: what is wrong, where, what to do.

Readers are imported when the first file is read, so that the records alone cost nothing.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from intempt_core.errors import ReadError

if TYPE_CHECKING:
    from intempt_core.readers.mapped_file import FileBytes
    from intempt_core.readers.table_content import FileSource, TableContent

TableReader: TypeAlias = "Callable[[FileSource], TableContent]"
"""What makes a table of a file."""

TextMatcher: TypeAlias = "Callable[[FileBytes, str], bool]"
"""Whether a text in UTF-8, of a file of this name, is of a format."""

GZIP_SUFFIX = ".gz"
"""What the name of a file has after its own suffix where it lies in gzip."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format in which a file of events may come.

    Attributes:
        name: Its name in a few words, such as ``Excel``.
        suffixes: How names of such files usually end, the most usual first. A hint: the bytes decide.
        options: The fields of :class:`~intempt_core.readers.dialects.dialect.Dialect` that a person may give for it.
        row_label: What the file itself counts rows by, such as ``line``; empty where it counts nothing, so that a row
            is only known by its number among the rows.
        magic: How its bytes begin; none for a format of text.
        matches: Of a format of text, what recognises it.
        read: What makes a table of it; none for one JSON document, which
            :func:`~intempt_core.readers.payload.read_payload` reads.
        holds: What is in such a file, where its name does not say it.
    """

    name: str
    suffixes: tuple[str, ...]
    options: tuple[str, ...] = ()
    row_label: str = ""
    magic: re.Pattern[bytes] | None = None
    matches: "TextMatcher | None" = None
    read: "TableReader | None" = None
    holds: str = ""

    def __reduce__(self) -> "tuple[Callable[[str], FileFormat], tuple[str]]":
        """Its name, for another process: functions cannot be given to it."""
        return find_format, (self.name,)

    def has_suffix(self, name: str) -> bool:
        """Whether a file is called as files of this format are, in gzip or not."""
        return name.lower().removesuffix(GZIP_SUFFIX).endswith(self.suffixes)


# ── how each is recognised and read ──────────────────────────────────────────────────────────────────────────────────

_JSON_START = re.compile(rb'(?:\s|//[^\r\n]*|#[^\r\n]*|/\*.*?\*/)*+(?:\{\s*["}]|\[\s*[\[{"\]])', re.DOTALL)
_JSON_BRACKET = re.compile(rb"\s*[{\[]")
_JSON_LIST_START = re.compile(rb"\s*+\[")
_ONE_LINE = re.compile(rb"\s*+[^\r\n]++\s*+\Z")


def _is_json_lines(text: "FileBytes", name: str) -> bool:
    from intempt_core.readers.jsonl import is_json_lines  # noqa: PLC0415  see above

    return bool(_JSON_START.match(text) or JSON_LINES.has_suffix(name)) and is_json_lines(text, name)


def _is_json_document(text: "FileBytes", name: str) -> bool:
    return bool(_JSON_START.match(text) or (JSON_DOCUMENT.has_suffix(name) and _JSON_BRACKET.match(text)))


def _read_text(source: "FileSource") -> "TableContent":
    from intempt_core.readers.text_table import read_text_table  # noqa: PLC0415

    return read_text_table(source)


def _read_json_lines(source: "FileSource") -> "TableContent":
    from intempt_core.readers.jsonl import read_json_lines  # noqa: PLC0415

    return read_json_lines(source)


def _read_json_list(source: "FileSource") -> "TableContent":
    from intempt_core.readers.jsonl import read_json_list  # noqa: PLC0415

    return read_json_list(source)


def _read_workbook(source: "FileSource") -> "TableContent":
    from intempt_core.readers.workbooks.workbook_table import read_workbook_table  # noqa: PLC0415

    return read_workbook_table(source)


def _read_parquet(source: "FileSource") -> "TableContent":
    from intempt_core.readers.parquet import read_parquet_table  # noqa: PLC0415

    return read_parquet_table(source)


# ── the formats ──────────────────────────────────────────────────────────────────────────────────────────────────────

CSV = FileFormat(
    name="CSV",
    suffixes=(".csv", ".tsv", ".txt"),
    options=("encoding", "delimiter", "quote", "header_line", "no_header", "rows_to_skip"),
    row_label="line",
    matches=lambda _text, _name: True,  # the last that is asked
    read=_read_text,
)

JSON_LINES = FileFormat(
    name="JSON lines",
    suffixes=(".jsonl", ".ndjson"),
    options=("encoding",),
    row_label="line",
    matches=_is_json_lines,
    read=_read_json_lines,
)

EXCEL = FileFormat(
    name="Excel",
    suffixes=(".xlsx",),
    options=("sheet", "header_line", "no_header", "rows_to_skip", "hidden_rows", "merged_cells"),
    row_label="row",
    magic=re.compile(rb"PK\x03\x04"),
    read=_read_workbook,
)

PARQUET = FileFormat(
    name="Parquet",
    suffixes=(".parquet",),
    # A text may begin with the same four letters. What follows them in Parquet is binary, and it ends with them, too.
    magic=re.compile(rb"PAR[1E](?:.{0,3}[\x00-\x08\x0e-\x1f]|.*PAR[1E]\Z)", re.DOTALL),
    read=_read_parquet,
)

JSON_DOCUMENT = FileFormat(
    name="JSON",
    suffixes=(".json", ".har"),
    options=("encoding",),
    row_label="line",
    matches=_is_json_document,
    holds="a request, an event, a list of events, or the requests of a HAR file",
)

JSON_LIST = FileFormat(
    name="JSON list",
    suffixes=(".json",),
    options=("encoding",),
    row_label="item",
    read=_read_json_list,
    holds="a list of objects, a row each",
)
"""What a JSON document is read as where a table is wanted, if it is a list (:func:`recognise_text` says which)."""

FORMATS = (EXCEL, PARQUET, JSON_LINES, JSON_DOCUMENT, CSV)
"""Every format, in the order in which a file's bytes are tried."""

TABLE_FORMATS = (CSV, JSON_LINES, EXCEL, PARQUET)
"""Those that become a table, in the order in which they are listed for people."""

OTHER_FORMATS: tuple[tuple[str, str, str], ...] = (
    (r"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a", "an image", "Choose the file that holds the events."),
    (
        r"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel file, or one that has a password",
        "Open it there and save it as .xlsx, without a password.",
    ),
    (r"PK\x05\x06", "an empty zip archive", "See that the export was complete."),
    (
        r"\x1f\x8b|BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd|7z\xbc\xaf",
        "compressed, and not by gzip alone",
        "Unpack it first.",
    ),
    (r"%PDF-", "a PDF", "Export the table itself as CSV."),
    (r"SQLite format 3\x00", "a SQLite database", "Export its table as CSV."),
    (r"(?i:(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml))", "a web page or XML", "Download the CSV itself."),
)
"""How the bytes of formats begin that are not read, what these are, and what to do instead."""


def find_format(name: str) -> FileFormat:
    """The format of a name."""
    return next(one for one in (*FORMATS, JSON_LIST) if one.name == name)


def recognise_binary(content: "FileBytes", name: str) -> FileFormat | None:
    """The format of bytes that are no text; none where they may be text.

    Raises :class:`ReadError` for a format that is not read.
    """
    found = next((one for one in FORMATS if one.magic is not None and one.magic.match(content)), None)
    if found is None:
        for beginning, what, instead in OTHER_FORMATS:
            # Latin-1 makes a character of every byte, so that the expressions stay readable
            if re.match(beginning.encode("latin-1"), content, re.DOTALL):
                raise ReadError(f"{name} is {what}. {describe_formats()} {instead}")
    return found


def recognise_text(text: "FileBytes", name: str, *, documents: bool = True) -> FileFormat:
    """The format of a text in UTF-8.

    One line of JSON is both a document and JSON lines: where ``documents`` are taken the file's name decides.
    Where they are not, a list is the table of its items.
    """
    if documents and JSON_DOCUMENT.has_suffix(name) and _ONE_LINE.match(text) and _is_json_document(text, name):
        return JSON_DOCUMENT
    found = next(one for one in FORMATS if one.matches is not None and one.matches(text, name))
    return JSON_LIST if found is JSON_DOCUMENT and not documents and _JSON_LIST_START.match(text) else found


# ── what is said of them ─────────────────────────────────────────────────────────────────────────────────────────────


def describe_formats() -> str:
    """A sentence on what is taken."""
    return f"{join_words([one.name for one in TABLE_FORMATS], 'and')} are taken."


def list_suffixes(formats: Iterable[FileFormat] = TABLE_FORMATS, *, conjunction: str = "") -> str:
    """The suffixes of some formats, as in ``.csv, .tsv or .txt``."""
    return join_words([suffix for one in formats for suffix in one.suffixes], conjunction)


def join_words(words: Sequence[str], conjunction: str = "") -> str:
    """Words with commas between them, and a conjunction before the last where one is given."""
    if not conjunction or len(words) < 2:
        return ", ".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
