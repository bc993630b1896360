"""A list in JSON as lines of JSON, one for each of its items, so that a list of any size is read as lines are.

The text keeps its length: the commas between items become line ends, and line ends between values become spaces. A line
end inside a text, which JSON does not allow, stays, so that what is wrong there is said of its item.
"""

import re
import tempfile
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from intempt_core.readers.mapped_file import FileBytes, MappedFile, require_disk_space

CHUNK_BYTES = 4_000_000
"""Bytes that are looked at together."""

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_QUOTE, _COMMA, _LINE_END, _RETURN, _SPACE, _ESCAPE_BYTE = (ord(char) for char in '",\n\r \\')
_STEPS = np.zeros(256, dtype=np.int32)
_STEPS[[ord(char) for char in "[{"]], _STEPS[[ord(char) for char in "]}"]] = 1, -1


def convert_list_to_lines(text: FileBytes, *, on_disk: bool) -> FileBytes:
    """The items of a list, a line each, in as many bytes as the list has; ``on_disk`` in a temporary file."""
    if not on_disk:
        return b"".join(_iterate_lines(text))
    with tempfile.TemporaryFile() as own:
        require_disk_space(own, len(text))
        own.writelines(_iterate_lines(text))
        own.flush()
        return MappedFile.from_file(own)


def _iterate_lines(text: FileBytes) -> Iterator[bytes]:
    """The parts of the text of lines; each is looked at with what the parts before it have opened."""
    start = is_inside = depth = 0
    close = _find_last_character(text)
    while start < len(text):
        end = min(start + CHUNK_BYTES, len(text))
        while end < len(text) and text[end - 1] == _ESCAPE_BYTE:
            end += 1  # an escape is not cut in two
        part = bytes(text[start:end])
        codes = np.frombuffer(part, dtype=np.uint8).copy()
        inside = (np.cumsum(_find_quotes(part, codes), dtype=np.int32) + is_inside) & 1
        outside = inside == 0  # a closing quote counts as outside, which changes nothing
        steps = np.where(outside, _STEPS[codes], 0)
        depths = np.cumsum(steps, dtype=np.int32) + depth
        codes[outside & ((codes == _LINE_END) | (codes == _RETURN))] = _SPACE
        codes[outside & (codes == _COMMA) & (depths == 1)] = _LINE_END
        codes[(steps == 1) & (depths == 1)] = _SPACE
        codes[(steps == -1) & (depths == 0)] = _LINE_END  # what follows the list is a line of its own
        if start <= close < end and depths[close - start] == 0 and codes[close - start] == _LINE_END:
            codes[close - start] = _SPACE
        yield codes.tobytes()
        start, is_inside, depth = end, int(inside[-1]), int(depths[-1])


def _find_last_character(text: FileBytes) -> int:
    """Where the last character is that is no white space."""
    at = len(text) - 1
    while at > 0 and text[at] in b" \t\r\n":
        at -= 1
    return at


def _find_quotes(part: bytes, codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which bytes begin or end a text: quotes that are not escaped."""
    quotes: NDArray[np.bool_] = codes == _QUOTE
    if b"\\" in part:
        quotes[[found.start() + 1 for found in _ESCAPE.finditer(part) if found[0] == b'\\"']] = False
    return quotes
