"""A table whose rows open something: heads that sort, links, boxes to tick, rows that arrive; narrow it is cards."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import streamlit as st

from pages.parts.shared.widgets.component import load_component


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table.

    Attributes:
        label: Its head.
        sort: What it sorts by when its head is pressed; empty where it does not.
        is_number: Whether its cells are numbers, which are aligned at the right.
        is_clock: Whether its cells are times, which stay on one line.
    """

    label: str
    sort: str = ""
    is_number: bool = False
    is_clock: bool = False


@dataclass(frozen=True, slots=True)
class TableCell:
    """One cell.

    Attributes:
        text: What it says, as it is.
        badges: Texts with a colour each (green, gray, orange, red, violet), after the text.
        note: A second line in smaller letters.
        is_fixed: Whether it is shown in the fixed-width face, as ids are.
    """

    text: str = ""
    badges: tuple[tuple[str, str], ...] = ()
    note: str = ""
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row.

    Attributes:
        id: What it opens.
        name: What the link, the box and a screen reader call it.
        cells: Its cells, in the order of the columns.
        opens: The parameter of the address that opens it, where it is not that of the table.
    """

    id: str
    name: str
    cells: tuple[TableCell, ...]
    opens: str = ""


@dataclass(frozen=True, slots=True)
class TableUse:
    """What was done with a table.

    Attributes:
        ticked: The ids of the rows that are ticked, on all pages of the table.
        opened: The parameter and the id of the row that was opened just now; ``None`` where none was.
    """

    ticked: tuple[str, ...] = ()
    opened: tuple[str, str] | None = None


def show_link_table(
    title: str,
    columns: Sequence[TableColumn],
    rows: Sequence[TableRow],
    *,
    opens: str,
    link_column: int,
    on_open: Callable[[str], None] | None = None,
    sort: str = "",
    descending: bool = True,
    on_sort: Callable[[str], None] | None = None,
    max_ticked: int = 0,
    is_live: bool = False,
    key: str,
) -> TableUse:
    """Show a table, and return which of its rows are ticked, and which was just opened.

    The cells of ``link_column`` are links: ``opens`` is the parameter of the address that opens a row, and ``on_open``
    is called with its id. The rows are sorted by the column with this ``sort``, and ``on_sort`` is called with that of
    a head that is pressed. Up to ``max_ticked`` rows may be ticked; with 0 there are no boxes. ``title`` is what a
    screen reader calls the table.

    One that ``is_live`` has a height of its own, and its rows stay as they are while the pointer is on it, so that a
    click opens the row that it was meant for.
    """

    def opened() -> None:
        found = parse_opened(getattr(st.session_state.get(key), "open", None), {opens})
        if found is not None and on_open is not None:
            on_open(found[1])

    def sorted_() -> None:
        by = getattr(st.session_state.get(key), "sort", None)
        if on_sort is not None and by in [column.sort for column in columns if column.sort]:
            on_sort(by)

    held = getattr(st.session_state.get(key), "ticked", None)
    ticked = [str(one) for one in held][:max_ticked] if isinstance(held, list) else []
    data = {
        "title": title,
        "columns": [
            {"label": one.label, "sort": one.sort, "number": one.is_number, "clock": one.is_clock} for one in columns
        ],
        "rows": [
            {
                "id": row.id,
                "name": row.name,
                "opens": row.opens or opens,
                "cells": [
                    {"text": cell.text, "badges": list(cell.badges), "note": cell.note, "fixed": cell.is_fixed}
                    for cell in row.cells
                ],
            }
            for row in rows
        ],
        "link": link_column,
        "sort": sort,
        "descending": descending,
        "maxTicked": max_ticked,
        "ticked": ticked,
        "live": is_live,
    }
    result = load_component("link_table")(
        key=key, data=data, default={"ticked": []}, on_open_change=opened, on_sort_change=sorted_,
        on_ticked_change=lambda: None,
    )  # fmt: skip
    return TableUse(tuple(ticked), parse_opened(result.get("open"), {row.opens or opens for row in rows} | {opens}))


def parse_opened(given: object, parameters: Collection[str]) -> tuple[str, str] | None:
    """The parameter and the id of a row that the browser says was opened; ``None`` for what is no such thing."""
    opens, _, id_ = given.partition(" ") if isinstance(given, str) else ("", "", "")
    return (opens, id_) if opens in parameters and id_ else None
