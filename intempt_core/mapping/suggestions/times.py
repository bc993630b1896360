"""The form in which a column writes its times, found from all rows; cells that are none are counted and named.

Which forms fit is asked of one cell of each shape; whether there are such days and hours is asked of every row, over
whole columns.
"""

import calendar
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask, view_numbers
from intempt_core.contract import EARLIEST_MS, LATEST_MS, shorten_value
from intempt_core.mapping.suggestions.profile import CellShape, ColumnProfile, find_only_shape, make_shapes
from intempt_core.mapping.time_formats import (
    COMMON_TIME_PATTERNS,
    EPOCH_MICROSECONDS,
    EPOCH_NANOSECONDS,
    EPOCH_SECONDS,
    FORMAT_SEPARATOR,
    ISO_ONLY,
    ISO_OR_EPOCH_MS,
    NAMED_TIME_FORMATS,
    SERIAL_DATE,
    compile_time_pattern,
    parse_month,
)
from intempt_core.mapping.values import parse_time

FIT_SHARE = 0.8
"""The share of a column's cells that a form must fit at least."""

_MOST_FORMS, _LEAST_FORM_SHARE = 3, 0.1
"""Forms of one column at the most, and the share of the cells that each of them must fit."""

_OPEN_SHARE = 0.5
"""The share that the form with day and month exchanged must fit, where neither fits all."""

_SHAPES_READ = 200
_FIRST_YEAR, _LAST_YEAR = 2010, 2040
_EXCEPTIONS_NAMED = 2
_UTC = ZoneInfo("UTC")

_DATES = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d %b %y", "%d-%b-%Y", "%d-%b-%y"),
)
_CLOCKS = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S %z")
SEARCHED_PATTERNS = tuple(
    dict.fromkeys(
        (
            *COMMON_TIME_PATTERNS,
            *(f"{date}{sign}{clock}" for date in _DATES for clock in _CLOCKS for sign in (" ", ", ") if clock),
            *_DATES,
        )
    )
)
"""Every pattern that is looked for."""

_ISO = re.compile(
    r" *(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?)?"
)
_EPOCHS = {  # the digits of the numbers that can be sent, and how each becomes milliseconds: times, over, less
    ISO_OR_EPOCH_MS: (re.compile(r" *(?P<epoch>[0-9]{13})(?:\.0+)? *"), (1, 1, 0)),
    EPOCH_SECONDS: (re.compile(r" *(?P<epoch>[0-9]{10})(?:\.[0-9]+)? *"), (1000, 1, 0)),
    EPOCH_MICROSECONDS: (re.compile(r" *(?P<epoch>[0-9]{16})(?:\.[0-9]+)? *"), (1, 1000, 0)),
    EPOCH_NANOSECONDS: (re.compile(r" *(?P<epoch>[0-9]{19})(?:\.[0-9]+)? *"), (1, 1_000_000, 0)),
    SERIAL_DATE: (re.compile(r" *(?P<epoch>[0-9]{5})(?:[.,][0-9]+)? *"), (86_400_000, 1, 2_209_161_600_000)),
}
_LIKE_A_TIME = re.compile(
    r".*(?:20[0-9]{2}.*[0-9]{2}|[0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:20)?[0-9]{2}).*|[0-9]{19}|4[0-9]{4}(?:\.[0-9]+)?|1\.[0-9]+E\+[0-9]{2}",
    re.DOTALL,
)
_UNITS = {EPOCH_SECONDS: "seconds", EPOCH_MICROSECONDS: "microseconds", EPOCH_NANOSECONDS: "nanoseconds"}
_WORD_DIGITS = 8
_PAIR_STEPS = (  # of eight digits in a word: neighbours become one number, four, and one; bits kept, times, over
    (0x0F0F_0F0F_0F0F_0F0F, 10 * (1 << 8) + 1, 8),
    (0x00FF_00FF_00FF_00FF, 100 * (1 << 16) + 1, 16),
    (0x0000_FFFF_0000_FFFF, 10_000 * (1 << 32) + 1, 32),
)
_TO_SECONDS = (EPOCH_SECONDS, SERIAL_DATE)
_DAYS = np.array([0, *(calendar.monthrange(2023, month)[1] for month in range(1, 13))])

_DIRECTIVE, _DIGITS_OR_LETTERS = re.compile(r"%[A-Za-z]"), re.compile(r"[0-9A-Za-z]+")

Span = tuple[int, int]
"""Where digits begin and end in a cell."""


class Fineness(NamedTuple):
    """How finely a column says when something happened.

    Attributes:
        rank: Higher is finer.
        unit: What it says to.
    """

    rank: int
    unit: str


_DAY, _MINUTE, _SECOND = Fineness(0, "day"), Fineness(1, "minute"), Fineness(2, "second")
_FINER = Fineness(3, "fraction of a second")


@dataclass(frozen=True, slots=True)
class TimeFit:
    """How well a form fits the cells of a column.

    Attributes:
        form: The time format of a mapping.
        fitting: How many cells are times of this form, such as there are, of years that can be sent (CONTRACT 2.7).
        exceptions: The first rows (from 0) that have something else.
        fineness: How fine its times are.
        example: A cell that fits.
    """

    form: str
    fitting: int
    exceptions: tuple[int, ...]
    fineness: Fineness
    example: str


class _Layout(NamedTuple):
    """Where the parts of a time are in the cells of one shape.

    Attributes:
        spans: Part → where its digits are.
        month: The month where it is a word; else 0.
        short_year: Whether years have two digits.
        twelve_hours: Whether hours go to 12.
        scale: How a number becomes milliseconds, where the cell is one: times, over, less.
    """

    spans: Mapping[str, Span]
    month: int = 0
    short_year: bool = False
    twelve_hours: bool = False
    scale: tuple[int, int, int] | None = None


def find_time_forms(profile: ColumnProfile) -> list[TimeFit]:
    """Find the forms in which a column's cells are times; none where too few of them are.

    There are several only where it is open which number is the day and which the month.
    """
    shapes = [shape for shape in profile.shapes or () if _may_be_time(shape)][:_SHAPES_READ]
    needed = FIT_SHARE * profile.filled
    if not shapes or sum(shape.count for shape in shapes) < needed:
        return []
    fits = sorted(_fit_forms(profile, _find_layouts(shapes, needed)), key=lambda fit: -fit.fitting)
    if not fits or fits[0].fitting < needed:
        together = _combine_forms(profile, shapes)
        return [together] if together is not None and together.fitting >= needed else []
    best = fits[0]
    least = best.fitting if best.fitting == profile.filled else _OPEN_SHARE * profile.filled
    same = _without_day_and_month(best.form)
    return [fit for fit in fits if fit.fitting >= least and _without_day_and_month(fit.form) == same]


def _find_layouts(shapes: Sequence[CellShape], needed: float) -> dict[str, dict[str, _Layout]]:
    """Form → shape → where the parts of a time are, for the forms that so many cells may be of."""
    layouts: dict[str, dict[str, _Layout]] = {}
    signs = {_find_signs(shape.cell) for shape in shapes}
    for form in (*_EPOCHS, *(form for form in SEARCHED_PATTERNS if _may_fit(form, signs))):
        found = {shape.text: layout for shape in shapes if (layout := _find_layout(form, shape.cell))}
        if found and sum(shape.count for shape in shapes if shape.text in found) >= needed:
            layouts[form] = found
    return layouts


def _combine_forms(profile: ColumnProfile, shapes: Sequence[CellShape]) -> TimeFit | None:
    """The forms that fit a column together, that of the most cells first; ``None`` where they are not several."""
    forms: list[TimeFit] = []
    left = list(shapes)
    while left and len(forms) < _MOST_FORMS:
        layouts = _find_layouts(left, _LEAST_FORM_SHARE * profile.filled)
        best = max(_fit_forms(profile, layouts), key=lambda fit: fit.fitting, default=None)
        if best is None:
            break
        forms.append(best)
        left = [shape for shape in left if shape.text not in layouts[best.form]]
    if len(forms) <= 1:
        return None
    read = {shape.text for shape in shapes} - {shape.text for shape in left}
    others = sorted(shape.row for shape in profile.shapes or () if shape.text not in read)
    form = FORMAT_SEPARATOR.join(fit.form or ISO_ONLY for fit in forms)
    fitting = sum(fit.fitting for fit in forms)
    return TimeFit(form, fitting, tuple(others[:_EXCEPTIONS_NAMED]), forms[0].fineness, forms[0].example)


def has_unread_times(profile: ColumnProfile) -> bool:
    """Whether most cells look like times, of whatever form."""
    like = [shape for shape in profile.shapes or () if _LIKE_A_TIME.fullmatch(shape.cell)]  # of one shape all are alike
    return bool(like) and sum(shape.count for shape in like) >= FIT_SHARE * profile.filled


def describe_form(fit: TimeFit, *, several: bool) -> str:
    """How a column writes its times, in a sentence; empty where they are read as they are."""
    cell = f"“{shorten_value(fit.example)}”"
    if fit.form in _UNITS:
        return f"{cell} and the others look like {_UNITS[fit.form]} since 1970."
    if fit.form == SERIAL_DATE:
        return f"{cell} and the others look like {NAMED_TIME_FORMATS[SERIAL_DATE]}."
    if FORMAT_SEPARATOR in fit.form:
        forms = fit.form.replace(FORMAT_SEPARATOR, ", then ")
        return f"Its times are written in several forms: each is read by the first that reads it of {forms}."
    if several:
        order = "day first" if fit.form.index("%d") < fit.form.index("%m") else "month first"
        return f"{cell} can be read with the {order} ({fit.form}), and the other way round: you decide."
    return f"Its times are written as {fit.form}, such as {cell}." if fit.form else ""


def _without_day_and_month(form: str) -> str:
    return form.replace("%d", "").replace("%m", "")


def _may_be_time(shape: CellShape) -> bool:
    return shape.text.isascii() and shape.text.count("9") >= 3


def _may_fit(pattern: str, signs: set[str]) -> bool:
    """Whether cells with these signs may be of a pattern: to compile all of them takes long."""
    if "%z" not in pattern:
        return _find_pattern_signs(pattern) in signs
    before = _find_pattern_signs(pattern.partition("%z")[0])
    return any(some.startswith(before) for some in signs)


@lru_cache(maxsize=1024)
def _find_pattern_signs(pattern: str) -> str:
    return _find_signs(_DIRECTIVE.sub("x", pattern))


def _find_signs(text: str) -> str:
    """What stands between the digits and letters of a time."""
    return _DIGITS_OR_LETTERS.sub("x", text.strip())


def _find_layout(form: str, cell: str) -> _Layout | None:
    """Where the parts of a time are in a cell; ``None`` where it is not written in this form."""
    if form in _EPOCHS:
        expression, scale = _EPOCHS[form]
        if number := expression.fullmatch(cell):
            return _Layout({"epoch": number.span("epoch")}, scale=scale)
    if form == ISO_OR_EPOCH_MS:
        match = _ISO.match(cell)
        sample = match and f"2022-01-01{'T00:00' if match['hour'] else ''}{':00' if match['second'] else ''}"
        if match is None or parse_time(f"{sample}{cell[match.end() :]}", _UTC) is None:
            return None
        return _Layout(_find_spans(match))
    if form in _EPOCHS:
        return None
    pattern = compile_time_pattern(form)
    found = re.fullmatch(pattern.expression, cell)
    if found is None:
        return None
    month = 0 if found["month"].isdigit() else parse_month(found["month"])
    return _Layout(_find_spans(found), month, pattern.short_year, pattern.twelve_hours)


def _find_spans(match: re.Match[str]) -> dict[str, Span]:
    parts = ("year", "month", "day", "hour", "minute", "second", "fraction")
    given = match.groupdict()
    return {part: match.span(part) for part in parts if given.get(part) and given[part].isdigit()}


def _fit_forms(profile: ColumnProfile, layouts: Mapping[str, Mapping[str, _Layout]]) -> Iterator[TimeFit]:
    """How many cells each form fits, in one pass over the column."""
    if not layouts:
        return
    fitting = dict.fromkeys(layouts, 0)
    exceptions: dict[str, list[int]] = defaultdict(list)
    examples: dict[str, int] = {}
    start = 0
    for chunk in profile.cells.chunks:
        for shape, cells in _split_by_shape(chunk):
            rows = cells.rows
            for form, known in layouts.items():
                layout = known.get(shape)
                good = np.zeros(rows.size, np.bool_) if layout is None else _are_times(cells, layout)
                count = int(np.count_nonzero(good))
                fitting[form] += count
                if count:
                    examples.setdefault(form, start + int(rows[int(good.argmax())]))
                if count < rows.size and shape.strip():
                    exceptions[form] += (start + rows[np.flatnonzero(~good)[:_EXCEPTIONS_NAMED]]).tolist()
        start += len(chunk)
    profile.table.release_memory()
    for form, count in fitting.items():
        if count:
            example = profile.table.cell(examples[form], profile.column)
            named = tuple(sorted(exceptions[form])[:_EXCEPTIONS_NAMED])
            yield TimeFit(form, count, named, _find_fineness(form, example), example)


class _Cells(NamedTuple):
    """The cells of one shape in a chunk.

    Attributes:
        rows: Their rows (from 0) in the chunk.
        words: The eight bytes from each byte of the chunk on.
        starts: Where each of the cells begins in them.
    """

    rows: Int64Array
    words: NDArray[np.uint64]
    starts: Int64Array

    def read_number(self, span: Span) -> Int64Array:
        """The number that stands in a span of each cell."""
        number = np.zeros(self.rows.size, np.int64)
        for place in range(*span, _WORD_DIGITS):
            digits = min(_WORD_DIGITS, span[1] - place)
            word = self.words[self.starts + place] << np.uint64(8 * (_WORD_DIGITS - digits))  # as if zeros led it
            for bits, times, over in _PAIR_STEPS:
                word = (word & np.uint64(bits)) * np.uint64(times) >> np.uint64(over)
            number = number * 10**digits + word.astype(np.int64)
        return number


def _split_by_shape(chunk: pa.Array) -> Iterator[tuple[str, _Cells]]:
    """The cells of each shape of a chunk; the blank ones too."""
    shapes = make_shapes(chunk)
    wide = pa.types.is_large_string(chunk.type)
    _, offsets, data = chunk.buffers()
    bounds = np.frombuffer(offsets, np.int64 if wide else np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    first, size = (0, 0) if data is None else (int(bounds[0]), int(bounds[-1] - bounds[0]))
    held = np.zeros(size + _WORD_DIGITS, np.uint8)  # longer, so that the word of its last byte can be read
    held[:size] = np.frombuffer(data or b"", np.uint8)[first : first + size]
    words: NDArray[np.uint64] = np.ndarray((size + 1,), "<u8", held.data, strides=(1,))
    starts = bounds[:-1].astype(np.int64) - first
    if (only := find_only_shape(shapes)) is not None:
        yield only.decode(errors="replace"), _Cells(np.arange(len(chunk)), words, starts)
        return
    encoded = shapes.dictionary_encode()
    codes = view_numbers(encoded.indices)
    for code, shape in enumerate(encoded.dictionary.to_pylist()):
        rows = np.flatnonzero(codes == code)
        yield shape.decode(errors="replace"), _Cells(rows, words, starts[rows])


def _are_times(cells: _Cells, layout: _Layout) -> Mask:
    """Which cells of one shape are times that there are, of years that can be sent."""

    def read(part: str) -> Int64Array:
        return cells.read_number(layout.spans[part])

    if layout.scale is not None:
        times, over, less = layout.scale
        ms = read("epoch") * times // over - less
        return (ms >= EARLIEST_MS) & (ms <= LATEST_MS)
    year = read("year") + (2000 if layout.short_year else 0)
    good = (year >= _FIRST_YEAR) & (year <= _LAST_YEAR)
    if not good.any():  # such as of digits that are no date at all
        return good
    month = read("month") if not layout.month else np.full(cells.rows.size, layout.month)
    day = read("day")
    good &= (month >= 1) & (month <= 12) & (day >= 1)
    leap = (month == 2) & (year % 4 == 0)  # no century that is none lies among the years
    good &= day <= _DAYS[np.where(good, month, 1)] + leap
    limits = {"hour": (1, 12) if layout.twelve_hours else (0, 23), "minute": (0, 59), "second": (0, 59)}
    for part, (least, most) in limits.items():
        if part in layout.spans:
            number = read(part)
            good &= (number >= least) & (number <= most)
    return good


def _find_fineness(form: str, cell: str) -> Fineness:
    layout = _find_layout(form, cell)
    if layout is None:
        return _DAY
    if layout.scale is not None:
        has_fraction = "." in cell or "," in cell
        return _DAY if form == SERIAL_DATE and not has_fraction else _SECOND if form in _TO_SECONDS else _FINER
    spans = layout.spans
    return _SECOND if "second" in spans else _MINUTE if "hour" in spans else _DAY
