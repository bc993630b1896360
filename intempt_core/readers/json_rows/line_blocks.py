"""The lines of a text in blocks, and which of them have what the fast reader of JSON reads otherwise or not at all.

Patterns are searched in all lines of a block together, by Arrow (RE2), at a thirtieth of what a search in each costs.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Mask, view_numbers
from intempt_core.readers.dialects.records import BYTES_LINE_END
from intempt_core.readers.limits import MAX_EVENT_BYTES
from intempt_core.readers.mapped_file import FileBytes

LINE_BLOCK_LINES, LINE_BLOCK_BYTES = 4_096, 4_000_000
"""Lines, and bytes of them, that are looked at together."""

# What orjson reads otherwise than the standard library, or what is an issue: long numbers, exponents, a colon that does
# not follow its key directly (repeated keys are counted by it).
_NEEDS_FULL_PARSE = r'[:\[,\t\n\v\f\r ]-?[0-9.]{16}|[:\[,\t\n\v\f\r ]-?[0-9.]+[eE]|"[\t\n\v\f\r ]+:'

# Numbers that Python writes otherwise: a last zero, a minus zero, a very small one, an exponent, many digits.
# Each pattern begins with what stands before a number: so nearly all bytes are passed over at once. What must not
# follow is written as what may, since RE2 does not look ahead.
_NOT_AS_WRITTEN = (
    r"[:\[,\t\n\v\f\r ](?:-?(?:[0-9.]{16}|[0-9]+(?:\.[0-9]+0(?:[^0-9]|$)|\.000|(?:\.[0-9]+)?[eE]))|-0(?:[^0-9.]|$))"
)

_FULL_PARSE_EXPRESSION, _NOT_AS_WRITTEN_EXPRESSION = (
    re.compile(pattern.encode()) for pattern in (_NEEDS_FULL_PARSE, _NOT_AS_WRITTEN)
)


def needs_full_parse(line: bytes) -> bool:
    """Whether a line has what orjson reads otherwise than the standard library, or what may be an issue."""
    return _FULL_PARSE_EXPRESSION.search(line) is not None


def needs_exact_parse(text: bytes) -> bool:
    """Whether a text has numbers that Python writes otherwise."""
    return _NOT_AS_WRITTEN_EXPRESSION.search(text) is not None


@dataclass(frozen=True, slots=True, eq=False)
class LineBlock:
    """Neighbouring physical lines of a text.

    Attributes:
        first: The number of the first line, from 1.
        starts: The offset in bytes at which each begins.
        ends: The offset at which each ends, without what ends the line.
        full: Whether each :func:`needs_full_parse`.
        exact: Whether each :func:`needs_exact_parse`.
    """

    first: int
    starts: Sequence[int]
    ends: Sequence[int]
    full: Sequence[bool]
    exact: Sequence[bool]

    def __iter__(self) -> Iterator[tuple[int, int, int, bool, bool]]:
        """Number, begin, end, and both needs of every line."""
        numbers = range(self.first, self.first + len(self.starts))
        return zip(numbers, self.starts, self.ends, self.full, self.exact, strict=True)


def iterate_lines(text: FileBytes) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of every physical line."""
    line, at = 0, 0
    for line, ended in enumerate(BYTES_LINE_END.finditer(text), 1):
        yield line, at, ended.start()
        at = ended.end()
    if at < len(text):
        yield line + 1, at, len(text)


def iterate_line_blocks(text: FileBytes) -> Iterator[LineBlock]:
    """All lines in blocks; one that is too large for any event is a block by itself, in which nothing is searched."""
    first, starts, ends = 1, list[int](), list[int]()
    for line, start, end in iterate_lines(text):
        is_oversize = end - start > MAX_EVENT_BYTES
        if starts and (is_oversize or len(starts) == LINE_BLOCK_LINES or end - starts[0] > LINE_BLOCK_BYTES):
            yield _build_block(text, first, starts, ends)
            first, starts, ends = line, [], []
        if is_oversize:
            yield LineBlock(line, [start], [end], [True], [True])
            first = line + 1
        else:
            starts.append(start)
            ends.append(end)
    if starts:
        yield _build_block(text, first, starts, ends)


def _build_block(text: FileBytes, first: int, starts: Sequence[int], ends: Sequence[int]) -> LineBlock:
    """A block with the needs of its lines. A line is searched with what ends it: no pattern begins there."""
    offsets = np.array([*starts, ends[-1]], np.int64)
    lines = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    full, exact = (_match_lines(lines, pattern) for pattern in (_NEEDS_FULL_PARSE, _NOT_AS_WRITTEN))
    return LineBlock(first, starts, ends, full.tolist(), exact.tolist())


def _match_lines(lines: pa.Array, pattern: str) -> Mask:
    found: Mask = view_numbers(pc.match_substring_regex(lines, pattern))
    return found
