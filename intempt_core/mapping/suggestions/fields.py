"""How well a column is a field of the contract: by what its header says, and by whether its cells can be that.

The score of a candidate is that of its header, of 100, less what its cells take from it; cells that cannot be what the
header promises leave nothing. Names and times are found by their cells alone too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from intempt_core.contract import EVENT_COUNT, PLAIN_FIELDS, format_count, shorten_value
from intempt_core.mapping.model import match_exact_field
from intempt_core.mapping.suggestions.header_parts import read_header_parts
from intempt_core.mapping.suggestions.known_headers import FIELD_MEANINGS, KNOWN_HEADERS, VENDOR_HEADERS, KnownHeader
from intempt_core.mapping.suggestions.known_names import is_known_name
from intempt_core.mapping.suggestions.profile import CellShape, ColumnProfile
from intempt_core.mapping.suggestions.times import FIT_SHARE, TimeFit, find_time_forms, has_unread_times
from intempt_core.mapping.suggestions.words import normalize_name
from intempt_core.mapping.values import UnlockedProperty

LEAST_SCORE = 30
"""The score that a candidate needs to be suggested."""

WRAPPER_OBJECTS = frozenset(
    "properties data params eventparams eventproperties attributes ecommerce product item items payload".split()
)
"""What others call the object that holds an event's further data: its name goes, its keys go into ``data``."""

_EXACT, _OF_VENDOR, _KNOWN, _KNOWN_INSIDE, _IN_WRAPPER = 100, 98, 90, 80, 45
_OTHER_VENDOR_COSTS, _ONE_VENDOR_COSTS, _LATER_PLACE_COSTS = 25, 1, 0.1
_BY_CELLS = 50
_SPACES_SHARE, _OTHER_SHARE, _FORMS_NAMED = 0.3, 0.5, 3
_MONEY = re.compile(r"-?9+[.,]99")
_WRITTEN_TIME = re.compile(r"(?:9999[-/]99[-/]99|9?9[./-]9?9[./-]99(?:99)?)(?:[ T,].*)?|.*9:99.*")
_FEW_ROWS = 20
_REPEATED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may be a field.

    Attributes:
        column: The header.
        field: The field.
        score: How surely, of 100.
        reason: What the header says, in a sentence; empty where it is the field's own name.
        cells: What the cells say, in sentences.
        doubt: What speaks against it, as the end of a sentence; empty where nothing does.
        times: The forms of its times.
    """

    column: str
    field: str
    score: float
    reason: str
    cells: str = ""
    doubt: str = ""
    times: tuple[TimeFit, ...] = ()

    @property
    def is_whole_days(self) -> bool:
        """Whether it says a day and no hour."""
        return bool(self.times) and self.times[0].fineness.rank == 0


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What cells say of a field: the share of the header's score that stays, sentences, and what speaks against it."""

    share: float
    cells: str = ""
    doubt: str = ""
    times: tuple[TimeFit, ...] = ()


@dataclass(frozen=True, eq=False)
class ColumnReading:
    """A column, and the fields that it may be.

    Attributes:
        profile: What its cells look like.
        vendor: Whose file it is, where a person said so; else empty.
    """

    profile: ColumnProfile
    vendor: str = ""

    @UnlockedProperty
    def candidates(self) -> tuple[Candidate, ...]:
        """The fields that the column may be, the surest first."""
        found: dict[str, Candidate] = {}
        for field, score, reason in self._read_header():
            if field in found:
                continue
            verdict = self.judge(field)
            if field == "eventId" and score < _BY_CELLS and verdict.doubt:
                continue  # an order's number is the event's id only where it is one for each row
            if verdict.share * score > 0:
                found[field] = Candidate(
                    self.profile.column,
                    field,
                    verdict.share * score,
                    reason,
                    verdict.cells,
                    verdict.doubt,
                    verdict.times,
                )
        for candidate in self._read_cells(found):
            found.setdefault(candidate.field, candidate)
        return tuple(sorted(found.values(), key=lambda candidate: -candidate.score))

    def judge(self, field: str) -> _Verdict:
        """What the cells say of a field."""
        if field == "name":
            return self._judge_names()
        if field == "timestamp":
            return self._judge_times()
        return self._judge_ids(field)

    @UnlockedProperty
    def times(self) -> tuple[TimeFit, ...]:
        """The forms of the column's times; none where it has none."""
        return tuple(find_time_forms(self.profile))

    # ── the header ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_header(self) -> Iterator[tuple[str, float, str]]:
        """Each field that the header may mean, its score, and why in a sentence; the surest first of each field."""
        column = self.profile.column
        quoted = f"“{shorten_value(column)}”"
        if (exact := match_exact_field(column)) in ("name", "data.productId", *PLAIN_FIELDS):
            yield exact, _EXACT, ""
        whole = normalize_name(column)
        if field := VENDOR_HEADERS.get(self.vendor, {}).get(whole):
            yield field, _OF_VENDOR, f"{quoted} is what {self.vendor} calls the {FIELD_MEANINGS[field]}."
        outer, _, rest = column.partition(".")
        is_wrapped = bool(rest) and normalize_name(outer) in WRAPPER_OBJECTS
        if known := KNOWN_HEADERS.get(whole):
            yield known.field, self._rate_known(known, _KNOWN), _explain_known(quoted, known.field, known.vendor)
        last = column.rpartition(".")[2]
        if rest and (known := KNOWN_HEADERS.get(normalize_name(last))):
            is_product = known.field == "data.productId"
            score = _KNOWN_INSIDE if is_product or not is_wrapped else 0 if known.field == "name" else _IN_WRAPPER
            yield known.field, self._rate_known(known, score), _explain_known(quoted, known.field, known.vendor)
        for field, score in read_header_parts(last if is_wrapped else column):
            most = _EXACT if not is_wrapped or field == "data.productId" else 0 if field == "name" else _IN_WRAPPER
            yield field, min(score, most), f"{quoted} has the words of the {FIELD_MEANINGS[field]}."

    def _rate_known(self, known: KnownHeader, score: float) -> float:
        """The score of a known header: what many write comes before one vendor's word, unless the file is that's."""
        if known.vendor and self.vendor:
            score = max(score, _OF_VENDOR) if known.vendor == self.vendor else max(0, score - _OTHER_VENDOR_COSTS)
        elif known.vendor:
            score -= _ONE_VENDOR_COSTS
        return score - _LATER_PLACE_COSTS * known.place

    # ── the cells ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_cells(self, found: dict[str, Candidate]) -> Iterator[Candidate]:
        """The fields that the cells show where the header says nothing of them."""
        column, profile = self.profile.column, self.profile
        if not found and self._known_names_share() >= _OTHER_SHARE and self._known_names() > 1:
            verdict = self._judge_names()
            yield Candidate(
                column, "name", _BY_CELLS, f"Its cells can be read as the {EVENT_COUNT} names.", verdict.cells
            )
        shapes = profile.shapes
        if found or not shapes or not is_written_time(shapes[0]) or is_other_moment(column):
            return
        if self.times:
            yield Candidate(
                column, "timestamp", LEAST_SCORE, "Its cells are times.", self._explain_times(), times=self.times
            )

    def _known_names(self) -> int:
        return sum(map(is_known_name, self.profile.names or ()))

    def _known_names_share(self) -> float:
        """The share of the different cells that are names, of all that a name column could have."""
        names = self.profile.names
        return self._known_names() / len(names) if names else 0.0

    def _judge_names(self) -> _Verdict:
        names = self.profile.names
        if not names or self.profile.says_nothing:
            return _Verdict(0)
        known = self._known_names()
        if known:
            return _Verdict(0.8 + 0.2 * known / len(names))
        words = sum(any(map(str.isalpha, name)) for name in names)
        if words * 2 < len(names) or len(names) > max(_FEW_ROWS, self.profile.table.rows // 10):
            return _Verdict(0)
        return _Verdict(0.5, doubt="none of its cells is known as an event's name")

    def _judge_times(self) -> _Verdict:
        if not self.profile.filled or self.profile.says_nothing:
            return _Verdict(0)
        filled = self.profile.filled / self.profile.table.rows
        if self.times:
            is_day = self.times[0].fineness.rank == 0
            doubt = "its cells are whole days" if is_day else ""
            return _Verdict((0.7 + 0.3 * filled) * (0.7 if is_day else 1), self._explain_times(), doubt, self.times)
        if has_unread_times(self.profile) and self.profile.shapes:
            some = ", ".join(f"“{shorten_value(shape.cell)}”" for shape in self.profile.shapes[:_FORMS_NAMED])
            said = f"Its cells look like times, but no form that is known here fits most of them: {some}."
            return _Verdict(0.5, said, "no form of times that is known here fits most of its cells")
        return _Verdict(0)

    def _explain_times(self) -> str:
        best = self.times[0]
        return self.profile.describe_exceptions(best.exceptions, self.profile.filled - best.fitting)

    def _judge_ids(self, field: str) -> _Verdict:
        profile = self.profile
        rows, filled = profile.table.rows, profile.filled
        if not filled or self._is_no_id(field):
            return _Verdict(0)
        if profile.says_nothing:
            several = len(profile.few_cells or ()) > 1
            return _Verdict(0.5, doubt="its cells stand for nothing") if several and field != "eventId" else _Verdict(0)
        share = 0.6 + 0.4 * filled / rows
        empty = rows - filled
        doubt = f"{format_count(empty, 'of its cells is', 'of its cells are')} empty" if empty else ""
        said = f"It is empty in {empty:,} of {rows:,} rows." if empty else ""
        if field == "eventId":
            return self._judge_event_ids(share, said, doubt)
        few = profile.few_cells
        if few is not None and len(few) == 1 and rows > _FEW_ROWS:
            share, doubt = share * 0.6, "it is the same in every row"
        return _Verdict(share, said, doubt)

    def _is_no_id(self, field: str) -> bool:
        """Whether most cells are something else: texts for people, times, amounts, JSON, event names."""
        profile = self.profile
        if profile.with_spaces > _SPACES_SHARE * profile.filled or self._known_names_share() > _OTHER_SHARE:
            return True
        takes_decimals = field in ("profileId", "userId")  # a visitor's id may be 12.34
        other = [
            shape
            for shape in profile.shapes or ()
            if shape.cell.startswith(("{", "["))
            or is_written_time(shape)
            or (_MONEY.fullmatch(shape.text) and not takes_decimals)
        ]
        if not profile.shapes:
            return profile.table.cell(0, profile.column).startswith(("{", "["))
        return sum(shape.count for shape in other) > _OTHER_SHARE * profile.filled

    def _judge_event_ids(self, share: float, said: str, doubt: str) -> _Verdict:
        """Ids of events differ from row to row; lines of one order may share one (CONTRACT 2.9)."""
        profile = self.profile
        if profile.filled < FIT_SHARE * profile.table.rows:
            return _Verdict(0)
        different = profile.distinct
        if different * 2 < profile.filled:
            return _Verdict(0)
        if different < profile.filled:
            share *= 0.9 if different >= _REPEATED_SHARE * profile.filled else 0.5
            said = f"{different:,} of its {profile.filled:,} ids are different. {said}".strip()
            return _Verdict(share, said, "not all of its cells are different")
        return _Verdict(share, said, doubt)


def is_written_time(shape: CellShape) -> bool:
    """Whether the cells of a shape are a date or a clock by their signs alone."""
    return bool(_WRITTEN_TIME.fullmatch(shape.text))


def is_other_moment(column: str) -> bool:
    """Whether a header's words say that its times are of another moment than the event."""
    return any(field == "timestamp" and score < LEAST_SCORE + 5 for field, score in read_header_parts(column))


def _explain_known(quoted: str, field: str, vendor: str) -> str:
    if vendor:
        return f"{quoted} is what {vendor} calls the {FIELD_MEANINGS[field]}."
    return f"A column called {quoted} usually holds the {FIELD_MEANINGS[field]}."


def is_contract_field(field: str) -> bool:
    """Whether a field is one that the contract knows, not a key of its own inside ``data``."""
    return field in ("name", "data.productId", *PLAIN_FIELDS)
