"""Step 1 of the upload, and the screen before it: choose a file, see how it was read, and read it another way."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS, ISSUE_KINDS, EventName, format_count
from intempt_core.mapping import EXPECT_COLUMN
from intempt_core.readers import (
    DELIMITER_NAMES,
    GZIP_SUFFIX,
    HIDDEN_ROWS_CHOICES,
    MERGED_CELLS_CHOICES,
    Dialect,
    Table,
    list_suffixes,
)
from intempt_core.validation import EXPECT_OK
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import format_size
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.file_input import show_file_input
from pages.parts.upload.expectations_view import show_issue_codes
from pages.parts.upload.state import (
    describe_let_go_files,
    get_current_table,
    get_upload_state,
    get_upload_token,
    reread_file,
)
from pages.parts.upload.step import show_step

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

TEMPLATE_COLUMNS: Mapping[str, str] = {
    "name": f"{ISSUE_KINDS['event_name'].allowed}",
    "eventId": "An id that no other event has. Without such a column, ids are generated from the rows.",
    "userId": f"The identity: one of {', '.join(IDENTITY_FIELDS)} is enough.",
    "productId": "The id of the product, exactly as in the catalogue.",
    "timestamp": "Optional: 2026-11-22T12:00:00Z, or milliseconds since 1970.",
    "price": "Optional: any further column goes into data under its own name.",
    EXPECT_COLUMN: "Optional: ok, or the codes of the errors that the row must have. The file then tests itself.",
}
"""The columns of the template, and what each holds."""

CSV_TEMPLATE = "".join(
    f"{line}\n"
    for line in (
        ",".join(TEMPLATE_COLUMNS),
        *(
            f"{name},evt_{number:04},user_123,SKU_987,2026-11-22T12:{number:02}:00Z,19.90,{EXPECT_OK}"
            for number, name in enumerate(EventName, 1)
        ),
    )
)
"""A file with one event of each name, of one person and one product."""

ENCODING_CHOICES = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1")
QUOTE_NAMES = {'"': '"', "'": "'", "": "none"}


def show_file_drop(label: str) -> None:
    """The place to choose or drop a file."""
    show_file_input(
        label,
        hint=f"or drop one here: {list_suffixes()}, or one of them as {GZIP_SUFFIX}; up to"
        f" {get_services().settings.upload_mb:,} MB",
        token=get_upload_token(),
        key=make_key("upload-file", get_upload_state().uploads),
    )


def show_upload_intro() -> None:
    """Without a file: what this screen is for, the file input, a template, and what its columns hold."""
    st.text("Every problem is shown before anything is sent.")
    show_file_drop("A file of events")
    show_file_trouble()
    show_download("Download a template", lambda: CSV_TEMPLATE, "events-template.csv", "text/csv", key="upload-template")
    st.caption("The columns of the template. Columns with other names can be mapped in the next step.")
    with st.container(key="upload-template-columns"):
        st.table(TEMPLATE_COLUMNS, border="horizontal")
    show_issue_codes()


def show_file_trouble() -> None:
    """Which older files were removed to make space, and why the last file could not be read."""
    if removed := describe_let_go_files():
        st.caption(removed)
    if problem := get_upload_state().problem:
        with st.container(border=True, key="upload-problem"):
            st.markdown(":red-badge[■ cannot be read]")
            st.text(problem)


def describe_file() -> str:
    """The file in a line: name, rows, columns, size, and how it was read."""
    table = get_current_table()
    return (
        f"{table.name} · {format_count(table.rows, 'row')} · {format_count(len(table.header), 'column')} · "
        f"{format_size(table.size)} · {describe_dialect(table)}"
    )


def describe_dialect(table: Table) -> str:
    """How a file was read: its format, and the choices that its format has."""
    dialect, label = table.dialect, table.format.row_label
    chosen = {
        "sheet": f"sheet {dialect.sheet}",
        "encoding": dialect.encoding,
        "delimiter": format_delimiter(dialect.delimiter),
        "header_line": "no header" if dialect.no_header else f"header in {label} {dialect.header_line}",
    }
    options = table.format.options
    parts = [chosen[option] for option in chosen if option in options]
    return ", ".join(parts if "delimiter" in options else [table.format.name, *parts])


def format_delimiter(delimiter: str) -> str:
    """The name of a delimiter, or the delimiter itself if it has none."""
    return DELIMITER_NAMES.get(delimiter, delimiter if delimiter.isprintable() else repr(delimiter))


def show_file_step() -> None:
    """Step 1, File: how it was read, and the choices to read it another way."""
    table = get_current_table()
    is_open = show_step(1, "File", describe_file(), "Change file")
    for note in table.notes:  # what was decided is seen without being asked for
        st.text(note)
    if not is_open:
        show_file_trouble()
        return
    if table.format.options:
        chosen = choose_dialect(table)
        st.button(
            "Read the file this way",
            key="upload-reread",
            on_click=reread_file,
            args=(chosen,),
            disabled=chosen == table.dialect,
        )
    show_file_trouble()
    show_file_drop("Upload another file")


def choose_dialect(table: Table) -> Dialect:
    """The choices that the file's format has."""
    options, dialect = table.format.options, table.dialect
    chosen = {
        option: CHOICES[option](container, table)
        for option, container in zip(options, st.columns(max(len(options), 3)), strict=False)
    }
    if "sheet" in options and chosen["sheet"] != dialect.sheet:
        own = {"header_line": 0, "rows_to_skip": 0, "no_header": False}
        if all(chosen[option] == getattr(dialect, option) for option in own):  # another sheet has a header of its own
            chosen |= own
    return replace(dialect, **chosen)


def choose_encoding(container: "DeltaGenerator", table: Table) -> str:
    """The encoding; any that Python knows can be typed."""
    return container.selectbox(
        "Encoding",
        dict.fromkeys((table.dialect.encoding, *ENCODING_CHOICES)),
        key=make_key("upload-encoding", table.digest),
        accept_new_options=True,
    )


def choose_delimiter(container: "DeltaGenerator", table: Table) -> str:
    """The character between cells; any can be typed."""
    return container.selectbox(
        "Delimiter",
        dict.fromkeys((table.dialect.delimiter, *DELIMITER_NAMES)),
        format_func=format_delimiter,
        key=make_key("upload-delimiter", table.digest),
        accept_new_options=True,
    )


def choose_quote(container: "DeltaGenerator", table: Table) -> str:
    """The character around cells."""
    return container.selectbox(
        "Quote",
        dict.fromkeys((table.dialect.quote, *QUOTE_NAMES)),
        format_func=lambda quote: QUOTE_NAMES.get(quote, quote),
        key=make_key("upload-quote", table.digest),
    )


def choose_sheet(container: "DeltaGenerator", table: Table) -> str:
    """The sheet of a workbook."""
    return container.selectbox(
        "Sheet",
        table.sheets,
        table.sheets.index(table.dialect.sheet),
        format_func=lambda name: f"{name} ",  # a sheet may have an empty name
        key=make_key("upload-sheet", table.digest),
    )


def choose_header(container: "DeltaGenerator", table: Table) -> int:
    """The line or row of the header."""
    label = f"Header in {table.format.row_label}"
    return choose_row_number(container, label, 1, table.dialect.header_line, make_key("upload-header", table.digest))


def choose_no_header(container: "DeltaGenerator", table: Table) -> bool:
    """Whether there is no header; the line of the header is then that of the first row."""
    return container.checkbox(
        "There is no header", table.dialect.no_header, key=make_key("upload-no-header", table.digest)
    )


def choose_hidden_rows(container: "DeltaGenerator", table: Table) -> str:
    """What becomes of hidden rows of a sheet."""
    return container.selectbox(
        "Hidden rows",
        HIDDEN_ROWS_CHOICES,
        HIDDEN_ROWS_CHOICES.index(table.dialect.hidden_rows),
        key=make_key("upload-hidden-rows", table.digest),
        help="Rows that a filter or a person has hidden: include them, or exclude them.",
    )


def choose_merged_cells(container: "DeltaGenerator", table: Table) -> str:
    """What becomes of merged cells of a sheet."""
    return container.selectbox(
        "Merged cells",
        MERGED_CELLS_CHOICES,
        MERGED_CELLS_CHOICES.index(table.dialect.merged_cells),
        key=make_key("upload-merged-cells", table.digest),
        help="Leave all but the first of merged cells empty, or fill the rows below with its value.",
    )


def choose_skip(container: "DeltaGenerator", table: Table) -> int:
    """The number of rows to skip after the header."""
    return choose_row_number(
        container, "Rows to skip after the header", 0, table.dialect.rows_to_skip, make_key("upload-skip", table.digest)
    )


def choose_row_number(container: "DeltaGenerator", label: str, least: int, now: int, widget: str) -> int:
    """A number of a line, or of rows."""
    return int(container.number_input(label, least, 1_048_576, now, key=widget))


CHOICES: dict[str, Callable[["DeltaGenerator", Table], Any]] = {
    "encoding": choose_encoding,
    "delimiter": choose_delimiter,
    "quote": choose_quote,
    "sheet": choose_sheet,
    "header_line": choose_header,
    "no_header": choose_no_header,
    "rows_to_skip": choose_skip,
    "hidden_rows": choose_hidden_rows,
    "merged_cells": choose_merged_cells,
}
"""The widgets that ask for the fields of a dialect. Any: the type of the field."""
