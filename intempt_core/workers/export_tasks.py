"""The files that are made of a checked file: its problems, rows that are not sent, the fixed table, what it expected.

A file is written to disk as it is made, and read from there in pieces.
"""

import codecs
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, BinaryIO, cast

from intempt_core.errors import ReadError
from intempt_core.exports import (
    export_event_lines,
    export_excluded_csv,
    export_expectations_json,
    export_expectations_junit,
    export_fixed_csv,
    export_problems_csv,
    write_problems_xlsx,
)
from intempt_core.mapping import MappedDocuments
from intempt_core.readers import MappedFile
from intempt_core.validation import ExpectationReport
from intempt_core.workers.file_check import FileCheck
from intempt_core.workers.file_tasks import SMALL_LIMITS, CheckedFileTask, FileContext, make_task_key

MAX_WORKBOOK_ROWS = 100_001
"""Rows of a workbook of problems that a screen offers; ``check --problems`` fills a whole sheet."""

_PIECE_BYTES = 1 << 20


class ExportKind(StrEnum):
    """What is exported of a checked file."""

    PROBLEMS_CSV = "problems.csv"
    PROBLEMS_XLSX = "problems.xlsx"
    EXCLUDED_ROWS = "excluded rows"
    """In the format of the file: a table, or JSON lines."""
    FIXED_CSV = "fixed.csv"
    EXPECTATIONS_JSON = "tests.json"
    EXPECTATIONS_JUNIT = "tests.xml"


@dataclass(frozen=True)
class ExportedFile:
    """A file that was made.

    Attributes:
        content: Its bytes, or where they lie on disk.
    """

    content: bytes | MappedFile

    def read(self) -> bytes:
        """All of it."""
        return bytes(self.content)

    def iter_texts(self) -> Iterator[str]:
        """Its text in pieces."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        for start in range(0, len(self.content), _PIECE_BYTES):
            yield decoder.decode(self.content[start : start + _PIECE_BYTES])
            if isinstance(self.content, MappedFile):
                self.content.release()


@dataclass(frozen=True)
class ExportFile(CheckedFileTask):
    """Export something of a checked file.

    Attributes:
        kind: What is exported.
        everything: Of excluded rows: whether rows with errors are sent too, and so are none of them.
        exclude_accepted: Of excluded rows: whether those are among them whose event was sent before.
        good_members: Of excluded rows: whether of rows with errors the events without are sent.
        exclude_codes: Of excluded rows: the codes of warnings whose rows are among them.
    """

    kind: ExportKind
    everything: bool = False
    exclude_accepted: bool = False
    good_members: bool = False
    exclude_codes: tuple[str, ...] = ()
    verb = "exported"

    @cached_property
    def key(self) -> str:
        """By the checked file and what is exported."""
        choices = self.everything, self.exclude_accepted, self.good_members, self.exclude_codes
        return make_task_key("export", self.checked.key, self.kind.value, *choices)

    def run(self, context: FileContext, given: Sequence[Any]) -> ExportedFile:
        """The file. Raises :class:`ReadError` where there are no expectations to export."""
        checked: FileCheck = given[0]
        with tempfile.TemporaryFile() as out:
            if self.kind is ExportKind.PROBLEMS_XLSX:
                write_problems_xlsx(checked.mapped, checked.report, cast("BinaryIO", out), max_rows=MAX_WORKBOOK_ROWS)
            else:
                out.writelines(piece.encode() for piece in self._iter_pieces(checked))
            if out.tell() and context.limits is not SMALL_LIMITS:
                return ExportedFile(MappedFile.from_file(out))
            out.seek(0)
            return ExportedFile(out.read())

    def _iter_pieces(self, checked: FileCheck) -> Iterable[str]:
        match self.kind:
            case ExportKind.PROBLEMS_CSV:
                return export_problems_csv(checked.report)
            case ExportKind.FIXED_CSV:
                return export_fixed_csv(checked.mapped)
            case ExportKind.EXPECTATIONS_JSON:
                return export_expectations_json(_require_expectations(checked))
            case ExportKind.EXPECTATIONS_JUNIT:
                return export_expectations_junit(_require_expectations(checked), checked.report)
            case _:
                rows = checked.excluded_rows(
                    everything=self.everything,
                    exclude_accepted=self.exclude_accepted,
                    good_members=self.good_members,
                    exclude_codes=self.exclude_codes,
                )
                if isinstance(checked.mapped, MappedDocuments):
                    return export_event_lines(checked.mapped, rows.tolist())
                return export_excluded_csv(checked.mapped.table, checked.report, rows.tolist())


def _require_expectations(checked: FileCheck) -> ExpectationReport:
    if isinstance(checked.expectations, str):
        raise ReadError(checked.expectations)
    return checked.expectations
