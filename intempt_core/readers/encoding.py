"""A file's bytes as they were at one moment, and the encoding of those that are text."""

import codecs
import os
import re
import stat
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from intempt_core.contract import shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.delimited import BLOCK_BYTES, UTF8_BOM
from intempt_core.readers.dialects.read_options import DELIMITER_NAMES
from intempt_core.readers.dialects.records import BYTES_LINE_END
from intempt_core.readers.formats import describe_formats
from intempt_core.readers.mapped_file import FileBytes, MappedFile, release_pages, require_disk_space

SAMPLE_BYTES = 65_536
"""Bytes at the beginning of a text by which its dialect is guessed."""

MAX_CONTROL_SHARE = 0.1
"""Of the characters of a text no more than this share are controls, which no text has but by a wrong encoding."""

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read_file_bytes(data: bytes | Path | MappedFile, name: str, memory_limit: int) -> FileBytes:
    """A file's bytes as they were at one moment; those of a file of ``memory_limit`` bytes or more lie on disk.

    Raises :class:`ReadError` where the file cannot be read, or changes meanwhile.
    """
    if not isinstance(data, Path):
        return data
    try:
        with data.open("rb") as file:
            before = os.fstat(file.fileno())
            raw = MappedFile.copy_large_file(file, memory_limit) or file.read()
            after = os.fstat(file.fileno())
    except OSError as error:
        raise ReadError(
            f"{name} cannot be read: {error.strerror or error}. See that it exists and may be read."
        ) from error
    states = {(state.st_size, state.st_mtime_ns) for state in (before, after)}
    if stat.S_ISREG(after.st_mode) and (len(states) > 1 or len(raw) != after.st_size):
        raise ReadError(
            f"{name} changed while it was read, so that what was read is neither its old nor its new content. Wait"
            " until it is written, then take it again."
        )
    return raw


def reject_empty_file(raw: FileBytes, name: str) -> None:
    """Raise :class:`ReadError` for no bytes at all."""
    if not raw:
        raise ReadError(f"{name} is empty. A table has a header line and rows. See that the export was complete.")


def detect_encoding(raw: FileBytes, name: str) -> str:
    """Python's name of a text's encoding.

    Raises :class:`ReadError` where the bytes are no text, or mix encodings.
    """
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = raw[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 20 > len(head) and not min(even, odd):  # every second byte of a latin letter is a zero
        wide = "utf-16-le" if odd else "utf-16-be"
        if re.search(rf"[\r\n{''.join(DELIMITER_NAMES)}]", head.decode(wide, errors="ignore")):
            return wide
    bad = _find_invalid_utf8(raw)
    if bad is None:
        return "utf-8"
    line = find_line_number(raw, bad)
    if _CONTROL_BYTES.search(head):
        raise ReadError(
            f"{name} is no text: line {line:,} holds bytes of no text. {describe_formats()} Export the table as CSV.",
            line=line,
        )
    near = raw[max(0, bad - SAMPLE_BYTES) : bad + SAMPLE_BYTES].decode(errors="replace")
    wrong = near.count("\ufffd")
    good = sum(character > "\x7f" for character in near) - wrong
    if good and good >= wrong:
        raise ReadError(
            f"{name}, line {line:,} holds a byte that is not UTF-8, while others are UTF-8: it mixes encodings, or was "
            "cut. Save the file as UTF-8, or name the encoding that it has.",
            line=line,
        )
    try:
        for at in range(0, len(raw), BLOCK_BYTES):
            raw[at : at + BLOCK_BYTES].decode("cp1252")
            release_pages(raw)
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def reject_other_encoding(raw: FileBytes, encoding: str, name: str) -> None:
    """Raise :class:`ReadError` where a person named an encoding that the bytes certainly do not have.

    Read as another one of two bytes a character, bytes of text are nearly all some character: one long line without a
    delimiter, and no row. Read with another width, or as EBCDIC, delimiters, digits and line ends become controls. A
    byte order mark says what a text is.
    """
    try:
        seems = detect_encoding(raw, name)
        named = codecs.lookup(encoding).name
        if named == codecs.lookup(seems).name:
            return
        problem = _find_encoding_problem(raw, named, seems)
    except (LookupError, ValueError, ReadError):  # what is wrong is said where the text is converted
        return
    if problem:
        raise ReadError(
            f"{name} cannot be read as {encoding}: {problem}. It seems to be {seems}. Name that encoding, or none."
        )


def _find_encoding_problem(raw: FileBytes, named: str, seems: str) -> str:
    """Why a text is certainly not of a named encoding but of the one that it seems to be; empty where it may be."""
    if named.startswith(("utf-16", "utf-32")) and not _has_ascii(raw, named) and _has_ascii(raw, seems):
        return "it would be one line without a delimiter"
    if raw.startswith(UTF8_BOM) and seems == "utf-8" and not named.startswith("utf"):
        return "it begins with the byte order mark of UTF-8"
    share = _measure_controls(raw, named)
    is_wide = seems.startswith(("utf-16", "utf-32"))
    if (share > MAX_CONTROL_SHARE or (is_wide and share)) and not _measure_controls(raw, seems):
        return f"{share:.0%} of its characters would be controls, such as NUL"
    return ""


def _measure_controls(raw: FileBytes, encoding: str) -> float:
    """The share of controls among the first characters of a text."""
    text = raw[:4096].decode(encoding, errors="ignore")
    return len(_CONTROLS.findall(text)) / max(1, len(text))


def describe_named_encoding(raw: FileBytes, encoding: str) -> str:
    """A note on a text that is UTF-8 by its bytes, while a person named another encoding; empty where it is not."""
    try:
        is_utf8 = codecs.lookup(encoding).name.startswith("utf")
    except (LookupError, ValueError):  # said where the text is converted
        return ""
    if is_utf8 or raw.isascii() or _find_invalid_utf8(raw) is not None:
        return ""
    return f"By its bytes the file is UTF-8, though {encoding} was named: if letters look wrong, name utf-8, or none."


def _has_ascii(raw: FileBytes, encoding: str) -> bool:
    """Whether a text begins with a part in which any character is ASCII, as delimiters and line ends are."""
    return any(character.isascii() for character in raw[:4096].decode(encoding, errors="ignore"))


def _find_invalid_utf8(raw: FileBytes) -> int | None:
    """Where the bytes stop being UTF-8; ``None`` where they never do. A piece at a time, so that memory stays flat."""
    if raw.isascii():
        return None
    if _is_valid_utf8(raw):
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for at in range(0, len(raw), BLOCK_BYTES):
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(raw[at : at + BLOCK_BYTES], final=at + BLOCK_BYTES >= len(raw))
        except UnicodeDecodeError as error:
            return at - waiting + error.start
        release_pages(raw)
    return None


def _is_valid_utf8(raw: FileBytes) -> bool:
    """Whether bytes are UTF-8, as Arrow finds; it makes no text of them, and so is quicker than a decoder."""
    at, view = 0, pa.py_buffer(raw)
    while at < len(raw):
        end = min(at + BLOCK_BYTES, len(raw))
        while at < end < len(raw) and raw[end] & 0xC0 == 0x80:  # a block ends where a character does
            end -= 1
        if end == at:  # no character is as long
            return False
        bounds = pa.py_buffer(np.array([0, end - at], np.int64))
        text = pa.Array.from_buffers(pa.large_string(), 1, [None, bounds, view.slice(at, end - at)])
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            return False
        at = end
        release_pages(raw)
    return True


def convert_to_utf8(raw: FileBytes, encoding: str, name: str) -> FileBytes:
    """A text in UTF-8 without a byte order mark; the very same bytes where they are that already.

    That of a file on disk lies on disk too. Raises :class:`ReadError` where the bytes are not of the encoding, or there
    is none of that name.
    """
    try:
        if codecs.lookup(encoding).name in {"utf-8", "utf-8-sig", "ascii"}:
            bad = _find_invalid_utf8(raw)
            if bad is not None:
                raise UnicodeDecodeError("utf-8", b"", bad, bad + 1, "not UTF-8")
            if isinstance(raw, bytes):
                return raw.removeprefix(UTF8_BOM)
            return _convert_on_disk(raw, "utf-8", name) if raw.startswith(UTF8_BOM) else raw
        if isinstance(raw, MappedFile):
            b"".decode(encoding)  # it makes text, as not every codec does
            return _convert_on_disk(raw, encoding, name)
        return raw.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeDecodeError as error:
        line = find_line_number(raw, error.start)
        raise ReadError(
            f"{name}, line {line:,} cannot be read as {encoding}. Every byte must belong to a character. "
            "Name the encoding that the file has, or save it as UTF-8.",
            line=line,
        ) from error
    except (LookupError, ValueError) as error:  # no such encoding, or one that makes no text
        raise ReadError(
            f"{name} cannot be read as “{shorten_value(encoding)}”. Encodings are utf-8, utf-16, cp1252 and others that"
            " Python knows. Choose one of them."
        ) from error


def _convert_on_disk(raw: MappedFile, encoding: str, name: str) -> FileBytes:
    """The text of a file on disk in UTF-8 without a byte order mark, in another file; a piece of it at a time."""
    decoder = codecs.getincrementaldecoder(encoding)()
    begun = False
    try:
        with tempfile.TemporaryFile() as own:
            for at in range(0, len(raw), BLOCK_BYTES):
                waiting = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(raw[at : at + BLOCK_BYTES], final=at + BLOCK_BYTES >= len(raw))
                except UnicodeDecodeError as error:
                    start = at - waiting + error.start
                    raise UnicodeDecodeError(encoding, b"", start, start + 1, error.reason) from None
                piece = (text if begun else text.removeprefix("\ufeff")).encode()
                begun = begun or bool(text)
                require_disk_space(own, len(piece))
                own.write(piece)
                release_pages(raw)
            return MappedFile.from_file(own) if own.tell() else b""
    except OSError as error:
        raise ReadError(
            f"{name} is large, and there is no space on the disk for its text in UTF-8: {error.strerror or error}. Free"
            " some space, then take it again."
        ) from error


def find_line_number(raw: FileBytes, at: int) -> int:
    """The line (from 1) that a byte is on."""
    return 1 + sum(1 for _ in BYTES_LINE_END.finditer(raw, 0, at))
