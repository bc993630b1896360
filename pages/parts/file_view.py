"""Step 1 of the upload, and the screen before it: a file is chosen, what was understood of it is shown and changed."""

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from intempt_core import Dialect, Table
from intempt_core.tables import FileKind
from pages.parts import uploading
from pages.parts.file_input import file_input
from pages.parts.house import house
from pages.parts.look import counted, weight
from pages.parts.session import key
from pages.parts.steps import step
from pages.parts.taking import download

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

TEMPLATE = """\
name,eventId,userId,productId,timestamp,price
Product viewed,evt_0001,user_123,SKU_987,2026-11-22T12:00:00Z,19.90
Added to cart,evt_0002,user_123,SKU_987,2026-11-22T12:01:00Z,19.90
Removed from cart,evt_0003,user_123,SKU_987,2026-11-22T12:02:00Z,19.90
Product ordered,evt_0004,user_123,SKU_12,2026-11-22T12:03:00Z,5.00
"""

COLUMNS = {
    "name": "One of: Product viewed, Added to cart, Removed from cart, Product ordered. Exactly so.",
    "eventId": "An id that no other event has. Without such a column ids are made from the rows.",
    "userId": "Who did it. profileId, anotherUserId and accountId will do as well; one of them is enough.",
    "productId": "The id of the product, as the catalogue writes it.",
    "timestamp": "When: 2026-11-22T12:00:00Z, or milliseconds since 1970. Optional.",
    "price": "Any further column goes into data under its own name. Optional.",
}

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
QUOTES = {'"': '"', "'": "'", "": "nothing is quoted"}


def dropper(label: str) -> None:
    """The place to drop a file."""
    file_input(
        label,
        hint=f"or drop one here: .csv, .tsv, .txt, .jsonl, .xlsx, or one of them as .gz; up to"
        f" {house().settings.upload_mb:,} MB",
        token=uploading.door(),
        key=key("upload-file", uploading.uploading().uploads),
    )


def empty() -> None:
    """Before there is a file: what this is for, where to begin, what the columns mean."""
    st.text(
        "Upload a file of events: every problem is shown before anything leaves, then the good rows are sent in order."
    )
    dropper("A file of events")
    trouble()
    download("Download a template", lambda: TEMPLATE, "events-template.csv", "text/csv", key="upload-template")
    st.caption("The template's columns. Other names are fine: they are mapped in the next step.")
    st.table(COLUMNS, border="horizontal")


def trouble() -> None:
    """Why the last file could not be read."""
    if problem := uploading.uploading().problem:
        with st.container(border=True, key="upload-problem"):
            st.markdown(":red-badge[■ this file cannot be read]")
            st.text(problem)


def file_line() -> str:
    """What was understood of the file, in a line."""
    table = uploading.table()
    return (
        f"{table.name} · {counted(table.rows, 'row')} · {counted(len(table.header), 'column')} · "
        f"{weight(table.size)} · {understood(table)}"
    )


def understood(table: Table) -> str:
    """How a file was read, in a few words."""
    dialect = table.dialect
    if table.kind is FileKind.WORKBOOK:
        return f"Excel, sheet {dialect.sheet}, header in row {dialect.header_line}"
    if table.kind is FileKind.JSON_LINES:
        return f"JSON lines, {dialect.encoding}"
    return f"{dialect.encoding}, {delimiter_word(dialect.delimiter)}, header in line {dialect.header_line}"


def delimiter_word(delimiter: str) -> str:
    """A delimiter's name; one without a name as itself."""
    return DELIMITERS.get(delimiter, delimiter if delimiter.isprintable() else repr(delimiter))


def file_step() -> None:
    """1 File: what was understood, and the ways to read it otherwise."""
    table = uploading.table()
    if not step(1, "File", file_line(), "Change file"):
        trouble()
        return
    for note in table.notes:
        st.text(note)
    chosen = sheet(table) if table.kind is FileKind.WORKBOOK else text(table)
    st.button(
        "Read it this way",
        key="upload-reread",
        on_click=uploading.reread,
        args=(chosen,),
        disabled=chosen == table.dialect,
    )
    trouble()
    dropper("Another file")


def text(table: Table) -> Dialect:
    """The choices for a table of text, and for JSON lines."""
    dialect = table.dialect
    encodings, delimiters, quotes, headers, skips = st.columns(5)
    encoding = encoding_of(encodings, table)
    if table.kind is FileKind.JSON_LINES:
        return replace(dialect, encoding=encoding)
    delimiter = delimiters.selectbox(
        "Delimiter",
        dict.fromkeys((dialect.delimiter, *DELIMITERS)),
        format_func=delimiter_word,
        key=key("upload-delimiter", table.digest),
        accept_new_options=True,
    )
    quote = quotes.selectbox(
        "Quote",
        dict.fromkeys((dialect.quote, *QUOTES)),
        format_func=lambda quote: QUOTES.get(quote, quote),
        key=key("upload-quote", table.digest),
    )
    header = number(headers, "Header in line", 1, dialect.header_line, key("upload-header", table.digest))
    skip = number(skips, "Rows to skip after it", 0, dialect.skip, key("upload-skip", table.digest))
    return Dialect(encoding, delimiter, quote, header, skip)


def encoding_of(where: "DeltaGenerator", table: Table) -> str:
    """The encoding to read a file with; any that Python knows can be typed."""
    return where.selectbox(
        "Encoding",
        dict.fromkeys((table.dialect.encoding, *ENCODINGS)),
        key=key("upload-encoding", table.digest),
        accept_new_options=True,
    )


def sheet(table: Table) -> Dialect:
    """The choices for a workbook."""
    dialect = table.dialect
    sheets, headers, skips = st.columns(3)
    name = sheets.selectbox(
        "Sheet",
        table.sheets,
        table.sheets.index(dialect.sheet),
        format_func=lambda name: f"{name} ",  # a name of nothing is one, too
        key=key("upload-sheet", table.digest),
    )
    header = number(headers, "Header in row", 1, dialect.header_line, key("upload-header", table.digest))
    skip = number(skips, "Rows to skip after it", 0, dialect.skip, key("upload-skip", table.digest))
    other = name != dialect.sheet and (header, skip) == (dialect.header_line, dialect.skip)
    return Dialect(header_line=0 if other else header, skip=0 if other else skip, sheet=name)


def number(where: "DeltaGenerator", label: str, least: int, now: int, widget: str) -> int:
    """A line or a number of rows to choose."""
    return int(where.number_input(label, least, 1_048_576, now, key=widget))
