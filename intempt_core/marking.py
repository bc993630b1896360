"""Where problems stand in a pasted text, and the text in lines and pieces that can be drawn with their marks.

What nobody can see (zero-width and direction characters, half of a surrogate pair) is written out, so that it is seen.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from intempt_core.events import INVISIBLE_CHARACTERS, BLANK_CHARACTERS
from intempt_core.issues import Issue, Severity
from intempt_core.json_text import TEXT_LINE_END
from intempt_core.payloads import Payload

LINES_DRAWN = 2_000
"""Lines that a screen draws at once, around the one that is looked at."""

_OUTLANDISH = "".join(sorted((set(INVISIBLE_CHARACTERS) | set(BLANK_CHARACTERS)) - set(" \t\r\n")))
_UNSEEN = re.compile(f"([{re.escape(_OUTLANDISH)}\ud800-\udfff]|\r(?!\n))")


def written_out(char: str) -> str:
    """A character that nobody sees, as its number: ``⟨U+202E⟩``."""
    return f"⟨U+{ord(char):04X}⟩"


def visible(text: str) -> str:
    """A text with everything in it that nobody sees written out; line ends, tabs and spaces stay."""
    return _UNSEEN.sub(lambda found: written_out(found[0]), text)


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the text with a problem; ``number`` is the problem's in its list."""

    at: int
    end: int
    severity: Severity
    number: int


class Piece(NamedTuple):
    """Neighbouring characters that look the same: ``kind`` is ``error``, ``warning``, ``unseen`` or nothing."""

    text: str
    kind: str = ""


class Line(NamedTuple):
    """A line of the text, from 1, the worst that stands in it, and the numbers of the problems that begin in it.

    A tuple, for a pasted text may have a hundred thousand of them.
    """

    number: int
    severity: Severity | None
    pieces: tuple[Piece, ...]
    problems: tuple[int, ...]


def span_of(payload: Payload, issue: Issue) -> tuple[int, int]:
    """Where in the text an issue stands.

    A field that is not there is marked at the bracket of the object that lacks it, an object at its own bracket.
    """
    if issue.place.span is not None:
        return payload.source.text_span(*issue.place.span)
    node, exact = payload.document.find(issue.place.pointer)
    at, end = node.at, node.end
    if not exact or payload.document.text[at] in "[{":
        end = at + 1
    return payload.source.text_span(at, end)


def marks_of(payload: Payload, issues: Iterable[Issue]) -> list[Mark]:
    """A mark for each issue, in the text's order."""
    marks = [Mark(*span_of(payload, issue), issue.severity, number) for number, issue in enumerate(issues)]
    return sorted(marks, key=attrgetter("at"))


def lines_of(text: str, marks: Sequence[Mark], first: int = 1, count: int = 1_000_000) -> list[Line]:
    """Lines ``first`` to ``first + count`` of a text (from 1), with their marks; ``marks`` are in the text's order."""
    ends = [found.span() for found in TEXT_LINE_END.finditer(text)]
    starts = [0, *(end for _, end in ends)][first - 1 : first - 1 + count]
    stops = [*(start for start, _ in ends), len(text)][first - 1 : first - 1 + count]
    plain = text.isascii() and not _UNSEEN.search(text)
    lines, ahead, over = [], 0, [mark for mark in marks if starts and mark.at < starts[0] < mark.end]
    while starts and ahead < len(marks) and marks[ahead].at < starts[0]:
        ahead += 1
    for number, (start, stop) in enumerate(zip(starts, stops, strict=True), first):
        after = ahead
        while after < len(marks) and marks[after].at <= stop:
            after += 1
        if after == ahead and not over:
            whole = text[start:stop]
            pieces = (Piece(whole),) if plain and whole else tuple(_seen(whole, ""))
            lines.append(Line(number, None, pieces, ()))
            continue
        mine = [*over, *marks[ahead:after]]
        worst = min(mark.severity for mark in mine)  # "error" comes before "warning"
        problems = tuple(sorted(mark.number for mark in marks[ahead:after]))
        lines.append(Line(number, worst, tuple(_pieces(text, start, stop, mine)), problems))
        over, ahead = [mark for mark in mine if mark.end > stop + 1], after
    return lines


def _pieces(text: str, start: int, stop: int, marks: Sequence[Mark]) -> Iterator[Piece]:
    """A line in pieces; where marks lie over each other the worse one shows, then the earlier."""
    at = start
    for mark in sorted(marks, key=lambda mark: (mark.at, mark.severity, -mark.end)) if marks else ():
        begin, end = max(mark.at, at), min(mark.end, stop)
        if end <= begin:
            continue
        yield from _seen(text[at:begin], "")
        yield from _seen(text[begin:end], mark.severity.value)
        at = end
    yield from _seen(text[at:stop], "")


def _seen(text: str, kind: str) -> Iterator[Piece]:
    """A piece, with what nobody sees in it as pieces of its own."""
    if text.isascii() and text.isprintable():
        if text:
            yield Piece(text, kind)
        return
    for number, piece in enumerate(_UNSEEN.split(text)):
        if piece:
            yield Piece(written_out(piece), "unseen") if number % 2 else Piece(piece, kind)
