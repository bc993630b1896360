"""What the Upload screen knows and does: the file on disk, what it was read as, its mapping, its verdict, its plan.

A file comes in once, past the script, into the spool on disk; what is worked out from it is cached by what it depends
on, so that a screen that is drawn again reads nothing again.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from intempt_core import (
    ConsoleError,
    Dialect,
    Mapping,
    Plan,
    Report,
    Table,
    Target,
    check_table,
    exact_mapping,
    make_batch_intent,
    map_table,
    plan_table,
    read_table,
)
from intempt_core.events import Json
from intempt_core.expectations import ExpectationReport
from intempt_core.history import ExcludedRow, BatchSource, collect_excluded_rows
from intempt_core.mapped import MappedTable, choose_initial_mapping
from intempt_core.mapping import MappingSuggestion
from intempt_core.mends import Fix, apply_fixes
from intempt_core.offering import SuggestedFix, suggest_fixes
from intempt_core.plan import EventOrder, Policy
from intempt_core.report import PriorSend
from pages.parts import sending
from pages.parts.house import house
from pages.parts.session import TARGET, anew, key, one_click, room, value

KEPT = 4
"""Files whose reading, verdict and plan are kept in memory, over all sessions."""

PIECES = 24
"""Pieces of a file in the small picture of where a kind of problem is."""


@dataclass
class Uploading:
    """The Upload screen of one tab."""

    uploads: int = 0
    token: str = ""
    name: str = ""
    digest: str = ""
    dialect: Dialect | None = None
    mapping: Mapping | None = None
    mapped: bool = False
    fresh: str | None = None
    everything: bool = False
    leave_out: bool = False
    """Whether rows stay behind whose event was accepted before."""
    mends: tuple[Fix, ...] = ()
    """What was changed of the file, step by step."""
    order: EventOrder = EventOrder.FILE
    batch: str | None = None
    problem: str = ""
    """What is wrong with the file or its mapping."""
    trouble: str = ""
    """Why the last confirm recorded nothing."""
    stamp: str = ""
    """The newest batch when the mapping was settled."""
    revision: int = 0
    """How often the mapping was changed other than by its own fields: they are drawn anew then, for a browser that is
    late would give back what they showed before.
    """
    asked: "Question | None" = None
    """What the verdict on the screen is about."""


def uploading() -> Uploading:
    """This tab's Upload screen."""
    return room(Uploading)


def door() -> str:
    """The token under which this tab's browser brings files."""
    found = uploading()
    if not found.token:
        found.token = house().doors.create_token()
    return found.token


def take_in() -> None:
    """If a file has come in through this tab's door, read it; what cannot be read is a sentence."""
    file = house().doors.take_newest(door())
    if file is None:
        found = uploading()
        if found.digest and not house().doors.spool.touch(found.digest):
            begin_again()
            uploading().problem = f"{found.name} has lain here unread for a day and was removed. Drop it again."
        return
    begin_again()
    found = uploading()
    try:
        table = table_of(file.digest, file.name, None)
        found.name, found.digest, found.dialect = file.name, file.digest, table.dialect
        found.mapping = choose_initial_mapping(table)
    except ConsoleError as error:
        found.problem = str(error) if file.name in str(error) else f"{file.name}: {error}"


@st.cache_resource(max_entries=KEPT, show_spinner="Reading the file", hash_funcs={Dialect: repr})
def table_of(digest: str, name: str, dialect: Dialect | None) -> Table:
    """The spooled file as a table; ``dialect`` overrules what would be guessed."""
    return read_table(house().doors.spool.path(digest), name=name, dialect=dialect)


@dataclass(frozen=True, slots=True)
class Question:
    """All that a verdict depends on. ``place`` is a target's key; ``stamp`` the newest batch when it was asked."""

    digest: str
    name: str
    dialect: Dialect
    mapping: str
    fresh: str | None
    place: str
    stamp: str
    mends: tuple[Fix, ...] = ()
    catalogue: int = 0
    """When the place's catalogue was loaded; another one is another verdict."""

    @property
    def text(self) -> str:
        """The question in some hundred characters, whatever was mended."""
        return repr((replace(self, mends=()), [mend.key for mend in self.mends]))


@st.cache_resource(max_entries=KEPT, show_spinner="Checking every row", hash_funcs={Question: lambda asked: asked.text})
def judged(question: Question) -> "Judged":
    """The file mapped, mended and checked, with what history has sent to the place before.

    A mended table shares with the one before the mends what no mend touched: columns, and history's answer.
    """
    sent, lacks = house().history.sent_ids, house().lacks(question.place)

    def seen(ids: Sequence[str]) -> AnyMapping[str, PriorSend]:
        return sent(question.place, ids)

    if not question.mends:
        table = table_of(question.digest, question.name, question.dialect)
        mapped = map_table(table, Mapping.from_json(question.mapping), question.fresh)
        return Judged(mapped, check_table(mapped, seen, lacks))
    before = judged(replace(question, mends=()))
    mended = apply_fixes(before.mapped, question.mends)
    known = before.report if mended.mapped.has_same_ids(before.mapped) else None
    report = check_table(mended.mapped, seen, lacks, earlier_report=known)
    return Judged(mended.mapped, report, question.mends, mended.cells)


@dataclass(frozen=True)
class Judged:
    """A mapped file and its verdict."""

    mapped: MappedTable
    report: Report
    mends: tuple[Fix, ...] = ()
    mended: tuple[int, ...] = ()
    """The cells that each mend changed."""
    plans: dict[tuple[bytes, EventOrder], Plan] = field(default_factory=dict)
    """Plans by the rows that stay behind, and by their order; made once, for a screen is drawn often."""

    @property
    def accepted_before(self) -> NDArray[np.int64]:
        """The rows whose event was accepted at this place before."""
        return self.report.rows_of("sent_before", "accepted")

    def staying(self, *, everything: bool, leave_out: bool = False) -> NDArray[np.int64]:
        """The rows (from 0) that stay behind: those with errors, unless everything goes as it is, and, to be left out,
        those that were accepted before.
        """
        stay = np.zeros(self.report.rows, np.bool_) if everything else self.report.error_mask.copy()
        if leave_out:
            stay[self.accepted_before] = True
        return np.flatnonzero(stay)

    def plan(self, *, everything: bool, leave_out: bool = False, order: EventOrder = EventOrder.FILE) -> Plan:
        """The requests of the rows that do not stay behind."""
        stay = self.staying(everything=everything, leave_out=leave_out)
        which = sha256(stay.tobytes()).digest(), order
        if which not in self.plans:
            rows = np.delete(np.arange(self.report.rows), stay)
            self.plans[which] = plan_table(self.mapped, rows, house().settings, order=order)
        return self.plans[which]

    @cached_property
    def offers(self) -> list[SuggestedFix]:
        """The mends that would help."""
        return suggest_fixes(self.mapped, self.report)

    @cached_property
    def where(self) -> dict[str, list[int]]:
        """Where in the file each kind of problem is: rows in so many pieces of it."""
        pieces = {code: self.report.rows_of(code) for code in self.report.counts}
        return {code: np.histogram(rows, PIECES, (0, self.report.rows))[0].tolist() for code, rows in pieces.items()}

    @property
    def notes(self) -> list[Json]:
        """The mends as history keeps them with the batch."""
        return [step.record(cells) for step, cells in zip(self.mends, self.mended, strict=True)]

    @cached_property
    def tests(self) -> ExpectationReport:
        """What became of the file's own tests; raises where its column ``expect`` says nothing."""
        return ExpectationReport(self.mapped.table, self.report)

    def left_behind(self, *, everything: bool = False, leave_out: bool = False) -> Iterator[ExcludedRow]:
        """The rows that stay behind, with the codes that hold them back."""
        stay = self.staying(everything=everything, leave_out=leave_out).tolist()
        return collect_excluded_rows(self.report, self.mapped.events, stay)


def table() -> Table:
    """The file as it is read now."""
    found = uploading()
    return table_of(found.digest, found.name, found.dialect)


def reread(dialect: Dialect) -> None:
    """Read the file another way; its mapping begins anew where its header changes."""
    found = uploading()
    try:
        header = table().header
        new = table_of(found.digest, found.name, dialect)
    except ConsoleError as error:
        found.problem = str(error)
        return
    found.dialect, found.problem, found.mapped, found.mends = new.dialect, "", False, ()
    if new.header != header:
        found.mapping = choose_initial_mapping(new)
        found.revision += 1


def as_it_came(*, stands: bool) -> None:
    """Events of JSON lines leave as they stand, or are mapped from their keys."""
    found = uploading()
    found.mapping = Mapping({}) if stands else exact_mapping(table().header)
    found.mapped = False
    found.revision += 1


def set_field(column: str, field: str | None) -> None:
    """Map one column to a field, or to nothing."""
    found = uploading()
    mapping = found.mapping or exact_mapping(table().header)
    columns = {c: f for c, f in mapping.columns.items() if c != column}
    if field:
        columns[column] = field
    types = {f: kind for f, kind in mapping.types.items() if f in columns.values()}
    names = mapping.names if "name" in columns.values() else {}
    found.mapping = replace(mapping, columns=columns, types=types, names=names)


def use_mapping(text: str) -> None:
    """Take a mapping file's text in the place of the mapping there is; what is no mapping is a sentence."""
    found = uploading()
    try:
        found.mapping, found.problem = Mapping.from_json(text), ""
        found.revision += 1
    except ConsoleError as error:
        found.problem = str(error)


def accept(offers: list[MappingSuggestion]) -> None:
    """Take what is offered, because a person said so."""
    found = uploading()
    for offer in offers:
        found.mapping = (found.mapping or exact_mapping(table().header)).accept(offer)
    found.revision += 1


def settle() -> None:
    """The mapping is settled: judge the file against what history holds now."""
    found = uploading()
    newest = house().history.batches(size=1).items
    found.mapped, found.stamp = True, newest[0].id if newest else ""


def decided() -> tuple[object, ...]:
    """What a person has decided about the plan, as it is now."""
    found, name = uploading(), value(TARGET)
    policy = value(key("upload", "policy", name))
    return found.fresh, found.everything, found.leave_out, found.mends, found.order, name, policy


@one_click()
def submit(judged_: Judged, plan: Plan, target: Target, policy: Policy, drawn: tuple[object, ...]) -> None:
    """Confirm: record the batch, and let the engine send it. A double click sends once.

    ``drawn`` is what was decided when the button was drawn: it sends what one saw, or nothing. Where history cannot
    write, the batch is not there, nothing leaves, and the screen says so beside the button.
    """
    found = uploading()
    if found.batch is not None:
        return
    if drawn != decided():
        found.trouble = "Nothing was sent: the plan was being changed as the button was pressed. Look at it, then send."
        return
    found.trouble = ""
    intent = make_batch_intent(
        plan,
        target,
        source=BatchSource.FILE,
        label=found.name,
        rows=judged_.report.rows,
        policy=policy,
        digest=found.digest,
        mapping=judged_.mapped.mapping.to_json(),
        notes=_notes(judged_, found),
    )
    behind = judged_.left_behind(everything=found.everything, leave_out=found.leave_out)
    try:
        found.batch = sending.submit(intent, plan, behind)
    except ConsoleError as error:
        found.trouble = f"Nothing was sent: {error}"


def _notes(judged_: Judged, found: Uploading) -> dict[str, Json]:
    """What is worth showing of the batch later: what was decided beside the mapping."""
    notes: dict[str, Json] = {"as it is": True} if found.everything else {}
    if found.leave_out and (count := judged_.accepted_before.size):
        notes["accepted before, left out"] = int(count)
    if judged_.mends:
        notes["mends"] = judged_.notes
    if found.order is not EventOrder.FILE:
        notes["order"] = found.order.value
    return notes


def begin_again() -> None:
    """An empty screen for the next file."""
    st.query_params.clear()
    anew(Uploading(uploads=uploading().uploads + 1, token=uploading().token))
