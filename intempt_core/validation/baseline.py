"""Two checks compared: what a file's check found that an earlier one did not, and what of its columns changed.

What ``check --format json`` prints holds what is needed for it under ``baseline``: which rows fail by code, and what
the cells of each column are. A console keeps the same for the last files of each shape (:class:`CheckMemory`).
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from intempt_core.arrays import Int64Array
from intempt_core.contract import Severity, format_count, shorten_value
from intempt_core.errors import ReadError
from intempt_core.mapping import describe_columns, replace_file
from intempt_core.readers import Table
from intempt_core.validation.report import Report

BASELINE_VERSION = 1
"""The form of what ``check`` writes for a later one."""

DOCUMENT_ROW = 0
"""The row of what is wrong with a file and belongs to none of its rows."""

_MAX_BYTES, _MAX_ROWS = 500_000_000, 100_000_000
_RANGES = re.compile(r"[0-9]{1,12}(?:-[0-9]{1,12})?(?:,[0-9]{1,12}(?:-[0-9]{1,12})?)*")
_ROWS_NAMED, _COLUMNS_NAMED = 10, 10
_AGAIN = "Write it again: check FILE --format json > LAST.json."


@dataclass(frozen=True, eq=False)
class Baseline:
    """What a check found, as a later one is compared with it.

    Attributes:
        file: The file's name.
        rows: How many rows it had.
        columns: Header → what its cells were; empty for a file without columns.
        failing: Code → its rows (from 1, sorted; :data:`DOCUMENT_ROW` for the file itself).
    """

    file: str
    rows: int
    columns: Mapping[str, str]
    failing: Mapping[str, Int64Array]

    @classmethod
    def of(cls, name: str, table: Table | None, report: Report) -> "Baseline":
        """What a check of a file called ``name`` found now; ``table`` has its columns, if it has any."""
        codes = [*report.counts, *report.rule_counts]
        as_read = table.origin.table if table is not None and table.origin is not None else table
        columns = {} if as_read is None else describe_columns(as_read)
        return cls(name, report.rows, columns, {code: _find_rows(report, code, table) for code in codes})

    def to_json(self) -> dict[str, Any]:
        """The value of ``baseline`` in what ``check`` prints. Any: JSON."""
        failing = {code: format_ranges(rows) for code, rows in self.failing.items()}
        return {"version": BASELINE_VERSION, "file": self.file, "columns": dict(self.columns), "failing": failing}


@dataclass(frozen=True, eq=False)
class CheckComparison:
    """What changed from one check to the next.

    Attributes:
        before: The earlier one.
        now: The later one.
        new: Code → the rows that fail only now.
        fixed: Code → the rows that failed only then.
        still: Code → the rows that fail in both.
    """

    before: Baseline
    now: Baseline
    new: Mapping[str, Int64Array]
    fixed: Mapping[str, Int64Array]
    still: Mapping[str, Int64Array]

    @classmethod
    def of(cls, before: Baseline, now: Baseline) -> "CheckComparison":
        """Compare two checks. Raises :class:`ReadError` where they are of two files that have little in common."""
        _check_same_file(before, now)
        nothing = np.empty(0, np.int64)
        codes = dict.fromkeys((*now.failing, *before.failing))
        pairs = {code: (before.failing.get(code, nothing), now.failing.get(code, nothing)) for code in codes}
        return cls(
            before,
            now,
            _keep_filled({code: np.setdiff1d(later, earlier) for code, (earlier, later) in pairs.items()}),
            _keep_filled({code: np.setdiff1d(earlier, later) for code, (earlier, later) in pairs.items()}),
            _keep_filled({code: np.intersect1d(earlier, later) for code, (earlier, later) in pairs.items()}),
        )

    @property
    def came(self) -> dict[str, str]:
        """The columns that are there only now, and what their cells are."""
        return {column: kind for column, kind in self.now.columns.items() if column not in self.before.columns}

    @property
    def went(self) -> dict[str, str]:
        """The columns that were there only then, and what their cells were."""
        return {column: kind for column, kind in self.before.columns.items() if column not in self.now.columns}

    @property
    def changed(self) -> dict[str, tuple[str, str]]:
        """The columns whose cells were something else then: (then, now)."""
        both = {column: (kind, self.now.columns.get(column, kind)) for column, kind in self.before.columns.items()}
        return {column: kinds for column, kinds in both.items() if kinds[0] != kinds[1]}

    def has_new_errors(self, report: Report) -> bool:
        """Whether anything is new that excludes a row; new warnings are said and are no error."""
        return any(report.kind_of(code).severity is Severity.ERROR for code in self.new)

    def to_json(self) -> dict[str, Any]:
        """The value of ``compared`` in what ``check`` prints. Any: JSON."""
        parts = {"new": self.new, "fixed": self.fixed, "still": self.still}
        return {
            "file": self.before.file,
            "rows": self.before.rows,
            **{name: {code: format_ranges(rows) for code, rows in found.items()} for name, found in parts.items()},
            "columns": {
                "came": self.came,
                "went": self.went,
                "changed": {column: {"then": then, "now": now} for column, (then, now) in self.changed.items()},
            },
        }

    def describe(self) -> Iterator[str]:
        """What changed, line by line."""
        for found, what in ((self.new, "new"), (self.fixed, "fixed"), (self.still, "still failing")):
            for code, rows in found.items():
                yield f"{what}: {code} in {_name_rows(rows)}"
        yield from self._describe_columns()
        if self.before.rows != self.now.rows:
            yield (
                f"{format_count(self.before.rows, 'row')} then, {self.now.rows:,} now. Rows are compared by their"
                " number: what was put in or taken out before others makes those new."
            )
        counts = (sum(rows.size for rows in found.values()) for found in (self.new, self.fixed, self.still))
        new, fixed, still = counts
        yield f"Since {self.before.file} was checked: {new:,} new, {fixed:,} fixed, {still:,} still failing."

    def _describe_columns(self) -> Iterator[str]:
        for found, what in ((self.came, "came"), (self.went, "went")):
            if found:
                some = [f"“{shorten_value(column)}” ({kind})" for column, kind in found.items()]
                more = f" and {len(some) - _COLUMNS_NAMED:,} more" if len(some) > _COLUMNS_NAMED else ""
                yield f"{format_count(len(some), 'column')} {what}: {', '.join(some[:_COLUMNS_NAMED])}{more}"
        for column, (then, now) in list(self.changed.items())[:_COLUMNS_NAMED]:
            yield f"column “{shorten_value(column)}” was {then} and is {now}"


def read_baseline(path: Path) -> Baseline:
    """Read what an earlier ``check --format json`` printed. Raises :class:`ReadError` where it is none."""
    given = _read_document(path)
    if "baseline" not in given:
        if "results" in given or not {"rows", "counts"} <= given.keys():
            raise ReadError(f"{path} is JSON, but not what “check --format json” prints. {_AGAIN}")
        raise ReadError(
            f"{path} was printed by an earlier version, which did not say which rows fail and what the columns hold."
            f" {_AGAIN}"
        )
    return parse_baseline(given, str(path))


def parse_baseline(given: Mapping[str, Any], path: str) -> Baseline:
    """A check from what ``check --format json`` prints. Raises :class:`ReadError`, which calls it ``path``."""
    kept = given["baseline"]
    version = kept.get("version") if isinstance(kept, dict) else None
    if isinstance(version, int) and version > BASELINE_VERSION:
        raise ReadError(f"{path} was printed by a later version (form {version}; this one reads {BASELINE_VERSION}).")
    try:
        failing = {code: parse_ranges(text) for code, text in kept["failing"].items()}
        columns = {str(column): str(kind) for column, kind in kept["columns"].items()}
        return Baseline(str(kept["file"]), int(given["rows"]), columns, failing)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(f"{path} was changed since “check --format json” printed it. {_AGAIN}") from error


def _read_document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ReadError(f"{path} has {path.stat().st_size:,} bytes: it is not what “check --format json” prints.")
        data = path.read_bytes()
    except OSError as error:
        raise ReadError(f"The baseline {path} cannot be read: {error.strerror or error}.") from error
    if not data.strip():
        raise ReadError(
            f"{path} is empty. A shell empties the file that it writes to before the command starts: print to another"
            " file, and rename it afterwards."
        )
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        given = json.loads(data.decode(encoding))  # PowerShell writes UTF-16
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{path} is no JSON, so it is not what “check --format json” prints. {_AGAIN}") from error
    if not isinstance(given, dict):
        raise ReadError(f"{path} is JSON, but not what “check --format json” prints. {_AGAIN}")
    return given


def format_ranges(rows: Int64Array) -> str:
    """Row numbers as a text: ``3-7,9``."""
    if not rows.size:
        return ""
    ends = np.flatnonzero(np.diff(rows) > 1)
    firsts, lasts = rows[np.append(0, ends + 1)].tolist(), rows[np.append(ends, rows.size - 1)].tolist()
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in zip(firsts, lasts, strict=True)
    )


def parse_ranges(text: str) -> Int64Array:
    """The row numbers of a text. Raises :class:`ValueError` where it is none, or names more than a file can have."""
    if not text:
        return np.empty(0, np.int64)
    if not _RANGES.fullmatch(text):
        raise ValueError(text[:80])
    parts = [part.partition("-") for part in text.split(",")]
    bounds = [(int(first), int(last or first)) for first, _, last in parts]
    if sum(last - first + 1 for first, last in bounds) > _MAX_ROWS or any(last < first for first, last in bounds):
        raise ValueError(text[:80])
    return np.unique(np.concatenate([np.arange(first, last + 1) for first, last in bounds]))


def _find_rows(report: Report, code: str, table: Table | None) -> Int64Array:
    """The rows of the file (from 1) that show a code; of a row that became several events, any of them."""
    of_file = any(issue.code == code for issue in report.document_issues)
    found = report.rows_of(code)
    rows = found + 1 if table is None else np.unique(np.asarray(table.row_numbers(found), np.int64))
    return np.append(DOCUMENT_ROW, rows) if of_file else rows


def _keep_filled(found: dict[str, Int64Array]) -> dict[str, Int64Array]:
    return {code: rows for code, rows in found.items() if rows.size}


def _name_rows(rows: Int64Array) -> str:
    of_rows = rows[rows != DOCUMENT_ROW]
    if not of_rows.size:
        return "the file itself"
    ranges = format_ranges(of_rows).split(",")
    more = f" and {len(ranges) - _ROWS_NAMED:,} more places" if len(ranges) > _ROWS_NAMED else ""
    return f"{format_count(of_rows.size, 'row')}: {', '.join(ranges[:_ROWS_NAMED])}{more}"


def _check_same_file(before: Baseline, now: Baseline) -> None:
    """Raise :class:`ReadError` where the files have two names and share less than half of their columns."""
    if before.file == now.file:
        return
    both = before.columns.keys() & now.columns.keys()
    if not both or 2 * len(both) < max(len(before.columns), len(now.columns)):
        raise ReadError(
            f"The baseline is of another file, “{before.file}”: it shares {len(both):,} of"
            f" {format_count(max(len(before.columns), len(now.columns)), 'column')} with {now.file}. Name the report of"
            " an earlier check of this file, or of one of its shape."
        )


# ── what a console remembers ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RememberedCheck:
    """An earlier check of a file.

    Attributes:
        digest: The SHA-256 of the file.
        at: When it was checked, in epoch milliseconds.
        baseline: What was found.
    """

    digest: str
    at: int
    baseline: Baseline


class CheckDocuments(Protocol):
    """What keeps a JSON document for each shape: a folder, or a database that several consoles share.

    What cannot be read is as if it were not there, and what cannot be written is not kept.
    """

    def read(self, shape: str) -> str:
        """The document of a shape; empty where there is none."""

    def write(self, shape: str, document: str) -> None:
        """Keep the document of a shape."""


class CheckFolder:
    """The documents of one folder, a file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, shape: str) -> str:
        """The document of a shape; empty where there is none."""
        try:
            return (self._folder / f"{shape}.json").read_text("utf-8")
        except (OSError, ValueError):
            return ""

    def write(self, shape: str, document: str) -> None:
        """Keep the document of a shape."""
        with suppress(OSError), replace_file(self._folder / f"{shape}.json") as part:
            part.write_text(document, "utf-8")


class CheckMemory:
    """The last checks of files of each shape, that is of the same columns.

    Two are kept of each shape, so that the file that is looked at now has one before it.
    """

    def __init__(self, documents: CheckDocuments) -> None:
        self._documents = documents

    def remember(self, digest: str, at: int, found: Baseline) -> RememberedCheck | None:
        """Keep a check, and give the last one of another file of its shape; ``None`` where there is none.

        A document that cannot be read counts as none, and one that cannot be written is not kept: comparing is a
        convenience, and a check is not to fail for it.
        """
        shape = _hash_shape(found.columns)
        kept = [one for one in self._read(shape) if one.digest != digest]
        document = [_dump_check(one) for one in (*kept[-1:], RememberedCheck(digest, at, found))]
        self._documents.write(shape, json.dumps(document))
        return kept[-1] if kept else None

    def _read(self, shape: str) -> list[RememberedCheck]:
        try:
            given = json.loads(self._documents.read(shape))
            return [RememberedCheck(str(one["digest"]), int(one["at"]), parse_baseline(one, shape)) for one in given]
        except (ValueError, KeyError, TypeError, ReadError):
            return []


def _dump_check(check: RememberedCheck) -> dict[str, Any]:
    found = check.baseline
    return {"digest": check.digest, "at": check.at, "rows": found.rows, "baseline": found.to_json()}


def _hash_shape(columns: Iterable[str]) -> str:
    return sha256("\0".join(columns).encode("utf-8", "surrogatepass")).hexdigest()[:32]
