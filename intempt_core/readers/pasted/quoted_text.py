"""A text written in the quotes of a shell or a language, with the place of each of its characters.

What is found in such a text (a body in a command, in a call of ``fetch`` or in a HAR file) can so be shown, and fixed,
where it was written.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple


class Quote(StrEnum):
    """What is around a piece of text, and so how a new character is written there."""

    RAW = "raw"
    """No quotes of a language: everything is written as it is."""
    NONE = ""
    """A word of a shell without quotes."""
    SINGLE = "'"
    DOUBLE = '"'
    C_ESCAPED = "$'"
    """``$'…'`` of bash."""
    WINDOWS = "^"
    """The command line of Windows, where ``^`` takes the next sign as it is."""
    WINDOWS_DOUBLED = "^\\"
    """The same as browsers write it: every backslash is doubled."""
    WINDOWS_PLAIN = '^"'
    """The command line of Windows within plain quotes: a quote is doubled, ``^`` is a sign like others."""
    POWERSHELL_SINGLE = "ps'"
    POWERSHELL_DOUBLE = 'ps"'
    POWERSHELL_PROGRAM = "ps\\"
    """PowerShell's single quotes around an argument of a program that takes ``\\"`` for a quote."""
    JSON = "json"
    """A text of JSON or JavaScript, in double quotes."""
    SCRIPT_SINGLE = "js'"
    SCRIPT_TEMPLATE = "js`"


class UnclosedQuote(ValueError):
    """A quote that is never closed: ``at`` is where it opens."""

    def __init__(self, at: int) -> None:
        super().__init__("a quote is never closed")
        self.at = at


class TextRun(NamedTuple):
    """Neighbouring characters of a text's value, and where they are written.

    Where both are equally long they are the same characters; where not, an escape is written.

    Attributes:
        start: The offset of the first one in the value.
        size: How many they are in the value.
        at: The offset of the first one where it is written.
        end: The offset behind the last one where it is written.
        quote: What is around them.
    """

    start: int
    size: int
    at: int
    end: int
    quote: Quote


@dataclass
class QuotedText:
    """A text as it is written, such as a word of a command line: what it is, and where each character stands.

    Attributes:
        value: What the shell or the language would make of it.
        runs: Where the characters of the value are written.
        at: The offset at which it begins.
        end: The offset behind it.
        operator: Whether it is an operator of a shell, such as ``|``.
    """

    value: str = ""
    runs: list[TextRun] = field(default_factory=list)
    at: int = 0
    end: int = 0
    operator: bool = False

    def text_offset(self, offset: int) -> int:
        """Where a character of the value is written; the value's end is behind its last character."""
        if not self.runs:
            return self.at
        run = self.runs[max(0, bisect_right(self.runs, offset, key=attrgetter("start")) - 1)]
        inside = offset - run.start
        if inside >= run.size:
            return run.end
        return run.at + inside if run.end - run.at == run.size else run.at

    def text_span(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the value is written."""
        at = self.text_offset(start)
        if end <= start:
            return at, at
        last = self.runs[max(0, bisect_right(self.runs, end - 1, key=attrgetter("start")) - 1)]
        plain = last.end - last.at == last.size
        return at, last.at + end - last.start if plain else last.end

    def quote_for(self, offset: int, new: str) -> str:
        """A new piece of the value as it is written at this offset, in the quotes that are around it."""
        run = self.runs[max(0, bisect_right(self.runs, offset, key=attrgetter("start")) - 1)] if self.runs else None
        return _WRITERS[run.quote if run else Quote.SINGLE](new)

    def _find_ends(self) -> tuple[int, int]:
        return (self.runs[0].at, self.runs[-1].end) if self.runs else (self.at, self.end)

    def cut(self, start: int, end: int | None = None) -> "QuotedText":
        """A stretch of it, as a text of its own."""
        end = len(self.value) if end is None else end
        if start == 0 and end >= len(self.value):
            return QuotedText(self.value, [*self.runs], *self._find_ends())
        runs = []
        for run in self.runs:
            first, last = max(start, run.start), min(end, run.start + run.size)
            if first < last:
                plain = run.end - run.at == run.size
                at, stop = (run.at + first - run.start, run.at + last - run.start) if plain else (run.at, run.end)
                runs.append(TextRun(first - start, last - first, at, stop, run.quote))
        return QuotedText(
            self.value[start:end], runs, runs[0].at if runs else self.at, runs[-1].end if runs else self.end
        )


class QuotedTextBuilder:
    """A text that is put together piece by piece; cheap also where it is long."""

    def __init__(self, at: int) -> None:
        self._made = QuotedText(at=at)
        self._pieces: list[str] = []
        self._size = 0
        self._plain_start, self._plain_at, self._plain_end = 0, 0, -1  # the last run, while it can still grow
        self._plain_quote = Quote.NONE

    def add(self, value: str, at: int, end: int, quote: Quote) -> None:
        """Add characters that are written from ``at`` to ``end``."""
        if not value:
            return
        size = len(value)
        if end - at != size:
            self._finish_run()
            self._made.runs.append(TextRun(self._size, size, at, end, quote))
        elif at == self._plain_end and quote is self._plain_quote:
            self._plain_end = end
        else:
            self._finish_run()
            self._plain_start, self._plain_at, self._plain_end, self._plain_quote = self._size, at, end, quote
        self._pieces.append(value)
        self._size += size

    def add_escaped(self, text: str, at: int, end: int, escapes: "re.Pattern[str]", quote: Quote) -> None:
        """Add what is written in a text from ``at`` to ``end``, in quotes of its own.

        Each of the ``escapes`` in it stands for the character that is its first group, or for nothing. It does what
        :meth:`add` does piece by piece, without a call for each of a million pieces.
        """
        self._finish_run()
        runs, pieces, size, make = self._made.runs, self._pieces, self._size, tuple.__new__
        for found in escapes.finditer(text, at, end):
            start, stop = found.span()
            if at < start:
                pieces.append(text[at:start])
                runs.append(make(TextRun, (size, start - at, at, start, quote)))
                size += start - at
            if char := found[1]:
                pieces.append(char)
                runs.append(make(TextRun, (size, 1, start, stop, quote)))
                size += 1
            at = stop
        self._size = size
        self.add(text[at:end], at, end, quote)

    def _finish_run(self) -> None:
        if self._plain_end >= 0:
            at, end = self._plain_at, self._plain_end
            self._made.runs.append(TextRun(self._plain_start, end - at, at, end, self._plain_quote))
            self._plain_end = -1

    def build(self, end: int) -> QuotedText:
        """The text, which is written up to ``end``."""
        self._finish_run()
        self._made.value, self._made.end = "".join(self._pieces), end
        return self._made


def quote_nothing(text: str) -> QuotedText:
    """A text in no quotes at all."""
    return QuotedText(text, [TextRun(0, len(text), 0, len(text), Quote.RAW)], 0, len(text))


def join_texts(texts: Iterable[QuotedText], between: str) -> QuotedText:
    """Join several texts to one value; what is between them is written nowhere."""
    made, pieces, size = QuotedText(), [], 0
    for number, text in enumerate(texts):
        if number and between:
            made.runs.append(TextRun(size, len(between), text.at, text.at, Quote.NONE))
            pieces.append(between)
            size += len(between)
        made.runs += [TextRun(run[0] + size, *run[1:]) for run in text.runs] if size else text.runs
        pieces.append(text.value)
        size += len(text.value)
        made.at, made.end = (made.at if number else text.at), text.end
    made.value = "".join(pieces)
    return made


def compose_texts(outer: QuotedText, inner: QuotedText) -> QuotedText:
    """A text whose places are offsets in the value of another one, with its places where that one is written."""
    return next(iterate_composed(outer, [inner]))


def iterate_composed(outer: QuotedText, inners: Iterable[QuotedText]) -> Iterator[QuotedText]:
    """Compose several texts with the same one (:func:`compose_texts`)."""
    starts = [run.start for run in outer.runs]
    for inner in inners:
        yield _compose(outer, starts, inner) if starts else inner


def _compose(outer: QuotedText, starts: Sequence[int], inner: QuotedText) -> QuotedText:
    made = QuotedText(inner.value, [], outer.text_offset(inner.at), outer.text_offset(inner.end), inner.operator)
    runs, under_runs, count = made.runs, outer.runs, len(outer.runs)
    for start, size, run_at, run_end, quote in inner.runs:
        index = max(0, bisect_right(starts, run_at) - 1)
        if run_end - run_at != size:
            runs.append(TextRun(start, size, *_find_span(under_runs, starts, index, run_at, run_end), quote))
            continue
        while index < count and starts[index] < run_end:
            under_start, under_size, under_at, under_end, _ = under_runs[index]
            first, last = max(run_at, under_start), min(run_end, under_start + under_size)
            if first < last:
                plain = under_end - under_at == under_size
                shift = under_at - under_start
                at, stop = (first + shift, last + shift) if plain else (under_at, under_end)
                runs.append(TextRun(start + first - run_at, last - first, at, stop, quote))
            index += 1
    return made


def _find_span(runs: Sequence[TextRun], starts: Sequence[int], index: int, start: int, end: int) -> tuple[int, int]:
    """:meth:`QuotedText.text_span` of a text with these runs, of which the one at ``index`` holds ``start``."""
    run_start, size, at, stop, _ = runs[index]
    inside = start - run_start
    plain = stop - at == size
    first = stop if inside >= size else at + inside if plain else at
    if end <= start:
        return first, first
    run_start, size, at, stop, _ = runs[max(0, bisect_right(starts, end - 1) - 1)]
    return first, at + end - run_start if stop - at == size else stop


def _write_json(new: str) -> str:
    return json.dumps(new, ensure_ascii=False)[1:-1]


_WRITERS: dict[Quote, Callable[[str], str]] = {
    Quote.RAW: str,
    Quote.NONE: lambda new: re.sub(r"([^\w@%+=:,./-])", r"\\\1", new),
    Quote.SINGLE: lambda new: new.replace("'", "'\\''"),
    Quote.DOUBLE: lambda new: re.sub(r'(["\\$`])', r"\\\1", new),
    Quote.C_ESCAPED: lambda new: re.sub(r"(['\\])", r"\\\1", new),
    Quote.WINDOWS: lambda new: re.sub(r'(\\*)"', r'\1\1^\\^"', new),
    Quote.WINDOWS_DOUBLED: lambda new: re.sub(r'([\\"])', r"^\\^\1", new),
    Quote.WINDOWS_PLAIN: lambda new: new.replace("\\", "\\\\").replace('"', '""'),
    Quote.POWERSHELL_SINGLE: lambda new: new.replace("'", "''"),
    Quote.POWERSHELL_DOUBLE: lambda new: re.sub(r'([`$"])', r"`\1", new),
    Quote.POWERSHELL_PROGRAM: lambda new: re.sub(r'(\\*)"', r'\1\1\\"', new).replace("'", "''"),
    Quote.JSON: _write_json,
    Quote.SCRIPT_SINGLE: lambda new: _write_json(new).replace('\\"', '"').replace("'", "\\'"),
    Quote.SCRIPT_TEMPLATE: lambda new: re.sub(r"([\\`]|\$(?=\{))", r"\\\1", new),
}
"""How a new piece is written in each kind of quotes."""
