"""A text with line numbers, an annotation at each problem, and the changes that fixes would make."""

from collections.abc import Mapping, Sequence
from typing import Any

from intempt_core.contract import Severity
from intempt_core.fixes import EditPreview
from intempt_core.validation import MAX_LINES_DRAWN, TEAM_ANNOTATION, AnnotatedLine, TextPiece
from pages.parts.shared.formatting import STATE_STYLES, TEAM_STYLE
from pages.parts.shared.widgets.component import load_component

MAX_LINE_CHARACTERS = 20_000
"""Characters of one line that are shown; a minified body may be one line of a megabyte."""

_STYLES = {TEAM_ANNOTATION: TEAM_STYLE, **{severity.value: STATE_STYLES[severity] for severity in Severity}}


def show_annotated_text(
    lines: Sequence[AnnotatedLine],
    titles: Mapping[int, str],
    *,
    key: str,
    focus: int = 0,
    focus_count: int = 0,
    label: str,
) -> None:
    """Annotated lines. ``titles`` name the problems by their numbers; ``focus`` is the line to scroll to.

    The component scrolls once for each ``focus_count``.
    """
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        sign = _STYLES[line.kind].shape if line.problems else ""
        title = " · ".join(dict.fromkeys(titles[number] for number in line.problems if number in titles))
        rows.append((line.number, line.kind, sign, clip_pieces(line.pieces, MAX_LINE_CHARACTERS), title))
    _draw_lines(rows, key=key, label=label, focus=focus, focus_count=focus_count)


def show_text_changes(changes: Sequence[EditPreview], *, key: str) -> None:
    """The changes that fixes would make: each line as it is, and as it would be."""
    rows: list[tuple[Any, ...]] = []
    for change in changes[:MAX_LINES_DRAWN]:
        head, old, new, tail = change.parts
        rows.append((change.line, "", "−", [(head, ""), (old, "gone"), (tail, "")], ""))
        rows.append((change.line, "", "+", [(head, ""), (new, "new"), (tail, "")], ""))
    _draw_lines(rows, key=key, label="Changes")


def _draw_lines(rows: Sequence[tuple[Any, ...]], *, key: str, label: str, focus: int = 0, focus_count: int = 0) -> None:
    width = len(str(rows[-1][0])) if rows else 1
    data = {"lines": rows, "label": label, "width": width + 1, "focus": focus, "focusCount": focus_count}
    load_component("annotated_text")(key=key, data=data)


def clip_pieces(pieces: Sequence[TextPiece], max_characters: int) -> list[tuple[str, str]]:
    """The pieces of a line, cut to ``max_characters`` around its first problem; what is cut away is counted."""
    total = sum(len(piece.text) for piece in pieces)
    if total <= max_characters:
        return [(piece.text, piece.kind) for piece in pieces]
    first, at = 0, 0
    for piece in pieces:
        if piece.kind in _STYLES:
            first = at
            break
        at += len(piece.text)
    start = max(0, min(first - max_characters // 4, total - max_characters))
    shown: list[tuple[str, str]] = [(f"… {start:,} characters … ", "unseen")] if start else []
    at = 0
    for piece in pieces:
        begin, end = max(start - at, 0), min(start + max_characters - at, len(piece.text))
        if begin < end:
            shown.append((piece.text[begin:end], piece.kind))
        at += len(piece.text)
    rest = total - start - max_characters
    return [*shown, *([(f" … {rest:,} characters more", "unseen")] if rest > 0 else [])]
