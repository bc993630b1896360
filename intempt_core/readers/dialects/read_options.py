"""What a person says of how a file is read: on a screen, on the command line, or in a mapping file as ``read``."""

import re
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches

from intempt_core.contract import Json, shorten_value
from intempt_core.errors import MappingError

HIDDEN_ROWS_CHOICES = ("include", "exclude")
"""What may become of rows of a sheet that are hidden or filtered away; the first is the default."""

MERGED_CELLS_CHOICES = ("leave", "fill")
"""What may become of merged cells: only the first has the value, or all have; the first is the default."""

DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""The delimiters that are recognised by themselves, with their names."""

_CHOICES = {"hidden_rows": HIDDEN_ROWS_CHOICES, "merged_cells": MERGED_CELLS_CHOICES}
_NUMBERS = {"header_line": 1, "rows_to_skip": 0}
_MOST_ROWS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a person wants a file to be read; each that is ``None`` is recognised, or what is usual.

    Which of these a file's format uses says its record in ``formats.py``.

    Attributes:
        sheet: The sheet of a workbook.
        header_line: The line of the header, from 1; without a header that of the first row.
        no_header: Whether the file has no header, so that its columns are called by their number.
        rows_to_skip: How many rows after the header are not read.
        delimiter: The character between cells.
        quote: The character around a cell; empty where nothing is quoted.
        encoding: Python's name of the encoding.
        hidden_rows: One of :data:`HIDDEN_ROWS_CHOICES`.
        merged_cells: One of :data:`MERGED_CELLS_CHOICES`.
    """

    sheet: str | None = None
    header_line: int | None = None
    no_header: bool | None = None
    rows_to_skip: int | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    hidden_rows: str | None = None
    merged_cells: str | None = None

    @classmethod
    def from_json(cls, given: Json) -> "ReadOptions":
        """The value of ``read`` in a mapping file. Raises :class:`MappingError` with a sentence where it is none."""
        if not isinstance(given, dict):
            raise MappingError('“read” of the mapping is not an object such as {"header_line": 6, "delimiter": ";"}.')
        found: dict[str, Json] = {}
        for key, value in given.items():
            name = key.replace("-", "_")
            if name not in cls.__slots__:
                raise MappingError(f"“read” of the mapping has a key “{shorten_value(key)}”. {_suggest_key(name)}")
            found[name] = _check_option(name, value)
        return replace(cls(), **found)

    def to_json(self) -> dict[str, Json]:
        """The value of ``read`` in a mapping file; empty where nothing is said."""
        return {option.name: value for option in fields(self) if (value := getattr(self, option.name)) is not None}

    def over(self, other: "ReadOptions") -> "ReadOptions":
        """These options, and those of another where these say nothing."""
        return replace(other, **self.to_json())

    @property
    def is_header_known(self) -> bool:
        """Whether a person said where the header is, or that there is one."""
        return self.no_header is False or (self.header_line is not None and not self.no_header)


def parse_delimiter(text: str) -> str:
    """The delimiter that is meant by its name, such as ``tab``, or by itself."""
    by_name = {name: delimiter for delimiter, name in DELIMITER_NAMES.items()}
    return by_name.get(text.lower(), "\t" if text == "\\t" else text)


def _check_option(name: str, value: Json) -> Json:
    where = f"“{name}” in “read” of the mapping"
    if name in _NUMBERS:
        if type(value) is not int or not _NUMBERS[name] <= value <= _MOST_ROWS:
            raise MappingError(f"{where} is {_show(value)}. It is a whole number, {_NUMBERS[name]} or more.")
        return value
    if name == "no_header":
        if type(value) is not bool:
            raise MappingError(f"{where} is {_show(value)}. It is true or false.")
        return value
    if not isinstance(value, str):
        raise MappingError(f"{where} is {_show(value)}. It is a text.")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise MappingError(f"{where} is {_show(value)}. It is one of {', '.join(_CHOICES[name])}.")
    return parse_delimiter(value) if name == "delimiter" else value


def _show(value: Json) -> str:
    return f"“{shorten_value(str(value))}”"


def _suggest_key(given: str) -> str:
    known = ReadOptions.__slots__
    near = get_close_matches(re.sub(r"[^a-z_]", "", given.lower())[:60], known, n=1)
    return f"Did you mean “{near[0]}”?" if near else f"It takes {', '.join(f'“{name}”' for name in known)}."
