"""The records of delimited text, one by one: their lines, their cells, and whether their quoting is malformed.

A cell that begins with the quote ends at the next quote that is not doubled, and a delimiter or a line end follows. A
quote anywhere else is text. Where a quoted cell is followed by something else, is never closed, or swallows lines that
are rows themselves (``swallowed_lines.py``), the quoting is *malformed* (CONTRACT 7.1): nothing says which lines the
cell has. Such a record is its first line alone, wherever that can be a row, so that no other row is lost with it; its
cell keeps its quotes, and the row is known.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from intempt_core.errors import ReadError
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.dialects.swallowed_lines import SwallowedLineJudge
from intempt_core.readers.limits import MAX_EVENT_BYTES, build_oversize_error
from intempt_core.readers.mapped_file import FileBytes

BYTES_LINE_END = re.compile(rb"\r\n?|\n")
"""What ends a physical line, by Arrow's rule."""

_JUDGED_BYTES = 65_536
"""Bytes after a quote that nothing closes by which it is judged whether rows follow, or a text that is too large."""

WELL_FORMED = -1
"""The column of a malformed quote, of a record that has none."""


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One record of delimited text.

    Attributes:
        cells: Its cells; none for a blank line.
        end: The offset in bytes at which the next record begins.
        lines: How many physical lines it has.
        malformed: The column (from 0) of a malformed quote; :data:`WELL_FORMED` where there is none.
        reason: What is wrong with that quote.
    """

    cells: list[str]
    end: int
    lines: int = 1
    malformed: int = WELL_FORMED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _ScannedRecord:
    """A record as its quotes say, whether they are right or not; ``end`` is where its last line's end begins."""

    cells: list[str]
    end: int
    malformed: int
    is_unclosed: bool


class RecordReader:
    """Reads the records of delimited text, from an offset on.

    Attributes:
        at: The offset of the next record.
        line: The physical line (from 1) on which it begins.
    """

    def __init__(
        self,
        text: FileBytes,
        at: int,
        line: int,
        dialect: Dialect,
        *,
        width: int = 0,
        judge: SwallowedLineJudge | None = None,
    ) -> None:
        """``width`` is that of the header, 0 where it is not known; ``judge`` finds swallowed lines."""
        self.at, self.line = at, line
        self._text, self._width, self._judge = text, width, judge
        self._delimiter, self._quote = dialect.delimiter.encode(), dialect.quote.encode()

    @property
    def size(self) -> int:
        """Bytes of the text."""
        return len(self._text)

    @property
    def is_at_end(self) -> bool:
        """Whether no record is left."""
        return self.at >= len(self._text)

    def skip_lines(self, count: int) -> None:
        """Skip so many physical lines, whatever they hold."""
        while count > 0 and not self.is_at_end:
            self.at, self.line, count = self._find_line_end(self.at)[1], self.line + 1, count - 1

    def __iter__(self) -> Iterator[TextRecord]:
        while self.at < len(self._text):
            yield self.read_record()

    def read_record(self) -> TextRecord:
        """The next record. Raises :class:`ReadError` for a row, or a line, with too many bytes."""
        stop, after = self._find_line_end(self.at)
        if after - self.at > MAX_EVENT_BYTES:
            hint = "See that the delimiter is right and that rows end with a line end, or cut the cell."
            raise build_oversize_error(f"Line {self.line:,}", "the row", after - self.at, line=self.line, hint=hint)
        raw = self._text[self.at : stop]
        if not self._quote or not (raw.startswith(self._quote) or self._delimiter + self._quote in raw):
            record = TextRecord(self._decode(raw).split(self._delimiter.decode()) if raw else [], after)
        else:
            record = self._read_quoted_record(stop, after)
        self.at, self.line = record.end, self.line + record.lines
        return record

    def _read_quoted_record(self, stop: int, after: int) -> TextRecord:
        """A record with a quote in its first line, which ends at ``stop``; the next line begins at ``after``."""
        limit = min(len(self._text), self.at + MAX_EVENT_BYTES)
        found = self._scan(self.at, limit)
        if found.malformed == WELL_FORMED and found.end == stop:
            return TextRecord(found.cells, after)
        alone = self._read_line_alone(stop)
        fits = len(alone.cells) == self._width
        if found.is_unclosed:
            if limit < len(self._text) and not (fits and self._goes_on_with_rows(after)):
                self._reject_large_record(limit)
            return TextRecord(alone.cells, after, 1, alone.malformed, "a quote is opened and never closed")
        end = self._find_line_end(found.end)[1]
        lines = 1 + sum(1 for _ in BYTES_LINE_END.finditer(self._text, self.at, found.end))
        if found.malformed == WELL_FORMED:
            if not self._swallows_rows(found):
                return TextRecord(found.cells, end, lines)
            return TextRecord(alone.cells, after, 1, alone.malformed, "a quote swallows the rows that follow")
        reason = "a quote that closes a cell is followed by neither a delimiter nor a line end"
        is_whole = not fits if lines == 1 else len(found.cells) == self._width and not self._holds_rows(found)
        if is_whole:
            return TextRecord(found.cells, end, lines, found.malformed, reason)
        return TextRecord(alone.cells, after, 1, alone.malformed, reason)

    def _holds_rows(self, found: _ScannedRecord) -> bool:
        """Whether nearly all lines after the first have as many cells as the header."""
        first = self._find_line_end(self.at)[1]
        return self._judge is None or self._judge.are_wide(self._text[first : found.end])

    def _goes_on_with_rows(self, at: int) -> bool:
        return self._judge is not None and self._judge.are_wide(self._text[at : at + _JUDGED_BYTES], is_cut=True)

    def _swallows_rows(self, found: _ScannedRecord) -> bool:
        return self._judge is not None and self._judge.are_swallowed(self._text[self.at : found.end])

    def _read_line_alone(self, stop: int) -> TextRecord:
        """The record's first line as a row: by closed quotes, or cut at each delimiter where that gives the width."""
        found = self._scan(self.at, stop)
        column = max(found.malformed, 0)
        if len(found.cells) != self._width:
            cut = self._decode(self._text[self.at : stop]).split(self._delimiter.decode())
            if len(cut) == self._width:
                quote = self._quote.decode()
                return TextRecord(cut, stop, 1, next((n for n, cell in enumerate(cut) if cell.startswith(quote)), 0))
        return TextRecord(found.cells, stop, 1, column)

    def _scan(self, at: int, limit: int) -> _ScannedRecord:
        """The record at an offset; a cell that is not closed before ``limit`` is as if it were not quoted."""
        text, quote, delimiter = self._text, self._quote, self._delimiter
        cells: list[str] = []
        malformed, is_unclosed = WELL_FORMED, False
        stop = min(self._find_line_end(at)[0], limit)
        while True:
            begin = at
            if text[at : at + len(quote)] == quote:
                at = self._find_closing_quote(at, limit)
                if at < 0:
                    at, is_unclosed = begin, True
                    malformed = len(cells) if malformed == WELL_FORMED else malformed
                else:
                    if at > stop:
                        stop = min(self._find_line_end(at)[0], limit)
                    if at == stop or text[at : at + len(delimiter)] == delimiter:
                        inside = text[begin + len(quote) : at - len(quote)].replace(quote + quote, quote)
                        cells.append(self._decode(inside))
                        if at == stop:
                            return _ScannedRecord(cells, stop, malformed, is_unclosed)
                        at += len(delimiter)
                        continue
                    malformed = len(cells) if malformed == WELL_FORMED else malformed
            end = text.find(delimiter, at, stop)
            cells.append(self._decode(text[begin : stop if end < 0 else end]))
            if end < 0:
                return _ScannedRecord(cells, stop, malformed, is_unclosed)
            at = end + len(delimiter)

    def _find_closing_quote(self, at: int, limit: int) -> int:
        """The offset after the quote that closes the cell which one at ``at`` opens; -1 where there is none."""
        text, quote = self._text, self._quote
        found = at + len(quote)
        while (found := text.find(quote, found, limit)) >= 0:
            found += len(quote)
            if text[found : min(found + len(quote), limit)] != quote:
                return found
            found += len(quote)
        return -1

    def _find_line_end(self, at: int) -> tuple[int, int]:
        """Where the line that an offset is on ends, and where the next one begins."""
        found = BYTES_LINE_END.search(self._text, at)
        return found.span() if found else (len(self._text), len(self._text))

    def _decode(self, raw: bytes) -> str:
        return raw.decode(errors="replace")  # a guess's head may be cut through a character

    def _reject_large_record(self, limit: int) -> None:
        hint = "A quote that is opened and never closed makes one cell of all that follows: close it, or cut the cell."
        raise build_oversize_error(
            f"Line {self.line:,}", "the row that begins there", limit - self.at + 1, line=self.line, hint=hint
        )


def reject_malformed_header(record: TextRecord, line: int) -> None:
    """Raise :class:`ReadError` where the quoting of a header is malformed: no row can be read by it."""
    if record.malformed != WELL_FORMED:
        raise ReadError(
            f"Line {line:,}, which should be the header: {record.reason}. A quoted cell ends with a quote, and a quote"
            " inside it is written twice. Correct it, or say that nothing is quoted.",
            line=line,
        )
