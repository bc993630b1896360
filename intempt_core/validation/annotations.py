"""Annotations: the places of issues in a pasted text, and the text as lines and pieces that a screen can highlight.

Invisible characters (zero-width and direction characters, half of a surrogate pair) are written out, so that they can
be seen.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from intempt_core.contract import BLANK_CHARACTERS, INVISIBLE_CHARACTERS, Issue
from intempt_core.readers import TEXT_LINE_END, Payload

TEAM_ANNOTATION = "team"
"""The kind of an annotation of what the team's rules found, whatever it weighs."""

MAX_LINES_DRAWN = 2_000
"""Lines that a screen draws at once, around the selected one."""

_ESCAPED_CHARACTERS = "".join(sorted((set(INVISIBLE_CHARACTERS) | set(BLANK_CHARACTERS)) - set(" \t\r\n")))
_INVISIBLE_PATTERN = re.compile(f"([{re.escape(_ESCAPED_CHARACTERS)}\ud800-\udfff]|\r(?!\n))")


def escape_character(char: str) -> str:
    """Write a character as its number: ``⟨U+202E⟩``."""
    return f"⟨U+{ord(char):04X}⟩"


def escape_invisible(text: str) -> str:
    """Write out every invisible character of a text; line ends, tabs and spaces stay as they are."""
    return _INVISIBLE_PATTERN.sub(lambda found: escape_character(found[0]), text)


@dataclass(frozen=True, slots=True)
class Annotation:
    """The place of an issue in a text.

    Attributes:
        at: The first character, from 0.
        end: The one behind the last.
        kind: The issue's severity, or ``team`` for what the team's rules found.
        number: The issue's index in its list.
    """

    at: int
    end: int
    kind: str
    number: int


class TextPiece(NamedTuple):
    """Neighbouring characters that look the same: ``kind`` is an annotation's, ``unseen`` or empty."""

    text: str
    kind: str = ""


class AnnotatedLine(NamedTuple):
    """A line of a text with its annotations. A tuple, for a pasted text may have a hundred thousand of them.

    Attributes:
        number: The line, from 1.
        kind: The worst kind of its annotations, empty where it has none.
        pieces: The line in pieces, without its end.
        problems: The numbers of the annotations that begin in it.
    """

    number: int
    kind: str
    pieces: tuple[TextPiece, ...]
    problems: tuple[int, ...]


def find_issue_span(payload: Payload, issue: Issue) -> tuple[int, int]:
    """The characters of a pasted text that an issue is about, from where to where.

    A field that is missing is annotated at the bracket of the object that lacks it, an object at its own bracket.
    """
    if issue.place.span is not None:
        return payload.source.text_span(*issue.place.span)
    node, exact = payload.document.find(issue.place.pointer)
    at, end = node.at, node.end
    if not exact or payload.document.text[at] in "[{":
        end = at + 1
    return payload.source.text_span(at, end)


def annotate_issues(payload: Payload, issues: Iterable[Issue]) -> list[Annotation]:
    """An annotation for each issue, in the text's order."""
    annotations = [
        Annotation(
            *find_issue_span(payload, issue), issue.severity.value if issue.rule is None else TEAM_ANNOTATION, number
        )
        for number, issue in enumerate(issues)
    ]
    return sorted(annotations, key=attrgetter("at"))


def annotate_lines(
    text: str, annotations: Sequence[Annotation], first: int = 1, count: int = 1_000_000
) -> list[AnnotatedLine]:
    """Lines ``first`` to ``first + count`` of a text (from 1); ``annotations`` are in the text's order."""
    ends = [found.span() for found in islice(TEXT_LINE_END.finditer(text), first - 1 + count)]
    starts = [0, *(end for _, end in ends)][first - 1 : first - 1 + count]
    stops = [*(start for start, _ in ends), len(text)][first - 1 : first - 1 + count]
    drawn = text[starts[0] : stops[-1]] if starts else ""
    plain = drawn.isascii() and not _INVISIBLE_PATTERN.search(drawn)
    lines, ahead, over = [], 0, [one for one in annotations if starts and one.at < starts[0] < one.end]
    while starts and ahead < len(annotations) and annotations[ahead].at < starts[0]:
        ahead += 1
    for number, (start, stop) in enumerate(zip(starts, stops, strict=True), first):
        after = ahead
        while after < len(annotations) and annotations[after].at <= stop:
            after += 1
        if after == ahead and not over:
            whole = text[start:stop]
            pieces = (TextPiece(whole),) if plain and whole else tuple(_split_invisible(whole, ""))
            lines.append(AnnotatedLine(number, "", pieces, ()))
            continue
        mine = [*over, *annotations[ahead:after]]
        worst = min(one.kind for one in mine)  # in the order of the alphabet: error, team, warning
        problems = tuple(sorted(one.number for one in annotations[ahead:after]))
        lines.append(AnnotatedLine(number, worst, tuple(_split_line(text, start, stop, mine)), problems))
        over, ahead = [one for one in mine if one.end > stop + 1], after
    return lines


def _split_line(text: str, start: int, stop: int, annotations: Sequence[Annotation]) -> Iterator[TextPiece]:
    """A line in pieces; where annotations overlap the worse one shows, then the earlier."""
    at = start
    for one in sorted(annotations, key=lambda one: (one.at, one.kind, -one.end)) if annotations else ():
        begin, end = max(one.at, at), min(one.end, stop)
        if end <= begin:
            continue
        yield from _split_invisible(text[at:begin], "")
        yield from _split_invisible(text[begin:end], one.kind)
        at = end
    yield from _split_invisible(text[at:stop], "")


def _split_invisible(text: str, kind: str) -> Iterator[TextPiece]:
    """A piece, with invisible characters as pieces of their own."""
    if text.isascii() and text.isprintable():
        if text:
            yield TextPiece(text, kind)
        return
    for number, piece in enumerate(_INVISIBLE_PATTERN.split(text)):
        if piece:
            yield TextPiece(escape_character(piece), "unseen") if number % 2 else TextPiece(piece, kind)
