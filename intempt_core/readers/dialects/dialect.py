"""How a file is read, decided: every choice has a value, recognised or given by a person."""

from dataclasses import dataclass, fields

from intempt_core.readers.dialects.read_options import HIDDEN_ROWS_CHOICES, MERGED_CELLS_CHOICES, ReadOptions


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is read: recognised, or given by a person.

    Which of these a file's format uses says its record in ``formats.py``.

    Attributes:
        encoding: Python's name of the encoding.
        delimiter: The character between cells.
        quote: The character around a cell; empty where nothing is quoted.
        header_line: The physical line of the header, from 1; what is above it is not read. In a workbook it is a row of
            the sheet. 0 is to be recognised.
        rows_to_skip: How many rows after the header are not read.
        sheet: The sheet of a workbook that is read; empty for the first visible one.
        no_header: Whether there is no header: the columns are called by their number, and ``header_line`` is the line
            of the first row.
        hidden_rows: What becomes of rows of a sheet that are hidden: one of ``HIDDEN_ROWS_CHOICES``.
        merged_cells: What becomes of merged cells of a sheet: one of ``MERGED_CELLS_CHOICES``.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header_line: int = 1
    rows_to_skip: int = 0
    sheet: str = ""
    no_header: bool = False
    hidden_rows: str = HIDDEN_ROWS_CHOICES[0]
    merged_cells: str = MERGED_CELLS_CHOICES[0]

    def changes_from(self, other: "Dialect") -> ReadOptions:
        """What a person says who wants this dialect in the place of the other."""
        mine = self.as_options()
        changed = {option.name for option in fields(self) if getattr(self, option.name) != getattr(other, option.name)}
        return ReadOptions(**{name: getattr(mine, name) for name in changed})

    def as_options(self) -> ReadOptions:
        """The same as what a person says of it: all of it, but for what is to be recognised."""
        given = {option.name: getattr(self, option.name) for option in fields(self)}
        if not self.header_line:
            given |= {"header_line": None, "no_header": self.no_header or None}
        return ReadOptions(**given | {"sheet": self.sheet or None})
