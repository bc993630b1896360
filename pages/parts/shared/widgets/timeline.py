"""A timeline: events as marks in lanes, an SVG picture of our own, with its figures as a table below.

The picture and the table have the same events. Pointing at a mark, or reaching it by the arrow keys, says what the
event is; choosing it, by a click or Enter, tells the screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pages.parts.shared.widgets.component import load_component

MAX_MARK_LABEL = 14
"""Characters of a label beside a mark; the whole text is in the sentence and in the table."""


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """One event of a timeline.

    Attributes:
        number: The number of the event, by which it is chosen.
        lane: The number of its lane, from 0.
        label: What stands beside the mark where there is place for it.
        look: How the mark is drawn: ``full`` (processed), ``accepted``, ``hollow`` (ignored), ``failed`` (rejected or
            not sent), ``open`` (unknown or queued).
        is_asked: Whether it is of the product that is asked about.
        sentence: What is said when it is reached.
        cells: Its row of the table.
    """

    number: int
    lane: int
    label: str
    look: str
    is_asked: bool
    sentence: str
    cells: tuple[str, ...]


def show_timeline(
    label: str,
    lanes: Sequence[str],
    marks: Sequence[TimelineMark],
    times: Sequence[str],
    heads: Sequence[str],
    *,
    chosen: int | None,
    key: str,
) -> int | None:
    """Show events, the oldest first; the number of the event that was just chosen, ``None`` where none was.

    ``times`` are the times under the marks and ``heads`` the heads of the table; ``chosen`` is drawn as chosen.
    """
    data: dict[str, Any] = {
        "label": label,
        "lanes": list(lanes),
        "marks": [
            {
                "number": mark.number,
                "lane": mark.lane,
                "label": _shorten(mark.label),
                "look": mark.look,
                "asked": mark.is_asked,
                "sentence": mark.sentence,
                "cells": list(mark.cells),
            }
            for mark in marks
        ],
        "times": list(times),
        "heads": list(heads),
        "chosen": chosen,
    }
    result = load_component("timeline")(key=key, data=data, on_chosen_change=lambda: None)
    number = result.get("chosen")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_MARK_LABEL else text[: MAX_MARK_LABEL - 1] + "…"
