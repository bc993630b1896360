"""Patterns that begin with a name, asked only where a part of such a name stands: a long text has few of them.

An expression such as ``[\\w.-]*(?:token|secret)`` is tried by ``re`` at every character, and there walks to the end of
the word. Fixed texts are found a hundred times faster, and from each the word's beginning is near.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

_EXTRA_CASES = {0x130: "i", 0x131: "i", 0x17F: "s"}
"""Characters that ``re`` takes for a letter where letter case is ignored, and that lower case does not make of them."""


def fold_case(text: str) -> str:
    """A text in which :func:`find_parts` finds what ``re`` finds where letter case is ignored; of the same length."""
    return text.lower() if text.isascii() else text.translate(_EXTRA_CASES).lower()


def find_parts(folded: str, parts: Iterable[str]) -> list[int]:
    """Where one of some fixed texts begins in a folded text, in order."""
    found: set[int] = set()
    for part in parts:
        at = folded.find(part)
        while at >= 0:
            found.add(at)
            at = folded.find(part, at + 1)
    return sorted(found)


def find_word_starts(text: str, places: Sequence[int], beside: str = "") -> list[int]:
    """Where the words around some places begin, in order; ``beside`` are further characters that words are made of."""
    starts: list[int] = []
    before, start = -1, -1
    for place in places:
        at = place
        while at > before and at > 0 and _is_of_word(text[at - 1], beside):
            at -= 1
        if before < 0 or at > before:
            start = at
            starts.append(start)
        before = place
    return starts


def _is_of_word(character: str, beside: str) -> bool:
    return character.isalnum() or character == "_" or character in beside


def find_line_starts(text: str, starts: Iterable[int], blanks: str) -> Iterator[int]:
    """The beginnings of lines that have nothing but some blanks before one of these places."""
    for start in starts:
        at = start
        while at > 0 and text[at - 1] in blanks:
            at -= 1
        if at == 0 or text[at - 1] == "\n":
            yield at


def find_assignment_lines(text: str) -> Iterator[int]:
    """The beginnings of lines with an equals sign in them, in order."""
    at = text.find("=")
    while at >= 0:
        yield text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        at = text.find("=", end) if end >= 0 else -1


def search_from_parts(pattern: "re.Pattern[str]", text: str, parts: Iterable[str]) -> "re.Match[str] | None":
    """What ``search`` gives, where matches can only begin with one of some fixed texts, letter case ignored."""
    return next(iterate_matches(pattern, text, find_parts(fold_case(text), parts)), None)


def iterate_matches(pattern: "re.Pattern[str]", text: str, starts: Iterable[int]) -> Iterator["re.Match[str]"]:
    """What ``finditer`` gives, where matches can only begin at these places, which are in order."""
    at = 0
    for start in starts:
        if start >= at and (found := pattern.match(text, start)):
            yield found
            at = found.end()
