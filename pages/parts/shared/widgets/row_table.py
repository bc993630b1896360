"""A table of rows that can be opened, also while rows arrive: each row carries the key of what it opens."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.parts.shared.widgets.component import load_component


@dataclass(frozen=True, slots=True)
class OpenableRow:
    """A row of a table.

    Attributes:
        key: What is opened, as the screen calls it.
        cells: Its texts, a column each.
        tone: Its look: ``good``, ``bad``, ``odd``, or empty.
    """

    key: str
    cells: tuple[str, ...]
    tone: str = ""


def show_row_table(label: str, heads: Sequence[str], rows: Sequence[OpenableRow], *, tone_column: int, key: str) -> str:
    """Show rows under heads; the key of the row that was just opened, empty where none was.

    While the pointer is on the table its rows stay as they are, so that a click opens the row that it was meant for.
    The cell in ``tone_column`` has the row's colour.
    """
    data = {
        "label": label,
        "heads": list(heads),
        "rows": [{"key": row.key, "cells": list(row.cells), "tone": row.tone} for row in rows],
        "toneColumn": tone_column,
    }
    result = load_component("row_table")(key=key, data=data, on_opened_change=lambda: None)
    opened = result.get("opened")
    return opened if isinstance(opened, str) else ""
